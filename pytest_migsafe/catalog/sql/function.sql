-- Functions, procedures, aggregates and window functions (manual: "pg_proc", "pg_aggregate").
select
    pg_catalog.format('%I.%I(%s)', n.nspname, p.proname, pg_catalog.oidvectortypes(p.proargtypes)) as name,
    case p.prokind when 'f' then 'function' when 'p' then 'procedure' when 'a' then 'aggregate' else 'window' end as kind,
    pg_catalog.pg_get_function_arguments(p.oid) as arguments,
    pg_catalog.pg_get_function_result(p.oid) as returns,
    l.lanname::pg_catalog.text as language,
    case p.provolatile when 'i' then 'immutable' when 's' then 'stable' else 'volatile' end as volatility,
    p.proisstrict as strict,
    p.prosecdef as security_definer,
    p.proleakproof as leakproof,
    case p.proparallel when 's' then 'safe' when 'r' then 'restricted' else 'unsafe' end as parallel,
    p.procost as cost,
    p.prorows as rows,
    case when p.prosupport <> 0 then p.prosupport::pg_catalog.text end as support,
    array(select s from pg_catalog.unnest(p.proconfig) s order by s collate pg_catalog."C") as config,
    array(
        select pg_catalog.format_type(x, null) from pg_catalog.unnest(p.protrftypes) x order by 1
    ) as transforms,
    -- A BEGIN ATOMIC body is a tree, and prosrc is empty.
    coalesce(pg_catalog.pg_get_function_sqlbody(p.oid), p.prosrc) as body,
    p.probin as library,
    -- The state of an aggregate, field by field, with names instead of oids.
    case when p.prokind = 'a' then (
        select pg_catalog.format(
            'kind %s, direct arguments %s, transition %s %s space %s, final %s %s %s, combine %s, serial %s %s, moving %s %s %s space %s final %s %s %s, sort operator %s, initial %L %L',
            a.aggkind, a.aggnumdirectargs, a.aggtransfn, pg_catalog.format_type(a.aggtranstype, null),
            a.aggtransspace, a.aggfinalfn, a.aggfinalextra, a.aggfinalmodify, a.aggcombinefn, a.aggserialfn,
            a.aggdeserialfn, a.aggmtransfn, a.aggminvtransfn, pg_catalog.format_type(a.aggmtranstype, null),
            a.aggmtransspace, a.aggmfinalfn, a.aggmfinalextra, a.aggmfinalmodify,
            a.aggsortop::pg_catalog.regoperator, a.agginitval, a.aggminitval)
        from pg_catalog.pg_aggregate a where a.aggfnoid = p.oid
    ) end as aggregate,
    pg_catalog.pg_get_userbyid(p.proowner) as owner,
    d.description as comment
from pg_catalog.pg_proc p
join pg_catalog.pg_namespace n on n.oid = p.pronamespace
join pg_catalog.pg_language l on l.oid = p.prolang
left join pg_catalog.pg_description d
    on d.objoid = p.oid and d.classoid = 'pg_catalog.pg_proc'::pg_catalog.regclass and d.objsubid = 0
where p.oid >= 16384 and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
    -- The constructors of a range type come and go with it.
    and not exists (
        select from pg_catalog.pg_depend i
        where i.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass and i.objid = p.oid and i.deptype = 'i'
    )
    and p.oid not in (
        select e.objid from pg_catalog.pg_depend e
        where e.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass
            and e.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass and e.deptype = 'e'
    )
    and {restriction}
order by 1
