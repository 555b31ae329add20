-- What the session holds between transactions, so that what a file leaves behind can be told from it; and whether
-- the file has changed what belongs to the whole cluster.
SELECT
    session_user::text AS session_user,
    current_user::text AS current_user,
    (
        {settings}
    ) AS settings,
    (
        SELECT pg_catalog.array_agg(class.relname ORDER BY class.relname)
        FROM pg_catalog.pg_class AS class
        WHERE pg_catalog.pg_my_temp_schema() <> 0
            AND class.relnamespace = pg_catalog.pg_my_temp_schema()
            AND class.relkind IN ('r', 'v', 'S', 'p')
    ) AS temporary_relations,
    (
        SELECT pg_catalog.array_agg(
            pg_catalog.concat_ws(',', locks.classid::bigint, locks.objid::bigint) ORDER BY locks.classid, locks.objid
        )
        FROM pg_catalog.pg_lock_status() AS locks
        WHERE locks.pid = pg_catalog.pg_backend_pid() AND locks.locktype = 'advisory'
    ) AS advisory_locks,
    (
        SELECT pg_catalog.array_agg(prepared.name ORDER BY prepared.name)
        FROM pg_catalog.pg_prepared_statement() AS prepared
        WHERE NOT pg_catalog.starts_with(prepared.name, 'migsafe_') -- our own
    ) AS prepared_statements,
    (
        SELECT pg_catalog.array_agg(cursors.name ORDER BY cursors.name)
        FROM pg_catalog.pg_cursor() AS cursors
        WHERE cursors.is_holdable
    ) AS cursors,
    (SELECT pg_catalog.array_agg(channel ORDER BY channel) FROM pg_catalog.pg_listening_channels() AS channel) AS channels,
    pg_catalog.md5(
        (
            SELECT pg_catalog.string_agg(cluster::text, ' ')
            FROM ({cluster}) AS cluster
        )
    ) AS cluster
