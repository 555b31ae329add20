-- Extensions (manual: "pg_extension"). Their members are left out everywhere: the version stands for them.
select
    pg_catalog.quote_ident(x.extname) as name,
    x.extnamespace::pg_catalog.regnamespace::pg_catalog.text as schema,
    x.extversion as version,
    array(
        select c.oid::pg_catalog.regclass || coalesce(' ' || nullif(x.extcondition[c.place], ''), '')
        from pg_catalog.unnest(x.extconfig) with ordinality c (oid, place)
    ) as configuration_tables,
    array(
        select o.type || ' ' || o.identity
        from pg_catalog.pg_depend d
        cross join lateral pg_catalog.pg_identify_object(d.classid, d.objid, d.objsubid) o
        where d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass and d.refobjid = x.oid and d.deptype = 'x'
    ) as needed_by,
    (
        select d.description from pg_catalog.pg_description d
        where d.objoid = x.oid and d.classoid = 'pg_catalog.pg_extension'::pg_catalog.regclass and d.objsubid = 0
    ) as comment
from pg_catalog.pg_extension x
order by 1
