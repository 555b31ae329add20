-- The state of relations that is needed to know which kinds of objects they have at all. For an index, that of its
-- table.
select distinct
    c.oid::pg_catalog.int8 as oid,
    c.relkind::pg_catalog.text as kind,
    c.relhasindex as has_indexes,
    c.relhastriggers as has_triggers,
    c.relhasrules and (c.relkind not in ('v', 'm') or (
        select pg_catalog.count(*) > 1 from pg_catalog.pg_rewrite w where w.ev_class = c.oid
    )) as has_rules,
    c.relacl is not null as has_grants,
    exists (select from pg_catalog.pg_policy p where p.polrelid = c.oid) as has_policies,
    exists (
        select from pg_catalog.pg_attribute a where a.attrelid = c.oid and a.attacl is not null
    ) as has_column_grants,
    (case when c.relkind = 'c' then c.reltype else 0::pg_catalog.oid end)::pg_catalog.int8 as type
from pg_catalog.pg_class c
where c.oid in (
    select coalesce((select i.indrelid from pg_catalog.pg_index i where i.indexrelid = o), o)
    from pg_catalog.unnest({relations}) o
) and (c.oid in ({user_relations}) or (c.relkind = 'c' and c.reltype in ({user_types})))
order by 1
