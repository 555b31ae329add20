-- Products. In the session that 0002 left behind, they are created in schema suppliers.

CREATE TABLE products (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL
);
