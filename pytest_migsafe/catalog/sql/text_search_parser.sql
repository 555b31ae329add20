-- Text search parsers (manual: "pg_ts_parser").
select
    p.prsnamespace::pg_catalog.regnamespace || '.' || pg_catalog.quote_ident(p.prsname) as name,
    p.prsstart::pg_catalog.text as start,
    p.prstoken::pg_catalog.text as token,
    p.prsend::pg_catalog.text as end,
    case when p.prsheadline <> 0 then p.prsheadline::pg_catalog.text end as headline,
    p.prslextype::pg_catalog.text as types,
    (
        select d.description from pg_catalog.pg_description d
        where d.objoid = p.oid and d.classoid = 'pg_catalog.pg_ts_parser'::pg_catalog.regclass and d.objsubid = 0
    ) as comment
from pg_catalog.pg_ts_parser p
where p.oid >= 16384 and not exists (
        select from pg_catalog.pg_depend e
        where e.classid = 'pg_catalog.pg_ts_parser'::pg_catalog.regclass and e.objid = p.oid and e.deptype = 'e'
    )
order by 1
