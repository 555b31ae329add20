-- Extensions (manual: "pg_extension"). Their members are left out everywhere: the version stands for them.
select
    pg_catalog.quote_ident(x.extname) as name,
    x.extnamespace::pg_catalog.regnamespace::pg_catalog.text as schema,
    x.extversion as version
from pg_catalog.pg_extension x
order by 1
