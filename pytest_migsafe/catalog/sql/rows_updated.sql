-- Relations with an updated row in a catalog. Most of them are locked; but GRANT takes no lock (PostgreSQL 14 to 17),
-- and some migrations update a catalog by hand.
select distinct 'relation', d.{relation}::pg_catalog.int8
from {catalog} d
where d.{relation} >= 16384 and pg_catalog.age(d.xmin) <= (select pg_catalog.age({since}::pg_catalog.xid))
order by 2
