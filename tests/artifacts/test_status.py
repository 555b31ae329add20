"""What a run comes to, made of the JSON report: four questions, and a line for each judged migration."""

import json
from typing import Any

import pytest

from pytest_migsafe.artifacts.folder import folder_name
from pytest_migsafe.artifacts.status import Status

_ADDED = {"action": "added", "kind": "column", "name": "public.orders.paid", "attributes": []}
_GONE = {"action": "removed", "kind": "column", "name": "public.orders.note", "attributes": []}


def _migration(
    path: str, *diff: dict[str, Any], outcome: str = "passed", verdict: str = "proven"
) -> dict[str, Any]:
    return {
        "path": path,
        "place": "",
        "outcome": outcome,
        "applied": outcome == "passed",
        "findings": [],
        "diff": list(diff),
        "downtime": {"verdict": "short", "proof": []},
        "artifacts": {
            "folder": path.removesuffix(".sql"),
            "rollback": {"source": "generated", "verdict": verdict},
            "problem": None,
        },
    }


def _report(*migrations: dict[str, Any], ends: tuple[dict[str, Any], ...] = ()) -> dict[str, Any]:
    return {"histories": [{"ends": list(ends)}], "migrations": list(migrations)}


def _status(word: str, sentence: str, report: dict[str, Any]) -> Status:
    return Status(report=report, word=word, sentence=sentence, written="today")


def _end(outcome: str, message: str | None = None) -> dict[str, Any]:
    return {
        "check": "schema",
        "item": "b.sql::schema",
        "file": "schema.json",
        "outcome": outcome,
        "message": message,
    }


def test_all_is_well() -> None:
    status = _status("safe", "Safe to merge", _report(_migration("a b.sql", _ADDED), ends=(_end("passed"),)))
    assert [(one.name, one.is_checked, one.why) for one in status.boxes] == [
        ("ci_green", True, "Safe to merge"),
        ("additive_only", True, "nothing that was there is removed or changed"),
        ("rollback_guide", True, "for each of 1, seen to work"),
        ("schema_as_declared", True, "as schema.json says"),
    ]
    lines = status.to_markdown().splitlines()
    assert lines[0] == "# Safe to merge"
    assert lines[-1] == (
        "| `a b.sql` | passed | short | proven (generated) | "
        "[impact](a%20b/impact.md), [way back](a%20b/rollback.md) |"
    )


def test_what_is_not_so_is_named() -> None:
    report = _report(
        _migration("a.sql", _GONE, verdict="lossy"),
        _migration("b.sql", outcome="failed"),
        _migration("c.sql", verdict="impossible"),
        {"path": "d.sql", "outcome": "skipped"},
        ends=(_end("failed", "another schema"),),
    )
    status = _status("unsafe", "Do not merge", report)
    assert [one.why for one in status.boxes] == [
        "Do not merge",
        "not in a.sql (column public.orders.note removed)",
        "not for c.sql (impossible)",
        "schema.json: another schema",
    ]
    assert not any(one.is_checked for one in status.boxes)
    plain = json.loads(status.to_json())
    assert plain["verdict"] == "unsafe"
    assert [one["additive"] for one in plain["migrations"]] == [False, None, True]


def test_what_was_not_asked_is_neither() -> None:
    status = _status("nothing", "Nothing to judge", _report(ends=(_end("skipped"),)))
    assert [one.is_checked for one in status.boxes] == [None, None, None, None]
    assert "No migration was judged." in status.to_markdown()


@pytest.mark.parametrize(
    ("path", "place", "folder"),
    [
        ("migrations/0001_a.sql", "", "migrations/0001_a"),
        ("migrations/0001_a.up.sql", "15", "15/migrations/0001_a.up"),
        ("../elsewhere/a.sql", "", "elsewhere/a"),
        ("/somewhere/a.ddl", "", "somewhere/a.ddl"),
    ],
)
def test_a_migrations_folder_is_inside(path: str, place: str, folder: str) -> None:
    assert folder_name(path, place) == folder
