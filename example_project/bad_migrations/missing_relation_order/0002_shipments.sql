-- Wrong: references orders, which only 0003 creates (42P01).

CREATE TABLE shipments (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    order_id bigint NOT NULL UNIQUE REFERENCES orders (id),
    shipped_at timestamptz
);
