-- The oids of the relations of these names, and of what they are partitions or children of.
(
    WITH RECURSIVE involved AS (
        -- Where our own role may not enter the schema, to_regclass() is an error.
        SELECT CASE
            WHEN pg_catalog.has_schema_privilege(n.oid, 'USAGE') THEN pg_catalog.to_regclass(named.name)::pg_catalog.oid
        END AS oid
        FROM pg_catalog.jsonb_array_elements_text({relations}) AS named (name)
        JOIN pg_catalog.pg_namespace AS n
            ON pg_catalog.starts_with(named.name, pg_catalog.quote_ident(n.nspname) || '.')
        UNION
        SELECT parent.inhparent
        FROM involved
        JOIN pg_catalog.pg_inherits AS parent ON parent.inhrelid = involved.oid
    )

    SELECT involved.oid FROM involved WHERE involved.oid IS NOT NULL
)
