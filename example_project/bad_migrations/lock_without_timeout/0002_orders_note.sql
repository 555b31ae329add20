-- One long SELECT of orders, and this waits for it, and everybody else waits for this.
ALTER TABLE orders ADD COLUMN note text;
