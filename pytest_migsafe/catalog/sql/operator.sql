-- Operators (manual: "pg_operator").
select
    o.oid::pg_catalog.regoperator::pg_catalog.text as name,
    case when o.oprcode <> 0 then o.oprcode::pg_catalog.oid::pg_catalog.regprocedure::pg_catalog.text end as function,
    case when o.oprresult <> 0 then pg_catalog.format_type(o.oprresult, null) end as returns,
    case when o.oprcom <> 0 then o.oprcom::pg_catalog.regoperator::pg_catalog.text end as commutator,
    case when o.oprnegate <> 0 then o.oprnegate::pg_catalog.regoperator::pg_catalog.text end as negator,
    case when o.oprrest <> 0 then o.oprrest::pg_catalog.oid::pg_catalog.regprocedure::pg_catalog.text end as restrict,
    case when o.oprjoin <> 0 then o.oprjoin::pg_catalog.oid::pg_catalog.regprocedure::pg_catalog.text end as join,
    o.oprcanhash as hashes,
    o.oprcanmerge as merges,
    pg_catalog.pg_get_userbyid(o.oprowner) as owner,
    (
        select d.description from pg_catalog.pg_description d
        where d.objoid = o.oid and d.classoid = 'pg_catalog.pg_operator'::pg_catalog.regclass and d.objsubid = 0
    ) as comment
from pg_catalog.pg_operator o
where o.oid >= 16384 and not exists (
        select from pg_catalog.pg_depend e
        where e.classid = 'pg_catalog.pg_operator'::pg_catalog.regclass and e.objid = o.oid and e.deptype = 'e'
    )
order by 1
