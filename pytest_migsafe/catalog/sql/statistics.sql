-- Extended statistics (manual: "pg_statistic_ext").
select
    x.stxnamespace::pg_catalog.regnamespace || '.' || pg_catalog.quote_ident(x.stxname) as name,
    x.stxrelid::pg_catalog.regclass::pg_catalog.text as relation,
    pg_catalog.pg_get_statisticsobjdef(x.oid) as definition,
    -- No target of its own is -1 up to PostgreSQL 16, and null since.
    nullif(x.stxstattarget, -1)::pg_catalog.int4 as target,
    pg_catalog.pg_get_userbyid(x.stxowner) as owner,
    (
        select d.description from pg_catalog.pg_description d
        where d.objoid = x.oid and d.classoid = 'pg_catalog.pg_statistic_ext'::pg_catalog.regclass and d.objsubid = 0
    ) as comment
from pg_catalog.pg_statistic_ext x
where x.oid >= 16384 and not exists (
        select from pg_catalog.pg_depend e
        where e.classid = 'pg_catalog.pg_statistic_ext'::pg_catalog.regclass and e.objid = x.oid and e.deptype = 'e'
    )
order by 1
