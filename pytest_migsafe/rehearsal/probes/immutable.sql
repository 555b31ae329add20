-- What stores results of some functions: indexes, generated columns, partition keys, and constraints that vouch for rows.
select distinct f.name::pg_catalog.text, case
        when c.relkind in ('i', 'I') then 'index ' || c.oid::pg_catalog.regclass::pg_catalog.text
        when c.relkind = 'p' then 'partition key of ' || c.oid::pg_catalog.regclass::pg_catalog.text
        when a.attgenerated = 's' then
            'generated column ' || a.attrelid::pg_catalog.regclass::pg_catalog.text || '.'
                || pg_catalog.quote_ident(a.attname)
        else 'constraint ' || pg_catalog.quote_ident(k.conname) || ' on '
            || k.conrelid::pg_catalog.regclass::pg_catalog.text
    end as what
from pg_catalog.unnest(%(names)s::pg_catalog.text[]) as f (name)
join pg_catalog.pg_proc p on p.oid >= 16384 and p.oid::pg_catalog.regprocedure::pg_catalog.text = f.name
join pg_catalog.pg_depend d
    on d.refclassid = 'pg_catalog.pg_proc'::pg_catalog.regclass and d.refobjid = p.oid
left join pg_catalog.pg_class c
    on d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass and c.oid = d.objid and c.relkind in ('i', 'I', 'p')
left join pg_catalog.pg_attrdef e on d.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass and e.oid = d.objid
-- Up to PostgreSQL 14 it is the column that depends, and not its expression.
left join pg_catalog.pg_attribute a
    on a.attrelid = coalesce(
        e.adrelid, case when d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass then d.objid end
    )
    and a.attnum = coalesce(e.adnum, d.objsubid) and a.attgenerated = 's'
left join pg_catalog.pg_constraint k
    on d.classid = 'pg_catalog.pg_constraint'::pg_catalog.regclass and k.oid = d.objid and k.contype = 'c'
    and k.conrelid <> 0
where c.oid is not null or a.attnum is not null or k.oid is not null
order by 1, 2
