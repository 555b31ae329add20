-- Relations that exist: their names and files, and the reading and writing that this session has counted so
-- far. Asked of the relations of interest in the state before a file, or of all of them.
SELECT
    class.oid::bigint AS oid,
    named.identity AS name,
    named.type AS kind,
    pg_catalog.pg_relation_filenode(class.oid)::bigint AS filenode,
    pg_catalog.pg_stat_get_xact_numscans(class.oid) AS scans,
    pg_catalog.pg_stat_get_xact_tuples_returned(class.oid) AS tuples,
    pg_catalog.pg_stat_get_xact_tuples_inserted(class.oid) AS inserted,
    pg_catalog.pg_stat_get_xact_tuples_updated(class.oid) AS updated,
    pg_catalog.pg_stat_get_xact_tuples_deleted(class.oid) AS deleted,
    (
        SELECT index.indrelid::bigint FROM pg_catalog.pg_index AS index
        WHERE index.indexrelid = class.oid
    ) AS of_table,
    EXISTS (
        SELECT FROM pg_catalog.pg_depend AS depend
        WHERE depend.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
            AND depend.objid = class.oid
            AND depend.objsubid = 0
            AND depend.deptype = 'e'
    ) AS of_extension
FROM pg_catalog.pg_class AS class
CROSS JOIN LATERAL pg_catalog.pg_identify_object('pg_catalog.pg_class'::pg_catalog.regclass, class.oid, 0) AS named
WHERE class.oid >= 16384
