-- The homes, by their names here and now, of objects that a file touched or dropped.
select
    case c.relkind when 'c' then 'type' else 'relation' end as catalog,
    pg_catalog.format('%I.%I', n.nspname, c.relname) as name
from pg_catalog.pg_class o
left join pg_catalog.pg_index i on i.indexrelid = o.oid
join pg_catalog.pg_class c on c.oid = coalesce(i.indrelid, o.oid)
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where o.oid = any({relations})
union
select 'type', pg_catalog.format('%I.%I', n.nspname, t.typname)
from pg_catalog.pg_type t
join pg_catalog.pg_namespace n on n.oid = t.typnamespace
where {types_touched} or ({types_dropped} and t.oid >= 16384 and t.oid <> all({types_left}))
union
select 'function', pg_catalog.format('%I.%I(%s)', n.nspname, p.proname, pg_catalog.oidvectortypes(p.proargtypes))
from pg_catalog.pg_proc p
join pg_catalog.pg_namespace n on n.oid = p.pronamespace
where {functions_touched} or ({functions_dropped} and p.oid >= 16384 and p.oid <> all({functions_left}))
order by 1, 2
