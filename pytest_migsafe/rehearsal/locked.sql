-- The relations that the running transaction has locked in one of some modes.
SELECT DISTINCT locks.relation::bigint AS oid
FROM pg_catalog.pg_lock_status() AS locks
WHERE locks.pid = pg_catalog.pg_backend_pid()
    AND locks.locktype = 'relation'
    AND locks.relation >= 16384
    AND locks.mode = ANY ({modes})
ORDER BY oid
