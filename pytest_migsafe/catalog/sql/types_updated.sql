-- Types updated since the mark; also the row types of tables, and array types, because they are named as such.
select 'type', t.oid::pg_catalog.int8
from pg_catalog.pg_type t
where t.oid >= 16384 and pg_catalog.age(t.xmin) <= (select pg_catalog.age({since}::pg_catalog.xid))
order by 2
