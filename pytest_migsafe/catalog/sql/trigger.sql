-- Triggers, without those that PostgreSQL makes for foreign keys. pg_get_triggerdef does not tell the state.
select
    t.tgrelid::pg_catalog.regclass::pg_catalog.text as relation,
    pg_catalog.quote_ident(t.tgname) as name,
    pg_catalog.pg_get_triggerdef(t.oid) as definition,
    case t.tgenabled
        when 'O' then 'origin' when 'D' then 'disabled' when 'R' then 'replica' else 'always'
    end as enabled,
    t.tgfoid::pg_catalog.regprocedure::pg_catalog.text as function,
    t.tgparentid <> 0 as cloned,
    (
        select d.description from pg_catalog.pg_description d
        where d.objoid = t.oid and d.classoid = 'pg_catalog.pg_trigger'::pg_catalog.regclass and d.objsubid = 0
    ) as comment
from pg_catalog.pg_trigger t
-- What comes from a partitioned table's trigger is internal in PostgreSQL 14, and is not since.
where (not t.tgisinternal or (t.tgparentid <> 0 and t.tgconstraint = 0)) and t.tgrelid {restriction}
order by 1, 2
