-- Drop the function before the view that its body reads.

SET LOCAL lock_timeout = '2s';

DROP FUNCTION app.invoice_balance(bigint);
DROP VIEW app.invoice_totals;
