-- The homes, by their names here and now, of objects that a file touched or dropped.
select
    case c.relkind when 'c' then 'type' else 'relation' end as catalog,
    coalesce(i.indrelid, c.oid)::pg_catalog.regclass::pg_catalog.text as name
from pg_catalog.pg_class c
left join pg_catalog.pg_index i on i.indexrelid = c.oid
where c.oid = any({relations})
order by 1, 2
