-- Whether an expression, given as its node tree, may be evaluated unasked: it gives the same result every time, and
-- calls nothing of the user's. Functions of extensions are the server's own as far as this goes; those below OID 16384
-- are PostgreSQL's (manual: "System Catalog Initial Data"). A domain that is cast to has checks of its own.
(
    {expression}::pg_catalog.text !~ 'SQLVALUEFUNCTION|NEXTVALUEEXPR{besides}'
    AND NOT EXISTS (
        SELECT
        FROM pg_catalog.regexp_matches({expression}::pg_catalog.text, ':(funcid|opfuncid|opno) (\d+)', 'g') AS named (part)
        LEFT JOIN pg_catalog.pg_operator AS operator
            ON named.part[1] = 'opno' AND operator.oid = named.part[2]::pg_catalog.oid
        JOIN pg_catalog.pg_proc AS function
            ON function.oid = coalesce(operator.oprcode::pg_catalog.oid, named.part[2]::pg_catalog.oid)
        WHERE function.provolatile <> 'i' OR {is_users}
    )
)
