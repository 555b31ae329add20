"""What objects are called: each defect planted, and its clean twin."""

from dataclasses import replace

from pytest_migsafe.findings import Finding, Severity
from pytest_migsafe.rehearsal.evidence import Notice
from pytest_migsafe.rules.smoke import naming
from tests.rules.evidence import evidence
from tests.smoke.conftest import Smoke

LONG = "a" * 63


def truncated(*statements: str, names: tuple[str, ...]) -> list[Finding]:
    """Return what is said of a file, in which the server has cut one name in each statement."""
    given = evidence(*statements)
    noticed = tuple(
        replace(
            one,
            notices=(
                Notice(
                    severity="NOTICE",
                    sqlstate="42622",
                    message=f'identifier "{name}" will be truncated to "{name[:63]}"',
                ),
            ),
        )
        for one, name in zip(given.statements, names, strict=True)
    )
    return list(naming.identifier_truncated(replace(given, statements=noticed)))


def test_a_name_that_is_cut_is_a_warning() -> None:
    (finding,) = truncated(
        f"CREATE TABLE {LONG}bc (id int)", f"DROP TABLE {LONG}bc", names=(f"{LONG}bc", f"{LONG}bc")
    )

    assert finding.severity is Severity.WARNING
    assert finding.message == f'"{LONG}bc" is too long, and becomes "{LONG}"'
    assert finding.line == 1


def test_two_names_that_become_one_are_an_error_unless_they_name_different_things() -> None:
    both = (f"{LONG}b", f"{LONG}c")
    tables = truncated(*(f"CREATE TABLE IF NOT EXISTS {name} ()" for name in both), names=both)
    assert [one.severity for one in tables] == [Severity.ERROR, Severity.ERROR]
    assert tables[0].message.endswith(f'as "{both[1]}" does')

    function = f"CREATE FUNCTION {both[0]}() RETURNS trigger LANGUAGE plpgsql AS ''"
    trigger = f"CREATE TRIGGER {both[1]} AFTER INSERT ON t EXECUTE FUNCTION f()"
    assert {one.severity for one in truncated(function, trigger, names=both)} == {Severity.WARNING}


NAMED = """
    CREATE SCHEMA "Shop";
    CREATE TABLE "Shop"."orderLines" (id int PRIMARY KEY, "user" int, plain int);
    CREATE FUNCTION "Shop"."Sum"(a int, b int) RETURNS int LANGUAGE sql AS 'SELECT 1';
"""


def test_names_that_have_to_be_quoted(smoke: Smoke) -> None:
    found = smoke.findings("", NAMED, only=naming.mixed_case_identifier)
    assert [one.message for one in found] == [
        'the constraint "Shop"."orderLines"."orderLines_pkey" has to be written in quotes',
        'the index "Shop"."orderLines_pkey" has to be written in quotes',
        'the table "Shop"."orderLines" has to be written in quotes',
        'the function "Shop"."Sum" has to be written in quotes',
    ]
    assert found[2].remedy == "Call it order_lines."

    (keyword,) = smoke.findings("", NAMED, only=naming.reserved_identifier)
    assert keyword.message == 'the column "Shop"."orderLines"."user" is called after a key word'

    plain = "CREATE TABLE orders (id int PRIMARY KEY, name text, year2 int)"
    for rule in (naming.mixed_case_identifier, naming.reserved_identifier):
        assert smoke.findings("", plain, only=rule) == ()
