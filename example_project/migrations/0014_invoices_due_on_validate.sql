-- Invoices get a due date, step 4 of 5: prove it of the rows that were there before.
--
-- This reads the whole table, under a lock that lets everybody read and write. In the file of 0013
-- it would have been read under that file's ACCESS EXCLUSIVE lock.

ALTER TABLE app.invoices VALIDATE CONSTRAINT invoices_due_on_not_null_check;
