-- The composite types whose attributes are in relations that were locked.
select 'type', c.reltype::pg_catalog.int8
from pg_catalog.pg_class c
where c.relkind = 'c' and c.oid = any({relations})
order by 2
