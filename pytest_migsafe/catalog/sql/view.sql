-- Views and materialized views.
select
    pg_catalog.format('%I.%I', n.nspname, c.relname) as name,
    case c.relkind when 'v' then 'view' else 'materialized view' end as kind,
    pg_catalog.pg_get_viewdef(c.oid) as definition,
    array(select o from pg_catalog.unnest(c.reloptions) o order by 1) as options,
    c.relispopulated as populated,
    am.amname::pg_catalog.text as access_method,
    ts.spcname::pg_catalog.text as tablespace,
    pg_catalog.pg_get_userbyid(c.relowner) as owner,
    d.description as comment
from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
left join pg_catalog.pg_am am on am.oid = c.relam
left join pg_catalog.pg_tablespace ts on ts.oid = c.reltablespace
left join pg_catalog.pg_description d
    on d.objoid = c.oid and d.classoid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.objsubid = 0
where c.relkind in ('v', 'm') and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
    and c.oid not in (
        select e.objid from pg_catalog.pg_depend e
        where e.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass
            and e.classid = 'pg_catalog.pg_class'::pg_catalog.regclass and e.deptype = 'e'
    )
    and {restriction}
order by 1
