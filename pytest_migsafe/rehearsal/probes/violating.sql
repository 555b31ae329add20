-- How many rows there are, and what some of them are.
WITH violating AS MATERIALIZED (
    SELECT {sample} AS sample {source}
)

SELECT
    (SELECT pg_catalog.count(*) FROM violating),
    ARRAY(
        SELECT DISTINCT pg_catalog.left(violating.sample, 100) FROM violating ORDER BY 1 LIMIT 3
    )
