-- What stores results of some functions: indexes, generated columns, partition keys, and constraints that vouch for rows.
select distinct
    f.name::pg_catalog.text,
    case
        when x.oid is not null then 'exclusion constraint'
        when c.relkind in ('i', 'I') then 'index'
        when c.relkind = 'p' then 'partition key'
        when a.attnum is not null then 'generated column'
        else 'check'
    end as kind,
    case
        when a.attnum is not null then pg_catalog.quote_ident(a.attname)
        when k.oid is not null then pg_catalog.quote_ident(k.conname)
        else c.oid::pg_catalog.regclass::pg_catalog.text
    end as name,
    coalesce(i.indrelid, c.oid, a.attrelid, k.conrelid)::pg_catalog.regclass::pg_catalog.text as relation,
    coalesce(pg_catalog.pg_get_constraintdef(k.oid), '') as definition
from pg_catalog.unnest(%(names)s::pg_catalog.text[]) as f (name)
join pg_catalog.pg_proc p on p.oid >= 16384 and p.oid::pg_catalog.regprocedure::pg_catalog.text = f.name
join pg_catalog.pg_depend d
    on d.refclassid = 'pg_catalog.pg_proc'::pg_catalog.regclass and d.refobjid = p.oid
left join pg_catalog.pg_class c
    on d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass and c.oid = d.objid and d.objsubid = 0
    and c.relkind in ('i', 'I', 'p')
    -- What belongs to a partition goes with what belongs to its table.
    and not (c.relkind <> 'p' and c.relispartition)
left join pg_catalog.pg_index i on i.indexrelid = c.oid
left join pg_catalog.pg_constraint x on x.conindid = c.oid and x.contype = 'x'
left join pg_catalog.pg_attrdef e on d.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass and e.oid = d.objid
-- Up to PostgreSQL 14 it is the column that depends, and not its expression.
left join pg_catalog.pg_attribute a
    on a.attrelid = coalesce(
        e.adrelid, case when d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass then d.objid end
    )
    and a.attnum = coalesce(e.adnum, d.objsubid) and a.attgenerated = 's'
left join pg_catalog.pg_constraint k
    on d.classid = 'pg_catalog.pg_constraint'::pg_catalog.regclass and k.oid = d.objid and k.contype = 'c'
    and k.conrelid <> 0 and k.conislocal and k.convalidated
where c.oid is not null or a.attnum is not null or k.oid is not null
order by 1, 2, 3, 4
