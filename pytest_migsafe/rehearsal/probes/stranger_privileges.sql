-- A role gets all privileges on some tables, and the way to everything else.
GRANT ALL ON {relations} TO {role};
DO $$
DECLARE
    schema pg_catalog.name;
BEGIN
    FOR schema IN SELECT n.nspname FROM pg_catalog.pg_namespace n WHERE n.nspname !~ '^pg_' LOOP
        EXECUTE pg_catalog.format('GRANT USAGE ON SCHEMA %I TO {role}', schema);
    END LOOP;
END
$$
