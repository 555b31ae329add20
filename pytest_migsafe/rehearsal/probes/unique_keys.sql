-- For each unique index of the tables in question that is not valid: the query for the keys that are there more than
-- once. A valid one has none.
SELECT
    i.indrelid::pg_catalog.regclass::pg_catalog.text AS relation,
    i.indexrelid::pg_catalog.regclass::pg_catalog.text AS name,
    'unique' AS kind,
    false AS validated,
    key.columns,
    'copies.key' AS sample,
    pg_catalog.format(
        'FROM (SELECT pg_catalog.concat_ws('', '', %1$s) AS key, count(*) AS copies FROM %2$s%3$s WHERE %4$s%5$s'
        ' GROUP BY %1$s HAVING count(*) > 1) AS copies',
        key.columns,
        CASE t.relkind WHEN 'p' THEN '' ELSE 'ONLY ' END,
        i.indrelid::pg_catalog.regclass,
        CASE
            WHEN (pg_catalog.to_jsonb(i) ->> 'indnullsnotdistinct')::pg_catalog.bool THEN 'true'
            ELSE key.all_given
        END,
        ' AND (' || pg_catalog.pg_get_expr(i.indpred, i.indrelid) || ')'
    ) AS source
FROM pg_catalog.pg_index AS i
JOIN pg_catalog.pg_class AS t ON t.oid = i.indrelid
CROSS JOIN LATERAL (
    SELECT
        pg_catalog.string_agg(part.definition, ', ' ORDER BY part.place) AS columns,
        pg_catalog.string_agg(part.definition || ' IS NOT NULL', ' AND ' ORDER BY part.place) AS all_given
    FROM (
        SELECT place, pg_catalog.pg_get_indexdef(i.indexrelid, place, true) AS definition
        FROM pg_catalog.generate_series(1, i.indnkeyatts::pg_catalog.int4) AS place
    ) AS part
) AS key
WHERE i.indisunique
    AND NOT i.indisvalid
    AND NOT t.relispartition
    AND ({everything} OR i.indrelid IN {involved})
    AND (t.relkind = 'p' OR pg_catalog.pg_relation_size(t.oid) > 0)
    AND {harmless}
ORDER BY 1, 2
