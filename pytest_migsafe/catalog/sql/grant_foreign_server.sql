-- Privileges on foreign servers, where they differ from the
-- built-in ones: no ACL, and the built-in ACL written out, are the same thing (manual: "Privileges"). An empty list: what is granted by default is revoked.
select
    'server' as object_kind,
    pg_catalog.quote_ident(s.srvname) as object,
    case g.grantee when 0 then 'PUBLIC' else pg_catalog.pg_get_userbyid(g.grantee) end as grantee,
    g.privileges as privileges
from pg_catalog.pg_foreign_server s
cross join lateral (
    select grantee, coalesce(mine.privileges, array[]::pg_catalog.text[]) as privileges
    from (
        select x.grantee, pg_catalog.array_agg(
            distinct x.privilege_type || case when x.is_grantable then '*' else '' end) as privileges
        from pg_catalog.aclexplode(s.srvacl) x group by x.grantee
    ) mine
    full join (
        select x.grantee, pg_catalog.array_agg(
            distinct x.privilege_type || case when x.is_grantable then '*' else '' end) as privileges
        from pg_catalog.aclexplode(pg_catalog.acldefault('S', s.srvowner)) x group by x.grantee
    ) usual using (grantee)
    where mine.privileges is distinct from usual.privileges
) g
where s.srvacl is not null and not exists (
        select from pg_catalog.pg_depend e
        where e.classid = 'pg_catalog.pg_foreign_server'::pg_catalog.regclass and e.objid = s.oid and e.deptype = 'e'
    )
order by 1, 2, 3
