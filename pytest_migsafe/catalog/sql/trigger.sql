-- Triggers, without those that PostgreSQL makes for foreign keys. pg_get_triggerdef does not tell the state.
select
    t.tgrelid::pg_catalog.regclass::pg_catalog.text as relation,
    pg_catalog.quote_ident(t.tgname) as name,
    pg_catalog.pg_get_triggerdef(t.oid) as definition,
    case t.tgenabled
        when 'O' then 'origin' when 'D' then 'disabled' when 'R' then 'replica' else 'always'
    end as enabled,
    t.tgfoid::pg_catalog.regprocedure::pg_catalog.text as function,
    (
        select d.description from pg_catalog.pg_description d
        where d.objoid = t.oid and d.classoid = 'pg_catalog.pg_trigger'::pg_catalog.regclass and d.objsubid = 0
    ) as comment
from pg_catalog.pg_trigger t
where not t.tgisinternal and t.tgrelid {restriction}
order by 1, 2
