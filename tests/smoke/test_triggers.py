"""Whether triggers still work and fire: each defect planted, and its clean twin."""

import pytest

from pytest_migsafe.findings import Severity
from pytest_migsafe.rules.smoke.triggers import (
    disabled_event_trigger,
    disabled_trigger,
    rewrite_rule,
    trigger_order,
)
from tests.smoke.conftest import Smoke

SHOP = """
    CREATE SCHEMA "Shop";
    CREATE TABLE "Shop"."Orders" (id int, "Note" text, changed_at timestamptz) PARTITION BY LIST (id);
    CREATE TABLE "Shop".part PARTITION OF "Shop"."Orders" DEFAULT;
    CREATE TABLE "Shop".users (id int, email text, changed_at timestamptz);
    CREATE FUNCTION "Shop".touch() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
        IF TG_TABLE_NAME = 'Orders' AND TG_OP = 'INSERT' THEN
            NEW."Note" := coalesce(NEW."Note", TG_ARGV[0]);
        ELSIF TG_TABLE_NAME = 'users' THEN
            NEW.email := lower(NEW.email);
        END IF;
        NEW.changed_at := now();
        RETURN NEW;
    END $$;
    CREATE TRIGGER "Touch" BEFORE INSERT OR UPDATE ON "Shop"."Orders" FOR EACH ROW EXECUTE FUNCTION "Shop".touch('none');
    CREATE TRIGGER touch BEFORE INSERT OR UPDATE OR DELETE ON "Shop".users FOR EACH ROW EXECUTE FUNCTION "Shop".touch();
"""


def test_a_dropped_column_that_a_trigger_still_uses_is_found_for_the_tables_that_it_is_on(
    smoke: Smoke,
) -> None:
    (finding,) = smoke.findings(
        SHOP, 'ALTER TABLE "Shop".users ADD x int;\nALTER TABLE "Shop"."Orders" DROP "Note"'
    )
    assert finding.rule == "broken-trigger"
    assert finding.severity is Severity.ERROR
    assert finding.line == 2
    assert finding.message == (
        'the trigger "Touch" on "Shop"."Orders" fails at its next INSERT or UPDATE: record "new" has no field "Note"'
    )
    assert finding.evidence[:2] == (
        'trigger function: "Shop".touch()',
        'line 5 of its body: NEW."Note" := coalesce(NEW."Note", TG_ARGV[0])',
    )
    # Each table has its own branch, so the same function does not fail for the other.
    (finding,) = smoke.findings(SHOP, 'ALTER TABLE "Shop".users RENAME email TO mail')
    assert finding.message.startswith(
        'the trigger touch on "Shop".users fails at its next INSERT, DELETE or UPDATE'
    )
    # The same of two tables is told once.
    both = 'ALTER TABLE "Shop".users DROP changed_at; ALTER TABLE "Shop"."Orders" DROP changed_at'
    (finding,) = smoke.findings(SHOP, both)
    assert finding.objects[1:] == ('"Shop".touch()', '"Shop"."Orders"', '"Shop".users')
    assert finding.evidence[-1] == 'the same of "Shop".users.touch'
    # The clean twins: a column that nobody uses, and a function that is replaced in time.
    assert smoke.findings(SHOP, 'ALTER TABLE "Shop".users DROP id') == ()
    replaced = """CREATE OR REPLACE FUNCTION "Shop".touch() RETURNS trigger LANGUAGE plpgsql AS
        'BEGIN NEW.changed_at := now(); RETURN NEW; END';"""
    assert smoke.findings(SHOP, replaced + 'ALTER TABLE "Shop"."Orders" DROP "Note"') == ()


def test_a_trigger_is_broken_by_the_file_that_puts_it_on_a_table_it_does_not_fit(smoke: Smoke) -> None:
    table = 'CREATE TABLE "Shop".other (id int);'
    trigger = 'CREATE TRIGGER t BEFORE INSERT ON "Shop".other FOR EACH ROW EXECUTE FUNCTION "Shop".touch()'
    (finding,) = smoke.findings(SHOP + table, trigger)
    assert finding.message == (
        'the trigger t on "Shop".other fails at its next INSERT: record "new" has no field "changed_at"'
    )
    unused = """CREATE FUNCTION unused() RETURNS trigger LANGUAGE plpgsql AS
        'BEGIN DELETE FROM "Shop".users; RETURN NULL; END';"""
    (finding,) = smoke.findings(SHOP + unused, 'DROP TABLE "Shop".users')
    assert finding.severity is Severity.WARNING
    assert "no trigger calls it" in finding.message


def test_transition_tables_have_the_columns_of_the_table(smoke: Smoke) -> None:
    audit = """
        CREATE TABLE "Shop".log (id int, note text);
        CREATE FUNCTION "Shop".audit() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE r record;
        BEGIN
            INSERT INTO "Shop".log SELECT n.id, n.email FROM "New rows" n JOIN old_rows o USING (id);
            FOR r IN SELECT * FROM "New rows" LOOP RAISE NOTICE '%', r.email; END LOOP;
            RETURN NULL;
        END $$;
        CREATE TRIGGER audit AFTER UPDATE ON "Shop".users REFERENCING NEW TABLE AS "New rows" OLD TABLE AS old_rows
            FOR EACH STATEMENT EXECUTE FUNCTION "Shop".audit();
        DROP TRIGGER touch ON "Shop".users;
    """
    assert smoke.findings(SHOP, audit) == ()
    found = smoke.findings(SHOP + audit, 'ALTER TABLE "Shop".users DROP email')
    assert {one.message for one in found} == {
        'the trigger audit on "Shop".users fails at its next UPDATE: column n.email does not exist',
        'the trigger audit on "Shop".users fails at its next UPDATE: record "r" has no field "email"',
    }


@pytest.mark.parametrize("state", ["DISABLE", "ENABLE REPLICA"])
def test_triggers_that_do_not_fire(smoke: Smoke, state: str) -> None:
    off = f'ALTER TABLE "Shop"."Orders" {state} TRIGGER "Touch"'
    (finding,) = smoke.findings(SHOP, off, only=disabled_trigger)
    assert finding.severity is Severity.WARNING
    assert finding.remedy == 'ALTER TABLE "Shop"."Orders" ENABLE TRIGGER "Touch";'
    assert smoke.findings(SHOP, off + '; ALTER TABLE "Shop"."Orders" ENABLE TRIGGER "Touch"') == ()
    event = """CREATE FUNCTION log_ddl() RETURNS event_trigger LANGUAGE plpgsql AS
        'DECLARE o record; BEGIN FOR o IN SELECT * FROM pg_event_trigger_ddl_commands() LOOP
        RAISE LOG ''% %'', o.object_identity, tg_tag; END LOOP; END';
        CREATE EVENT TRIGGER "Log" ON ddl_command_end EXECUTE FUNCTION log_ddl();"""
    assert smoke.findings(SHOP, event) == ()
    (finding,) = smoke.findings(
        SHOP + event, f'ALTER EVENT TRIGGER "Log" {state}', only=disabled_event_trigger
    )
    assert finding.objects == ('"Log"',)


def test_rules_and_the_order_of_triggers_are_a_teams_own_affair(smoke: Smoke) -> None:
    rule = 'CREATE RULE "R" AS ON DELETE TO "Shop".users DO INSTEAD NOTHING'
    assert smoke.findings(SHOP, rule) == ()
    (finding,) = smoke.findings(SHOP, rule, only=rewrite_rule)
    assert finding.remedy == 'DROP RULE "R" ON "Shop".users;'
    first = 'CREATE TRIGGER a BEFORE INSERT ON "Shop".users FOR EACH ROW EXECUTE FUNCTION "Shop".touch()'
    (finding,) = smoke.findings(SHOP, first, only=trigger_order)
    assert finding.message == 'the trigger a on "Shop".users fires before touch'
    assert smoke.findings(SHOP, first.replace("TRIGGER a", "TRIGGER z"), only=trigger_order) == ()
