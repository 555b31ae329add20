-- Products. Nothing is wrong here, but 0002 has to be mended first.

CREATE TABLE products (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL
);
