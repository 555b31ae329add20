-- The first statement takes the lock for a moment; the second keeps it for as long as it takes to write every order.
SET LOCAL lock_timeout = '2s';

ALTER TABLE orders ADD COLUMN status text;
UPDATE orders SET status = 'shipped';
