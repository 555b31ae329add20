-- CHECK constraints of domains. NOT NULL ('n', kept here from PostgreSQL 17 on) is the domain's own attribute.
select
    pg_catalog.format('%I.%I', n.nspname, t.typname) as relation,
    pg_catalog.quote_ident(c.conname) as name,
    'domain' as object_kind,
    'check' as type,
    pg_catalog.pg_get_constraintdef(c.oid) as definition,
    c.convalidated as validated,
    true as enforced,
    c.condeferrable as deferrable,
    c.condeferred as deferred,
    d.description as comment
from pg_catalog.pg_constraint c
join pg_catalog.pg_type t on t.oid = c.contypid
join pg_catalog.pg_namespace n on n.oid = t.typnamespace
left join pg_catalog.pg_description d
    on d.objoid = c.oid and d.classoid = 'pg_catalog.pg_constraint'::pg_catalog.regclass and d.objsubid = 0
where t.oid >= 16384 and c.contype = 'c' and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
    and t.oid not in (
        select e.objid from pg_catalog.pg_depend e
        where e.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass
            and e.classid = 'pg_catalog.pg_type'::pg_catalog.regclass and e.deptype = 'e'
    )
    and {restriction}
order by 1, 2
