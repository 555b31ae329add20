-- What had a comment added or changed (manual: "pg_description").
select d.classoid, d.objoid
from pg_catalog.pg_description d
where d.objoid >= 16384 and pg_catalog.age(d.xmin) <= (select pg_catalog.age({since}::pg_catalog.xid))
order by 1, 2
