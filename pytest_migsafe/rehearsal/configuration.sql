-- What ALTER SYSTEM has written (manual: "pg_file_settings"); only a superuser may look.
SELECT 'configuration' AS kind, settings.name, settings.setting AS definition
FROM pg_catalog.pg_show_all_file_settings() AS settings
WHERE pg_catalog.has_function_privilege('pg_catalog.pg_show_all_file_settings()', 'EXECUTE')
    AND settings.sourcefile LIKE '%postgresql.auto.conf'
ORDER BY 2
