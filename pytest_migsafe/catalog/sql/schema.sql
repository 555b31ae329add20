-- Schemas (manual: "pg_namespace"). Since PostgreSQL 15, public is its database owner's, whoever that is; before, initdb
-- gives it to the role that it makes.
select
    pg_catalog.quote_ident(n.nspname) as name,
    case when n.oid = 2200 and pg_catalog.current_setting('server_version_num')::pg_catalog.int4 < 150000 and n.nspowner in (
            select 10 union all
            select b.datdba from pg_catalog.pg_database b where b.datname = pg_catalog.current_database()
        ) then 'pg_database_owner' else pg_catalog.pg_get_userbyid(n.nspowner) end as owner,
    (
        select d.description from pg_catalog.pg_description d
        where d.objoid = n.oid and d.classoid = 'pg_catalog.pg_namespace'::pg_catalog.regclass and d.objsubid = 0
    ) as comment
from pg_catalog.pg_namespace n
where n.oid {restriction}
order by 1
