-- Collations (manual: "pg_collation"). The locale of a provider other than libc was in collcollate until PostgreSQL 14,
-- in colliculocale until 16, and is in colllocale since. The encoding is
-- the database's.
select
    c.oid::pg_catalog.regcollation::pg_catalog.text as name,
    case c.collprovider when 'c' then 'libc' when 'i' then 'icu' when 'b' then 'builtin' else 'default' end as provider,
    coalesce(
        j.more ->> 'colllocale', j.more ->> 'colliculocale',
        c.collcollate || case when c.collctype <> c.collcollate then '/' || c.collctype else '' end
    ) as locale,
    c.collisdeterministic as deterministic,
    j.more ->> 'collicurules' as rules,
    pg_catalog.pg_get_userbyid(c.collowner) as owner,
    (
        select d.description from pg_catalog.pg_description d
        where d.objoid = c.oid and d.classoid = 'pg_catalog.pg_collation'::pg_catalog.regclass and d.objsubid = 0
    ) as comment,
    c.collversion as version
from pg_catalog.pg_collation c
cross join lateral (select pg_catalog.to_jsonb(c) as more) j
where c.oid >= 16384 and not exists (
        select from pg_catalog.pg_depend e
        where e.classid = 'pg_catalog.pg_collation'::pg_catalog.regclass and e.objid = c.oid and e.deptype = 'e'
    )
order by 1
