-- End the other sessions in a database that this role may end.
SELECT pg_catalog.pg_terminate_backend(activity.pid)
FROM pg_catalog.pg_stat_activity AS activity
WHERE activity.datname = %(database)s
    AND activity.pid <> pg_catalog.pg_backend_pid()
    AND pg_catalog.pg_has_role(activity.usesysid, 'USAGE')
ORDER BY activity.pid
