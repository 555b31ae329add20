"""GitLab's code quality report."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from pytest_migsafe.reports.gitlab import as_gitlab
from tests.reports.report import RED, Json, finding, migration, report, reports

_SEVERITIES = {"info", "minor", "major", "critical", "blocker"}


def entries(one: Json) -> Any:
    return json.loads(as_gitlab(one))


def test_an_error_stands_at_its_line() -> None:
    (entry,) = entries(report(migration("migrations/0002_index.sql", finding()), folder="services/api"))

    assert len(entry.pop("fingerprint")) == 32
    assert entry == {
        "description": "writes of public.orders wait while index public.orders_idx is built",
        "check_name": "index-not-concurrent",
        "severity": "critical",
        "location": {"path": "services/api/migrations/0002_index.sql", "lines": {"begin": 4}},
    }


def test_the_severity_says_how_much_it_weighs() -> None:
    found = entries(
        report(
            migration(
                "a.sql",
                finding("apply-error"),
                finding("b"),
                finding("c", severity="warning"),
                finding("d", waived_because="it is empty"),
            ),
            missing=("14",),
        )
    )

    assert [(one["check_name"], one["severity"]) for one in found] == [
        ("apply-error", "blocker"),
        ("b", "critical"),
        ("c", "minor"),
        ("postgres-missing", "info"),
    ]


@pytest.mark.parametrize("name", RED)
def test_a_red_run_is_seen(name: str) -> None:
    assert {one["severity"] for one in entries(RED[name])} & {"critical", "blocker"}


@given(reports())
@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
def test_any_report_has_what_gitlab_needs(one: Json) -> None:
    found = entries(one)

    assert len({entry["fingerprint"] for entry in found}) == len(found)
    for entry in found:
        assert entry["severity"] in _SEVERITIES
        assert entry["description"]
        assert "\n" not in entry["description"]
        assert entry["location"]["path"]
        assert entry["location"]["lines"]["begin"] >= 1
        json.dumps(entry, ensure_ascii=False).encode("utf-8")
