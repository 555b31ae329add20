-- The relations that are the user's: not of a system schema, not a member of an extension.
select c.oid
from pg_catalog.pg_class c
where {among} and pg_catalog.strpos({relkinds}, c.relkind::pg_catalog.text) > 0
    and c.oid >= 16384 and c.relnamespace in (
        select n.oid from pg_catalog.pg_namespace n
        where n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
    )
    and not exists (
        select from pg_catalog.pg_depend e
        where e.classid = 'pg_catalog.pg_class'::pg_catalog.regclass and e.objid = c.oid and e.deptype = 'e'
    )
