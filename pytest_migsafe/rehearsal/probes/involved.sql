-- The oids of the relations of these names, and of what they are partitions or children of.
(
    WITH RECURSIVE involved AS (
        SELECT pg_catalog.to_regclass(named.name)::pg_catalog.oid AS oid
        FROM pg_catalog.jsonb_array_elements_text({relations}) AS named (name)
        UNION
        SELECT parent.inhparent
        FROM involved
        JOIN pg_catalog.pg_inherits AS parent ON parent.inhrelid = involved.oid
    )

    SELECT involved.oid FROM involved WHERE involved.oid IS NOT NULL
)
