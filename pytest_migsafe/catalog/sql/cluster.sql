-- What belongs to the whole cluster and migrations change: one row each, with all that can be said of it.
-- Only what every role may read (pg_authid and the connections of subscriptions are a superuser's).
-- Databases of other runs of ours come and go.
SELECT 'role' AS kind, role.rolname::text AS name,
    pg_catalog.concat_ws(
        ' ',
        CASE WHEN role.rolsuper THEN 'SUPERUSER' ELSE 'NOSUPERUSER' END,
        CASE WHEN role.rolcanlogin THEN 'LOGIN' ELSE 'NOLOGIN' END,
        CASE WHEN role.rolinherit THEN 'INHERIT' ELSE 'NOINHERIT' END,
        CASE WHEN role.rolcreatedb THEN 'CREATEDB' END,
        CASE WHEN role.rolcreaterole THEN 'CREATEROLE' END,
        CASE WHEN role.rolreplication THEN 'REPLICATION' END,
        CASE WHEN role.rolbypassrls THEN 'BYPASSRLS' END,
        CASE WHEN role.rolconnlimit >= 0 THEN 'CONNECTION LIMIT ' || role.rolconnlimit END,
        'VALID UNTIL ' || pg_catalog.quote_literal(role.rolvaliduntil)
    ) AS definition
FROM pg_catalog.pg_roles AS role
WHERE role.oid >= 16384
    OR role.rolsuper
UNION ALL
SELECT 'membership', pg_catalog.pg_get_userbyid(membership.member) || ' in ' || pg_catalog.pg_get_userbyid(membership.roleid),
    CASE WHEN membership.admin_option THEN 'WITH ADMIN OPTION' ELSE '' END
FROM pg_catalog.pg_auth_members AS membership
WHERE membership.member >= 16384
UNION ALL
SELECT 'setting',
    pg_catalog.concat_ws(
        ' ',
        CASE WHEN defaults.setrole <> 0 THEN 'of role ' || pg_catalog.pg_get_userbyid(defaults.setrole) END,
        'in database ' || (SELECT datname FROM pg_catalog.pg_database WHERE oid = defaults.setdatabase)
    ),
    pg_catalog.array_to_string(defaults.setconfig, ', ')
FROM pg_catalog.pg_db_role_setting AS defaults
UNION ALL
SELECT 'database', database.datname::text,
    pg_catalog.concat_ws(
        ' ',
        'OWNER ' || pg_catalog.pg_get_userbyid(database.datdba),
        CASE WHEN database.datistemplate THEN 'IS_TEMPLATE' END,
        CASE WHEN NOT database.datallowconn THEN 'ALLOW_CONNECTIONS false' END,
        CASE WHEN database.datconnlimit >= 0 THEN 'CONNECTION LIMIT ' || database.datconnlimit END,
        pg_catalog.array_to_string(database.datacl, ',')
    )
FROM pg_catalog.pg_database AS database
WHERE NOT pg_catalog.starts_with(database.datname, 'migsafe_')
UNION ALL
SELECT 'tablespace', tablespace.spcname::text, 'OWNER ' || pg_catalog.pg_get_userbyid(tablespace.spcowner)
FROM pg_catalog.pg_tablespace AS tablespace
UNION ALL
SELECT 'subscription', subscription.subname::text,
    CASE WHEN subscription.subenabled THEN 'ENABLED' ELSE 'DISABLED' END
FROM pg_catalog.pg_subscription AS subscription
ORDER BY 1, 2, 3
