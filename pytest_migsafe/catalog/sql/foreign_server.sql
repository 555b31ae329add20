-- Foreign servers (manual: "pg_foreign_server").
select
    pg_catalog.quote_ident(s.srvname) as name,
    (select pg_catalog.quote_ident(w.fdwname) from pg_catalog.pg_foreign_data_wrapper w where w.oid = s.srvfdw) as wrapper,
    s.srvtype as type,
    s.srvversion as version,
    coalesce(s.srvoptions, array[]::pg_catalog.text[]) as foreign_options,
    pg_catalog.pg_get_userbyid(s.srvowner) as owner,
    (
        select d.description from pg_catalog.pg_description d
        where d.objoid = s.oid and d.classoid = 'pg_catalog.pg_foreign_server'::pg_catalog.regclass and d.objsubid = 0
    ) as comment
from pg_catalog.pg_foreign_server s
where s.oid >= 16384 and not exists (
        select from pg_catalog.pg_depend e
        where e.classid = 'pg_catalog.pg_foreign_server'::pg_catalog.regclass and e.objid = s.oid and e.deptype = 'e'
    )
order by 1
