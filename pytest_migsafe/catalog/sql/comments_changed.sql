-- Objects whose comments were added or changed (manual: "pg_description").
select
    case d.classoid
        when 'pg_catalog.pg_class'::pg_catalog.regclass then 'relation'
        when 'pg_catalog.pg_proc'::pg_catalog.regclass then 'function'
        else 'type'
    end,
    (case d.classoid
        when 'pg_catalog.pg_constraint'::pg_catalog.regclass
        then (select c.contypid from pg_catalog.pg_constraint c where c.oid = d.objoid)
        else d.objoid
    end)::pg_catalog.int8
from pg_catalog.pg_description d
where d.objoid >= 16384 and pg_catalog.age(d.xmin) <= (select pg_catalog.age({since}::pg_catalog.xid)) and d.classoid in (
    'pg_catalog.pg_class'::pg_catalog.regclass, 'pg_catalog.pg_proc'::pg_catalog.regclass,
    'pg_catalog.pg_type'::pg_catalog.regclass, 'pg_catalog.pg_constraint'::pg_catalog.regclass)
order by 1, 2
