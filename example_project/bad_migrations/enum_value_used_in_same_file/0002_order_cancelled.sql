-- Wrong: a new enum value cannot be used in the transaction that adds it (55P04).

ALTER TYPE order_state ADD VALUE 'cancelled';

UPDATE orders SET state = 'cancelled' WHERE cancelled_at IS NOT NULL;
