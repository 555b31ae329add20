-- What CREATE EXTENSION without a version makes (manual: "pg_available_extensions"): the server's doing, not the schema's.
select
    pg_catalog.quote_ident(x.name) as name,
    x.default_version as version,
    x.comment as comment
from pg_catalog.pg_available_extensions x
where x.default_version is not null
order by 1
