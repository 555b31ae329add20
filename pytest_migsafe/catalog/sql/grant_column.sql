-- Privileges on columns, where they differ from the built-in ones: no ACL, and the built-in ACL written out, are
-- the same thing (manual: "Privileges"). An empty list: what is granted by default is revoked.
select
    'column' as object_kind,
    a.attrelid::pg_catalog.regclass || '.' || pg_catalog.quote_ident(a.attname) as object,
    case g.grantee when 0 then 'PUBLIC' else pg_catalog.pg_get_userbyid(g.grantee) end as grantee,
    g.privileges as privileges
from pg_catalog.pg_attribute a
cross join lateral (
    select grantee, coalesce(mine.privileges, array[]::pg_catalog.text[]) as privileges
    from (
        select x.grantee, pg_catalog.array_agg(
            distinct x.privilege_type || case when x.is_grantable then '*' else '' end) as privileges
        from pg_catalog.aclexplode(a.attacl) x group by x.grantee
    ) mine
    full join (
        select x.grantee, pg_catalog.array_agg(
            distinct x.privilege_type || case when x.is_grantable then '*' else '' end) as privileges
        from pg_catalog.aclexplode(null::pg_catalog.aclitem[]) x group by x.grantee
    ) usual using (grantee)
    where mine.privileges is distinct from usual.privileges
) g
where a.attacl is not null and not a.attisdropped and a.attrelid {restriction}
order by 1, 2, 3
