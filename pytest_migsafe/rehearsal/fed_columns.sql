-- For each column with a rising sequence of its own (serial, identity): the query for its highest value, and the one that
-- moves the sequence up to it. Only where our role may do both.
SELECT
    s.seqrelid AS sequence,
    pg_catalog.format(
        'SELECT %s::oid AS sequence, pg_catalog.max(%I)::int8 AS highest FROM %s',
        s.seqrelid, a.attname, t.oid::pg_catalog.regclass
    ) AS highest,
    pg_catalog.format(
        'SELECT pg_catalog.setval(%L::pg_catalog.regclass, rows.highest) FROM %s AS sequence'
        ' CROSS JOIN (SELECT pg_catalog.max(%I)::int8 AS highest FROM %s) AS rows'
        ' WHERE rows.highest >= sequence.last_value AND rows.highest <= %s',
        s.seqrelid::pg_catalog.regclass, s.seqrelid::pg_catalog.regclass, a.attname, t.oid::pg_catalog.regclass, s.seqmax
    ) AS move
FROM pg_catalog.pg_sequence AS s
JOIN pg_catalog.pg_depend AS d
    ON d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = s.seqrelid
    AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i')
JOIN pg_catalog.pg_class AS t ON t.oid = d.refobjid AND t.relkind IN ('r', 'p')
JOIN pg_catalog.pg_attribute AS a ON a.attrelid = t.oid AND a.attnum = d.refobjsubid
WHERE s.seqincrement > 0
    AND a.atttypid IN ('int2'::pg_catalog.regtype, 'int4'::pg_catalog.regtype, 'int8'::pg_catalog.regtype)
    AND pg_catalog.has_table_privilege(t.oid, 'SELECT')
    AND pg_catalog.has_sequence_privilege(s.seqrelid, 'SELECT')
    AND pg_catalog.has_sequence_privilege(s.seqrelid, 'UPDATE')
ORDER BY 1
