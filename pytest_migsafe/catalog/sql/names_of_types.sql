-- The names here and now of types that a file touched or dropped.
select 'type', t.oid::pg_catalog.regtype::pg_catalog.text
from pg_catalog.pg_type t
where t.oid >= 16384 and (
    t.oid = any({touched})
    or ({is_dropped} and t.oid <> all({left}) and t.typtype <> 'c'
        and t.typsubscript <> 'pg_catalog.array_subscript_handler'::pg_catalog.regproc)
)
order by 2
