"""What a run comes to: a verdict, four questions that reviewers ask, and a line for each judged migration."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pytest_migsafe.artifacts.folder import IMPACT, ROLLBACK
from pytest_migsafe.texts.markdown import code, plain, table

#: Raised when a name is removed or changes its meaning; new names do not raise it.
FORMAT = 1
_JUDGED = frozenset({"passed", "failed", "blocked"})

Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """One of the questions, and its answer."""

    name: str
    title: str
    #: None: it was not asked.
    is_checked: bool | None
    #: In words: what is so, or what is not.
    why: str

    def line(self) -> str:
        """Return it as an entry of a list of tasks."""
        return f"- [{'x' if self.is_checked else ' '}] {self.title}: {plain(self.why)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """What a run comes to."""

    #: The JSON report.
    report: Values
    #: The verdict that all reports share: a word ("safe", "unsafe", "unknown", "nothing"), and a sentence.
    word: str
    sentence: str
    #: When, ISO 8601.
    written: str

    def to_json(self) -> str:
        """Return the status as JSON."""
        values = {
            "format": FORMAT,
            "written": self.written,
            "verdict": self.word,
            "sentence": self.sentence,
            "boxes": {one.name: {"checked": one.is_checked, "why": one.why} for one in self.boxes},
            "migrations": [_plain(one) for one in _judged(self.report)],
        }
        return json.dumps(values, indent=1) + "\n"

    def to_markdown(self) -> str:
        """Return the status as Markdown."""
        return "\n".join(self._lines()) + "\n"

    @property
    def boxes(self) -> Sequence[Box]:
        """The questions with their answers."""
        return (
            Box(
                name="ci_green",
                title="CI is green",
                is_checked={"safe": True, "nothing": None}.get(self.word, False),
                why=self.sentence,
            ),
            _is_additive(self.report),
            _has_way_back(self.report),
            _is_as_declared(self.report),
        )

    def _lines(self) -> Iterator[str]:
        judged = _judged(self.report)
        yield f"# {plain(self.sentence)}"
        yield ""
        yield f"Written {self.written}."
        yield ""
        yield from (one.line() for one in self.boxes)
        yield ""
        if judged:
            yield from _table(judged)
        else:
            yield "No migration was judged."


def _plain(one: Values) -> dict[str, Any]:
    """Return what the status says of a migration."""
    return {
        "path": one["path"],
        "place": one["place"],
        "outcome": one["outcome"],
        "errors": _count(one, "error"),
        "warnings": _count(one, "warning"),
        "downtime": (one["downtime"] or {}).get("verdict"),
        "additive": not _takes_away(one) if one["applied"] else None,
        "rollback": (one.get("artifacts") or {}).get("rollback"),
        "folder": (one.get("artifacts") or {}).get("folder"),
    }


def _table(judged: Sequence[Values]) -> Iterator[str]:
    """Yield the lines of a table of migrations."""
    has_places = any(one["place"] for one in judged)
    yield from table(
        ("Migration", *(("PostgreSQL",) if has_places else ()), "Verdict", "Downtime", "Way back", "More"),
        (
            (
                code(one["path"]),
                *((one["place"],) if has_places else ()),
                _outcome(one),
                (one["downtime"] or {}).get("verdict", ""),
                _way_back(one),
                _links(one),
            )
            for one in judged
        ),
    )


def _outcome(one: Values) -> str:
    counts = ", ".join(
        f"{number} {kind}{'s' if number > 1 else ''}"
        for kind in ("error", "warning")
        if (number := _count(one, kind))
    )
    return f"{one['outcome']} ({counts})" if counts else str(one["outcome"])


def _way_back(one: Values) -> str:
    rollback = (one.get("artifacts") or {}).get("rollback")
    return f"{rollback['verdict']} ({rollback['source']})" if rollback else ""


def _links(one: Values) -> str:
    artifacts = one.get("artifacts")
    if not artifacts or artifacts["problem"]:
        return ""
    folder = artifacts["folder"].replace(" ", "%20")
    pages = {"impact": IMPACT} if one["applied"] else {}
    if artifacts["rollback"]:
        pages["way back"] = ROLLBACK
    return ", ".join(f"[{name}]({folder}/{file})" for name, file in pages.items())


def _is_additive(report: Values) -> Box:
    applied = [one for one in _judged(report) if one["applied"]]
    taking = [f"{one['path']} ({_some(taken)})" for one in applied if (taken := _takes_away(one))]
    return Box(
        name="additive_only",
        title="Only additions",
        is_checked=not taking if applied else None,
        why=f"not in {_some(taking)}"
        if taking
        else ("nothing that was there is removed or changed" if applied else "no migration was applied"),
    )


def _takes_away(one: Values) -> list[str]:
    """Return what a migration removes or changes of what was there."""
    new = {(change["kind"], change["name"]) for change in one["diff"] if change["action"] == "added"}
    return [
        f"{change['kind']} {change['name']} {change['action']}"
        for change in one["diff"]
        if change["action"] != "added" and ("table", change["name"]) not in new
    ]


def _has_way_back(report: Values) -> Box:
    known = [
        (one["path"], rollback)
        for one in _judged(report)
        if (rollback := (one.get("artifacts") or {}).get("rollback"))
    ]
    bad = [f"{path} ({one['verdict']})" for path, one in known if one["verdict"] not in {"proven", "lossy"}]
    lossy = sum(one["verdict"] == "lossy" for _, one in known)
    if bad:
        why = f"not for {_some(bad)}"
    elif not known:
        why = "there is none: no migration was applied"
    else:
        why = f"for each of {len(known)}, seen to work" + (f"; {lossy} of them lose data" if lossy else "")
    return Box(
        name="rollback_guide",
        title="A rollback guide that was tried",
        is_checked=not bad if known else None,
        why=why,
    )


def _is_as_declared(report: Values) -> Box:
    compared = [end for history in report["histories"] for end in history["ends"] if end["check"] == "schema"]
    run = [end for end in compared if end["outcome"] in _JUDGED]
    wrong = [
        f"{end['file']}: {end['message'] or end['outcome']}" for end in run if end["outcome"] != "passed"
    ]
    if wrong:
        why = "; ".join(wrong)
    elif run:
        why = f"as {_some(sorted({end['file'] for end in run}))} says"
    else:
        why = "it was not compared" if compared else "no schema file is declared"
    return Box(
        name="schema_as_declared",
        title="The schema is the declared one",
        is_checked=not wrong if run else None,
        why=why,
    )


def _judged(report: Values) -> list[Values]:
    return [one for one in report["migrations"] if one["outcome"] in _JUDGED]


def _count(one: Values, severity: str) -> int:
    return sum(finding["severity"] == severity and not finding["waived"] for finding in one["findings"])


def _some(names: Iterable[str], most: int = 3) -> str:
    """Return some names as a part of a sentence; of many only the first."""
    listed = list(names)
    more = f" and {len(listed) - most} more" if len(listed) > most else ""
    return f"{', '.join(listed[:most])}{more}"
