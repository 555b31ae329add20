-- The columns of each foreign key of some relations, in its order, with the types that are compared; of those that a
-- partition has from its partitioned table, nothing (manual: "pg_constraint").
select
    c.conrelid::pg_catalog.regclass::pg_catalog.text as relation,
    pg_catalog.quote_ident(c.conname) as name,
    array(
        select pg_catalog.quote_ident(a.attname)
        from pg_catalog.unnest(c.conkey) with ordinality k (number, place)
        join pg_catalog.pg_attribute a on a.attrelid = c.conrelid and a.attnum = k.number
        order by k.place
    ) as columns,
    -- Of a domain, the type that it is over.
    array(
        select pg_catalog.format_type(coalesce(nullif(t.typbasetype, 0), t.oid), null)
        from pg_catalog.unnest(c.conkey) with ordinality k (number, place)
        join pg_catalog.pg_attribute a on a.attrelid = c.conrelid and a.attnum = k.number
        join pg_catalog.pg_type t on t.oid = a.atttypid
        order by k.place
    ) as types,
    c.confrelid::pg_catalog.regclass::pg_catalog.text as target,
    array(
        select pg_catalog.quote_ident(a.attname)
        from pg_catalog.unnest(c.confkey) with ordinality k (number, place)
        join pg_catalog.pg_attribute a on a.attrelid = c.confrelid and a.attnum = k.number
        order by k.place
    ) as target_columns,
    array(
        select pg_catalog.format_type(coalesce(nullif(t.typbasetype, 0), t.oid), null)
        from pg_catalog.unnest(c.confkey) with ordinality k (number, place)
        join pg_catalog.pg_attribute a on a.attrelid = c.confrelid and a.attnum = k.number
        join pg_catalog.pg_type t on t.oid = a.atttypid
        order by k.place
    ) as target_types
from pg_catalog.pg_constraint c
where c.contype = 'f' and c.conparentid = 0 and c.conrelid = any({relations})
order by 1, 2
