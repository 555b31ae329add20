-- Invoices get a due date, step 1 of 5: a nullable column.
--
-- No row is touched. The default is set after the column is added, so it counts only for rows to
-- come: an application that does not know the column yet writes a due date too, and the
-- backfill of 0012 has a last row.

SET LOCAL lock_timeout = '2s';

ALTER TABLE app.invoices ADD COLUMN due_on date;
ALTER TABLE app.invoices ALTER COLUMN due_on SET DEFAULT CURRENT_DATE + 30;
COMMENT ON COLUMN app.invoices.due_on IS 'The last day to pay without a reminder';
