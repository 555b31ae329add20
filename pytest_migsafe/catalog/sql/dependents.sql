-- What depends on some objects (manual: "pg_depend"). One step is enough, because a definition names only what it
-- depends on directly.
select d.classid, d.objid
from pg_catalog.pg_depend d
where d.refclassid = {catalog}::pg_catalog.regclass and d.refobjid = any({oids})
    -- A foreign key is the only thing to depend on many tables and name but a few of their columns.
    and ({as_a_whole} or d.refobjsubid = any({columns})
        or d.classid <> 'pg_catalog.pg_constraint'::pg_catalog.regclass)
order by 1, 2
