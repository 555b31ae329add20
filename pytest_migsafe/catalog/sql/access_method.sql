-- Access methods (manual: "pg_am").
select
    pg_catalog.quote_ident(a.amname) as name,
    case a.amtype when 't' then 'table' else 'index' end as type,
    a.amhandler::pg_catalog.text as handler,
    (
        select d.description from pg_catalog.pg_description d
        where d.objoid = a.oid and d.classoid = 'pg_catalog.pg_am'::pg_catalog.regclass and d.objsubid = 0
    ) as comment
from pg_catalog.pg_am a
where a.oid >= 16384 and not exists (
        select from pg_catalog.pg_depend e
        where e.classid = 'pg_catalog.pg_am'::pg_catalog.regclass and e.objid = a.oid and e.deptype = 'e'
    )
order by 1
