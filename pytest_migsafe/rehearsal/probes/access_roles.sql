-- Who the roles are, and whose privileges each has (manual: "Role Membership").
select
    r.rolname::pg_catalog.text as name,
    r.rolsuper as superuser,
    r.rolbypassrls as bypasses_row_security,
    array(
        select o.rolname::pg_catalog.text from pg_catalog.pg_roles o
        where o.rolname = any(%(names)s::pg_catalog.name[]) and pg_catalog.pg_has_role(r.oid, o.oid, 'USAGE')
        order by 1
    ) as acts_as
from pg_catalog.pg_roles r
where r.rolname = any(%(names)s::pg_catalog.name[])
order by 1
