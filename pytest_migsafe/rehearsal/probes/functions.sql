-- What it takes to look into the bodies of some functions, by their signatures: with search_path = '', so that types are
-- qualified. Manual: "pg_proc", "pg_language", "pg_trigger".
select
    p.oid::pg_catalog.regprocedure::pg_catalog.text as name,
    pg_catalog.quote_ident(p.proname) as bare_name,
    l.lanname::pg_catalog.text as language,
    p.prosrc as body,
    p.oid::pg_catalog.int8 as oid,
    l.lanvalidator::pg_catalog.regproc::pg_catalog.text as validator,
    (
        select pg_catalog.substr(c, 13) from pg_catalog.unnest(p.proconfig) c where c like 'search\_path=%'
    ) as search_path,
    coalesce(p.proargnames, array[]::pg_catalog.text[]) as argument_names,
    array(
        select pg_catalog.format_type(a.type, null)
        from pg_catalog.unnest(coalesce(p.proallargtypes, p.proargtypes::pg_catalog.oid[]))
            with ordinality as a (type, place)
        order by a.place
    ) as argument_types,
    pg_catalog.format_type(p.prorettype, null) as returns,
    case
        when not p.proretset then array[]::pg_catalog.text[]
        when p.proargmodes && array['o', 'b', 't']::"char"[] then array(
            select pg_catalog.format_type(a.type, null)
            from rows from (pg_catalog.unnest(p.proallargtypes), pg_catalog.unnest(p.proargmodes))
                with ordinality as a (type, mode, place)
            where a.mode in ('o', 'b', 't')
            order by a.place
        )
        when t.typtype = 'c' then array(
            select pg_catalog.format_type(a.atttypid, null)
            from pg_catalog.pg_attribute a
            where a.attrelid = t.typrelid and a.attnum > 0 and not a.attisdropped
            order by a.attnum
        )
        when t.typtype in ('b', 'e', 'r', 'm') then array[pg_catalog.format_type(t.oid, null)]
        else array[]::pg_catalog.text[]
    end as columns
from pg_catalog.pg_proc p
join pg_catalog.pg_language l on l.oid = p.prolang
join pg_catalog.pg_type t on t.oid = p.prorettype
where p.prokind in ('f', 'p')
    -- Others' compilers are not to be trusted with anybody's code; C and internal have nothing to compile.
    and l.lanpltrusted and l.lanvalidator <> 0
    -- BEGIN ATOMIC: what it needs cannot be dropped.
    and p.prosqlbody is null
    -- Users' objects have oids from here on. to_regprocedure() is an error where the schema may not be entered.
    and p.oid >= 16384
    and p.oid::pg_catalog.regprocedure::pg_catalog.text = any ({names})
order by 1
