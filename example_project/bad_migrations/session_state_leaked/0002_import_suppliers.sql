-- Wrong: SET (not SET LOCAL) and the temporary table outlive the file, in the session of the next one.

CREATE SCHEMA suppliers;
SET search_path = suppliers;

CREATE TEMPORARY TABLE incoming (name text NOT NULL);
INSERT INTO incoming (name) VALUES ('Papier & Co'), ('Tinte GmbH');

CREATE TABLE companies (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL
);
INSERT INTO companies (name) SELECT name FROM incoming;
