-- Privileges on types, where they differ from the built-in ones: no ACL, and the built-in ACL written out, are
-- the same thing (manual: "Privileges"). An empty list: what is granted by default is revoked.
select
    'type' as object_kind,
    t.oid::pg_catalog.regtype::pg_catalog.text as object,
    case g.grantee when 0 then 'PUBLIC' else pg_catalog.pg_get_userbyid(g.grantee) end as grantee,
    g.privileges as privileges
from pg_catalog.pg_type t
cross join lateral (
    select grantee, coalesce(mine.privileges, array[]::pg_catalog.text[]) as privileges
    from (
        select x.grantee, pg_catalog.array_agg(
            distinct x.privilege_type || case when x.is_grantable then '*' else '' end) as privileges
        from pg_catalog.aclexplode(t.typacl) x group by x.grantee
    ) mine
    full join (
        select x.grantee, pg_catalog.array_agg(
            distinct x.privilege_type || case when x.is_grantable then '*' else '' end) as privileges
        from pg_catalog.aclexplode(pg_catalog.acldefault('T', t.typowner)) x group by x.grantee
    ) usual using (grantee)
    where mine.privileges is distinct from usual.privileges
) g
where t.typacl is not null and t.oid {restriction}
order by 1, 2, 3
