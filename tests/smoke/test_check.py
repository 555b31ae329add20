"""What a smoke test reports: what a file newly caused, under whatever name it had before, at the statement that did it."""

from dataclasses import replace

import pytest

from pytest_migsafe.catalog.lexical import last_part, own_name, schema_of
from pytest_migsafe.findings import Severity
from pytest_migsafe.rehearsal.evidence import StatementError
from pytest_migsafe.rehearsal.facts import Scope
from pytest_migsafe.rules import judge
from pytest_migsafe.rules.smoke.check import cause
from pytest_migsafe.rules.smoke.columns import serial_column
from pytest_migsafe.rules.smoke.structure import invalid_index
from pytest_migsafe.rules.smoke.summary import sections
from tests.rules.evidence import evidence
from tests.smoke.conftest import Smoke

TABLE = """
    CREATE SCHEMA "Shop";
    CREATE TABLE "Shop"."Orders" (id int, "Note" text);
    CREATE INDEX "Orders_note" ON "Shop"."Orders" ("Note");
    CREATE INDEX plain ON "Shop"."Orders" (id);
"""
BREAK = """UPDATE pg_index SET indisvalid = false WHERE indexrelid = '"Shop"."Orders_note"'::regclass;"""


@pytest.mark.parametrize(
    "rename",
    [
        'ALTER TABLE "Shop"."Orders" RENAME TO purchases',
        'ALTER TABLE "Shop"."Orders" SET SCHEMA public',
        'ALTER SCHEMA "Shop" RENAME TO store',
        'ALTER INDEX "Shop"."Orders_note" RENAME TO by_note',
        'ALTER TABLE "Shop"."Orders" RENAME TO purchases; ALTER INDEX "Shop"."Orders_note" RENAME TO by_note',
    ],
)
def test_what_was_wrong_before_is_not_reported_under_its_new_name(smoke: Smoke, rename: str) -> None:
    assert smoke.findings(TABLE + BREAK, rename, only=invalid_index) == ()
    # The defect itself is there, and what a file does besides a rename is seen.
    (finding,) = smoke.findings(TABLE, BREAK + rename, only=invalid_index)
    assert finding.severity is Severity.ERROR


def test_a_finding_stands_at_the_statement_that_names_its_object(smoke: Smoke) -> None:
    file = f'ALTER TABLE "Shop"."Orders" ADD a int;\n\n  {BREAK}\nALTER TABLE "Shop"."Orders" ADD b int;'
    (finding,) = smoke.findings(TABLE, file, only=invalid_index)

    assert (finding.line, finding.column) == (3, 3)


def test_a_statement_that_names_an_object_in_passing_is_not_the_cause(smoke: Smoke) -> None:
    before = "CREATE TABLE t (id int PRIMARY KEY);"
    migration = """CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS 'BEGIN RETURN NEW; END';
        CREATE TRIGGER x BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f();
        COMMENT ON FUNCTION f() IS 'does nothing';
    """
    (finding,) = smoke.findings(before, migration)
    assert (finding.rule, finding.line) == ("definer-search-path", 1)
    # Nor is a function whose body does.
    migration = """CREATE TABLE jobs (id serial PRIMARY KEY);
        CREATE FUNCTION "next (job)"() RETURNS int LANGUAGE sql AS 'SELECT min(id) FROM jobs';
    """
    (finding,) = smoke.findings("", migration, only=serial_column)
    assert finding.line == 1


@pytest.mark.parametrize(
    ("node", "after"),
    [
        ("IndexStmt", "CREATE INDEX t_kind ON t (kind, id);"),
        ("AlterTableStmt", "ALTER TABLE t ADD CONSTRAINT known UNIQUE (kind, id);"),
        ("GrantStmt", "GRANT SELECT (kind, id) ON t TO PUBLIC;"),
    ],
)
def test_the_cause_is_the_statement_about_just_this(node: str, after: str) -> None:
    first, second = evidence("ALTER TABLE t ADD COLUMN kind text NOT NULL;", after).statements
    statements = [replace(first, node="AlterTableStmt"), replace(second, node=node)]
    assert cause(statements, ("kind", "public.t")) is statements[0]


def test_what_a_file_s_only_statement_does_not_name_it_caused_all_the_same(smoke: Smoke) -> None:
    before = """
        CREATE SCHEMA old; CREATE TABLE old.t (id int PRIMARY KEY);
        CREATE FUNCTION old.c() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM old.t';
    """
    (finding,) = smoke.findings(before, "SET lock_timeout = '1s';\nALTER SCHEMA old RENAME TO new;")
    assert finding.line == 2


def test_a_name_that_was_cut_is_found_where_it_is_written_in_full(smoke: Smoke) -> None:
    long = "orders_" + "note_" * 15
    file = f'SELECT 1;\nCREATE INDEX {long} ON "Shop"."Orders" ("Note");\n{BREAK}\n'
    cut = long[:63]
    file += f"UPDATE pg_index SET indisvalid = false WHERE indexrelid = (SELECT oid FROM pg_class WHERE relname LIKE '{cut[:20]}%');"
    found = {one.objects[0]: one.line for one in smoke.findings(TABLE, file, only=invalid_index)}

    assert found == {f'"Shop".{cut}': 2, '"Shop"."Orders_note"': 3}


def test_what_a_failed_file_leaves_is_not_judged(smoke: Smoke) -> None:
    given = smoke.evidence(TABLE, BREAK)
    assert judge(given, [invalid_index], {})

    failed = replace(given, error=StatementError(sqlstate="42601", message="no", line=1, column=1))
    assert judge(failed, [invalid_index], {}) == ()


def test_schemas_that_the_settings_leave_out_are_not_judged(smoke: Smoke) -> None:
    for schemas, count in ((("Shop",), 1), (("S*",), 1), (("public", "app_*"), 0)):
        assert len(smoke.findings(TABLE, BREAK, only=invalid_index, scope=Scope(schemas=schemas))) == count


def test_the_summary_counts_what_was_looked_at_by_section(smoke: Smoke) -> None:
    given = smoke.evidence(TABLE, BREAK + 'CREATE VIEW v AS SELECT id FROM "Shop"."Orders"')
    counted = {
        one.name: (one.checked, one.errors, one.verdict.value)
        for one in sections(given.state_after, judge(given, [invalid_index], {}), [invalid_index])
    }

    assert counted == {
        "tables": (1, 0, "passed"),
        "indexes": (2, 1, "failed"),
        "views": (1, 0, "passed"),
    }


@pytest.mark.parametrize(
    ("name", "schema"),
    [
        ("public.orders", "public"),
        ('"Odd.Name"."T"', '"Odd.Name"'),
        ("app.f(numeric, other.kind)", "app"),
        ('"A(b"."F"(integer)', '"A(b"'),
        ('app."f.g(h"(text)', "app"),
        ("public", "public"),
    ],
)
def test_the_schema_of_a_name(name: str, schema: str) -> None:
    assert schema_of(name) == schema


@pytest.mark.parametrize(
    ("name", "own", "last"),
    [
        ("public.orders", "orders", "orders"),
        ('"Odd.Name"."T""s"', '"T""s"', 'T"s'),
        ("app.f(numeric, other.kind)", "f", "f"),
        ('"A(b"."F(g"(integer)', '"F(g"', "F(g"),
        ('public.orders."the.column"', '"the.column"', "the.column"),
        ("orders", "orders", "orders"),
        ("Old orders", "Old orders", "Old orders"),
    ],
)
def test_the_last_part_of_a_name(name: str, own: str, last: str) -> None:
    assert (own_name(name), last_part(name)) == (own, last)


def test_the_summary_names_constraints_that_are_not_valid_as_yet(smoke: Smoke) -> None:
    file = """
        ALTER TABLE "Shop"."Orders" ADD CONSTRAINT "Noted" CHECK ("Note" <> '') NOT VALID;
        CREATE TABLE other (id int PRIMARY KEY);
        ALTER TABLE "Shop"."Orders" ADD CONSTRAINT of_other FOREIGN KEY (id) REFERENCES other NOT VALID;
        ALTER TABLE other ADD CONSTRAINT fine CHECK (id > 0);
    """
    state = smoke.evidence(TABLE, file).state_after
    named = {one.name: one.not_valid for one in sections(state, (), ()) if one.not_valid}

    assert named == {
        "constraints": ('"Shop"."Orders"."Noted"',),
        "foreign keys": ('"Shop"."Orders".of_other',),
    }
