-- Privileges on procedural languages, also PostgreSQL's own, where they differ from the
-- built-in ones: no ACL, and the built-in ACL written out, are the same thing (manual: "Privileges"). An empty list: what is granted by default is revoked.
select
    'language' as object_kind,
    pg_catalog.quote_ident(l.lanname) as object,
    case g.grantee when 0 then 'PUBLIC' else pg_catalog.pg_get_userbyid(g.grantee) end as grantee,
    g.privileges as privileges
from pg_catalog.pg_language l
cross join lateral (
    select grantee, coalesce(mine.privileges, array[]::pg_catalog.text[]) as privileges
    from (
        select x.grantee, pg_catalog.array_agg(
            distinct x.privilege_type || case when x.is_grantable then '*' else '' end) as privileges
        from pg_catalog.aclexplode(l.lanacl) x group by x.grantee
    ) mine
    full join (
        select x.grantee, pg_catalog.array_agg(
            distinct x.privilege_type || case when x.is_grantable then '*' else '' end) as privileges
        from pg_catalog.aclexplode(pg_catalog.acldefault('l', l.lanowner)) x group by x.grantee
    ) usual using (grantee)
    where mine.privileges is distinct from usual.privileges
) g
where l.lanacl is not null and not exists (
        select from pg_catalog.pg_depend e
        where e.classid = 'pg_catalog.pg_language'::pg_catalog.regclass and e.objid = l.oid and e.deptype = 'e'
    )
order by 1, 2, 3
