-- Text search configurations (manual: "pg_ts_config", "pg_ts_config_map"). Only a parser of PostgreSQL's own is asked what
-- its token types are called: a user's is code that nobody told us to run.
select
    c.cfgnamespace::pg_catalog.regnamespace || '.' || pg_catalog.quote_ident(c.cfgname) as name,
    (
        select p.prsnamespace::pg_catalog.regnamespace || '.' || pg_catalog.quote_ident(p.prsname)
        from pg_catalog.pg_ts_parser p where p.oid = c.cfgparser
    ) as parser,
    array(
        select coalesce(k.alias, m.maptokentype::pg_catalog.text) || ': ' || pg_catalog.string_agg(
            t.dictnamespace::pg_catalog.regnamespace || '.' || pg_catalog.quote_ident(t.dictname), ', ' order by m.mapseqno)
        from pg_catalog.pg_ts_config_map m
        join pg_catalog.pg_ts_dict t on t.oid = m.mapdict
        left join pg_catalog.ts_token_type(case when c.cfgparser < 16384 then c.cfgparser end) k on k.tokid = m.maptokentype
        where m.mapcfg = c.oid
        group by m.maptokentype, k.alias
    ) as mappings,
    pg_catalog.pg_get_userbyid(c.cfgowner) as owner,
    (
        select d.description from pg_catalog.pg_description d
        where d.objoid = c.oid and d.classoid = 'pg_catalog.pg_ts_config'::pg_catalog.regclass and d.objsubid = 0
    ) as comment
from pg_catalog.pg_ts_config c
where c.oid >= 16384 and not exists (
        select from pg_catalog.pg_depend e
        where e.classid = 'pg_catalog.pg_ts_config'::pg_catalog.regclass and e.objid = c.oid and e.deptype = 'e'
    )
order by 1
