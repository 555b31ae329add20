-- Every row is written anew, and nobody reads or writes an order meanwhile.
SET LOCAL lock_timeout = '2s';

ALTER TABLE orders ALTER COLUMN quantity TYPE bigint;
