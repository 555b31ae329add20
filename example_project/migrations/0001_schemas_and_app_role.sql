-- Schemas, and the role that the application connects through.
--
-- Tables that customers see live in app, the record of who changed what lives in audit.
-- Migrations run as the owner of both; the application's login roles are members of app_user,
-- which owns nothing and therefore cannot get around row level security.
--
-- Roles belong to the whole cluster, not to this database: another database, or an earlier
-- attempt, may have created app_user already, and then it is the one we want.

DO $$
BEGIN
    CREATE ROLE app_user NOLOGIN;
EXCEPTION
    WHEN duplicate_object OR unique_violation THEN
        RAISE NOTICE 'role app_user exists already';
END
$$;

CREATE SCHEMA app;
COMMENT ON SCHEMA app IS 'Everything that a customer of the invoicing service sees';
GRANT USAGE ON SCHEMA app TO app_user;

CREATE SCHEMA audit;
COMMENT ON SCHEMA audit IS 'Who changed what, and when; written by triggers only';
GRANT USAGE ON SCHEMA audit TO app_user;
