-- Relations whose privileges changed: GRANT takes no lock on them (PostgreSQL 14 to 17).
select 'relation', c.oid::pg_catalog.int8
from pg_catalog.pg_class c
where c.oid >= 16384 and c.relacl is not null and pg_catalog.age(c.xmin) <= (select pg_catalog.age({since}::pg_catalog.xid))
order by 2
