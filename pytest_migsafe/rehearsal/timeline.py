"""The locks of a file along its statements: from which to which each was held, who waited, and what was done meanwhile.

A lock is held until its transaction ends (manual: "Explicit Locking"), so what is told of it is the first and the last
statement that ran while it was held. How long these took on a database with a handful of rows says nothing of production;
which work lies between them does.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import groupby
from typing import Any

from pytest_migsafe.rehearsal.holding import Hold, Step, blocks, is_internal, steps
from pytest_migsafe.rehearsal.observed import LOCK_MODES, RelationLock, StatementEvidence
from pytest_migsafe.rehearsal.reach import Catalog

_STRENGTH = {mode: place for place, mode in enumerate(LOCK_MODES)}
#: Weaker ones are those of every query.
_WEAKEST = _STRENGTH["RowExclusiveLock"]
_HAVE_ROWS = frozenset({"table", "foreign table", "materialized view"})


@dataclass(frozen=True, slots=True, kw_only=True)
class TimedWork:
    """Work that takes the longer, the more rows there are, and the statement that did it."""

    #: Its number in the file, from 1 on.
    statement: int
    #: "rewrite", "index build", "scan" or "write".
    kind: str
    table: str
    #: The index that was built, if one was.
    index: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A lock on a relation that was there before the file, as long as it was held."""

    #: Whose users wait; of a lock on an index, its table. By its name before the file.
    relation: str
    #: "table", "view", "sequence", ...; "index" if the lock is on an index of the relation.
    kind: str
    #: As ``pg_locks.mode`` spells it.
    mode: str
    #: The numbers of the first and the last statement that ran while it was held, from 1 on.
    first: int
    last: int
    #: "reads and writes", "reads", "writes" or "nextval"; empty when the lock keeps no reader and no writer waiting.
    waiting: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """The locks of a file along its statements."""

    #: In the order in which their relations were first locked.
    bars: tuple[Bar, ...] = ()
    #: In the order in which it was done. What lies between the ends of a bar that others wait for was done while they
    #: waited, whatever the table.
    work: tuple[TimedWork, ...] = ()
    #: How many relations the file itself made: nobody else can see them, so nobody waits for them.
    created: int = 0

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "bars": [asdict(bar) for bar in self.bars],
            "work": [asdict(one) for one in self.work],
            "created": self.created,
        }


def timeline(statements: Sequence[StatementEvidence], catalog: Catalog) -> Timeline:
    """Return what a file's locks and work come to along its statements."""
    bars: dict[_Taken, Bar] = {}
    names: dict[_Taken, str] = {}
    works: list[TimedWork] = []
    for number, step in enumerate(steps(statements, catalog, _counts), start=1):
        for hold in step.holds:
            # Later another relation may have the name.
            names.setdefault(_taken(hold), step.name_before(hold.relation))
        for hold in _outermost(step.holds, names):
            known = bars.get(_taken(hold))
            bars[_taken(hold)] = (
                replace(known, last=number) if known else _bar(hold, names[_taken(hold)], number)
            )
        if step.holds:
            works += _works(step, number)
    return Timeline(
        bars=tuple(_in_order(bars.values())),
        work=tuple(dict.fromkeys(works)),
        created=_created(statements),
    )


def _bar(hold: Hold, relation: str, number: int) -> Bar:
    return Bar(
        relation=relation,
        kind=hold.lock.kind,
        mode=hold.lock.mode,
        first=number,
        last=number,
        waiting=hold.waiting if blocks(hold.lock) else "",
    )


def _works(step: Step, number: int) -> Iterator[TimedWork]:
    for _, works in step.works():
        for one in works:
            table = step.name_before(one.table)
            yield TimedWork(statement=number, kind=one.kind.value, table=table, index=one.index)


#: Which lock is meant: its relation as it was called then, its mode, and the statement that took it.
_Taken = tuple[str, str, int]


def _taken(hold: Hold) -> _Taken:
    return hold.lock.relation, hold.lock.mode, id(hold.since)


def _counts(lock: RelationLock) -> bool:
    """Whether a lock is shown: others wait for it, or it is one of those that go with changes of a table."""
    return blocks(lock) or (
        lock.preexisting
        and lock.kind in _HAVE_ROWS
        and not is_internal(lock.relation)
        and _STRENGTH.get(lock.mode, 0) >= _WEAKEST
    )


def _outermost(holds: Iterable[Hold], names: Mapping[_Taken, str]) -> Iterator[Hold]:
    """Yield the locks that are stronger than those that their transaction had on the relation already."""
    strongest: dict[str, int] = {}
    for _, some in groupby(holds, key=lambda one: id(one.since)):
        for one in sorted(some, key=_weakness):
            strength, relation = _STRENGTH[one.lock.mode], names[_taken(one)]
            if strength > strongest.get(relation, -1):
                strongest[relation] = strength
                yield one


def _weakness(hold: Hold) -> tuple[int, bool]:
    return -_STRENGTH[hold.lock.mode], hold.lock.kind == "index"


def _in_order(bars: Iterable[Bar]) -> list[Bar]:
    """Return bars with those of a relation together."""
    by_relation: dict[str, list[Bar]] = {}
    for bar in bars:
        by_relation.setdefault(bar.relation, []).append(bar)
    return [bar for some in by_relation.values() for bar in some]


def _created(statements: Iterable[StatementEvidence]) -> int:
    made: set[str] = set()
    unread = 0
    for statement in statements:
        for one in statement.namings:
            if one.preexisting:
                continue
            made.discard(one.relation)
            if one.became:
                made.add(one.became)
        unread = max(unread, statement.unread_relations)
    return len(made) + unread
