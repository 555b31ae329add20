-- Both tables are read as a whole while writers of either wait.
SET LOCAL lock_timeout = '2s';

ALTER TABLE orders
    ADD CONSTRAINT orders_customer_fkey FOREIGN KEY (customer_id) REFERENCES customers (id);
