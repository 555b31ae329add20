-- What the running transaction holds and has done: one row a locked relation, at least one row in all.
-- Only functions, and an index's table by its key: the cost does not grow with the schema.
-- Relations below OID 16384 are PostgreSQL's own (manual: "System Catalog Initial Data", "OID Assignment").
-- Of the relations that are newer than a given one only the oldest few are read, so that the cost does not grow
-- with what a file creates.
WITH locked AS MATERIALIZED (
    SELECT
        locks.relation,
        pg_catalog.array_agg(locks.mode) AS modes
    FROM pg_catalog.pg_lock_status() AS locks
    WHERE locks.pid = pg_catalog.pg_backend_pid()
        AND locks.locktype = 'relation'
        AND locks.relation >= 16384
    GROUP BY locks.relation
),

newer AS (
    SELECT locked.relation, locked.modes
    FROM locked
    WHERE locked.relation > {newest}
    ORDER BY locked.relation
    LIMIT {most_new}
),

looked_at AS (
    SELECT locked.relation, locked.modes
    FROM locked
    WHERE locked.relation <= {newest}
    UNION ALL
    SELECT newer.relation, newer.modes
    FROM newer
)

SELECT
    pg_catalog.pg_wal_lsn_diff(session.lsn, '0/0')::bigint AS wal_position,
    session.started,
    session.lock_timeout_ms,
    session.statement_timeout_ms,
    session.unread,
    held.*
FROM (
    SELECT
        pg_catalog.pg_current_wal_insert_lsn() AS lsn,
        pg_catalog.transaction_timestamp()::text AS started,
        (pg_catalog.extract('epoch', pg_catalog.current_setting('lock_timeout')::interval) * 1000)::integer
            AS lock_timeout_ms,
        (pg_catalog.extract('epoch', pg_catalog.current_setting('statement_timeout')::interval) * 1000)::integer
            AS statement_timeout_ms,
        (SELECT pg_catalog.count(*) FROM locked) - (SELECT pg_catalog.count(*) FROM looked_at) AS unread
) AS session
LEFT JOIN (
    SELECT
        looked_at.relation::bigint AS oid,
        looked_at.modes,
        named.identity AS name,
        named.type AS kind,
        pg_catalog.pg_relation_filenode(looked_at.relation)::bigint AS filenode,
        pg_catalog.pg_stat_get_xact_numscans(looked_at.relation) AS scans,
        pg_catalog.pg_stat_get_xact_tuples_returned(looked_at.relation) AS tuples,
        pg_catalog.pg_stat_get_xact_tuples_inserted(looked_at.relation) AS inserted,
        pg_catalog.pg_stat_get_xact_tuples_updated(looked_at.relation) AS updated,
        pg_catalog.pg_stat_get_xact_tuples_deleted(looked_at.relation) AS deleted,
        (
            SELECT index.indrelid::bigint FROM pg_catalog.pg_index AS index
            WHERE index.indexrelid = looked_at.relation
        ) AS of_table
    FROM looked_at
    CROSS JOIN LATERAL pg_catalog.pg_identify_object('pg_catalog.pg_class'::pg_catalog.regclass, looked_at.relation, 0) AS named
) AS held ON true
ORDER BY held.oid
