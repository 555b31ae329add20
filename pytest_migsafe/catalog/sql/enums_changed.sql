-- Enums with labels that were added or renamed, and their array types: a constant may be of either.
select 'type', u.oid::pg_catalog.int8
from pg_catalog.pg_enum e
join pg_catalog.pg_type t on t.oid = e.enumtypid
cross join lateral (values (t.oid), (t.typarray)) u (oid)
where e.oid >= 16384 and pg_catalog.age(e.xmin) <= (select pg_catalog.age({since}::pg_catalog.xid))
order by 2
