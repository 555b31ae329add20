-- What roles may do with relations, be it with a single column (manual: "Access Privilege Inquiry
-- Functions"). What lies in a schema that a role may not use is out of its reach.
select
    asked.relation,
    asked.role,
    array(
        select privilege from pg_catalog.unnest(array['SELECT', 'INSERT', 'UPDATE']) privilege
        where pg_catalog.has_any_column_privilege(asked.role, c.oid, privilege)
        union all
        select 'DELETE' where pg_catalog.has_table_privilege(asked.role, c.oid, 'DELETE')
    ) as privileges
from rows from (
    pg_catalog.unnest(%(relations)s::pg_catalog.text[]), pg_catalog.unnest(%(roles)s::pg_catalog.text[])
) asked (relation, role)
-- Where our own role may not enter the schema, to_regclass() is an error.
join pg_catalog.pg_namespace n on pg_catalog.starts_with(asked.relation, pg_catalog.quote_ident(n.nspname) || '.')
join pg_catalog.pg_class c
    on c.oid = case
        when pg_catalog.has_schema_privilege(n.oid, 'USAGE') then pg_catalog.to_regclass(asked.relation)
    end
where pg_catalog.has_schema_privilege(asked.role, c.relnamespace, 'USAGE')
order by 1, 2
