-- The state of relations that is needed to know which kinds of objects they have at all. For an index, that of its
-- table.
select
    c.oid::pg_catalog.int8 as oid,
    c.relkind::pg_catalog.text as kind,
    c.relhasindex as has_indexes,
    c.relhastriggers as has_triggers,
    c.relhasrules and (c.relkind not in ('v', 'm') or (
        select pg_catalog.count(*) > 1 from pg_catalog.pg_rewrite w where w.ev_class = c.oid
    )) as has_rules,
    c.relacl is not null as has_grants,
    (select pg_catalog.count(*) > 0 from pg_catalog.pg_policy p where p.polrelid = c.oid) as has_policies,
    -- No EXISTS: that would be answered from a table of all columns that there are.
    (
        select pg_catalog.count(*) > 0 from pg_catalog.pg_attribute a
        where a.attrelid = c.oid and a.attacl is not null
    ) as has_column_grants
from pg_catalog.pg_class c
where c.oid = any(array({user_relations}))
order by 1
