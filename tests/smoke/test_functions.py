"""Whether functions still work: each defect planted, and its clean twin."""

from dataclasses import replace

import pytest

from pytest_migsafe.findings import Severity
from pytest_migsafe.rehearsal.evidence import Creation
from pytest_migsafe.rules import judge
from pytest_migsafe.rules.smoke.functions import (
    ambiguous_overload,
    broken_function,
    definer_search_path,
    function_promise_changed,
    immutable_body_changed,
    mutable_search_path,
)
from tests.smoke.conftest import Smoke

SHOP = """
    CREATE SCHEMA "Shop";
    CREATE TABLE "Shop"."Orders" (id int, "Note" text, total numeric) PARTITION BY LIST (id);
    CREATE TABLE public.users (id int PRIMARY KEY, email text);
"""


def test_an_sql_function_is_found_by_its_validator_in_the_file_that_broke_it(smoke: Smoke) -> None:
    before = (
        SHOP
        + """
        CREATE FUNCTION "Shop"."Notes"(int) RETURNS SETOF text LANGUAGE sql SET search_path = "Shop"
            AS 'SELECT "Note" FROM "Orders" WHERE id = $1';
        CREATE FUNCTION "Shop".own(x int) RETURNS text LANGUAGE sql
            BEGIN ATOMIC SELECT "Note" FROM "Shop"."Orders" WHERE id = x; END;
        CREATE FUNCTION public.any_kind(x anyelement) RETURNS anyelement LANGUAGE sql AS 'SELECT x';
    """
    )
    (finding,) = smoke.findings(
        before, 'DROP FUNCTION "Shop".own;\nALTER TABLE "Shop"."Orders" RENAME "Note" TO note'
    )
    assert finding.rule == "broken-function"
    assert finding.severity is Severity.ERROR
    assert (
        finding.message
        == 'the function "Shop"."Notes"(integer) fails when it is called: column "Note" does not exist'
    )
    assert finding.evidence[0] == 'SQLSTATE 42703: column "Note" does not exist'
    assert finding.line == 2
    assert 'CREATE OR REPLACE FUNCTION "Shop"."Notes"(integer)' in finding.remedy
    # BEGIN ATOMIC goes with a renamed column; what was broken before is not told again; what is mended is mended.
    rename = 'ALTER TABLE "Shop"."Orders" RENAME "Note" TO note;'
    assert smoke.findings(before + rename, 'ALTER TABLE "Shop"."Orders" ADD more int') == ()
    mended = (
        rename
        + """CREATE OR REPLACE FUNCTION "Shop"."Notes"(int) RETURNS SETOF text LANGUAGE sql
        SET search_path = "Shop" AS 'SELECT note FROM "Orders" WHERE id = $1'"""
    )
    assert smoke.findings(before, mended) == ()


PLPGSQL = (
    SHOP
    + """
    CREATE FUNCTION public.summary(p_id int, OUT n int, OUT mail text) LANGUAGE plpgsql AS $$
    DECLARE r record;
    BEGIN
        SELECT count(*) INTO n FROM "Shop"."Orders" o WHERE o.id = p_id;
        FOR r IN SELECT u.email, u.id FROM users u LOOP
            mail := r.email;
        END LOOP;
    END $$;
"""
)


def test_a_query_in_a_body_is_found_with_its_line(smoke: Smoke) -> None:
    (finding,) = smoke.findings(PLPGSQL, "ALTER TABLE users RENAME email TO address")
    assert finding.message == (
        "the function public.summary(integer) fails when it is called: column u.email does not exist"
    )
    assert finding.evidence[0] == "line 5 of its body: FOR r IN SELECT u.email, u.id FROM users u"
    # A table that goes, a function that goes, a label of an enum that has another name.
    (finding,) = smoke.findings(PLPGSQL, "DROP TABLE users")
    assert finding.message.endswith('relation "users" does not exist')
    # What the body does not mention is no matter; nor is what is not judged.
    assert (
        smoke.findings(PLPGSQL, 'ALTER TABLE "Shop"."Orders" DROP "Note"; CREATE TABLE more (id int)') == ()
    )


@pytest.mark.parametrize(
    ("before", "migration", "said"),
    [
        (
            (
                "CREATE FUNCTION tax(numeric) RETURNS numeric LANGUAGE sql AS 'SELECT $1';"
                "CREATE FUNCTION f() RETURNS numeric LANGUAGE plpgsql AS 'BEGIN RETURN tax(1); END';"
            ),
            "DROP FUNCTION tax",
            "function tax(integer) does not exist",
        ),
        (
            (
                "CREATE PROCEDURE p() LANGUAGE plpgsql AS 'BEGIN END';"
                "CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS 'BEGIN CALL p(); END';"
            ),
            "DROP PROCEDURE p",
            "does not exist",
        ),
        (
            (
                "CREATE TYPE mood AS ENUM ('glad');"
                "CREATE FUNCTION f(m mood) RETURNS bool LANGUAGE plpgsql AS $$BEGIN IF m = 'glad' THEN RETURN true; END IF; END$$;"
            ),
            "ALTER TYPE mood RENAME VALUE 'glad' TO 'happy'",
            'invalid input value for enum mood: "glad"',
        ),
        (
            "CREATE FUNCTION f() RETURNS TABLE (i int, e text) LANGUAGE plpgsql AS $$BEGIN RETURN QUERY SELECT * FROM users; END$$;",
            "ALTER TABLE users ADD born date",
            "structure of query does not match function result type. It returns more than 2 columns",
        ),
        (
            "CREATE FUNCTION f() RETURNS TABLE (i int, e text) LANGUAGE plpgsql AS $$BEGIN RETURN QUERY SELECT * FROM users; END$$;",
            "ALTER TABLE users ALTER id TYPE bigint",
            "structure of query does not match function result type. It returns (bigint, text), not (integer, text)",
        ),
        (
            "CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$DECLARE e users.email%TYPE; BEGIN END$$;",
            "ALTER TABLE users DROP email",
            "does not exist",
        ),
        (
            "CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$BEGIN INSERT INTO users VALUES (1, 'a'); END$$;",
            "ALTER TABLE users DROP email",
            "INSERT has more expressions than target columns",
        ),
        (
            "CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$BEGIN INSERT INTO users VALUES (1) ON CONFLICT (id) DO NOTHING; END$$;",
            "ALTER TABLE users DROP CONSTRAINT users_pkey",
            "there is no unique or exclusion constraint matching the ON CONFLICT specification",
        ),
    ],
)
def test_what_breaks_a_body(smoke: Smoke, before: str, migration: str, said: str) -> None:
    (finding,) = smoke.findings(SHOP + before, migration)
    assert finding.rule == "broken-function"
    assert finding.message.endswith(said)


def test_an_exclusion_constraint_that_on_conflict_names(smoke: Smoke) -> None:
    before = """
        CREATE TABLE booked (at tstzrange, CONSTRAINT once EXCLUDE USING gist (at WITH &&));
        CREATE FUNCTION book() RETURNS void LANGUAGE plpgsql AS $$
        BEGIN INSERT INTO booked VALUES ('empty') ON CONFLICT ON CONSTRAINT once DO NOTHING; END $$;
    """
    (finding,) = smoke.findings(before, "ALTER TABLE booked RENAME CONSTRAINT once TO one_at_a_time")
    assert finding.message.endswith('constraint "once" for table "booked" does not exist')


def test_what_is_wrong_in_very_many_places_is_told_of_some(smoke: Smoke) -> None:
    queries = "PERFORM email FROM users;\n" * 2000
    long = f"CREATE FUNCTION public.long() RETURNS void LANGUAGE plpgsql AS $$ BEGIN {queries} END $$;"
    (finding,) = smoke.findings(SHOP + long, "ALTER TABLE users DROP email")

    assert finding.evidence[-1] == "and 1990 more of its queries"
    assert len(finding.evidence) == 12


def test_a_function_made_before_what_it_needs_is_a_warning(smoke: Smoke) -> None:
    made = "CREATE FUNCTION f() RETURNS bigint LANGUAGE plpgsql AS 'BEGIN RETURN (SELECT count(*) FROM later); END'"
    (finding,) = smoke.findings("", made)
    assert finding.severity is Severity.ERROR
    unchecked = "SET check_function_bodies = off;\n" + made
    (finding,) = smoke.findings("", unchecked)
    assert (finding.severity, finding.line) == (Severity.WARNING, 2)
    creation = Creation(kind="table", schema="", name="later", path="0002.sql", line=3, when="later")
    (finding,) = judge(replace(smoke.evidence("", made), creations=(creation,)), [broken_function], {})
    assert finding.severity is Severity.WARNING
    assert finding.evidence[-1] == "0002.sql:3 creates the table later later"


def test_what_a_function_deals_with_itself_is_no_defect(smoke: Smoke) -> None:
    assert (
        smoke.findings(
            SHOP,
            """
            CREATE FUNCTION maybe() RETURNS void LANGUAGE plpgsql AS $$
            BEGIN
                BEGIN DELETE FROM gone; EXCEPTION WHEN undefined_table THEN NULL; END;
                CREATE TEMP TABLE scratch (id int);
                INSERT INTO scratch SELECT id FROM users;
                EXECUTE 'DELETE FROM ' || quote_ident('gone');
            END $$;
            CREATE FUNCTION looks() RETURNS void LANGUAGE plpgsql AS $$
            BEGIN IF to_regclass('gone') IS NOT NULL THEN DELETE FROM gone; END IF; END $$;
            CREATE FUNCTION others_scratch() RETURNS bigint LANGUAGE plpgsql AS $$
            BEGIN RETURN (SELECT count(*) FROM scratch); END $$;
            """,
        )
        == ()
    )
    hides = "CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$BEGIN DELETE FROM users; EXCEPTION WHEN OTHERS THEN NULL; END$$;"
    (finding,) = smoke.findings(SHOP + hides, "DROP TABLE users")
    assert finding.severity is Severity.WARNING
    assert "hides an error" in finding.message


def test_calls_that_have_become_ambiguous(smoke: Smoke) -> None:
    before = 'CREATE SCHEMA "Shop"; CREATE FUNCTION "Shop"."Price"(int, date DEFAULT now()) RETURNS int LANGUAGE sql AS \'SELECT 1\';'
    overload = (
        "CREATE FUNCTION \"Shop\".\"Price\"(int, text DEFAULT '') RETURNS int LANGUAGE sql AS 'SELECT 1'"
    )
    (finding,) = smoke.findings(before, overload)
    assert finding.rule == "ambiguous-overload"
    assert '"Shop"."Price"(NULL::integer)' in finding.message
    clean = 'CREATE FUNCTION "Shop"."Price"(int, text) RETURNS int LANGUAGE sql AS \'SELECT 1\''
    assert smoke.findings(before, clean, only=ambiguous_overload) == ()


CALLS = """
    CREATE SCHEMA "Shop";
    CREATE PROCEDURE "Shop"."Sub"(i int) LANGUAGE plpgsql AS 'BEGIN END';
    CREATE PROCEDURE "Shop".more(i int, OUT a int, OUT b text) LANGUAGE plpgsql AS 'BEGIN a := i; END';
    CREATE PROCEDURE "Shop".some(OUT a int, VARIADIC i int[]) LANGUAGE plpgsql AS 'BEGIN a := 1; END';
    CREATE PROCEDURE "Shop".main() LANGUAGE plpgsql AS $$
    DECLARE x int; y text;
    BEGIN
        CALL "Shop"."Sub"(1);
        CALL "Shop".more(coalesce(x, 2), x, y);
        CALL "Shop".some(x, 1, 2, 3);
    END $$;
"""


def test_a_procedure_that_is_called_with_other_arguments_than_it_takes(smoke: Smoke) -> None:
    made = "CREATE PROCEDURE \"Shop\".{} LANGUAGE plpgsql AS 'BEGIN END';"
    sub = 'DROP PROCEDURE "Shop"."Sub"(int);'
    more = 'DROP PROCEDURE "Shop".more(int);'
    for broken, line in (
        (sub + made.format('"Sub"(i int, j int)'), 4),
        (sub + made.format('"Sub"(d date)'), 4),
        (more + made.format("more(i int, OUT a int)"), 5),
        ('DROP PROCEDURE "Shop".some; ' + made.format("some(OUT a int, i int, j int DEFAULT 1)"), 6),
    ):
        (finding,) = smoke.findings(CALLS, broken, only=broken_function)
        assert finding.message.startswith(
            'the procedure "Shop".main() fails when it is called: function Shop.'
        )
        assert finding.evidence[0].startswith(f"line {line} of its body: CALL")
    clean = (
        made.format('"Sub"(i int, j int)'),
        sub + made.format('"Sub"(i int, j int DEFAULT 1)'),
        more + made.format("more(i int, OUT a int, OUT b text, c int DEFAULT 1)"),
        made.format("more(OUT a int)"),
        "COMMENT ON PROCEDURE \"Shop\".some IS 'x'",
    )
    for one in clean:
        assert smoke.findings(CALLS, one, only=broken_function) == ()
    assert smoke.findings('CREATE SCHEMA "Shop";', CALLS.partition(";")[2], only=broken_function) == ()


def test_the_search_path_of_functions(smoke: Smoke) -> None:
    definer = "CREATE FUNCTION public.\"F\"(int) RETURNS int LANGUAGE sql SECURITY DEFINER {} AS 'SELECT 1'"
    (finding,) = smoke.findings("", definer.format(""))
    assert finding.rule == "definer-search-path"
    assert finding.severity is Severity.WARNING
    assert finding.remedy == "ALTER FUNCTION public.\"F\"(integer) SET search_path = '';"
    assert smoke.findings("", definer.format("SET search_path = ''")) == ()
    assert smoke.findings("", definer.format(""), only=mutable_search_path) == ()
    atomic = "CREATE FUNCTION g() RETURNS int LANGUAGE sql SECURITY DEFINER BEGIN ATOMIC SELECT 1; END"
    assert smoke.findings("", atomic, only=definer_search_path) == ()
    plain = "CREATE FUNCTION g() RETURNS int LANGUAGE sql AS 'SELECT 1'"
    assert [one.rule for one in smoke.findings("", plain, only=mutable_search_path)] == [
        "mutable-search-path"
    ]
    assert smoke.findings("", plain) == ()


STORED = """
    CREATE SCHEMA "Shop";
    CREATE FUNCTION "Shop".key(text) RETURNS text LANGUAGE sql IMMUTABLE STRICT AS 'SELECT lower($1)';
    CREATE TABLE "Shop"."T" (a text, "B" text GENERATED ALWAYS AS ("Shop".key(a)) STORED);
    CREATE INDEX "I" ON "Shop"."T" ("Shop".key(a));
"""
REPLACED = (
    """CREATE OR REPLACE FUNCTION "Shop".key(text) RETURNS text LANGUAGE sql {} AS 'SELECT upper($1)';"""
)


def test_what_was_computed_with_the_old_body(smoke: Smoke) -> None:
    replaced = REPLACED.format("IMMUTABLE STRICT")
    (finding,) = smoke.findings(STORED, replaced)
    assert finding.rule == "immutable-body-changed"
    assert finding.message == (
        'the generated column "Shop"."T"."B" holds what was returned by "Shop".key(text) before this file changed it '
        "(and 1 more, for the same reason)"
    )
    assert finding.evidence[1].endswith("queries that use it miss rows")
    assert finding.remedy.splitlines() == [
        'UPDATE "Shop"."T" SET "B" = DEFAULT;',
        'REINDEX INDEX CONCURRENTLY "Shop"."I";  -- in a file that runs outside a transaction',
    ]
    (finding,) = smoke.findings(STORED, replaced + 'REINDEX INDEX "Shop"."I"', only=immutable_body_changed)
    assert [one.partition(" holds")[0] for one in finding.evidence] == ['the generated column "Shop"."T"."B"']
    healed = replaced + finding.remedy + 'REINDEX INDEX "Shop"."I"'
    assert smoke.findings(STORED, healed, only=immutable_body_changed) == ()
    for body in (
        "SELECT lower($1)",
        "SELECT\n  lower( $1 ) -- in small letters\n",
        "/* small */ SELECT lower($1)",
    ):
        same = REPLACED.format("IMMUTABLE STRICT").replace("SELECT upper($1)", body)
        assert smoke.findings(STORED, same) == ()


VOUCHED = """
    CREATE SCHEMA "Shop";
    CREATE FUNCTION "Shop"."Pos"(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN $1; END';
    CREATE TABLE "Shop"."T" (a int, CONSTRAINT "Good" CHECK ("Shop"."Pos"(a) > 0));
    ALTER TABLE "Shop"."T" ADD CONSTRAINT later CHECK ("Shop"."Pos"(a) > 1) NOT VALID;
    CREATE TABLE "Shop"."P" (id int GENERATED ALWAYS AS IDENTITY, "A" int) PARTITION BY LIST ("Shop"."Pos"("A"));
    CREATE TABLE "Shop".p1 PARTITION OF "Shop"."P" FOR VALUES IN (1);
    CREATE TABLE "Shop".p2 PARTITION OF "Shop"."P" FOR VALUES IN (2);
    CREATE INDEX i ON "Shop"."P" ("Shop"."Pos"("A"));
    CREATE TABLE "Shop".x (a int, CONSTRAINT "Once" EXCLUDE USING btree (("Shop"."Pos"(a)) WITH =));
    INSERT INTO "Shop"."T" VALUES (3); INSERT INTO "Shop"."P" ("A") VALUES (1); INSERT INTO "Shop".x VALUES (1);
"""
POSITIVE = """CREATE OR REPLACE FUNCTION "Shop"."Pos"(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN $1 + 1; END';"""


def test_what_else_was_computed_with_the_old_body(smoke: Smoke) -> None:
    (finding,) = smoke.findings(VOUCHED, POSITIVE, only=immutable_body_changed)
    before = '"Shop"."Pos"(integer) before this file changed it'
    assert finding.evidence == (
        f'the rows of "Shop"."T" passed the CHECK constraint "Good" with {before}: they may violate it',
        f'the index "Shop"."Once" holds what was returned by {before}: its exclusion constraint misses conflicts',
        f'the index "Shop".i holds what was returned by {before}: queries that use it miss rows',
        f'the rows of "Shop"."P" were put into partitions by {before}: queries miss those that belong elsewhere',
    )
    check, valid, once, index, moved = finding.remedy.splitlines()
    assert check == (
        'ALTER TABLE "Shop"."T" DROP CONSTRAINT "Good", ADD CONSTRAINT "Good" CHECK (("Shop"."Pos"(a) > 0)) NOT VALID;'
    )
    assert valid.startswith('ALTER TABLE "Shop"."T" VALIDATE CONSTRAINT "Good";')
    assert once.startswith('REINDEX INDEX "Shop"."Once";')
    assert index.startswith('REINDEX INDEX CONCURRENTLY "Shop".i;')
    assert moved.startswith('UPDATE "Shop"."P" SET "A" = "A";')
    # As it stands, but for CONCURRENTLY, it can be pasted; and it heals.
    pasted = POSITIVE + f"{check}\n{valid}\n{once}\n{moved}\n"
    moves = """DO $$ BEGIN ASSERT 1 = (SELECT count(*) FROM "Shop".p2); END $$;"""
    (finding,) = smoke.findings(VOUCHED, pasted + moves, only=immutable_body_changed)
    assert finding.remedy == index


def test_a_replaced_function_that_promises_something_else(smoke: Smoke) -> None:
    (finding,) = smoke.findings(STORED, REPLACED.format(""), only=function_promise_changed)
    assert finding.message == (
        'the function "Shop".key(text) is no longer IMMUTABLE, since the file replaced it: '
        "it is called for every row now, and no index serves a condition with it"
    )
    assert finding.evidence[1].startswith("is no longer STRICT")
    assert (
        finding.remedy == 'ALTER FUNCTION "Shop".key(text) IMMUTABLE; ALTER FUNCTION "Shop".key(text) STRICT;'
    )
    assert smoke.findings(STORED, REPLACED.format("IMMUTABLE STRICT"), only=function_promise_changed) == ()
    # What was set is set again as ALTER FUNCTION takes it.
    config = "SET search_path = '' SET work_mem = '64MB' SET \"DateStyle\" = 'ISO, MDY'"
    before = f"CREATE FUNCTION g() RETURNS int {config} LANGUAGE sql AS 'SELECT 1';"
    replaced = "CREATE OR REPLACE FUNCTION g() RETURNS int LANGUAGE sql AS 'SELECT 2';"
    (finding,) = smoke.findings(before, replaced, only=function_promise_changed)
    assert "ALTER FUNCTION public.g() SET search_path = '';" in finding.remedy
    assert smoke.findings(before, replaced + finding.remedy, only=function_promise_changed) == ()
    # Said on purpose.
    altered = 'ALTER FUNCTION "Shop".key(text) CALLED ON NULL INPUT'
    assert smoke.findings(STORED, altered, only=function_promise_changed) == ()
