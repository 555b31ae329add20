-- The functions that are the user's. The constructors of a range type come and go with it (deptype 'i').
select p.oid
from pg_catalog.pg_proc p
where {among} and p.oid >= 16384 and p.pronamespace in (
        select n.oid from pg_catalog.pg_namespace n
        where n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
    )
    and not exists (
        select from pg_catalog.pg_depend i
        where i.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass and i.objid = p.oid and i.deptype in ('i', 'e')
    )
