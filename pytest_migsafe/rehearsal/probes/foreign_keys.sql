-- For each foreign key of the tables in question that have rows, or that refer to one of them: the query for the rows
-- that refer to nothing (manual: "CREATE TABLE", MATCH). The constraints that partitions get from it go with it; a key
-- with PERIOD (PostgreSQL 18) compares otherwise, and so does one with an operator of the user's.
SELECT
    c.conrelid::pg_catalog.regclass::pg_catalog.text AS relation,
    pg_catalog.quote_ident(c.conname) AS name,
    'foreign key' AS kind,
    c.convalidated AS validated,
    key.columns,
    key.sample,
    pg_catalog.format(
        'FROM %s%s AS child WHERE %s',
        CASE t.relkind WHEN 'p' THEN '' ELSE 'ONLY ' END,
        c.conrelid::pg_catalog.regclass,
        CASE
            WHEN c.confmatchtype = 'f' AND pg_catalog.cardinality(c.conkey) > 1
                THEN pg_catalog.format('(%s) AND NOT (%s AND EXISTS %s)', key.any_given, key.all_given, matched.query)
            ELSE pg_catalog.format('%s AND NOT EXISTS %s', key.all_given, matched.query)
        END
    ) AS source
FROM pg_catalog.pg_constraint AS c
JOIN pg_catalog.pg_class AS t ON t.oid = c.conrelid
JOIN pg_catalog.pg_class AS r ON r.oid = c.confrelid
CROSS JOIN LATERAL (
    SELECT
        pg_catalog.string_agg(pg_catalog.quote_ident(a.attname), ', ' ORDER BY part.place) AS columns,
        pg_catalog.string_agg(
            pg_catalog.format('coalesce(child.%I::text, ''NULL'')', a.attname), ' || '', '' || ' ORDER BY part.place
        ) AS sample,
        pg_catalog.string_agg(pg_catalog.format('child.%I IS NOT NULL', a.attname), ' AND ' ORDER BY part.place) AS all_given,
        pg_catalog.string_agg(pg_catalog.format('child.%I IS NOT NULL', a.attname), ' OR ' ORDER BY part.place) AS any_given,
        pg_catalog.string_agg(
            pg_catalog.format(
                'parent.%I %s child.%I',
                b.attname,
                CASE
                    WHEN o.oprnamespace = 'pg_catalog'::pg_catalog.regnamespace THEN o.oprname::pg_catalog.text
                    ELSE pg_catalog.format('OPERATOR(%s.%s)', o.oprnamespace::pg_catalog.regnamespace, o.oprname)
                END,
                a.attname
            ),
            ' AND ' ORDER BY part.place
        ) AS matching
    FROM ROWS FROM (
        pg_catalog.unnest(c.conkey), pg_catalog.unnest(c.confkey), pg_catalog.unnest(c.conpfeqop)
    ) WITH ORDINALITY AS part (own, other, operator, place)
    JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.conrelid AND a.attnum = part.own
    JOIN pg_catalog.pg_attribute AS b ON b.attrelid = c.confrelid AND b.attnum = part.other
    JOIN pg_catalog.pg_operator AS o ON o.oid = part.operator
) AS key
CROSS JOIN LATERAL (
    SELECT pg_catalog.format(
        '(SELECT FROM %s%s AS parent WHERE %s)',
        CASE r.relkind WHEN 'p' THEN '' ELSE 'ONLY ' END, c.confrelid::pg_catalog.regclass, key.matching
    ) AS query
) AS matched
WHERE c.contype = 'f'
    AND c.conparentid = 0
    AND ({everything} OR c.conrelid IN {involved} OR c.confrelid IN {involved})
    AND (t.relkind = 'p' OR pg_catalog.pg_relation_size(t.oid) > 0)
    AND coalesce((pg_catalog.to_jsonb(c) ->> 'conenforced')::pg_catalog.bool, true)
    AND NOT coalesce((pg_catalog.to_jsonb(c) ->> 'conperiod')::pg_catalog.bool, false)
    AND NOT EXISTS (
        SELECT FROM pg_catalog.pg_operator AS o
        WHERE o.oid = ANY (c.conpfeqop) AND {is_users}
    )
ORDER BY 1, 2
