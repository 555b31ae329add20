-- Types: enums, domains, composites, ranges, base types and their shells (manual: "pg_type").
select
    t.oid::pg_catalog.regtype::pg_catalog.text as name,
    case t.typtype
        when 'e' then 'enum' when 'd' then 'domain' when 'c' then 'composite' when 'r' then 'range'
        when 'p' then 'shell' else 'base'
    end as kind,
    array(
        select e.enumlabel::pg_catalog.text from pg_catalog.pg_enum e
        where e.enumtypid = t.oid order by e.enumsortorder
    ) as labels,
    case when t.typtype = 'd' then pg_catalog.format_type(t.typbasetype, t.typtypmod) end as base_type,
    t.typnotnull as not_null,
    case when t.typtype = 'd' then t.typdefault end as default,
    case when t.typtype = 'd' and t.typcollation <> (
        select b.typcollation from pg_catalog.pg_type b where b.oid = t.typbasetype
    ) then t.typcollation::pg_catalog.regcollation::pg_catalog.text end as collation,
    array(
        select pg_catalog.format('%I %s', a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod))
            || case when a.attcollation <> at.typcollation
                then ' collate ' || a.attcollation::pg_catalog.regcollation::pg_catalog.text else '' end
        from pg_catalog.pg_attribute a
        join pg_catalog.pg_type at on at.oid = a.atttypid
        where a.attrelid = t.typrelid and a.attnum > 0 and not a.attisdropped
        order by a.attnum
    ) as attributes,
    array(
        select pg_catalog.format('%I: %s', a.attname, d.description)
        from pg_catalog.pg_description d
        join pg_catalog.pg_attribute a on a.attrelid = d.objoid and a.attnum = d.objsubid
        where d.objoid = t.typrelid and d.classoid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.objsubid > 0
        order by a.attnum
    ) as attribute_comments,
    (
        select pg_catalog.format(
            'subtype %s, operator class %I, collation %s, canonical %s, subtype difference %s, multirange %s',
            pg_catalog.format_type(r.rngsubtype, null),
            (select op.opcname from pg_catalog.pg_opclass op where op.oid = r.rngsubopc),
            r.rngcollation::pg_catalog.regcollation, r.rngcanonical, r.rngsubdiff,
            pg_catalog.format_type(r.rngmultitypid, null))
        from pg_catalog.pg_range r
        where r.rngtypid = t.oid
    ) as range,
    case when t.typtype = 'b' then
        pg_catalog.format(
            'input %s, output %s, receive %s, send %s, modifier input %s, modifier output %s, analyze %s, subscript %s,'
            ' length %s, by value %s, alignment %s, storage %s, category %s, preferred %s, delimiter %s, element %s,'
            ' collatable %s, default %L',
            t.typinput, t.typoutput, t.typreceive, t.typsend, t.typmodin, t.typmodout, t.typanalyze, t.typsubscript,
            t.typlen, t.typbyval, t.typalign, t.typstorage, t.typcategory, t.typispreferred, t.typdelim,
            pg_catalog.format_type(nullif(t.typelem, 0::pg_catalog.oid), null), t.typcollation <> 0, t.typdefault)
    end as base,
    pg_catalog.pg_get_userbyid(t.typowner) as owner,
    (
        select d.description from pg_catalog.pg_description d
        where d.objoid = t.oid and d.classoid = 'pg_catalog.pg_type'::pg_catalog.regclass and d.objsubid = 0
    ) as comment
from pg_catalog.pg_type t
where t.oid {restriction}
order by 1
