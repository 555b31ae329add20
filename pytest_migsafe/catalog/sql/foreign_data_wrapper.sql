-- Foreign-data wrappers (manual: "pg_foreign_data_wrapper").
select
    pg_catalog.quote_ident(w.fdwname) as name,
    case when w.fdwhandler <> 0 then w.fdwhandler::pg_catalog.regprocedure::pg_catalog.text end as handler,
    case when w.fdwvalidator <> 0 then w.fdwvalidator::pg_catalog.regprocedure::pg_catalog.text end as validator,
    coalesce(w.fdwoptions, array[]::pg_catalog.text[]) as foreign_options,
    pg_catalog.pg_get_userbyid(w.fdwowner) as owner,
    (
        select d.description from pg_catalog.pg_description d
        where d.objoid = w.oid and d.classoid = 'pg_catalog.pg_foreign_data_wrapper'::pg_catalog.regclass and d.objsubid = 0
    ) as comment
from pg_catalog.pg_foreign_data_wrapper w
where w.oid >= 16384 and not exists (
        select from pg_catalog.pg_depend e
        where e.classid = 'pg_catalog.pg_foreign_data_wrapper'::pg_catalog.regclass and e.objid = w.oid and e.deptype = 'e'
    )
order by 1
