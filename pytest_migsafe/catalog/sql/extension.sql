-- Extensions (manual: "pg_extension"). Their members are left out everywhere: the version stands for them.
select
    pg_catalog.quote_ident(x.extname) as name,
    pg_catalog.quote_ident(n.nspname) as schema,
    x.extversion as version
from pg_catalog.pg_extension x
join pg_catalog.pg_namespace n on n.oid = x.extnamespace
where {restriction}
order by 1
