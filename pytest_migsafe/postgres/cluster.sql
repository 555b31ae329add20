-- Run once in template1 and once in postgres, in single-user mode, as the bootstrap superuser.
-- A statement ends with a semicolon followed by an empty line.

-- The role that migrations run as. It may lose its privileges to a migration: the bootstrap superuser stays.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'postgres') THEN
        CREATE ROLE postgres SUPERUSER CREATEDB CREATEROLE REPLICATION BYPASSRLS LOGIN;
    END IF;
END
$$;

DO $$
BEGIN
    EXECUTE pg_catalog.format('ALTER DATABASE %I OWNER TO postgres', pg_catalog.current_database());
    -- From 15 on the schema belongs to pg_database_owner, that is to the database's owner (release notes of 15);
    -- before, to the bootstrap superuser, which in production is postgres.
    IF pg_catalog.current_setting('server_version_num')::int < 150000 THEN
        ALTER SCHEMA public OWNER TO postgres;
    END IF;
END
$$;

