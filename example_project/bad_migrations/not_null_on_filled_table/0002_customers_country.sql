-- Wrong: NOT NULL without a default has no value for the rows that are there (23502).

SET LOCAL lock_timeout = '2s';

ALTER TABLE customers ADD COLUMN country text NOT NULL;
