-- The relation, type or function that objects belong to.
select distinct
    case d.classid
        when 'pg_catalog.pg_proc'::pg_catalog.regclass then 'function'
        when 'pg_catalog.pg_type'::pg_catalog.regclass then 'type'
        when 'pg_catalog.pg_class'::pg_catalog.regclass then (
            select case x.relkind when 'c' then 'type' else 'relation' end
            from pg_catalog.pg_class x where x.oid = d.objid
        )
        when 'pg_catalog.pg_constraint'::pg_catalog.regclass then (
            select case x.conrelid when 0 then 'type' else 'relation' end
            from pg_catalog.pg_constraint x where x.oid = d.objid
        )
        else 'relation'
    end,
    (case d.classid
        when 'pg_catalog.pg_class'::pg_catalog.regclass then (
            select case x.relkind when 'c' then x.reltype else x.oid end
            from pg_catalog.pg_class x where x.oid = d.objid
        )
        when 'pg_catalog.pg_attrdef'::pg_catalog.regclass
        then (select x.adrelid from pg_catalog.pg_attrdef x where x.oid = d.objid)
        when 'pg_catalog.pg_constraint'::pg_catalog.regclass
        then (select coalesce(nullif(x.conrelid, 0), x.contypid) from pg_catalog.pg_constraint x where x.oid = d.objid)
        when 'pg_catalog.pg_rewrite'::pg_catalog.regclass
        then (select x.ev_class from pg_catalog.pg_rewrite x where x.oid = d.objid)
        when 'pg_catalog.pg_trigger'::pg_catalog.regclass
        then (select x.tgrelid from pg_catalog.pg_trigger x where x.oid = d.objid)
        when 'pg_catalog.pg_policy'::pg_catalog.regclass
        then (select x.polrelid from pg_catalog.pg_policy x where x.oid = d.objid)
        else d.objid
    end)::pg_catalog.int8
from ({objects}) d (classid, objid)
where d.classid in (
    'pg_catalog.pg_class'::pg_catalog.regclass, 'pg_catalog.pg_proc'::pg_catalog.regclass,
    'pg_catalog.pg_type'::pg_catalog.regclass, 'pg_catalog.pg_attrdef'::pg_catalog.regclass,
    'pg_catalog.pg_constraint'::pg_catalog.regclass, 'pg_catalog.pg_rewrite'::pg_catalog.regclass,
    'pg_catalog.pg_trigger'::pg_catalog.regclass, 'pg_catalog.pg_policy'::pg_catalog.regclass)
order by 1, 2
