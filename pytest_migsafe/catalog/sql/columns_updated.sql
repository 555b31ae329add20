-- Relations with a column that was updated: most are locked, but GRANT takes no lock (PostgreSQL 14 to 17).
select distinct 'relation', a.attrelid::pg_catalog.int8
from pg_catalog.pg_attribute a
where pg_catalog.age(a.xmin) <= (select pg_catalog.age({since}::pg_catalog.xid)) and a.attrelid >= 16384
order by 2
