-- A telephone number for customers.

SET LOCAL lock_timeout = '2s';

ALTER TABLE customers ADD COLUMN phone text;
