-- Privileges on columns, where they differ from the built-in ones: no ACL, and the built-in
-- ACL written out, are the same thing (manual: "Privileges"). An empty list: what is granted by default is revoked.
select
    'column' as object_kind,
    pg_catalog.format('%I.%I.%I', n.nspname, r.relname, a.attname) as object,
    case g.grantee when 0 then 'PUBLIC' else pg_catalog.pg_get_userbyid(g.grantee) end as grantee,
    g.privileges as privileges
from pg_catalog.pg_attribute a
join pg_catalog.pg_class r on r.oid = a.attrelid
join pg_catalog.pg_namespace n on n.oid = r.relnamespace
cross join lateral (
    select grantee, coalesce(mine.privileges, array[]::pg_catalog.text[]) as privileges
    from (
        select x.grantee, pg_catalog.array_agg(distinct x.privilege_type || case when x.is_grantable then '*' else '' end) as privileges
        from pg_catalog.aclexplode(a.attacl) x group by x.grantee
    ) mine
    full join (
        select x.grantee, pg_catalog.array_agg(distinct x.privilege_type || case when x.is_grantable then '*' else '' end) as privileges
        from pg_catalog.aclexplode(pg_catalog.acldefault('c', r.relowner)) x group by x.grantee
    ) usual using (grantee)
    where mine.privileges is distinct from usual.privileges
) g
where a.attacl is not null and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
    and not a.attisdropped and r.relkind in ('r', 'p', 'f', 'v', 'm')
    and r.oid not in (
        select e.objid from pg_catalog.pg_depend e
        where e.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass
            and e.classid = 'pg_catalog.pg_class'::pg_catalog.regclass and e.deptype = 'e'
    )
    and {restriction}
order by 1, 2, 3
