-- Event triggers (manual: "pg_event_trigger").
select
    pg_catalog.quote_ident(v.evtname) as name,
    v.evtevent::pg_catalog.text as event,
    coalesce(v.evttags, array[]::pg_catalog.text[]) as tags,
    v.evtfoid::pg_catalog.regprocedure::pg_catalog.text as function,
    case v.evtenabled
        when 'O' then 'origin' when 'D' then 'disabled' when 'R' then 'replica' else 'always'
    end as enabled,
    pg_catalog.pg_get_userbyid(v.evtowner) as owner,
    (
        select d.description from pg_catalog.pg_description d
        where d.objoid = v.oid and d.classoid = 'pg_catalog.pg_event_trigger'::pg_catalog.regclass and d.objsubid = 0
    ) as comment
from pg_catalog.pg_event_trigger v
where v.oid >= 16384 and not exists (
        select from pg_catalog.pg_depend e
        where e.classid = 'pg_catalog.pg_event_trigger'::pg_catalog.regclass and e.objid = v.oid and e.deptype = 'e'
    )
order by 1
