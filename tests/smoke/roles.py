"""The roles of the tests about row-level security; they are the cluster's, so each test finds or makes them."""

from pytest_migsafe.rehearsal.facts import Scope

#: Strangers come as these, to these schemas.
SCOPE = Scope(exposed_roles=("anon", "App User"), exposed_schemas=("public", "Shop"))

ROLES = """
    DO $$
    DECLARE
        wanted text;
    BEGIN
        FOREACH wanted IN ARRAY ARRAY['anon', 'App User', 'clerk', 'Shop Owner'] LOOP
            IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted) THEN
                EXECUTE format('CREATE ROLE %I', wanted);
            END IF;
        END LOOP;
    END
    $$;
    CREATE SCHEMA "Shop";
    CREATE SCHEMA private;
    GRANT USAGE ON SCHEMA "Shop", private TO PUBLIC;
    GRANT USAGE ON SCHEMA public TO PUBLIC;
"""
