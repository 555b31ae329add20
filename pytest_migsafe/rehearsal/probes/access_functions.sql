-- Which roles may execute which functions (manual: "Access Privilege Inquiry Functions").
select asked.function, array_agg(role order by role) as roles
from pg_catalog.unnest(%(functions)s::pg_catalog.text[]) asked (function)
-- Where our own role may not enter the schema, to_regprocedure() is an error.
join pg_catalog.pg_namespace n on pg_catalog.starts_with(asked.function, pg_catalog.quote_ident(n.nspname) || '.')
join pg_catalog.pg_proc p
    on p.oid = case
        when pg_catalog.has_schema_privilege(n.oid, 'USAGE') then pg_catalog.to_regprocedure(asked.function)
    end
cross join pg_catalog.unnest(%(roles)s::pg_catalog.text[]) role
where pg_catalog.has_schema_privilege(role, p.pronamespace, 'USAGE')
    and pg_catalog.has_function_privilege(role, p.oid, 'EXECUTE')
group by 1
order by 1
