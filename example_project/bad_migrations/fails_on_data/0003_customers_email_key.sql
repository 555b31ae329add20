-- no-transaction
-- Wrong: two rows of 0002 have the same email (23505); an empty test database would not notice.

CREATE UNIQUE INDEX CONCURRENTLY customers_email_key ON customers (email);
