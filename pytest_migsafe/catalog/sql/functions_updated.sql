-- Functions updated since the mark.
select 'function', p.oid::pg_catalog.int8
from pg_catalog.pg_proc p
where p.oid >= 16384 and pg_catalog.age(p.xmin) <= (select pg_catalog.age({since}::pg_catalog.xid))
order by 2
