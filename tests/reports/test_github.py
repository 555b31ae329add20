"""GitHub's annotations: commands that its runner reads as they are meant."""

import re
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, given, settings

from pytest_migsafe.reports.github import annotations, is_wanted
from tests.reports.report import RED, Json, finding, migration, report, reports, statement


@dataclass(frozen=True)
class Command:
    """A command as the runner reads it: actions/runner, ``ActionCommand.TryParseV2``."""

    kind: str
    properties: dict[str, str]
    message: str


def read(line: str) -> Command:
    assert line.startswith("::")
    head, _, message = line[2:].partition("::")
    kind, _, given = head.partition(" ")
    pairs = (pair.partition("=") for pair in given.split(","))
    return Command(
        kind, {name: _unescaped(value, "%3A", "%2C") for name, _, value in pairs}, _unescaped(message)
    )


def _unescaped(text: str, *others: str) -> str:
    for code in ("%0D", "%0A", *others, "%25"):
        text = text.replace(code, bytes.fromhex(code[1:]).decode())
    return text


def read_all(one: Json) -> list[Command]:
    return [read(line) for line in annotations(one)]


def test_an_error_is_shown_beside_its_statement() -> None:
    (told,) = read_all(report(migration("migrations/0002_index.sql", finding()), folder="services/api"))

    assert told.kind == "error"
    # It goes over two lines: a column would be refused.
    assert told.properties == {
        "file": "services/api/migrations/0002_index.sql",
        "line": "4",
        "endLine": "5",
        "title": "pytest-migsafe: index-not-concurrent",
    }
    assert (
        told.message.splitlines()[0] == "writes of public.orders wait while index public.orders_idx is built"
    )
    assert "CREATE INDEX CONCURRENTLY" in told.message


def test_a_place_in_one_line_has_a_column_and_a_whole_file_its_first_line() -> None:
    one_line = [statement("SELECT 1", line=4)]
    (inside,) = read_all(report(migration("a.sql", finding(column=8), statements=one_line)))
    (whole,) = read_all(report(migration("a.sql", finding(line=0, column=0))))

    assert (inside.properties["line"], inside.properties["endLine"], inside.properties["col"]) == (
        "4",
        "4",
        "8",
    )
    assert whole.properties.keys() == {"file", "line", "title"}


def test_errors_come_first_and_what_is_allowed_not_at_all() -> None:
    told = read_all(
        report(
            migration(
                "a.sql", finding("w", severity="warning"), finding("allowed", waived_because="it is empty")
            ),
            migration("b.sql", finding("e")),
        )
    )

    assert [(one.kind, one.properties["title"]) for one in told] == [
        ("error", "pytest-migsafe: e"),
        ("warning", "pytest-migsafe: w"),
    ]


def test_there_are_no_more_than_github_shows() -> None:
    many = [finding(line=line) for line in range(1, 13)]
    lines = list(annotations(report(migration("a.sql", *many))))

    assert len(lines) == 11
    assert lines[-1].startswith("::notice title=pytest-migsafe::2 more errors than GitHub shows")


def test_everything_is_escaped() -> None:
    path, message = "100%,a:b.sql", "100% done\r\n::error ::x"
    (told,) = read_all(report(migration(path, finding(message=message, evidence=[], remedy=""))))

    assert told.properties["file"] == path
    assert told.message == "100% done\n::error ::x"


@pytest.mark.parametrize("name", RED)
def test_a_red_run_is_seen(name: str) -> None:
    assert "error" in {one.kind for one in read_all(RED[name])}


@given(reports())
@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
def test_each_command_is_one_line_that_says_something(one: Json) -> None:
    for line in annotations(one):
        assert len(line.splitlines()) == 1
        told = read(line)
        assert told.kind in {"error", "warning", "notice"}
        assert told.message
        assert re.fullmatch(r"\d+", told.properties.get("line", "1"))
        line.encode("utf-8")


@pytest.mark.parametrize(
    ("when", "environment", "wanted"),
    [
        ("auto", {}, False),
        ("auto", {"GITHUB_ACTIONS": "true"}, True),
        ("never", {"GITHUB_ACTIONS": "true"}, False),
        ("always", {}, True),
    ],
)
def test_github_is_told_where_a_workflow_runs(when: str, environment: dict[str, str], wanted: bool) -> None:
    assert is_wanted(when, environment) is wanted
