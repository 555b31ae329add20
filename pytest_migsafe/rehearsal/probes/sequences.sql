-- For each column with values of a sequence that a unique index of its own keeps apart, in the tables in question that
-- have rows: the query for the next value, and for the first one from there on that a row has already. A sequence's
-- position is read, never drawn from. Values that the sequence steps over are no hindrance.
SELECT
    t.oid::pg_catalog.regclass::pg_catalog.text AS relation,
    pg_catalog.quote_ident(a.attname) AS column,
    s.seqrelid::pg_catalog.regclass::pg_catalog.text AS sequence,
    s.seqincrement AS increment,
    a.attidentity <> '' AS is_identity,
    pg_catalog.format(
        'WITH next AS ('
        'SELECT CASE WHEN is_called THEN last_value::numeric + %1$s ELSE last_value END AS value FROM %2$s'
        ') SELECT next.value, taken.value FROM next CROSS JOIN LATERAL ('
        'SELECT %3$I AS value FROM %4$s%5$s WHERE %3$I %6$s next.value::int8 AND (%3$I - next.value::int8) %% %1$s = 0'
        ' ORDER BY %3$I %7$s LIMIT 1) AS taken WHERE next.value BETWEEN %8$s AND %9$s',
        s.seqincrement,
        s.seqrelid::pg_catalog.regclass,
        a.attname,
        CASE t.relkind WHEN 'p' THEN '' ELSE 'ONLY ' END,
        t.oid::pg_catalog.regclass,
        CASE WHEN s.seqincrement > 0 THEN '>=' ELSE '<=' END,
        CASE WHEN s.seqincrement > 0 THEN 'ASC' ELSE 'DESC' END,
        s.seqmin,
        s.seqmax
    ) AS query
FROM pg_catalog.pg_sequence AS s
JOIN (
    SELECT identity.objid AS sequence, identity.refobjid AS relation, identity.refobjsubid AS number
    FROM pg_catalog.pg_depend AS identity
    WHERE identity.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
        AND identity.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
        AND identity.deptype = 'i'
        AND identity.refobjsubid > 0
    UNION
    SELECT used.refobjid, d.adrelid, d.adnum
    FROM pg_catalog.pg_attrdef AS d
    JOIN pg_catalog.pg_depend AS used
        ON used.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass AND used.objid = d.oid
        AND used.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
    WHERE pg_catalog.pg_get_expr(d.adbin, d.adrelid)
        = pg_catalog.format('nextval(%L::regclass)', used.refobjid::pg_catalog.regclass)
) AS fed ON fed.sequence = s.seqrelid
JOIN pg_catalog.pg_class AS t ON t.oid = fed.relation AND t.relkind IN ('r', 'p') AND NOT t.relispartition
JOIN pg_catalog.pg_attribute AS a ON a.attrelid = t.oid AND a.attnum = fed.number
JOIN pg_catalog.pg_type AS y ON y.oid = a.atttypid AND y.typcategory = 'N'
WHERE ({everything} OR t.oid IN {involved} OR s.seqrelid IN {involved})
    AND (t.relkind = 'p' OR pg_catalog.pg_relation_size(t.oid) > 0)
    AND EXISTS (
        SELECT FROM pg_catalog.pg_index AS i
        WHERE i.indrelid = t.oid AND i.indisunique AND i.indisvalid AND i.indpred IS NULL
            AND i.indnkeyatts = 1 AND i.indkey[0] = a.attnum
    )
ORDER BY 1, 2, 3
