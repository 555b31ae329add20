-- Orders and their states.

CREATE TYPE order_state AS ENUM ('open', 'shipped');

CREATE TABLE orders (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    state order_state NOT NULL DEFAULT 'open',
    cancelled_at timestamptz
);
