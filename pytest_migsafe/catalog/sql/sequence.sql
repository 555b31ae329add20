-- Sequences, also those of identity columns (manual: "pg_sequence"). Their position is data, not schema.
select
    pg_catalog.format('%I.%I', n.nspname, c.relname) as name,
    pg_catalog.format_type(s.seqtypid, null) as type,
    s.seqstart as start,
    s.seqincrement as increment,
    s.seqmin as minimum,
    s.seqmax as maximum,
    s.seqcache as cache,
    s.seqcycle as cycle,
    (
        select pg_catalog.format('%I.%I.%I', tn.nspname, t.relname, a.attname)
        from pg_catalog.pg_depend o
        join pg_catalog.pg_class t on t.oid = o.refobjid
        join pg_catalog.pg_namespace tn on tn.oid = t.relnamespace
        join pg_catalog.pg_attribute a on a.attrelid = o.refobjid and a.attnum = o.refobjsubid
        where o.classid = 'pg_catalog.pg_class'::pg_catalog.regclass and o.objid = c.oid and o.objsubid = 0
            and o.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass and o.deptype in ('a', 'i')
    ) as owned_by,
    case c.relpersistence when 'u' then 'unlogged' else 'permanent' end as persistence,
    pg_catalog.pg_get_userbyid(c.relowner) as owner,
    d.description as comment
from pg_catalog.pg_sequence s
join pg_catalog.pg_class c on c.oid = s.seqrelid
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
left join pg_catalog.pg_description d
    on d.objoid = c.oid and d.classoid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.objsubid = 0
where n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
    and c.oid not in (
        select e.objid from pg_catalog.pg_depend e
        where e.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass
            and e.classid = 'pg_catalog.pg_class'::pg_catalog.regclass and e.deptype = 'e'
    )
    and {restriction}
order by 1
