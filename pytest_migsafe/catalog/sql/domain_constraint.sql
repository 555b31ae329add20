-- Constraints of domains. NOT NULL ('n', kept here from PostgreSQL 17 on) is the domain's own attribute, unless it has a
-- comment, or a name that PostgreSQL does not choose.
select
    c.contypid::pg_catalog.regtype::pg_catalog.text as relation,
    pg_catalog.quote_ident(c.conname) as name,
    'domain' as object_kind,
    case c.contype when 'c' then 'check' else 'not null' end as type,
    pg_catalog.pg_get_constraintdef(c.oid) as definition,
    c.convalidated as validated,
    true as enforced,
    c.condeferrable as deferrable,
    c.condeferred as deferred,
    true as local,
    0 as inherited,
    null as index,
    array[]::pg_catalog.text[] as triggers,
    (
        select d.description from pg_catalog.pg_description d
        where d.objoid = c.oid and d.classoid = 'pg_catalog.pg_constraint'::pg_catalog.regclass and d.objsubid = 0
    ) as comment,
    array[]::pg_catalog.text[] as columns
from pg_catalog.pg_constraint c
where (c.contype = 'c' or (c.contype = 'n' and (
        c.conname !~ '_not_null[0-9]*$' or exists (
            select from pg_catalog.pg_description d
            where d.objoid = c.oid and d.classoid = 'pg_catalog.pg_constraint'::pg_catalog.regclass
        )
    ))) and c.contypid {restriction}
order by 1, 2
