-- no-transaction
-- Drop the index, also if it is invalid or was never made.

DROP INDEX CONCURRENTLY IF EXISTS app.invoices_open_due_on_idx;
