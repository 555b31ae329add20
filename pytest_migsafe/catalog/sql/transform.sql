-- Transforms (manual: "pg_transform").
select
    pg_catalog.format_type(t.trftype, null) || ' language ' || (
        select pg_catalog.quote_ident(l.lanname) from pg_catalog.pg_language l where l.oid = t.trflang
    ) as name,
    case when t.trffromsql <> 0 then t.trffromsql::pg_catalog.oid::pg_catalog.regprocedure::pg_catalog.text end as from_sql,
    case when t.trftosql <> 0 then t.trftosql::pg_catalog.oid::pg_catalog.regprocedure::pg_catalog.text end as to_sql,
    (
        select d.description from pg_catalog.pg_description d
        where d.objoid = t.oid and d.classoid = 'pg_catalog.pg_transform'::pg_catalog.regclass and d.objsubid = 0
    ) as comment
from pg_catalog.pg_transform t
where t.oid >= 16384 and not exists (
        select from pg_catalog.pg_depend e
        where e.classid = 'pg_catalog.pg_transform'::pg_catalog.regclass and e.objid = t.oid and e.deptype = 'e'
    )
order by 1
