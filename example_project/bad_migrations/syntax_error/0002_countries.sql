-- Wrong: NOT NUL in the middle of the file; the ö, ç and 日本 before it move byte positions (42601).

CREATE TABLE countries (
    code text PRIMARY KEY,
    name text NOT NULL
);

INSERT INTO countries (code, name)
VALUES ('AT', 'Österreich'), ('TR', 'Türkiye'), ('CW', 'Curaçao'), ('JP', '日本');

CREATE TABLE cities (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    country_code text NOT NUL REFERENCES countries (code),
    name text NOT NULL
);

CREATE INDEX cities_country_code_idx ON cities (country_code);
