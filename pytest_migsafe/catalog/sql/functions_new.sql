-- Functions made since the mark.
select 'function', p.oid::pg_catalog.int8
from pg_catalog.pg_proc p
where p.oid > {highest}
order by 2
