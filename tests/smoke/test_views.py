"""Whether views can be read: each defect planted, and its clean twin."""

import pytest

from pytest_migsafe.findings import Severity
from pytest_migsafe.rehearsal.probes import views
from pytest_migsafe.rules.smoke.views import broken_view, unpopulated_view, view_lacks_columns
from tests.smoke.conftest import Smoke

ROLES = """
    DO $$ BEGIN CREATE ROLE "migsafe Owner"; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
    DO $$ BEGIN CREATE ROLE migsafe_app; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
"""
SHOP = (
    ROLES
    + """
    CREATE SCHEMA "Shop"; GRANT USAGE ON SCHEMA "Shop" TO "migsafe Owner", migsafe_app;
    CREATE TABLE "Shop"."Orders" (id int, "Note" text) PARTITION BY LIST (id);
    CREATE TABLE "Shop".part PARTITION OF "Shop"."Orders" DEFAULT;
    INSERT INTO "Shop"."Orders" VALUES (1, 'a');
    GRANT SELECT ON "Shop"."Orders" TO "migsafe Owner";
    CREATE VIEW "Shop"."V" AS SELECT * FROM "Shop"."Orders";
    ALTER VIEW "Shop"."V" OWNER TO "migsafe Owner";
    GRANT SELECT ON "Shop"."V" TO migsafe_app, PUBLIC;
    CREATE VIEW public.of_v AS SELECT * FROM "Shop"."V";
"""
)


def test_a_view_whose_owner_lost_a_right_is_found_and_the_views_of_it(smoke: Smoke) -> None:
    first, second = smoke.findings(SHOP, 'REVOKE SELECT ON "Shop"."Orders" FROM "migsafe Owner"')

    assert {first.message, second.message} == {
        (
            'the view "Shop"."V" cannot be read by its owner migsafe Owner, and so by nobody: '
            "permission denied for table Orders"
        ),
        "the view public.of_v cannot be read by its owner postgres, and so by nobody: permission denied for table Orders",
    } or "public.of_v" in first.message + second.message
    assert first.severity is Severity.ERROR
    assert smoke.findings(SHOP, 'GRANT SELECT ON "Shop"."Orders" TO migsafe_app') == ()


def test_a_role_that_was_granted_a_view_reads_it_with_its_own_rights_where_the_view_says_so(
    smoke: Smoke,
) -> None:
    if smoke.server.major < 15:
        return
    invoker = 'CREATE VIEW "Shop".mine WITH (security_invoker) AS SELECT * FROM "Shop"."Orders";'
    granted = 'GRANT SELECT ON "Shop".mine TO migsafe_app;'
    # New: the rest may follow.
    (finding,) = smoke.findings(SHOP, invoker + granted)
    assert finding.severity is Severity.WARNING
    assert finding.message == (
        'the view "Shop".mine cannot be read by migsafe_app, which has been granted SELECT on it: '
        "permission denied for table Orders"
    )
    assert finding.remedy == 'GRANT SELECT ON "Shop"."Orders" TO migsafe_app;'
    own = 'GRANT SELECT ON "Shop"."Orders" TO migsafe_app;'
    assert smoke.findings(SHOP, invoker + granted + own) == ()
    (finding,) = smoke.findings(
        SHOP + invoker + granted + own, 'REVOKE SELECT ON "Shop"."Orders" FROM migsafe_app', only=broken_view
    )
    assert finding.severity is Severity.ERROR


def test_no_volatile_function_is_called_and_no_row_is_read(smoke: Smoke) -> None:
    trap = """
        CREATE SEQUENCE drawn;
        CREATE FUNCTION draw() RETURNS bigint LANGUAGE sql AS $$ SELECT nextval('drawn') $$;
        CREATE FUNCTION boom(text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'called'; END $$;
        CREATE VIEW trap AS SELECT draw(), boom("Note"), o.* FROM "Shop"."Orders" o, draw() d WHERE boom("Note") = 'x';
        CREATE FUNCTION body() RETURNS text LANGUAGE plpgsql AS $$
        DECLARE n bigint := draw(); r record;
        BEGIN
            PERFORM draw(); n := draw();
            SELECT draw() AS d, boom('x') AS b INTO r;
            FOR r IN SELECT draw() AS d LOOP PERFORM r.d; END LOOP;
            INSERT INTO "Shop"."Orders" VALUES (draw());
            RETURN boom('x');
        END $$;
    """
    # It is drawn from: the second division is by zero, and the file would fail.
    assert smoke.findings(SHOP, trap) == ()
    untouched = "DO $$ BEGIN IF (SELECT is_called FROM drawn) THEN RAISE 'drawn'; END IF; END $$"
    assert smoke.findings(SHOP + trap, untouched) == ()
    assert smoke.findings(SHOP + trap, 'ALTER TABLE "Shop"."Orders" ADD more int;' + untouched) == ()


def test_a_materialized_view_without_data(smoke: Smoke) -> None:
    before = (
        SHOP
        + 'CREATE MATERIALIZED VIEW "Shop"."M" AS SELECT * FROM "Shop"."Orders"; CREATE VIEW of_m AS TABLE "Shop"."M";'
    )
    empty, above = smoke.findings(before, 'REFRESH MATERIALIZED VIEW "Shop"."M" WITH NO DATA')
    assert {(one.rule, one.severity) for one in (empty, above)} == {
        ("unpopulated-view", Severity.ERROR),
        ("broken-view", Severity.ERROR),
    }
    (finding,) = smoke.findings(
        SHOP,
        'CREATE MATERIALIZED VIEW "Shop"."M" AS SELECT * FROM "Shop"."Orders" WITH NO DATA',
        only=unpopulated_view,
    )
    # Nobody reads yet what the file itself makes.
    assert finding.severity is Severity.WARNING
    assert finding.remedy == 'REFRESH MATERIALIZED VIEW "Shop"."M";'
    assert smoke.findings(before, 'REFRESH MATERIALIZED VIEW "Shop"."M"') == ()


def test_a_view_that_lacks_the_columns_its_table_has_got(smoke: Smoke) -> None:
    (finding,) = smoke.findings(SHOP, 'ALTER TABLE "Shop"."Orders" ADD "New" int', only=view_lacks_columns)
    assert finding.message.startswith('the view "Shop"."V" lacks "New" of "Shop"."Orders"')
    assert smoke.findings(SHOP, 'ALTER TABLE "Shop"."Orders" ADD "New" int') == ()


def test_a_view_that_lacks_a_right_to_call_is_given_it(smoke: Smoke) -> None:
    before = """
        CREATE FUNCTION "Shop"."Of"(x int) RETURNS int LANGUAGE sql STABLE AS 'SELECT x';
        CREATE VIEW "Shop"."Calls" AS SELECT "Shop"."Of"(1) AS one;
        ALTER VIEW "Shop"."Calls" OWNER TO "migsafe Owner";
    """
    revoke = 'REVOKE EXECUTE ON FUNCTION "Shop"."Of"(int) FROM PUBLIC;'
    (finding,) = smoke.findings(SHOP + before, revoke)
    assert finding.remedy == 'GRANT EXECUTE ON FUNCTION "Shop"."Of"(integer) TO "migsafe Owner";'
    assert smoke.findings(SHOP + before, revoke + finding.remedy) == ()


def test_a_view_that_takes_long_to_plan_is_passed_and_the_others_are_not(
    smoke: Smoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views, "LONGEST_MS", 200)
    before = (
        SHOP
        + """
        CREATE FUNCTION public.sleeps() RETURNS bool IMMUTABLE LANGUAGE plpgsql
            AS 'BEGIN PERFORM pg_catalog.pg_sleep(60); RETURN true; END';
        CREATE VIEW public.a_slow AS SELECT 1 AS one WHERE public.sleeps();
        """
    )
    findings = smoke.findings(before, 'REVOKE SELECT ON "Shop"."Orders" FROM "migsafe Owner"')

    assert {one.rule for one in findings} == {"broken-view"}
    assert all("a_slow" not in one.message for one in findings)
