-- Invoices get a due date, step 3 of 5: no invoice without one from now on.
--
-- NOT VALID: the lock is held for a moment only, because the rows that are there are not read.

SET LOCAL lock_timeout = '2s';

ALTER TABLE app.invoices
    ADD CONSTRAINT invoices_due_on_not_null_check CHECK (due_on IS NOT NULL) NOT VALID;
