-- Privileges on schemas, where they differ from the built-in ones: no ACL, and the built-in ACL written out, are
-- the same thing (manual: "Privileges"). An empty list: what is granted by default is revoked.
select
    'schema' as object_kind,
    pg_catalog.quote_ident(n.nspname) as object,
    case g.grantee when 0 then 'PUBLIC' else pg_catalog.pg_get_userbyid(g.grantee) end as grantee,
    g.privileges as privileges
from pg_catalog.pg_namespace n
-- What initdb granted to PUBLIC on schema public differs between 14 and 15, and is nobody's migration.
left join pg_catalog.pg_init_privs i
    on i.objoid = n.oid and i.classoid = 'pg_catalog.pg_namespace'::pg_catalog.regclass and i.objsubid = 0
cross join lateral (
    select grantee, coalesce(mine.privileges, array[]::pg_catalog.text[]) as privileges
    from (
        select x.grantee, pg_catalog.array_agg(
            distinct x.privilege_type || case when x.is_grantable then '*' else '' end) as privileges
        from pg_catalog.aclexplode(n.nspacl) x group by x.grantee
    ) mine
    full join (
        select x.grantee, pg_catalog.array_agg(
            distinct x.privilege_type || case when x.is_grantable then '*' else '' end) as privileges
        from pg_catalog.aclexplode(
            pg_catalog.acldefault('n', n.nspowner) || array(
                select a from pg_catalog.unnest(i.initprivs) a where a::pg_catalog.text like '=%'
            )
        ) x group by x.grantee
    ) usual using (grantee)
    where mine.privileges is distinct from usual.privileges
) g
where n.nspacl is not null and n.oid {restriction}
order by 1, 2, 3
