-- Publications (manual: "pg_publication"). Columns and row filters came with PostgreSQL 15: where a catalog has no such
-- column, its name means the one of `absent`. So did schemas, with a catalog of their own, 6237, which is read by way of
-- what its rows depend on.
select
    pg_catalog.quote_ident(p.pubname) as name,
    p.puballtables as all_tables,
    array(
        select n.refobjid::pg_catalog.regnamespace::pg_catalog.text
        from pg_catalog.pg_depend d
        join pg_catalog.pg_depend n on n.classid = d.classid and n.objid = d.objid
            and n.refclassid = 'pg_catalog.pg_namespace'::pg_catalog.regclass
        where d.refclassid = 'pg_catalog.pg_publication'::pg_catalog.regclass and d.refobjid = p.oid and d.classid = 6237
    ) as schemas,
    array(
        select r.prrelid::pg_catalog.regclass || coalesce(' (' || (
                select pg_catalog.string_agg(pg_catalog.quote_ident(a.attname), ', ' order by a.attnum)
                from pg_catalog.pg_attribute a
                where a.attrelid = r.prrelid and a.attnum = any((
                    select prattrs from pg_catalog.pg_publication_rel o where o.oid = r.oid
                )::pg_catalog.int2[])
            ) || ')', '') || coalesce(' where ' || pg_catalog.pg_get_expr((
                select prqual from pg_catalog.pg_publication_rel o where o.oid = r.oid
            ), r.prrelid), '')
        from pg_catalog.pg_publication_rel r
        cross join (select null::pg_catalog.int2vector as prattrs, null::pg_catalog.pg_node_tree as prqual) absent
        where r.prpubid = p.oid
    ) as tables,
    pg_catalog.array_remove(array[
        case when p.pubinsert then 'insert' end, case when p.pubupdate then 'update' end,
        case when p.pubdelete then 'delete' end, case when p.pubtruncate then 'truncate' end
    ], null) as actions,
    p.pubviaroot as via_root,
    coalesce(pg_catalog.to_jsonb(p) ->> 'pubgencols' in ('s', 'true'), false) as generated_columns,
    pg_catalog.pg_get_userbyid(p.pubowner) as owner,
    (
        select d.description from pg_catalog.pg_description d
        where d.objoid = p.oid and d.classoid = 'pg_catalog.pg_publication'::pg_catalog.regclass and d.objsubid = 0
    ) as comment
from pg_catalog.pg_publication p
where p.oid >= 16384 and not exists (
        select from pg_catalog.pg_depend e
        where e.classid = 'pg_catalog.pg_publication'::pg_catalog.regclass and e.objid = p.oid and e.deptype = 'e'
    )
order by 1
