-- The backfill changed no schema, and emptying the column would also erase what users entered
-- since. 0011's way back drops the column, and the dates with it.

SELECT 'nothing to undo' AS invoices_backfill_due_on;
