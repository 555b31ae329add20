-- Views and materialized views.
select
    c.oid::pg_catalog.regclass::pg_catalog.text as name,
    case c.relkind when 'v' then 'view' else 'materialized view' end as kind,
    pg_catalog.pg_get_viewdef(c.oid) as definition,
    array(
        select distinct d.refobjid::pg_catalog.regclass::pg_catalog.text
        from pg_catalog.pg_depend d
        where d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass and d.objid = w.oid and d.deptype = 'n'
            and d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
            -- Up to PostgreSQL 15 the rule has the view itself in it, as OLD and NEW.
            and d.refobjid <> c.oid
    ) as reads,
    array(
        select distinct d.refobjid::pg_catalog.regprocedure::pg_catalog.text
        from pg_catalog.pg_depend d
        where d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass and d.objid = w.oid and d.deptype = 'n'
            and d.refclassid = 'pg_catalog.pg_proc'::pg_catalog.regclass
    ) as calls,
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
join pg_catalog.pg_rewrite w on w.ev_class = c.oid and w.rulename = '_RETURN'
where c.relkind in ('v', 'm') and c.oid {restriction}
order by 1
