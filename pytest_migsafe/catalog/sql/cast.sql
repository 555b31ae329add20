-- Casts (manual: "pg_cast").
select
    pg_catalog.format_type(c.castsource, null) || ' AS ' || pg_catalog.format_type(c.casttarget, null) as name,
    case c.castmethod
        when 'f' then c.castfunc::pg_catalog.regprocedure::pg_catalog.text when 'i' then 'inout' else 'binary'
    end as method,
    case c.castcontext when 'e' then 'explicit' when 'a' then 'assignment' else 'implicit' end as context,
    (
        select d.description from pg_catalog.pg_description d
        where d.objoid = c.oid and d.classoid = 'pg_catalog.pg_cast'::pg_catalog.regclass and d.objsubid = 0
    ) as comment
from pg_catalog.pg_cast c
where c.oid >= 16384 and not exists (
        select from pg_catalog.pg_depend e
        where e.classid = 'pg_catalog.pg_cast'::pg_catalog.regclass and e.objid = c.oid and e.deptype in ('e', 'i')
    )
order by 1
