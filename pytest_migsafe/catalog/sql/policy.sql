-- Row-level security policies (manual: "pg_policy").
select
    pg_catalog.format('%I.%I', n.nspname, r.relname) as relation,
    pg_catalog.quote_ident(p.polname) as name,
    case p.polcmd when 'r' then 'select' when 'a' then 'insert' when 'w' then 'update' when 'd' then 'delete' else 'all' end as command,
    p.polpermissive as permissive,
    array(
        select case x when 0 then 'PUBLIC' else pg_catalog.pg_get_userbyid(x) end
        from pg_catalog.unnest(p.polroles) x order by 1
    ) as roles,
    pg_catalog.pg_get_expr(p.polqual, p.polrelid) as "using",
    pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid) as "check",
    d.description as comment
from pg_catalog.pg_policy p
join pg_catalog.pg_class r on r.oid = p.polrelid
join pg_catalog.pg_namespace n on n.oid = r.relnamespace
left join pg_catalog.pg_description d
    on d.objoid = p.oid and d.classoid = 'pg_catalog.pg_policy'::pg_catalog.regclass and d.objsubid = 0
where true
    and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
    and r.oid not in (
        select e.objid from pg_catalog.pg_depend e
        where e.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass
            and e.classid = 'pg_catalog.pg_class'::pg_catalog.regclass and e.deptype = 'e'
    )
    and {restriction}
order by 1, 2
