-- A role that is nobody in particular, with all privileges on some tables and the way to everything else.
CREATE ROLE migsafe_stranger;
GRANT ALL ON {relations} TO migsafe_stranger;
DO $$
DECLARE
    schema pg_catalog.name;
BEGIN
    FOR schema IN SELECT n.nspname FROM pg_catalog.pg_namespace n WHERE n.nspname !~ '^pg_' LOOP
        EXECUTE pg_catalog.format('GRANT USAGE ON SCHEMA %I TO migsafe_stranger', schema);
    END LOOP;
END
$$
