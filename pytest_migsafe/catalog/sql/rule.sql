-- Rewrite rules (manual: "pg_rewrite"); _RETURN is the view itself.
select
    pg_catalog.format('%I.%I', n.nspname, r.relname) as relation,
    pg_catalog.quote_ident(w.rulename) as name,
    pg_catalog.pg_get_ruledef(w.oid) as definition,
    case w.ev_enabled when 'O' then 'origin' when 'D' then 'disabled' when 'R' then 'replica' else 'always' end as enabled,
    d.description as comment
from pg_catalog.pg_rewrite w
join pg_catalog.pg_class r on r.oid = w.ev_class
join pg_catalog.pg_namespace n on n.oid = r.relnamespace
left join pg_catalog.pg_description d
    on d.objoid = w.oid and d.classoid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass and d.objsubid = 0
where w.rulename <> '_RETURN'
    and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
    and r.oid not in (
        select e.objid from pg_catalog.pg_depend e
        where e.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass
            and e.classid = 'pg_catalog.pg_class'::pg_catalog.regclass and e.deptype = 'e'
    )
    and {restriction}
order by 1, 2
