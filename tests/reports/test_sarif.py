"""SARIF: valid by the standard's schema whatever comes, and on the right line."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

import pytest
from hypothesis import HealthCheck, given, settings

from pytest_migsafe.reports.rules import manual_page
from pytest_migsafe.reports.sarif import as_sarif
from pytest_migsafe.rules.builtin import RULES
from tests.reports.report import RED, Json, finding, migration, report, reports, skipped, statement

jsonschema = pytest.importorskip(
    "jsonschema", reason="jsonschema is not installed (it is in the extra `dev`)"
)

_SCHEMA = json.loads((Path(__file__).parent / "sarif" / "sarif-2.1.0-rtm.5.json").read_text("utf-8"))
_VALIDATOR = jsonschema.Draft4Validator(_SCHEMA, format_checker=jsonschema.FormatChecker())


def sarif(one: Json) -> Any:
    """Return the one run of a report's SARIF log, which is valid."""
    log = json.loads(as_sarif(one))
    _VALIDATOR.validate(log)
    (run,) = log["runs"]
    return run


def region(one: Json) -> Any:
    (result,) = sarif(one)["results"]
    return result["locations"][0]["physicalLocation"]["region"]


def test_the_schema_refuses_what_is_no_sarif() -> None:
    log = json.loads(as_sarif(RED["a finding"]))
    del log["runs"][0]["tool"]["driver"]["name"]
    with pytest.raises(jsonschema.ValidationError, match="'name' is a required property"):
        _VALIDATOR.validate(log)


@given(reports())
@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
def test_any_report_is_valid_sarif(one: Json) -> None:
    run = sarif(one)

    assert all(
        run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
        for result in run["results"]
    )
    prints = [result["partialFingerprints"]["migsafe/v1"] for result in run["results"]]
    assert len(set(prints)) == len(prints)


@pytest.mark.parametrize("name", RED)
def test_a_red_run_is_seen(name: str) -> None:
    run = sarif(RED[name])

    assert [one for one in run["results"] if one["level"] == "error"]


def test_an_empty_run_is_valid() -> None:
    run = sarif(report(servers=[], exit_code=5))

    assert run["results"] == run["tool"]["driver"]["rules"] == []
    assert run["invocations"][0]["executionSuccessful"]


def test_a_result_stands_at_its_statement_and_says_what_to_do() -> None:
    (result,) = sarif(report(migration("migrations/0002 é.sql", finding()), folder="services/api"))["results"]
    place = result["locations"][0]["physicalLocation"]

    assert place["artifactLocation"] == {
        "uri": "services/api/migrations/0002%20%C3%A9.sql",
        "uriBaseId": "%SRCROOT%",
    }
    assert place["region"] == {
        "startLine": 4,
        "startColumn": 1,
        "endLine": 5,
        "endColumn": len("    ON orders (x)") + 1,
        "snippet": {"text": "CREATE INDEX orders_idx\n    ON orders (x)"},
    }
    assert result["message"]["text"].splitlines()[:3] == [
        "writes of public.orders wait while index public.orders_idx is built",
        "ShareLock on public.orders, taken by this statement",
        "The safe way: Build it CONCURRENTLY.",
    ]
    assert "```sql\n-- runs outside a transaction\nCREATE INDEX CONCURRENTLY" in result["message"]["markdown"]


def test_a_region_ends_where_the_statement_does() -> None:
    inside = [statement("SELECT 'é😀'", line=2, column=9)]

    assert region(report(migration("a.sql", finding(line=2, column=9), statements=inside))) == {
        "startLine": 2,
        "startColumn": 9,
        "endLine": 2,
        "endColumn": 20,
        "snippet": {"text": "SELECT 'é😀'"},
    }
    # An error points into the statement.
    assert region(report(migration("a.sql", finding(line=2, column=16), statements=inside))) == {
        "startLine": 2,
        "startColumn": 16,
    }
    assert region(report(migration("a.sql", finding(line=0, column=0)))) == {"startLine": 1}
    cut = [statement("INSERT …", line=1, end_line=90_000)]
    assert region(report(migration("a.sql", finding(line=1), statements=cut)))["endLine"] == 90_000


def test_a_file_s_name_that_is_no_text_keeps_its_bytes() -> None:
    (result,) = sarif(report(migration(b"caf\xe9.sql".decode("utf-8", "surrogateescape"), finding())))[
        "results"
    ]
    uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]

    assert unquote_to_bytes(uri) == b"caf\xe9.sql"


def test_rules_come_with_what_is_known_of_them() -> None:
    (rule,) = sarif(report(migration("a.sql", finding())))["tool"]["driver"]["rules"]

    assert rule["shortDescription"]["text"] == "An index is built while nobody can write"
    assert rule["defaultConfiguration"] == {"level": "error"}
    assert rule["helpUri"] == "https://www.postgresql.org/docs/current/sql-createindex.html"
    assert f"[CREATE INDEX, Building Indexes Concurrently]({rule['helpUri']})" in rule["help"]["markdown"]
    assert "squawk require-concurrent-index-creation" in rule["help"]["text"]
    assert rule["properties"]["tags"] == ["postgresql", "migration", "blocking-work"]


def test_what_a_file_allows_is_suppressed_and_stands_in_nobody_s_way() -> None:
    (result,) = sarif(report(migration("a.sql", finding(waived_because="it is empty"))))["results"]

    assert result["suppressions"] == [{"kind": "inSource", "justification": "it is empty"}]
    assert result["level"] == "note"


def test_what_concerns_the_run_is_a_notification() -> None:
    failures = [{"item": "tests/test_app.py::test_it", "message": "assert 1 == 2"}]
    run = sarif(report(migration(), skipped("b.sql"), missing=("14",), exit_code=143, failures=failures))
    (invocation,) = run["invocations"]

    assert not invocation["executionSuccessful"]
    assert [one["message"]["text"].partition(":")[0] for one in invocation["toolExecutionNotifications"]] == [
        "the run was terminated (exit code 143)",
        "tests/test_app.py",
        "PostgreSQL 14 not found on the machine",
    ]


def test_no_more_results_than_github_shows_the_worst_first() -> None:
    many = [finding(severity="warning", line=line) for line in range(1, 5002)]
    run = sarif(report(migration("a.sql", *many, finding(), statements=[])))

    assert len(run["results"]) == 5000
    assert run["results"][0]["level"] == "error"
    (notification,) = run["invocations"][0]["toolExecutionNotifications"]
    assert notification["message"]["text"].startswith("2 more results are left out")


def test_the_manual_s_pages_are_those_of_commands() -> None:
    assert manual_page("ALTER TABLE, Notes; Date/Time Types") == _page("altertable")
    assert manual_page("CREATE VIEW (security_invoker)") == _page("createview")
    assert manual_page("SET CONSTRAINTS") == _page("set-constraints")
    assert [
        manual_page(chapter) for chapter in ("", "SQL Key Words", "PL/pgSQL, x", "Rules and Privileges")
    ] == [""] * 4
    assert sum(manual_page(rule.manual) != "" for rule in RULES) > len(RULES) / 2


def _page(name: str) -> str:
    return f"https://www.postgresql.org/docs/current/sql-{name}.html"
