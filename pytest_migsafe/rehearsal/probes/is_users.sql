-- Whether a function is neither PostgreSQL's nor an extension's.
(
    {function} >= 16384 AND NOT EXISTS (
        SELECT FROM pg_catalog.pg_depend AS member
        WHERE member.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass
            AND member.objid = {function} AND member.deptype = 'e'
    )
)
