-- Schemas (manual: "pg_namespace").
select
    pg_catalog.quote_ident(n.nspname) as name,
    pg_catalog.pg_get_userbyid(n.nspowner) as owner,
    d.description as comment
from pg_catalog.pg_namespace n
left join pg_catalog.pg_description d
    on d.objoid = n.oid and d.classoid = 'pg_catalog.pg_namespace'::pg_catalog.regclass and d.objsubid = 0
where n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
    and n.oid not in (
        select e.objid from pg_catalog.pg_depend e
        where e.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass
            and e.classid = 'pg_catalog.pg_namespace'::pg_catalog.regclass and e.deptype = 'e'
    )
    and {restriction}
order by 1
