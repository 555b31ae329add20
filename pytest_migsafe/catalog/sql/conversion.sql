-- Conversions (manual: "pg_conversion").
select
    c.connamespace::pg_catalog.regnamespace || '.' || pg_catalog.quote_ident(c.conname) as name,
    pg_catalog.pg_encoding_to_char(c.conforencoding)::pg_catalog.text as source,
    pg_catalog.pg_encoding_to_char(c.contoencoding)::pg_catalog.text as target,
    c.conproc::pg_catalog.oid::pg_catalog.regprocedure::pg_catalog.text as function,
    c.condefault as default,
    pg_catalog.pg_get_userbyid(c.conowner) as owner,
    (
        select d.description from pg_catalog.pg_description d
        where d.objoid = c.oid and d.classoid = 'pg_catalog.pg_conversion'::pg_catalog.regclass and d.objsubid = 0
    ) as comment
from pg_catalog.pg_conversion c
where c.oid >= 16384 and not exists (
        select from pg_catalog.pg_depend e
        where e.classid = 'pg_catalog.pg_conversion'::pg_catalog.regclass and e.objid = c.oid and e.deptype = 'e'
    )
order by 1
