CREATE TABLE orders (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    note text,
    total numeric(12, 2) NOT NULL
);

CREATE TABLE orders_history (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    order_id bigint NOT NULL,
    note text,
    changed_at timestamptz NOT NULL DEFAULT now()
);

CREATE FUNCTION remember_order() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO orders_history (order_id, note) VALUES (OLD.id, OLD.note);
    RETURN NEW;
END
$$;

CREATE TRIGGER remember BEFORE UPDATE ON orders
    FOR EACH ROW EXECUTE FUNCTION remember_order();
