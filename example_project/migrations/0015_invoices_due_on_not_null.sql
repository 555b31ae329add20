-- Invoices get a due date, step 5 of 5: NOT NULL.
--
-- Postgres takes the validated CHECK as proof and does not read the table. Then the CHECK has done
-- its work. Two statements: a single ALTER TABLE would drop the CHECK first, and read the table.

SET LOCAL lock_timeout = '2s';

ALTER TABLE app.invoices ALTER COLUMN due_on SET NOT NULL;
ALTER TABLE app.invoices DROP CONSTRAINT invoices_due_on_not_null_check;
