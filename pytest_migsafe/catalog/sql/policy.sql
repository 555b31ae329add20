-- Row-level security policies (manual: "pg_policy").
select
    p.polrelid::pg_catalog.regclass::pg_catalog.text as relation,
    pg_catalog.quote_ident(p.polname) as name,
    case p.polcmd
        when 'r' then 'select' when 'a' then 'insert' when 'w' then 'update' when 'd' then 'delete' else 'all'
    end as command,
    p.polpermissive as permissive,
    array(
        select case x when 0 then 'PUBLIC' else pg_catalog.pg_get_userbyid(x) end
        from pg_catalog.unnest(p.polroles) x
    ) as roles,
    pg_catalog.pg_get_expr(p.polqual, p.polrelid) as "using",
    pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid) as "check",
    (
        select d.description from pg_catalog.pg_description d
        where d.objoid = p.oid and d.classoid = 'pg_catalog.pg_policy'::pg_catalog.regclass and d.objsubid = 0
    ) as comment
from pg_catalog.pg_policy p
where p.polrelid {restriction}
order by 1, 2
