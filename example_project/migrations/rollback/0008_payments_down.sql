-- Drop the payments. Their foreign key makes this lock invoices too.

SET LOCAL lock_timeout = '2s';

DROP TABLE app.payments;
