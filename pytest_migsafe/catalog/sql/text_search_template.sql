-- Text search templates (manual: "pg_ts_template").
select
    t.tmplnamespace::pg_catalog.regnamespace || '.' || pg_catalog.quote_ident(t.tmplname) as name,
    case when t.tmplinit <> 0 then t.tmplinit::pg_catalog.text end as init,
    t.tmpllexize::pg_catalog.text as lexize,
    (
        select d.description from pg_catalog.pg_description d
        where d.objoid = t.oid and d.classoid = 'pg_catalog.pg_ts_template'::pg_catalog.regclass and d.objsubid = 0
    ) as comment
from pg_catalog.pg_ts_template t
where t.oid >= 16384 and not exists (
        select from pg_catalog.pg_depend e
        where e.classid = 'pg_catalog.pg_ts_template'::pg_catalog.regclass and e.objid = t.oid and e.deptype = 'e'
    )
order by 1
