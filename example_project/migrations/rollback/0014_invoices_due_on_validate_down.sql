-- There is no "unvalidate": make the constraint anew, as 0013 left it.

SET LOCAL lock_timeout = '2s';

ALTER TABLE app.invoices DROP CONSTRAINT invoices_due_on_not_null_check;
ALTER TABLE app.invoices
    ADD CONSTRAINT invoices_due_on_not_null_check CHECK (due_on IS NOT NULL) NOT VALID;
