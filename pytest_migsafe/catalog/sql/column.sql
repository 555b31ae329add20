-- Columns of tables and views (manual: "pg_attribute", "pg_attrdef").
select
    a.attrelid::pg_catalog.regclass::pg_catalog.text as relation,
    pg_catalog.quote_ident(a.attname) as name,
    pg_catalog.format_type(a.atttypid, a.atttypmod) as type,
    a.attnotnull as not_null,
    case when a.attgenerated = '' then pg_catalog.pg_get_expr(f.adbin, f.adrelid) end as default,
    -- Since PostgreSQL 17 a partition's column is said to be what its parent's is, and draws from that one's sequence.
    -- No EXISTS, for which the planner may read all of pg_depend at once.
    case when a.attidentity <> '' and (
        select true from pg_catalog.pg_depend d
        where d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.refobjid = a.attrelid
            and d.refobjsubid = a.attnum and d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.deptype = 'i'
        limit 1
    ) then case a.attidentity when 'a' then 'always' else 'by default' end end as identity,
    case when a.attgenerated <> '' then
        pg_catalog.pg_get_expr(f.adbin, f.adrelid) || case a.attgenerated when 's' then ' stored' else ' virtual' end
    end as generated,
    case when a.attcollation <> t.typcollation then a.attcollation::pg_catalog.regcollation::pg_catalog.text end as collation,
    case when a.attstorage <> t.typstorage then
        case a.attstorage when 'p' then 'plain' when 'e' then 'external' when 'x' then 'extended' else 'main' end
    end as storage,
    case a.attcompression when 'p' then 'pglz' when 'l' then 'lz4' end as compression,
    -- No target of its own is -1 up to PostgreSQL 16, and null since.
    nullif(a.attstattarget, -1)::pg_catalog.int4 as statistics,
    coalesce(a.attoptions, array[]::pg_catalog.text[]) as options,
    coalesce(a.attfdwoptions, array[]::pg_catalog.text[]) as foreign_options,
    a.attislocal as local,
    a.attinhcount::pg_catalog.int4 as inherited,
    (
        select d.description from pg_catalog.pg_description d
        where d.objoid = a.attrelid and d.classoid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.objsubid = a.attnum
    ) as comment,
    a.attnum::pg_catalog.int4 as position,
    a.atthasmissing as has_missing_value
from pg_catalog.pg_attribute a
join pg_catalog.pg_type t on t.oid = a.atttypid
left join pg_catalog.pg_attrdef f on f.adrelid = a.attrelid and f.adnum = a.attnum
where a.attnum > 0 and not a.attisdropped and a.attrelid {restriction}
order by 1, a.attnum
