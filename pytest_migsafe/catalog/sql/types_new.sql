-- Types made since the mark, without the row types and array types that come with others. Array types are what
-- PostgreSQL's own handler subscripts (manual: "CREATE TYPE", SUBSCRIPT).
select 'type', t.oid::pg_catalog.int8
from pg_catalog.pg_type t
where t.oid > {highest} and t.typtype <> 'c'
    and t.typsubscript <> 'pg_catalog.array_subscript_handler'::pg_catalog.regproc
order by 2
