-- Ask the validator of each language about bodies, which runs none of them; notices tell what is wrong.
-- check_function_bodies decides how much the validators look at (manual: "Handler functions", of a procedural language).
DO $migsafe$
DECLARE
    one pg_catalog.text[];
    hint pg_catalog.text;
    detail pg_catalog.text;
    context pg_catalog.text;
BEGIN
    FOREACH one SLICE 1 IN ARRAY {asked}::pg_catalog.text[] LOOP
        PERFORM pg_catalog.set_config('search_path', one[3], true);
        BEGIN
            EXECUTE pg_catalog.format('SELECT %s(%s::pg_catalog.oid)', one[2], one[1]);
        EXCEPTION WHEN OTHERS THEN
            GET STACKED DIAGNOSTICS
                hint = PG_EXCEPTION_HINT, detail = PG_EXCEPTION_DETAIL, context = PG_EXCEPTION_CONTEXT;
            RAISE NOTICE USING
                MESSAGE = SQLERRM, ERRCODE = SQLSTATE, HINT = hint, DETAIL = detail,
                COLUMN = one[1], CONSTRAINT = pg_catalog.left(context, 500), DATATYPE = 'migsafe';
        END;
    END LOOP;
END
$migsafe$
