-- Settings of the whole service.

CREATE TABLE settings (
    name text PRIMARY KEY,
    value text NOT NULL
);
