-- Text search dictionaries (manual: "pg_ts_dict").
select
    t.dictnamespace::pg_catalog.regnamespace || '.' || pg_catalog.quote_ident(t.dictname) as name,
    (
        select m.tmplnamespace::pg_catalog.regnamespace || '.' || pg_catalog.quote_ident(m.tmplname)
        from pg_catalog.pg_ts_template m where m.oid = t.dicttemplate
    ) as template,
    t.dictinitoption as parameters,
    pg_catalog.pg_get_userbyid(t.dictowner) as owner,
    (
        select d.description from pg_catalog.pg_description d
        where d.objoid = t.oid and d.classoid = 'pg_catalog.pg_ts_dict'::pg_catalog.regclass and d.objsubid = 0
    ) as comment
from pg_catalog.pg_ts_dict t
where t.oid >= 16384 and not exists (
        select from pg_catalog.pg_depend e
        where e.classid = 'pg_catalog.pg_ts_dict'::pg_catalog.regclass and e.objid = t.oid and e.deptype = 'e'
    )
order by 1
