-- Drop the types and functions of 0002. The drop fails, as it should, if a table still uses one.

DROP FUNCTION app.touch_updated_at();
DROP FUNCTION app.current_user_id();
DROP TYPE app.payment_method;
DROP TYPE app.invoice_status;
DROP DOMAIN app.currency_code;
