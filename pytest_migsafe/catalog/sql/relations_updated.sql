-- Relations whose rows were updated: most are locked, but GRANT takes no lock (PostgreSQL 14 to 17).
select 'relation', c.oid::pg_catalog.int8
from pg_catalog.pg_class c
where c.oid >= 16384 and pg_catalog.age(c.xmin) <= (select pg_catalog.age({since}::pg_catalog.xid))
order by 2
