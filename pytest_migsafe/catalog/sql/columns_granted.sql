-- Relations with a column whose privileges changed: GRANT takes no lock on them (PostgreSQL 14 to 17).
select distinct 'relation', a.attrelid::pg_catalog.int8
from pg_catalog.pg_attribute a
where pg_catalog.age(a.xmin) <= (select pg_catalog.age({since}::pg_catalog.xid)) and a.attacl is not null and a.attrelid >= 16384
order by 2
