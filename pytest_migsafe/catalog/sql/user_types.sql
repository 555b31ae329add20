-- The types that are the user's: enums, domains, composites, ranges, base types and shells. Row types of tables, array
-- types and multiranges belong to what made them.
select t.oid
from pg_catalog.pg_type t
where {among} and (case when t.typisdefined then t.typtype in ('e', 'd', 'c', 'r', 'b') else t.typtype = 'p' end)
    and t.oid >= 16384 and t.typnamespace in (
        select n.oid from pg_catalog.pg_namespace n
        where n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
    )
    and (t.typtype <> 'c' or (select r.relkind from pg_catalog.pg_class r where r.oid = t.typrelid) = 'c')
    -- That an array type's name begins with an underscore is only a habit: its element knows it.
    and (t.typtype <> 'b' or t.oid <> coalesce(
        (select el.typarray from pg_catalog.pg_type el where el.oid = t.typelem), 0::pg_catalog.oid))
    and not exists (
        select from pg_catalog.pg_depend e
        where e.classid = 'pg_catalog.pg_type'::pg_catalog.regclass and e.objid = t.oid and e.deptype = 'e'
    )
