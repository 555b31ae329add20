-- Indexes (manual: "pg_index").
select
    x.indrelid::pg_catalog.regclass::pg_catalog.text as relation,
    x.indexrelid::pg_catalog.regclass::pg_catalog.text as name,
    pg_catalog.pg_get_indexdef(x.indexrelid) as definition,
    x.indisunique as "unique",
    x.indisprimary as "primary",
    x.indisvalid as valid,
    x.indisready as ready,
    x.indislive as live,
    x.indisclustered as clustered,
    (
        select h.inhparent::pg_catalog.regclass::pg_catalog.text
        from pg_catalog.pg_inherits h where h.inhrelid = x.indexrelid
    ) as parent,
    array(
        select a.attnum || ': ' || a.attstattarget
        from pg_catalog.pg_attribute a where a.attrelid = x.indexrelid and a.attstattarget >= 0
        order by a.attnum
    ) as statistics,
    (
        select ts.spcname::pg_catalog.text
        from pg_catalog.pg_class i join pg_catalog.pg_tablespace ts on ts.oid = i.reltablespace
        where i.oid = x.indexrelid
    ) as tablespace,
    (
        select d.description from pg_catalog.pg_description d
        where d.objoid = x.indexrelid and d.classoid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.objsubid = 0
    ) as comment,
    array(
        select pg_catalog.quote_ident(coalesce(c.attname, a.attname))
        from pg_catalog.pg_attribute a
        left join pg_catalog.pg_attribute c on c.attrelid = x.indrelid and c.attnum = x.indkey[a.attnum - 1] and c.attnum <> 0
        where a.attrelid = x.indexrelid
        order by a.attnum
    ) as columns
from pg_catalog.pg_index x
where x.indrelid {restriction}
order by 1, 2
