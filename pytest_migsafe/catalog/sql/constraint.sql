-- Constraints of tables (manual: "pg_constraint"). Constraint triggers ('t') are triggers. NOT NULL ('n', kept here from
-- PostgreSQL 18 on) is the column's attribute, unless it says more than that: it has a comment, or a name that PostgreSQL
-- does not choose (which remains when its table or column is renamed).
select
    c.conrelid::pg_catalog.regclass::pg_catalog.text as relation,
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
    c.conislocal as local,
    c.coninhcount::pg_catalog.int4 as inherited,
    case when c.contype = 'f' then c.conindid::pg_catalog.regclass::pg_catalog.text end as index,
    case when c.contype = 'f' then array(
        select pg_catalog.format('%s on %s: %s', t.tgfoid::pg_catalog.regproc, t.tgrelid::pg_catalog.regclass,
            case t.tgenabled when 'D' then 'disabled' when 'R' then 'replica' else 'always' end)
        from pg_catalog.pg_trigger t where t.tgconstraint = c.oid and t.tgenabled <> 'O'
    ) else array[]::pg_catalog.text[] end as triggers,
    (
        select d.description from pg_catalog.pg_description d
        where d.objoid = c.oid and d.classoid = 'pg_catalog.pg_constraint'::pg_catalog.regclass and d.objsubid = 0
    ) as comment,
    array(
        select pg_catalog.quote_ident(a.attname)
        from pg_catalog.unnest(c.conkey) with ordinality k (attnum, place)
        join pg_catalog.pg_attribute a on a.attrelid = c.conrelid and a.attnum = k.attnum
        order by k.place
    ) as columns
from pg_catalog.pg_constraint c
where (c.contype in ('c', 'f', 'p', 'u', 'x') or (c.contype = 'n' and (
        c.connoinherit or not c.convalidated or c.conname !~ '_not_null[0-9]*$' or exists (
            select from pg_catalog.pg_description d
            where d.objoid = c.oid and d.classoid = 'pg_catalog.pg_constraint'::pg_catalog.regclass
        )
    )))
    and c.conrelid {restriction}
order by 1, 2
