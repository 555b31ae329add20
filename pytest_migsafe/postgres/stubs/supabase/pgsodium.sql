-- schema: pgsodium
-- pgsodium's name and its table of keys, for dumps that make the extension. It encrypts nothing.

CREATE TABLE key (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    name text UNIQUE,
    created timestamptz NOT NULL DEFAULT now(),
    expires timestamptz
);
CREATE VIEW valid_key AS SELECT id, name, created, expires FROM key WHERE expires IS NULL OR expires > now();

CREATE FUNCTION create_key(name text DEFAULT NULL) RETURNS valid_key LANGUAGE sql
BEGIN ATOMIC
    INSERT INTO key (name) VALUES (create_key.name) RETURNING id, name, created, expires;
END;
