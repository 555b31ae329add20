-- Where a transaction stands before a file's statements: how many rows this session has inserted into, updated
-- in and deleted from each catalog, without any sending of statistics in between, because that waits for the
-- transaction's end (pgstat_report_stat is called by an idle session only; experiment on 15.18 and 18).
select
    array(
        select pg_catalog.pg_stat_get_xact_tuples_inserted(c.oid)
        from pg_catalog.unnest({catalogs}) with ordinality c (oid, place) order by place
    ) as inserted,
    array(
        select pg_catalog.pg_stat_get_xact_tuples_updated(c.oid)
        from pg_catalog.unnest({catalogs}) with ordinality c (oid, place) order by place
    ) as updated,
    array(
        select pg_catalog.pg_stat_get_xact_tuples_deleted(c.oid)
        from pg_catalog.unnest({catalogs}) with ordinality c (oid, place) order by place
    ) as deleted,
    -- Every row written from now on has this xmin or a later one; asking assigns no transaction id.
    pg_catalog.pg_snapshot_xmax(pg_catalog.pg_current_snapshot())::pg_catalog.text as next_xid,
    -- All catalogs draw their oids from one counter, so whatever is made from now on lies above.
    (select pg_catalog.max(c.oid) from pg_catalog.pg_class c)::pg_catalog.text as highest_oid,
    (
        select pg_catalog.string_agg(n.oid || ' ' || n.nspname, ',' order by n.oid)
        from pg_catalog.pg_namespace n where n.nspname !~ '^pg_'
    ) as namespaces,
    (
        select pg_catalog.count(*) from pg_catalog.pg_depend d
        where d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass and d.deptype = 'e'
    ) as extension_members,
    pg_catalog.current_setting('track_counts') as track_counts
