-- Procedural languages (manual: "pg_language").
select
    pg_catalog.quote_ident(l.lanname) as name,
    l.lanpltrusted as trusted,
    l.lanplcallfoid::pg_catalog.regprocedure::pg_catalog.text as handler,
    case when l.laninline <> 0 then l.laninline::pg_catalog.regprocedure::pg_catalog.text end as inline,
    case when l.lanvalidator <> 0 then l.lanvalidator::pg_catalog.regprocedure::pg_catalog.text end as validator,
    pg_catalog.pg_get_userbyid(l.lanowner) as owner,
    (
        select d.description from pg_catalog.pg_description d
        where d.objoid = l.oid and d.classoid = 'pg_catalog.pg_language'::pg_catalog.regclass and d.objsubid = 0
    ) as comment
from pg_catalog.pg_language l
where l.oid >= 16384 and not exists (
        select from pg_catalog.pg_depend e
        where e.classid = 'pg_catalog.pg_language'::pg_catalog.regclass and e.objid = l.oid and e.deptype = 'e'
    )
order by 1
