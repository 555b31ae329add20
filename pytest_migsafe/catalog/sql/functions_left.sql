-- The functions that there are.
select p.oid::pg_catalog.int8
from pg_catalog.pg_proc p
where p.oid >= 16384
order by 1
