-- Allow invoices without a due date again.

SET LOCAL lock_timeout = '2s';

ALTER TABLE app.invoices DROP CONSTRAINT invoices_due_on_not_null_check;
