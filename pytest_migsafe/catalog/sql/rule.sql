-- Rewrite rules (manual: "pg_rewrite"); _RETURN is the view itself.
select
    w.ev_class::pg_catalog.regclass::pg_catalog.text as relation,
    pg_catalog.quote_ident(w.rulename) as name,
    pg_catalog.pg_get_ruledef(w.oid) as definition,
    case w.ev_enabled
        when 'O' then 'origin' when 'D' then 'disabled' when 'R' then 'replica' else 'always'
    end as enabled,
    (
        select d.description from pg_catalog.pg_description d
        where d.objoid = w.oid and d.classoid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass and d.objsubid = 0
    ) as comment
from pg_catalog.pg_rewrite w
where w.rulename <> '_RETURN' and w.ev_class {restriction}
order by 1, 2
