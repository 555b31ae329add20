-- Extensions of which the server has another version to update to, and the user's collations whose order may be another
-- than when they were made (manual: "pg_available_extensions", "ALTER COLLATION").
select
    'extension' as kind, pg_catalog.quote_ident(x.extname) as name, x.extversion as version, a.default_version as available
from pg_catalog.pg_extension x
join pg_catalog.pg_available_extensions a on a.name = x.extname
where a.default_version <> x.extversion
union all
select 'collation', c.oid::pg_catalog.regcollation::pg_catalog.text, c.collversion, pg_catalog.pg_collation_actual_version(c.oid)
from pg_catalog.pg_collation c
where c.oid >= 16384 and c.collversion <> pg_catalog.pg_collation_actual_version(c.oid)
order by 1, 2
