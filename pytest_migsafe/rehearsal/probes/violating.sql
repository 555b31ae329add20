-- How many rows there are, and what some of them are.
WITH violating AS MATERIALIZED (
    SELECT {sample} AS sample {source}
)

SELECT
    (SELECT pg_catalog.count(*) FROM violating),
    ARRAY(
        SELECT DISTINCT pg_catalog.left(few.sample, 100)
        FROM (SELECT violating.sample FROM violating LIMIT 100) AS few
        ORDER BY 1
        LIMIT 3
    )
