-- Wrong: 0001's settings has another shape; IF NOT EXISTS keeps that one and reports success.

CREATE TABLE IF NOT EXISTS settings (
    customer_id bigint NOT NULL,
    name text NOT NULL,
    value jsonb NOT NULL,
    PRIMARY KEY (customer_id, name)
);
