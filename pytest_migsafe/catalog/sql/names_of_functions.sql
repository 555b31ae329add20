-- The names here and now of functions that a file touched or dropped.
select 'function', p.oid::pg_catalog.regprocedure::pg_catalog.text
from pg_catalog.pg_proc p
where p.oid >= 16384 and (p.oid = any({touched}) or ({is_dropped} and p.oid <> all({left})))
order by 2
