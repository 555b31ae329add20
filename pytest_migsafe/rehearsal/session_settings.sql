-- What SET has changed, or set_config, in this session.
SELECT pg_catalog.jsonb_object_agg(settings.name, settings.setting)
FROM pg_catalog.pg_show_all_settings() AS settings
WHERE settings.source = 'session'
    AND settings.setting IS DISTINCT FROM settings.reset_val
