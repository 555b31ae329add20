-- The application that is running asks for orders.quantity until the last of its processes is replaced.
SET LOCAL lock_timeout = '2s';

ALTER TABLE orders RENAME COLUMN quantity TO amount;
