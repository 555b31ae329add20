-- What the running transaction holds and has done: one row a locked relation, at least one row in all.
-- Only functions, no catalog is scanned: the cost does not grow with the schema.
-- Relations below OID 16384 are PostgreSQL's own (manual: "System Catalog Initial Data", "OID Assignment").
SELECT
    pg_catalog.pg_wal_lsn_diff(session.lsn, '0/0')::bigint AS wal_position,
    session.started,
    session.lock_timeout_ms,
    held.*
FROM (
    SELECT
        pg_catalog.pg_current_wal_insert_lsn() AS lsn,
        pg_catalog.transaction_timestamp()::text AS started,
        (pg_catalog.extract('epoch', pg_catalog.current_setting('lock_timeout')::interval) * 1000)::integer
            AS lock_timeout_ms
) AS session
LEFT JOIN (
    SELECT
        locks.relation::bigint AS oid,
        pg_catalog.array_agg(locks.mode) AS modes,
        pg_catalog.min(named.identity) AS name,
        pg_catalog.min(named.type) AS kind,
        pg_catalog.pg_relation_filenode(locks.relation)::bigint AS filenode,
        pg_catalog.pg_stat_get_xact_numscans(locks.relation) AS scans,
        pg_catalog.pg_stat_get_xact_tuples_returned(locks.relation) AS tuples,
        pg_catalog.pg_stat_get_xact_tuples_inserted(locks.relation) AS inserted,
        pg_catalog.pg_stat_get_xact_tuples_updated(locks.relation) AS updated,
        pg_catalog.pg_stat_get_xact_tuples_deleted(locks.relation) AS deleted
    FROM pg_catalog.pg_lock_status() AS locks
    CROSS JOIN LATERAL pg_catalog.pg_identify_object('pg_catalog.pg_class'::pg_catalog.regclass, locks.relation, 0) AS named
    WHERE locks.pid = pg_catalog.pg_backend_pid()
        AND locks.locktype = 'relation'
        AND locks.relation >= 16384
    GROUP BY locks.relation
) AS held ON true
ORDER BY held.oid
