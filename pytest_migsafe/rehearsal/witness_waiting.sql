-- The locks on relations, held and awaited, of a session that waits for this one; no row while it does not. It may wait for a
-- transaction to end rather than for a relation, and hold nothing: then there is a row without a relation.
SELECT locks.relation::bigint AS relation, locks.mode AS mode
FROM (SELECT %(watched)s::integer AS pid) AS watched
LEFT JOIN pg_catalog.pg_lock_status() AS locks
    ON locks.pid = watched.pid
        AND locks.locktype = 'relation'
        AND locks.relation >= 16384
WHERE pg_catalog.pg_backend_pid() = ANY (pg_catalog.pg_blocking_pids(watched.pid))
ORDER BY locks.relation, locks.mode
