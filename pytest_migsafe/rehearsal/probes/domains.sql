-- For each column of a domain with a constraint that is not validated: the query for the rows that violate it. In the
-- constraint's text VALUE stands for the value, and is a name like others.
WITH RECURSIVE based AS (
    SELECT d.oid AS type, d.oid AS domain
    FROM pg_catalog.pg_type AS d
    WHERE d.typtype = 'd'
    UNION
    SELECT based.type, d.typbasetype
    FROM based
    JOIN pg_catalog.pg_type AS d ON d.oid = based.domain
    JOIN pg_catalog.pg_type AS b ON b.oid = d.typbasetype AND b.typtype = 'd'
)

SELECT
    t.oid::pg_catalog.regclass::pg_catalog.text AS relation,
    pg_catalog.format('%I of the domain %s', c.conname, c.contypid::pg_catalog.regtype) AS name,
    'domain' AS kind,
    c.convalidated AS validated,
    key.columns,
    key.sample,
    pg_catalog.format(
        'FROM %s%s WHERE NOT (SELECT %s FROM (SELECT %I AS value) AS its)',
        CASE t.relkind WHEN 'p' THEN '' ELSE 'ONLY ' END,
        t.oid::pg_catalog.regclass, pg_catalog.pg_get_expr(c.conbin, 0), a.attname
    ) AS source
FROM pg_catalog.pg_constraint AS c
JOIN based ON based.domain = c.contypid
JOIN pg_catalog.pg_attribute AS a ON a.atttypid = based.type AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_catalog.pg_class AS t ON t.oid = a.attrelid AND t.relkind IN ('r', 'p') AND NOT t.relispartition
CROSS JOIN LATERAL {key} AS key
WHERE c.contype = 'c'
    AND NOT c.convalidated
    AND (t.relkind = 'p' OR pg_catalog.pg_relation_size(t.oid) > 0)
    AND (
        {everything}
        OR t.oid IN {involved}
        OR c.contypid::pg_catalog.regtype::pg_catalog.text IN (
            SELECT changed.name FROM pg_catalog.jsonb_array_elements_text({types}) AS changed (name)
        )
    )
    AND {harmless}
ORDER BY 1, 2
