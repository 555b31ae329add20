-- Drop the invoices. Their foreign key makes this lock organisations too.

SET LOCAL lock_timeout = '2s';

DROP TABLE app.invoices;
