"""Whether one can go back from a file, and what is lost on the way: judged from what the trial showed."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pytest_migsafe.artifacts.impact import Impact
from pytest_migsafe.catalog import Change
from pytest_migsafe.catalog.render import render
from pytest_migsafe.catalog.schema import Column, Table
from pytest_migsafe.rehearsal.evidence import Evidence
from pytest_migsafe.rehearsal.way_back import Source, WayBack
from pytest_migsafe.review import Review
from pytest_migsafe.rules.blocking import BLOCKING_RULES
from pytest_migsafe.rules.downtime import DowntimeVerdict, downtime
from pytest_migsafe.rules.loss.check import FAMILY as LOSES_DATA


class Verdict(StrEnum):
    """What is known of a way back."""

    #: The schema is what it was, and nothing is lost.
    PROVEN = "proven"
    #: The schema is what it was; rows or values are not.
    LOSSY = "lossy"
    #: It runs, and leaves differences.
    INCOMPLETE = "incomplete"
    #: It ends with an error, or there is none.
    IMPOSSIBLE = "impossible"
    #: It was not run.
    UNTESTED = "untested"


@dataclass(frozen=True, slots=True)
class Lost:
    """A table or a column that goes with a way back, and what was written to it."""

    name: str
    is_table: bool

    def __str__(self) -> str:
        return f"all {'rows' if self.is_table else 'values'} of {self.name}"


@dataclass(frozen=True, kw_only=True)
class Judged:
    """A way back with the verdict on it."""

    review: Review
    evidence: Evidence
    way: WayBack
    verdict: Verdict
    #: Why it is no better one, a fact a line.
    why: tuple[str, ...] = ()
    #: What was written since the file, and goes with the way back.
    since: tuple[Lost, ...] = ()
    #: What the file took, and no way back brings.
    taken: tuple[str, ...] = ()
    #: What may end it with an error in production, for the rehearsal's rows do not show it.
    risks: tuple[str, ...] = ()
    #: How it is done while others go on, of what they would wait for.
    remedies: tuple[str, ...] = ()
    #: Who waits for it.
    downtime: DowntimeVerdict | None = None

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "source": self.way.source.value,
            "verdict": self.verdict.value,
            "why": list(self.why),
            "lost_since": list(map(str, self.since)),
            "only_in_a_backup": list(self.taken),
            "downtime": self.downtime.downtime.value if self.downtime is not None else None,
        }


def judged(review: Review, evidence: Evidence, way: WayBack, impact: Impact | None) -> Judged:
    """Return the verdict on the way back from a file."""
    back = way.evidence
    since = tuple(_since(back)) if back is not None and back.applied else ()
    taken = tuple(_taken(review, evidence, impact)) if impact is not None else ()
    verdict, why = _verdict(way, since, taken)
    return Judged(
        review=review,
        evidence=evidence,
        way=way,
        verdict=verdict,
        why=why,
        since=since,
        taken=taken,
        risks=tuple(_risks(way)),
        remedies=tuple(_remedies(way)),
        downtime=downtime(back) if back is not None and back.applied else None,
    )


def _remedies(way: WayBack) -> Iterator[str]:
    if way.evidence is None or not way.evidence.applied:
        return
    found = [one for rule in BLOCKING_RULES for one in rule(way.evidence)]
    for finding in sorted(found, key=lambda one: one.line):
        yield f"line {finding.line}: {finding.message}\n{finding.remedy}"


def _verdict(
    way: WayBack, since: tuple[Lost, ...], taken: tuple[str, ...]
) -> tuple[Verdict, tuple[str, ...]]:
    if way.untried:
        return Verdict.UNTESTED, (way.untried,)
    if way.evidence is not None and (error := way.evidence.error) is not None:
        return Verdict.IMPOSSIBLE, (f"line {error.line}: {error.message}",)
    if way.remaining:
        is_empty = way.evidence is None
        return Verdict.IMPOSSIBLE if is_empty else Verdict.INCOMPLETE, tuple(_differences(way))
    if way.again:
        return Verdict.INCOMPLETE, (f"the file cannot be applied again after it: {way.again}",)
    if since or taken:
        return Verdict.LOSSY, (*map(str, since), *taken)
    return Verdict.PROVEN, ()


def _differences(way: WayBack) -> Iterator[str]:
    """Yield what is not what it was, each with the reason where there is one."""
    reasons: Mapping[tuple[str, str], str] = {(one.kind, one.name): one.why for one in way.unsaid}
    for change in way.remaining:
        reason = reasons.get((change.kind, change.name), "")
        yield f"{_told(change)}{f' ({reason})' if reason else ''}"


def _told(change: Change) -> str:
    """Return in a line what a way back has left: the change that is missing."""
    verb = {"added": "is missing", "removed": "is still there"}.get(change.action)
    if verb is not None:
        return f"{change.kind} {change.name} {verb}"
    lines = [line.text for line in render([change])]
    return lines[0].removeprefix("~ ") if len(lines) == 1 else f"{change.kind} {change.name} is another"


def _since(back: Evidence) -> Iterator[Lost]:
    """Yield the tables and columns that go with the way back: what was written to them goes, too."""
    identities = back.identities
    gone = set()
    for name in identities.gone("relation"):
        table = back.before.get(Table.KIND, name)
        if isinstance(table, Table) and not identities.fate(name).became:
            gone.add(name)
            if table.partition_bound is None or table.parents[0] not in back.before.tables:
                yield Lost(name, is_table=True)
    for column in _columns(back):
        if column.relation not in gone and identities.column(column) is None:
            yield Lost(column.qualified_name, is_table=False)


def _columns(evidence: Evidence) -> Iterator[Column]:
    """Yield the columns of tables that a file changed, as they were before it."""
    for home in sorted(evidence.identities.changed):
        for one in evidence.before.homes.get(home, {}).values():
            is_of_table = (
                isinstance(one, Column) and evidence.before.get(Table.KIND, one.relation) is not None
            )
            if is_of_table and isinstance(one, Column) and one.generated is None:
                yield one


def _taken(review: Review, evidence: Evidence, impact: Impact) -> Iterator[str]:
    """Yield what the file itself took: only a backup has it."""
    identities = evidence.identities
    dropped = set()
    for name in identities.gone("relation"):
        if evidence.before.get(Table.KIND, name) is not None and not identities.fate(name).became:
            dropped.add(name)
            yield f"the rows that {name} had"
    for column in _columns(evidence):
        if column.relation not in dropped and identities.column(column) is None:
            yield f"the values that {column.qualified_name} had"
    for name, touched in impact.tables.items():
        if any(one.startswith(("updated", "deleted")) for one in touched.reach) or any(touched.counts[1:]):
            yield f"what the file wrote over or deleted in {name}"
    for finding in review.findings:
        if finding.family == LOSES_DATA and finding.rule in _OF_ROWS:
            yield from (f"the rows that {one} had" for one in finding.objects)


#: The rules whose objects are tables that lose rows in a way that no statement's counts show.
_OF_ROWS = frozenset({"rows-truncated"})


def _values_gone(back: Evidence) -> Iterator[str]:
    for name, enum in back.after.types.items():
        was = back.before.types.get(name)
        if gone := [one for one in (was.labels if was is not None else ()) if one not in enum.labels]:
            values = ", ".join(gone)
            yield f"{name} has no value {values} any more: rows that have it end the rollback with an error"


def _risks(way: WayBack) -> Iterator[str]:
    """Yield what comes back and holds rows to something: those that were written meanwhile may not be so."""
    back = way.evidence
    if back is None or not back.applied or way.source is Source.NONE:
        return
    for name, constraint in back.after.constraints.items():
        is_new = name not in back.before.constraints and constraint.type != "not null"
        if is_new and constraint.validated and back.before.get(Table.KIND, constraint.relation) is not None:
            yield f"constraint {name} comes back: rows that break it by now end the rollback with an error"
    yield from _values_gone(back)
    for name, column in back.after.columns.items():
        was = back.before.columns.get(name)
        if back.before.get(Table.KIND, column.relation) is None:
            continue
        if was is None and column.not_null and column.default is None and column.identity is None:
            yield f"column {name} comes back without values, and NOT NULL: fill it before, where there are rows"
        elif was is not None and column.not_null and not was.not_null:
            yield f"column {name} is NOT NULL again: rows without a value end the rollback with an error"
        if was is not None and was.type != column.type:
            yield f"column {name} becomes {column.type} again, from {was.type}: values may not fit, or be cut"
