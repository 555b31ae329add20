-- The triggers that call some functions, but for those that a partition has of its partitioned table.
select
    t.tgfoid::pg_catalog.int8 as function,
    t.tgrelid::pg_catalog.regclass::pg_catalog.text as relation,
    t.tgrelid::pg_catalog.int8 as relation_oid,
    pg_catalog.quote_ident(t.tgname) as name,
    t.tgname::pg_catalog.text as plain_name,
    c.relname::pg_catalog.text as table_name,
    n.nspname::pg_catalog.text as table_schema,
    (t.tgtype & 1) = 1 as for_each_row,
    t.tgargs as arguments,
    t.tgnewtable::pg_catalog.text as new_table,
    t.tgoldtable::pg_catalog.text as old_table,
    pg_catalog.array_remove(array[
        pg_catalog.quote_ident(t.tgnewtable), pg_catalog.quote_ident(t.tgoldtable)
    ]::pg_catalog.text[], null) as transition_tables,
    t.tgtype as type
from pg_catalog.pg_trigger t
join pg_catalog.pg_class c on c.oid = t.tgrelid
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where not t.tgisinternal and t.tgparentid = 0 and t.tgfoid = any ({functions})
order by 1, 2, 4
