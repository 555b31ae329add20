-- What the session's role may do on this server, and whether anything can be written there.
SELECT
    pg_catalog.pg_backend_pid() AS pid,
    role.rolname AS role,
    role.rolsuper AS is_superuser,
    role.rolcreatedb OR role.rolsuper AS may_create_databases,
    role.rolcreaterole OR role.rolsuper AS may_create_roles,
    pg_catalog.pg_is_in_recovery() AS is_standby,
    pg_catalog.current_setting('transaction_read_only') = 'on' AS is_read_only,
    pg_catalog.current_setting('track_counts') = 'on' AS counts_rows,
    (
        SELECT pg_catalog.pg_encoding_to_char(template.encoding)
        FROM pg_catalog.pg_database AS template
        WHERE template.datname = 'template1'
    ) AS encoding
FROM pg_catalog.pg_roles AS role
WHERE role.rolname = current_user
