-- How many rows this session has inserted into, updated in and deleted from each catalog, since it last sent its
-- statistics: an idle session only does that, so in a transaction the differences are exact (pgstat_report_stat;
-- experiment on 15.18 and 18). What a savepoint took back is counted too.
select
    pg_catalog.array_agg(pg_catalog.pg_stat_get_xact_tuples_inserted(c.oid) order by c.place) as inserted,
    pg_catalog.array_agg(pg_catalog.pg_stat_get_xact_tuples_updated(c.oid) order by c.place) as updated,
    pg_catalog.array_agg(pg_catalog.pg_stat_get_xact_tuples_deleted(c.oid) order by c.place) as deleted,
    pg_catalog.current_setting('track_counts') = 'on' as is_counted
from pg_catalog.unnest({catalogs}) with ordinality c (oid, place)
