-- The customers of the old system, as they were exported.

INSERT INTO customers (name, email)
VALUES ('Ada', 'ada@example.com'), ('Grace', 'grace@example.com'), ('Ada L.', 'ada@example.com');
