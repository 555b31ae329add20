-- Read nothing from views, as one role after the other; notices tell who gets an error. No row is fetched, so that no
-- function of the user's is called but those that a planner calls: immutable and stable ones, on constants.
DO $migsafe$
DECLARE
    one pg_catalog.text[];
    hint pg_catalog.text;
    before pg_catalog.text := pg_catalog.current_setting('role');
BEGIN
    FOREACH one SLICE 1 IN ARRAY {asked}::pg_catalog.text[] LOOP
        BEGIN
            PERFORM pg_catalog.set_config('role', one[2], true);
            BEGIN
                EXECUTE 'SELECT * FROM ' || one[1] || ' LIMIT 0';
            EXCEPTION WHEN OTHERS THEN
                GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
                RAISE NOTICE USING
                    MESSAGE = SQLERRM, ERRCODE = SQLSTATE, HINT = hint, COLUMN = one[3], DATATYPE = 'migsafe';
            END;
        EXCEPTION WHEN OTHERS THEN
            -- A role that we may not be: nothing can be told of what it can read.
            NULL;
        END;
        PERFORM pg_catalog.set_config('role', before, true);
    END LOOP;
END
$migsafe$
