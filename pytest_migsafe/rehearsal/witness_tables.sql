-- The tables that a witness locks: all that are users' and have not been seen locked. A temporary table is its session's.
SELECT namespace.nspname::text AS schema, class.relname::text AS name
FROM pg_catalog.pg_class AS class
JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid = class.relnamespace
WHERE class.oid >= 16384
    AND class.relkind IN ('r', 'p')
    AND class.relpersistence <> 't'
    AND class.oid <> ALL (%(without)s::pg_catalog.oid[])
ORDER BY class.oid
LIMIT 1000
