"""The JSON report: everything that was seen, versioned, for tools."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pytest_migsafe.migrations.model import History, Migration
from pytest_migsafe.places import Place, Places
from pytest_migsafe.review import Outcome
from pytest_migsafe.rules import Rule

#: Raised when a name is removed or changes its meaning; new names do not raise it.
FORMAT = 1


@dataclass(frozen=True, kw_only=True)
class Run:
    """What there is to say of a run of pytest, beside the reviews."""

    #: What it ends with.
    exit_code: int = 0
    #: The project's folder in its repository; empty when it is that.
    folder: str = ""
    #: Why items of migrations failed where no review says it, by path and place's label.
    problems: Mapping[tuple[str, str], str] = field(default_factory=dict)
    #: What else failed: node ids, and the first line of what is said of each.
    failures: Mapping[str, str] = field(default_factory=dict)
    #: Which files of each history are judged, by their positions, and what there is to say of it.
    judged: Sequence[Collection[int]] = ()
    gates: Sequence[Mapping[str, Any]] = ()


def json_report(
    histories: Sequence[tuple[History, Places]],
    reviews: Mapping[tuple[str, str], Mapping[str, Any]],
    ends: Sequence[Sequence[Mapping[str, Any]]],
    *,
    run: Run = Run(),
    rules: Iterable[Rule] = (),
) -> dict[str, Any]:
    """Return the report of histories, each with its places.

    ``reviews`` are the reviewed migrations by path and place's label, the others count as skipped; ``ends`` is what
    came of the checks of each history's end; ``rules`` are all that were asked, of which those are told that
    found something.
    """
    servers = [
        _server(place) for place in dict.fromkeys(place for _, places in histories for place in places.found)
    ]
    layouts = list(dict.fromkeys(history.layout for history, _ in histories))
    migrations = [
        {
            **(reviews.get((migration.relative_path, label)) or _skipped(migration, label)),
            "problem": run.problems.get((migration.relative_path, label)),
            "judged": not run.judged or position in run.judged[at],
        }
        for at, (history, places) in enumerate(histories)
        for label in [place.label for place in places.found] or [""]
        for position, migration in enumerate(history.migrations)
    ]
    occurring = {
        finding["rule"]
        for one in (*migrations, *(end for checked in ends for end in checked))
        for finding in one["findings"]
    }
    return {
        "format": FORMAT,
        "exit_code": run.exit_code,
        "folder": run.folder,
        "server": {name: servers[0][name] for name in ("version", "source")}
        if servers
        else {"version": "", "source": ""},
        "servers": servers,
        "layout": layouts[0] if len(layouts) == 1 else None,
        "histories": [
            {
                "root": history.relative_root,
                "layout": history.layout,
                "migrations": len(history.migrations),
                "ignored": [remark.path for remark in history.remarks if remark.path],
                "remarks": [{"path": one.path, "text": one.text} for one in history.remarks],
                "missing_versions": list(places.missing),
                "ends": list(checked),
                "gate": run.gates[at] if run.gates else None,
            }
            for at, ((history, places), checked) in enumerate(zip(histories, ends, strict=True))
        ],
        "migrations": migrations,
        "rules": [_rule(rule) for rule in rules if rule.id in occurring],
        "failures": [{"item": item, "message": message} for item, message in run.failures.items()],
    }


def _server(place: Place) -> dict[str, Any]:
    return {
        "place": place.label,
        "version": place.version,
        "source": place.source,
        "preludes": list(place.preludes),
        "role": place.role or None,
        "limits": list(place.limits),
    }


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.id,
        "family": rule.family,
        "severity": rule.severity.value,
        "title": rule.title,
        "why": rule.why,
        "remedy": rule.remedy,
        "manual": rule.manual,
        "peers": dict(rule.peers),
        "waivable": rule.is_waivable,
    }


def _skipped(migration: Migration, place: str) -> dict[str, Any]:
    return {
        "id": migration.id,
        "path": migration.relative_path,
        "place": place,
        "applied": None,
        "outcome": Outcome.SKIPPED.value,
        "downtime": None,
        "artifacts": None,
        "origin": None,
        "findings": [],
        "smoke_tests": [],
        "statements": [],
        "diff": [],
    }


def as_json(report: Mapping[str, Any]) -> str:
    """Return the report's text."""
    return json.dumps(report, indent=1) + "\n"
