-- Constraints of tables (manual: "pg_constraint"). Constraint triggers ('t') are triggers. NOT NULL ('n', kept
-- here from PostgreSQL 18 on) is the column's attribute, unless it says more than that.
select
    pg_catalog.format('%I.%I', n.nspname, r.relname) as relation,
    pg_catalog.quote_ident(c.conname) as name,
    'relation' as object_kind,
    case c.contype
        when 'c' then 'check' when 'f' then 'foreign key' when 'p' then 'primary key' when 'u' then 'unique'
        when 'x' then 'exclude' else 'not null'
    end as type,
    pg_catalog.pg_get_constraintdef(c.oid) as definition,
    c.convalidated as validated,
    -- NOT ENFORCED came with PostgreSQL 18; what is not enforced is not validated either. The whole row as
    -- JSON is dear, so only the few that are not validated pay for it.
    case when c.convalidated then true
        else coalesce((pg_catalog.to_jsonb(c) ->> 'conenforced')::pg_catalog.bool, true)
    end as enforced,
    c.condeferrable as deferrable,
    c.condeferred as deferred,
    d.description as comment
from pg_catalog.pg_constraint c
join pg_catalog.pg_class r on r.oid = c.conrelid
join pg_catalog.pg_namespace n on n.oid = r.relnamespace
left join pg_catalog.pg_description d
    on d.objoid = c.oid and d.classoid = 'pg_catalog.pg_constraint'::pg_catalog.regclass and d.objsubid = 0
where (c.contype in ('c', 'f', 'p', 'u', 'x') or (c.contype = 'n' and (c.connoinherit or not c.convalidated)))
    and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
    and r.oid not in (
        select e.objid from pg_catalog.pg_depend e
        where e.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass
            and e.classid = 'pg_catalog.pg_class'::pg_catalog.regclass and e.deptype = 'e'
    )
    and {restriction}
order by 1, 2
