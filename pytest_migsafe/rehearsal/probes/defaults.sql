-- For each default of the tables in question that is a constant, or made of constants: the query that is true, or ends
-- with an error, when its own column cannot hold it. That is for a check of that column alone, for a type with a length
-- (to which an explicit cast cuts a string down, and an INSERT does not), for a domain, and for a number out of range.
SELECT
    t.oid::pg_catalog.regclass::pg_catalog.text AS relation,
    pg_catalog.quote_ident(a.attname) AS column,
    own.text AS default,
    held.by,
    held.query
FROM pg_catalog.pg_attribute AS a
JOIN pg_catalog.pg_class AS t ON t.oid = a.attrelid AND t.relkind IN ('r', 'p', 'f') AND NOT t.relispartition
JOIN pg_catalog.pg_type AS y ON y.oid = a.atttypid
LEFT JOIN pg_catalog.pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
CROSS JOIN LATERAL (
    SELECT
        coalesce(d.adbin, y.typdefaultbin) AS tree,
        pg_catalog.pg_get_expr(coalesce(d.adbin, y.typdefaultbin), a.attrelid) AS text,
        pg_catalog.format_type(a.atttypid, a.atttypmod) AS type
) AS own
CROSS JOIN LATERAL (
    SELECT
        pg_catalog.format('the constraint %I: %s', c.conname, pg_catalog.pg_get_constraintdef(c.oid)) AS by,
        pg_catalog.format(
            'SELECT NOT (%s) FROM (SELECT CAST(%s AS %s) AS %I) AS %I',
            pg_catalog.pg_get_expr(c.conbin, c.conrelid), own.text, own.type, a.attname, t.relname
        ) AS query
    FROM pg_catalog.pg_constraint AS c
    WHERE c.conrelid = t.oid AND c.contype = 'c' AND c.conkey = ARRAY[a.attnum]
        AND coalesce((pg_catalog.to_jsonb(c) ->> 'conenforced')::pg_catalog.bool, true)
        AND {harmless_check}
        -- A trigger may give the row another value before the check sees it: for each row (1), before (2), insert (4).
        AND NOT EXISTS (
            SELECT FROM pg_catalog.pg_trigger AS g
            WHERE g.tgrelid = t.oid AND g.tgtype::pg_catalog.int4 & 7 = 7 AND g.tgenabled <> 'D' AND NOT g.tgisinternal
        )
    UNION ALL
    SELECT
        'its type, ' || own.type,
        pg_catalog.format('SELECT pg_catalog.length(pg_catalog.rtrim((%s)::text)) > %s', own.text, a.atttypmod - 4)
    WHERE a.atttypid IN ('pg_catalog.varchar'::pg_catalog.regtype, 'pg_catalog.bpchar'::pg_catalog.regtype)
        AND a.atttypmod > 4
    UNION ALL
    SELECT
        'its type, ' || own.type,
        -- Never true: the cast is the question.
        pg_catalog.format('SELECT pg_catalog.num_nulls(CAST(%s AS %s)) > 1', own.text, own.type)
    WHERE y.typtype = 'd'
        OR (a.atttypid = 'pg_catalog.numeric'::pg_catalog.regtype AND a.atttypmod > 4)
        OR (
            a.atttypid IN ('pg_catalog.int2'::pg_catalog.regtype, 'pg_catalog.int4'::pg_catalog.regtype)
            AND pg_catalog.length(own.text) > 4
        )
) AS held
WHERE a.attrelid IN {involved}
    AND a.attnum > 0
    AND NOT a.attisdropped
    AND a.attgenerated = ''
    AND a.attidentity = ''
    AND own.tree IS NOT NULL
    AND {harmless_default}
    -- A domain's own checks are what is asked about, so they must be harmless; one on another domain is left alone.
    AND (
        y.typtype <> 'd'
        OR (
            NOT EXISTS (SELECT FROM pg_catalog.pg_type AS b WHERE b.oid = y.typbasetype AND b.typtype = 'd')
            AND NOT EXISTS (
                SELECT FROM pg_catalog.pg_constraint AS c
                WHERE c.contypid = y.oid AND c.contype = 'c' AND NOT {harmless_check}
            )
        )
    )
ORDER BY 1, 2, 4
