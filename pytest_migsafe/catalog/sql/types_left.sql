-- The types that there are, without row types, array types and composites: those are locked as relations.
select t.oid::pg_catalog.int8
from pg_catalog.pg_type t
where t.oid >= 16384 and t.typtype <> 'c'
    and t.typsubscript <> 'pg_catalog.array_subscript_handler'::pg_catalog.regproc
order by 1
