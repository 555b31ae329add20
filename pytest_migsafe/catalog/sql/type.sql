-- Types: enums, domains, composites, ranges and base types (manual: "pg_type"). Row types of tables, array
-- types and multiranges belong to what made them.
select
    pg_catalog.format('%I.%I', n.nspname, t.typname) as name,
    case t.typtype
        when 'e' then 'enum' when 'd' then 'domain' when 'c' then 'composite' when 'r' then 'range' else 'base'
    end as kind,
    array(
        select e.enumlabel::pg_catalog.text from pg_catalog.pg_enum e
        where e.enumtypid = t.oid order by e.enumsortorder
    ) as labels,
    case when t.typtype = 'd' then pg_catalog.format_type(t.typbasetype, t.typtypmod) end as base_type,
    t.typnotnull as not_null,
    case when t.typtype = 'd' then t.typdefault end as default,
    case when t.typtype = 'd' and t.typcollation <> b.typcollation then t.typcollation::pg_catalog.regcollation::pg_catalog.text end as collation,
    array(
        select pg_catalog.format('%I %s', a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod))
            || case when a.attcollation <> at.typcollation then ' collate ' || a.attcollation::pg_catalog.regcollation::pg_catalog.text else '' end
        from pg_catalog.pg_attribute a
        join pg_catalog.pg_type at on at.oid = a.atttypid
        where t.typtype = 'c' and a.attrelid = t.typrelid and a.attnum > 0 and not a.attisdropped
        order by a.attnum
    ) as attributes,
    (
        select pg_catalog.format(
            'subtype %s, operator class %I.%I, collation %s, canonical %s, subtype difference %s, multirange %s',
            pg_catalog.format_type(r.rngsubtype, null), opn.nspname, op.opcname,
            r.rngcollation::pg_catalog.regcollation, r.rngcanonical, r.rngsubdiff,
            pg_catalog.format_type(r.rngmultitypid, null))
        from pg_catalog.pg_range r
        join pg_catalog.pg_opclass op on op.oid = r.rngsubopc
        join pg_catalog.pg_namespace opn on opn.oid = op.opcnamespace
        where t.typtype = 'r' and r.rngtypid = t.oid
    ) as range,
    case when t.typtype = 'b' then
        pg_catalog.format('input %s, output %s, length %s, alignment %s, storage %s, category %s, default %L',
            t.typinput, t.typoutput, t.typlen, t.typalign, t.typstorage, t.typcategory, t.typdefault)
    end as base,
    pg_catalog.pg_get_userbyid(t.typowner) as owner,
    d.description as comment
from pg_catalog.pg_type t
join pg_catalog.pg_namespace n on n.oid = t.typnamespace
left join pg_catalog.pg_type b on b.oid = t.typbasetype
left join pg_catalog.pg_class r on r.oid = t.typrelid
left join pg_catalog.pg_description d
    on d.objoid = t.oid and d.classoid = 'pg_catalog.pg_type'::pg_catalog.regclass and d.objsubid = 0
where t.oid >= 16384 and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
    and t.typtype in ('e', 'd', 'c', 'r', 'b') and t.typisdefined
    and (t.typtype <> 'c' or r.relkind = 'c')
    -- An array type has a name beginning with an underscore only by habit: the element type knows it.
    and (t.typtype <> 'b' or not exists (select from pg_catalog.pg_type el where el.oid = t.typelem and el.typarray = t.oid))
    and t.oid not in (
        select e.objid from pg_catalog.pg_depend e
        where e.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass
            and e.classid = 'pg_catalog.pg_type'::pg_catalog.regclass and e.deptype = 'e'
    )
    and {restriction}
order by 1
