-- For each constraint CHECK or NOT NULL of the tables in question that is not validated, or whose being valid is
-- doubted: the query for the rows that violate it. What a child or partition inherits goes with its parent's.
SELECT
    c.conrelid::pg_catalog.regclass::pg_catalog.text AS relation,
    pg_catalog.quote_ident(c.conname) AS name,
    CASE c.contype WHEN 'c' THEN 'check' ELSE 'not null' END AS kind,
    c.convalidated AS validated,
    key.columns,
    key.sample,
    pg_catalog.format(
        'FROM %s%s WHERE %s',
        CASE WHEN c.connoinherit THEN 'ONLY ' ELSE '' END,
        c.conrelid::pg_catalog.regclass,
        CASE c.contype
            WHEN 'c' THEN pg_catalog.format('NOT (%s)', pg_catalog.pg_get_expr(c.conbin, c.conrelid))
            ELSE (
                SELECT pg_catalog.format('%I IS NULL', a.attname)
                FROM pg_catalog.pg_attribute AS a WHERE a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
            )
        END
    ) AS source
FROM pg_catalog.pg_constraint AS c
JOIN pg_catalog.pg_class AS t ON t.oid = c.conrelid
CROSS JOIN LATERAL {key} AS key
WHERE c.contype IN ('c', 'n')
    AND c.coninhcount = 0
    AND (
        NOT c.convalidated
        OR pg_catalog.format('%s.%I', c.conrelid::pg_catalog.regclass, c.conname) IN (
            SELECT doubted.name FROM pg_catalog.jsonb_array_elements_text({doubted}) AS doubted (name)
        )
    )
    AND ({everything} OR c.conrelid IN {involved})
    AND (t.relkind = 'p' OR t.relhassubclass OR pg_catalog.pg_relation_size(t.oid) > 0)
    AND coalesce((pg_catalog.to_jsonb(c) ->> 'conenforced')::pg_catalog.bool, true)
    AND (c.contype = 'n' OR {harmless})

UNION ALL

-- A column that was made NOT NULL in the catalog itself, to save the look at the rows. Since PostgreSQL 17 the planner
-- believes that, and IS NULL finds nothing.
SELECT
    a.attrelid::pg_catalog.regclass::pg_catalog.text,
    pg_catalog.quote_ident(a.attname),
    'not null',
    true,
    key.columns,
    key.sample,
    pg_catalog.format('FROM %s WHERE pg_catalog.num_nulls(%I) = 1', a.attrelid::pg_catalog.regclass, a.attname)
FROM pg_catalog.pg_attribute AS a
JOIN pg_catalog.pg_class AS t ON t.oid = a.attrelid
CROSS JOIN LATERAL {key} AS key
WHERE a.attnotnull
    AND NOT t.relispartition
    AND pg_catalog.format('%s.%I', a.attrelid::pg_catalog.regclass, a.attname) IN (
        SELECT doubted.name FROM pg_catalog.jsonb_array_elements_text({doubted}) AS doubted (name)
    )
ORDER BY 1, 2
