-- Drop the view; it holds nothing that is not in payments.

SET LOCAL lock_timeout = '2s';

DROP MATERIALIZED VIEW app.monthly_revenue;
