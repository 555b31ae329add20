-- What each index of some relations is made of, key by key (manual: "pg_index").
select
    x.indrelid::pg_catalog.regclass::pg_catalog.text as relation,
    x.indexrelid::pg_catalog.regclass::pg_catalog.text as name,
    am.amname::pg_catalog.text as method,
    array(
        select coalesce(pg_catalog.quote_ident(a.attname), pg_catalog.pg_get_indexdef(x.indexrelid, place, true))
        from pg_catalog.generate_series(1, x.indnkeyatts) place
        left join pg_catalog.pg_attribute a on a.attrelid = x.indrelid and a.attnum = x.indkey[place - 1] and a.attnum > 0
        order by place
    ) as keys,
    -- How each is ordered: the operator class, the collation, the bits of DESC and NULLS FIRST.
    array(
        select pg_catalog.format('%s %s %s', o.opcname, x.indcollation[place - 1]::pg_catalog.regcollation, x.indoption[place - 1])
        from pg_catalog.generate_series(1, x.indnkeyatts) place
        join pg_catalog.pg_opclass o on o.oid = x.indclass[place - 1]
        order by place
    ) as orders,
    array(
        select pg_catalog.quote_ident(a.attname)
        from pg_catalog.generate_series(x.indnkeyatts + 1, x.indnatts) place
        join pg_catalog.pg_attribute a on a.attrelid = x.indrelid and a.attnum = x.indkey[place - 1]
        order by place
    ) as included,
    pg_catalog.pg_get_expr(x.indpred, x.indrelid) as predicate,
    x.indisunique as "unique",
    x.indisprimary as "primary",
    -- NULLS NOT DISTINCT came with PostgreSQL 15.
    x.indisunique and coalesce((pg_catalog.to_jsonb(x) ->> 'indnullsnotdistinct')::pg_catalog.bool, false) as nulls_not_distinct,
    x.indimmediate as immediate,
    x.indisvalid and x.indisready and x.indislive as usable,
    x.indisreplident as replica_identity,
    coalesce(c.reloptions, array[]::pg_catalog.text[]) as options,
    (
        select pg_catalog.quote_ident(k.conname) from pg_catalog.pg_constraint k
        where k.conindid = x.indexrelid and k.conrelid = x.indrelid and k.contype in ('p', 'u', 'x')
        limit 1
    ) as constraint,
    exists (
        select from pg_catalog.pg_inherits h where h.inhrelid = x.indexrelid
    ) as attached
from pg_catalog.pg_index x
join pg_catalog.pg_class c on c.oid = x.indexrelid
join pg_catalog.pg_am am on am.oid = c.relam
where x.indrelid = any({relations})
order by 1, 2
