-- Which of the touched relations that existed before may have another name (a sequence, an index that was updated, or a
-- relation whose row type was, which bears the same name), and which of their columns were written.
select
    c.oid::pg_catalog.int8 as oid,
    c.relkind = 'S' or (
        c.relkind in ('i', 'I') and pg_catalog.age(c.xmin) <= (select pg_catalog.age({since}::pg_catalog.xid))
    ) or exists (
        select from pg_catalog.pg_type t where t.oid = c.reltype and pg_catalog.age(t.xmin) <= (select pg_catalog.age({since}::pg_catalog.xid))
    ) as as_a_whole,
    array(
        select a.attnum from pg_catalog.pg_attribute a
        where a.attrelid = c.oid and a.attnum > 0 and pg_catalog.age(a.xmin) <= (select pg_catalog.age({since}::pg_catalog.xid)) order by 1
    ) as columns
from pg_catalog.pg_class c
where c.oid = any({relations})
order by 1
