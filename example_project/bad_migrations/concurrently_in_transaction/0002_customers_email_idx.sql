-- Wrong: CONCURRENTLY cannot run in a transaction; the first line "-- no-transaction" is missing (25001).

CREATE INDEX CONCURRENTLY customers_email_idx ON customers (email);
