-- What the extension plpgsql_check says of a function, for a table if it is a trigger's (its documentation, "Arguments").
select
    coalesce(c.lineno, 0) as line, coalesce(c.statement, '') as statement, c.sqlstate as sqlstate, c.message as message,
    coalesce(c.detail, '') as detail, coalesce(c.hint, '') as hint
from {check}(
    funcoid => %(function)s::pg_catalog.oid::pg_catalog.regprocedure,
    relid => %(relation)s::pg_catalog.oid::pg_catalog.regclass,
    oldtable => %(old_table)s::pg_catalog.name,
    newtable => %(new_table)s::pg_catalog.name,
    fatal_errors => false, other_warnings => false, performance_warnings => false, extra_warnings => false
) c
where c.level = 'error'
order by 1, 4
