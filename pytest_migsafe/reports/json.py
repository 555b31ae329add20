"""The JSON report: everything that was seen, versioned, for tools."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pytest_migsafe.migrations.model import History
from pytest_migsafe.review import Outcome

#: Raised when a name is removed or changes its meaning; new names do not raise it.
FORMAT = 1


def json_report(
    server: Mapping[str, str], histories: Sequence[History], reviews: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    """Return the report; ``reviews`` are the reviewed migrations by path, the others count as skipped."""
    migrations = [
        reviews.get(migration.relative_path) or _skipped(migration.id, migration.relative_path)
        for history in histories
        for migration in history.migrations
    ]
    layouts = list(dict.fromkeys(history.layout for history in histories))
    return {
        "format": FORMAT,
        "server": dict(server),
        "layout": layouts[0] if len(layouts) == 1 else None,
        "histories": [
            {
                "root": history.relative_root,
                "layout": history.layout,
                "migrations": len(history.migrations),
                "ignored": [remark.path for remark in history.remarks if remark.path],
                "remarks": [{"path": one.path, "text": one.text} for one in history.remarks],
            }
            for history in histories
        ],
        "migrations": migrations,
    }


def _skipped(version: str, path: str) -> dict[str, Any]:
    return {
        "id": version,
        "path": path,
        "applied": None,
        "outcome": Outcome.SKIPPED.value,
        "findings": [],
        "statements": [],
        "diff": [],
    }


def write_json(path: Path, report: Mapping[str, Any]) -> None:
    """Write a report to a file, whole or not at all."""
    unfinished = path.with_name(f".{path.name}.unfinished")
    unfinished.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    unfinished.replace(path)
