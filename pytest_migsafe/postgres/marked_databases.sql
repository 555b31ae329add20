-- Databases that carry our comment, that this role may drop and that nobody is connected to; and the server's time.
SELECT database.datname, pg_catalog.now()
FROM pg_catalog.pg_database AS database
WHERE pg_catalog.starts_with(pg_catalog.shobj_description(database.oid, 'pg_database'), %(mark)s)
    AND pg_catalog.pg_has_role(database.datdba, 'USAGE')
    AND NOT EXISTS (
        SELECT FROM pg_catalog.pg_stat_activity AS activity WHERE activity.datid = database.oid
    )
ORDER BY database.datname
