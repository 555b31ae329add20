-- Triggers, without those that PostgreSQL makes for foreign keys. pg_get_triggerdef does not tell the state.
select
    pg_catalog.format('%I.%I', n.nspname, r.relname) as relation,
    pg_catalog.quote_ident(t.tgname) as name,
    pg_catalog.pg_get_triggerdef(t.oid) as definition,
    case t.tgenabled when 'O' then 'origin' when 'D' then 'disabled' when 'R' then 'replica' else 'always' end as enabled,
    pg_catalog.format('%I.%I(%s)', pn.nspname, p.proname, pg_catalog.oidvectortypes(p.proargtypes)) as function,
    d.description as comment
from pg_catalog.pg_trigger t
join pg_catalog.pg_class r on r.oid = t.tgrelid
join pg_catalog.pg_namespace n on n.oid = r.relnamespace
join pg_catalog.pg_proc p on p.oid = t.tgfoid
join pg_catalog.pg_namespace pn on pn.oid = p.pronamespace
left join pg_catalog.pg_description d
    on d.objoid = t.oid and d.classoid = 'pg_catalog.pg_trigger'::pg_catalog.regclass and d.objsubid = 0
where not t.tgisinternal
    and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
    and r.oid not in (
        select e.objid from pg_catalog.pg_depend e
        where e.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass
            and e.classid = 'pg_catalog.pg_class'::pg_catalog.regclass and e.deptype = 'e'
    )
    and {restriction}
order by 1, 2
