-- Operator families (manual: "pg_opfamily") with all that belongs to them ("pg_amop", "pg_amproc"): an operator class is
-- the part of its family that an index can use by itself.
select
    f.opfnamespace::pg_catalog.regnamespace || '.' || pg_catalog.quote_ident(f.opfname) || ' using ' || (select a.amname from pg_catalog.pg_am a where a.oid = f.opfmethod) as name,
    array(
        select pg_catalog.format('operator %s %s', m.amopstrategy, m.amopopr::pg_catalog.regoperator)
            || case m.amoppurpose when 'o' then (
                select ' for order by ' || s.opfnamespace::pg_catalog.regnamespace || '.' || pg_catalog.quote_ident(s.opfname)
                from pg_catalog.pg_opfamily s where s.oid = m.amopsortfamily
            ) else '' end
        from pg_catalog.pg_amop m where m.amopfamily = f.oid
        union all
        select pg_catalog.format('function %s (%s, %s) %s', m.amprocnum, pg_catalog.format_type(m.amproclefttype, null),
            pg_catalog.format_type(m.amprocrighttype, null), m.amproc::pg_catalog.oid::pg_catalog.regprocedure)
        from pg_catalog.pg_amproc m where m.amprocfamily = f.oid
    ) as members,
    pg_catalog.pg_get_userbyid(f.opfowner) as owner,
    (
        select d.description from pg_catalog.pg_description d
        where d.objoid = f.oid and d.classoid = 'pg_catalog.pg_opfamily'::pg_catalog.regclass and d.objsubid = 0
    ) as comment
from pg_catalog.pg_opfamily f
where f.oid >= 16384 and not exists (
        select from pg_catalog.pg_depend e
        where e.classid = 'pg_catalog.pg_opfamily'::pg_catalog.regclass and e.objid = f.oid and e.deptype = 'e'
    )
order by 1
