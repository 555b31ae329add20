-- Sequences, also those of identity columns (manual: "pg_sequence"). Their position is data, not schema.
select
    c.oid::pg_catalog.regclass::pg_catalog.text as name,
    pg_catalog.format_type(s.seqtypid, null) as type,
    s.seqstart as start,
    s.seqincrement as increment,
    s.seqmin as minimum,
    s.seqmax as maximum,
    s.seqcache as cache,
    s.seqcycle as cycle,
    (
        select o.refobjid::pg_catalog.regclass || '.' || pg_catalog.quote_ident(a.attname)
        from pg_catalog.pg_depend o
        join pg_catalog.pg_attribute a on a.attrelid = o.refobjid and a.attnum = o.refobjsubid
        where o.classid = 'pg_catalog.pg_class'::pg_catalog.regclass and o.objid = c.oid and o.objsubid = 0
            and o.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass and o.deptype in ('a', 'i')
    ) as owned_by,
    case c.relpersistence when 'u' then 'unlogged' else 'permanent' end as persistence,
    pg_catalog.pg_get_userbyid(c.relowner) as owner,
    (
        select d.description from pg_catalog.pg_description d
        where d.objoid = c.oid and d.classoid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.objsubid = 0
    ) as comment
from pg_catalog.pg_sequence s
join pg_catalog.pg_class c on c.oid = s.seqrelid
where s.seqrelid {restriction}
order by 1
