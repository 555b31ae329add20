-- Functions, procedures, aggregates and window functions (manual: "pg_proc", "pg_aggregate").
select
    p.oid::pg_catalog.regprocedure::pg_catalog.text as name,
    case p.prokind when 'f' then 'function' when 'p' then 'procedure' when 'a' then 'aggregate' else 'window' end as kind,
    pg_catalog.pg_get_function_arguments(p.oid) as arguments,
    pg_catalog.pg_get_function_result(p.oid) as returns,
    (select l.lanname::pg_catalog.text from pg_catalog.pg_language l where l.oid = p.prolang) as language,
    case p.provolatile when 'i' then 'immutable' when 's' then 'stable' else 'volatile' end as volatility,
    p.proisstrict as strict,
    p.prosecdef as security_definer,
    p.proleakproof as leakproof,
    case p.proparallel when 's' then 'safe' when 'r' then 'restricted' else 'unsafe' end as parallel,
    p.procost as cost,
    p.prorows as rows,
    case when p.prosupport <> 0 then p.prosupport::pg_catalog.text end as support,
    coalesce(p.proconfig, array[]::pg_catalog.text[]) as config,
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
    (
        select d.description from pg_catalog.pg_description d
        where d.objoid = p.oid and d.classoid = 'pg_catalog.pg_proc'::pg_catalog.regclass and d.objsubid = 0
    ) as comment
from pg_catalog.pg_proc p
where p.oid {restriction}
order by 1
