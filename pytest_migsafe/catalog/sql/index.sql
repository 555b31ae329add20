-- Indexes (manual: "pg_index").
select
    pg_catalog.format('%I.%I', n.nspname, r.relname) as relation,
    pg_catalog.format('%I.%I', n.nspname, i.relname) as name,
    pg_catalog.pg_get_indexdef(x.indexrelid) as definition,
    x.indisunique as "unique",
    x.indisprimary as "primary",
    x.indisvalid as valid,
    x.indisready as ready,
    x.indisclustered as clustered,
    ts.spcname::pg_catalog.text as tablespace,
    d.description as comment
from pg_catalog.pg_index x
join pg_catalog.pg_class i on i.oid = x.indexrelid
join pg_catalog.pg_class r on r.oid = x.indrelid
join pg_catalog.pg_namespace n on n.oid = i.relnamespace
left join pg_catalog.pg_tablespace ts on ts.oid = i.reltablespace
left join pg_catalog.pg_description d
    on d.objoid = i.oid and d.classoid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.objsubid = 0
where n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
    and r.oid not in (
        select e.objid from pg_catalog.pg_depend e
        where e.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass
            and e.classid = 'pg_catalog.pg_class'::pg_catalog.regclass and e.deptype = 'e'
    )
    and {restriction}
order by 1, 2
