-- Schemas (manual: "pg_namespace").
select
    pg_catalog.quote_ident(n.nspname) as name,
    pg_catalog.pg_get_userbyid(n.nspowner) as owner,
    (
        select d.description from pg_catalog.pg_description d
        where d.objoid = n.oid and d.classoid = 'pg_catalog.pg_namespace'::pg_catalog.regclass and d.objsubid = 0
    ) as comment
from pg_catalog.pg_namespace n
where n.oid {restriction}
order by 1
