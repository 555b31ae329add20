-- Types updated since the mark; also the row types of tables, and array types, because they are named as such. The name of a
-- multirange type stands with its range type.
select 'type', x.oid::pg_catalog.int8
from pg_catalog.pg_type t
cross join lateral (
    select t.oid
    union all
    select r.rngtypid from pg_catalog.pg_range r where t.typtype = 'm' and r.rngmultitypid = t.oid
) x
where t.oid >= 16384 and pg_catalog.age(t.xmin) <= (select pg_catalog.age({since}::pg_catalog.xid))
order by 2
