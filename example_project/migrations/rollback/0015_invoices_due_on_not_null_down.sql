-- Back to the validated CHECK of 0014.
--
-- This reads invoices once under an ACCESS EXCLUSIVE lock, since one file cannot both add a
-- constraint and validate it in a later transaction: choose a quiet hour.

SET LOCAL lock_timeout = '2s';

ALTER TABLE app.invoices
    ADD CONSTRAINT invoices_due_on_not_null_check CHECK (due_on IS NOT NULL);
ALTER TABLE app.invoices ALTER COLUMN due_on DROP NOT NULL;
