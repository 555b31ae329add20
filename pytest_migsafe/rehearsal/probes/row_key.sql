-- What tells one row of a table from another: the primary key, or else its place.
(
    SELECT
        coalesce(pg_catalog.string_agg(pg_catalog.quote_ident(a.attname), ', ' ORDER BY part.place), 'ctid') AS columns,
        coalesce(
            pg_catalog.string_agg(pg_catalog.format('%I::text', a.attname), ' || '', '' || ' ORDER BY part.place),
            'ctid::text'
        ) AS sample
    FROM pg_catalog.pg_index AS i
    CROSS JOIN LATERAL pg_catalog.unnest(i.indkey::pg_catalog.int2[]) WITH ORDINALITY AS part (number, place)
    JOIN pg_catalog.pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = part.number
    WHERE i.indrelid = t.oid AND i.indisprimary AND part.place <= i.indnkeyatts
)
