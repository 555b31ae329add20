-- Views and materialized views.
select
    c.oid::pg_catalog.regclass::pg_catalog.text as name,
    case c.relkind when 'v' then 'view' else 'materialized view' end as kind,
    pg_catalog.pg_get_viewdef(c.oid) as definition,
    coalesce(c.reloptions, array[]::pg_catalog.text[]) as options,
    c.relispopulated as populated,
    (select am.amname::pg_catalog.text from pg_catalog.pg_am am where am.oid = c.relam) as access_method,
    (
        select ts.spcname::pg_catalog.text from pg_catalog.pg_tablespace ts where ts.oid = c.reltablespace
    ) as tablespace,
    pg_catalog.pg_get_userbyid(c.relowner) as owner,
    (
        select d.description from pg_catalog.pg_description d
        where d.objoid = c.oid and d.classoid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.objsubid = 0
    ) as comment
from pg_catalog.pg_class c
where c.relkind in ('v', 'm') and c.oid {restriction}
order by 1
