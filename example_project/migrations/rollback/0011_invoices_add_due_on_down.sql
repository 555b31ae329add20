-- Drop the due date. Dates that users have entered are lost.

SET LOCAL lock_timeout = '2s';

ALTER TABLE app.invoices DROP COLUMN due_on;
