-- Relations made since the mark.
select case c.relkind when 'c' then 'type' else 'relation' end, (case c.relkind when 'c' then c.reltype else c.oid end)::pg_catalog.int8
from pg_catalog.pg_class c
where c.oid > {highest}
order by 1, 2
