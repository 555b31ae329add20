-- Operator classes (manual: "pg_opclass").
select
    k.opcnamespace::pg_catalog.regnamespace || '.' || pg_catalog.quote_ident(k.opcname) || ' using ' || (select a.amname from pg_catalog.pg_am a where a.oid = k.opcmethod) as name,
    pg_catalog.format_type(k.opcintype, null) as type,
    (
        select f.opfnamespace::pg_catalog.regnamespace || '.' || pg_catalog.quote_ident(f.opfname)
        from pg_catalog.pg_opfamily f where f.oid = k.opcfamily
    ) as family,
    k.opcdefault as default,
    case when k.opckeytype <> 0 then pg_catalog.format_type(k.opckeytype, null) end as storage,
    pg_catalog.pg_get_userbyid(k.opcowner) as owner,
    (
        select d.description from pg_catalog.pg_description d
        where d.objoid = k.oid and d.classoid = 'pg_catalog.pg_opclass'::pg_catalog.regclass and d.objsubid = 0
    ) as comment
from pg_catalog.pg_opclass k
where k.oid >= 16384 and not exists (
        select from pg_catalog.pg_depend e
        where e.classid = 'pg_catalog.pg_opclass'::pg_catalog.regclass and e.objid = k.oid and e.deptype = 'e'
    )
order by 1
