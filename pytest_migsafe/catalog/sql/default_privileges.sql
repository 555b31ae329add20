-- Default privileges (manual: "pg_default_acl"), where they differ from the built-in ones. Those of a whole
-- database replace the built-in ones; those of a schema are added to them, so they start from nothing.
select
    pg_catalog.pg_get_userbyid(p.defaclrole) as role,
    case when p.defaclnamespace <> 0 then p.defaclnamespace::pg_catalog.regnamespace::pg_catalog.text end as schema,
    case p.defaclobjtype
        when 'r' then 'tables' when 'S' then 'sequences' when 'f' then 'functions' when 'T' then 'types'
        when 'n' then 'schemas' else 'large objects'
    end as objects,
    case g.grantee when 0 then 'PUBLIC' else pg_catalog.pg_get_userbyid(g.grantee) end as grantee,
    g.privileges as privileges
from pg_catalog.pg_default_acl p
cross join lateral (
    select grantee, coalesce(mine.privileges, array[]::pg_catalog.text[]) as privileges
    from (
        select x.grantee, pg_catalog.array_agg(
            distinct x.privilege_type || case when x.is_grantable then '*' else '' end) as privileges
        from pg_catalog.aclexplode(p.defaclacl) x group by x.grantee
    ) mine
    full join (
        select x.grantee, pg_catalog.array_agg(
            distinct x.privilege_type || case when x.is_grantable then '*' else '' end) as privileges
        from pg_catalog.aclexplode(
            -- acldefault knows a sequence as 's', pg_default_acl as 'S'; large objects have 'L' in both.
            case when p.defaclnamespace = 0 then pg_catalog.acldefault(
                case p.defaclobjtype when 'S' then 's' else p.defaclobjtype end, p.defaclrole) end
        ) x group by x.grantee
    ) usual using (grantee)
    where mine.privileges is distinct from usual.privileges
) g
order by 1, 2, 3, 4
