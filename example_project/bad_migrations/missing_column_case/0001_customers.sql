-- Customers; an ORM of the time quoted its column names.

CREATE TABLE customers (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    "firstName" text NOT NULL,
    "lastName" text NOT NULL
);
