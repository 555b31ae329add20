"""The locks of a file along its statements: from which to which each was held, who waited, and what was done meanwhile.

A lock is held until its transaction ends (manual: "Explicit Locking"), so what is told of it is the first and the last
statement that ran while it was held. How long these took on a database with a handful of rows says nothing of production;
which work lies between them does.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
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
    drawn = _Drawn()
    works: list[TimedWork] = []
    for number, step in enumerate(steps(statements, catalog, _counts), start=1):
        drawn.go_on(number, step)
        if drawn.held:
            works += _works(step, number)
        drawn.let_go(number, step.statement.released)
    drawn.end(len(statements))
    return Timeline(
        bars=tuple(_in_order(drawn.bars)),
        work=tuple(dict.fromkeys(works)),
        created=_created(statements),
    )


#: A lock by its relation, as it was called when it was taken, and its mode.
_Taken = tuple[str, str]


@dataclass
class _Drawn:
    """The bars of a file as far as it has come."""

    #: In the order in which the locks were taken; those that are held have no end as yet.
    bars: list[Bar] = field(default_factory=list)
    #: The places in ``bars`` of the locks that are held.
    held: dict[_Taken, int] = field(default_factory=dict)
    #: The strongest mode that is held on each relation.
    strongest: dict[str, int] = field(default_factory=dict)
    transaction: int = 0

    def go_on(self, number: int, step: Step) -> None:
        """Take the locks of the next statement."""
        transaction = step.statement.transaction
        if transaction != self.transaction or not transaction:
            self.end(number - 1)
            self.transaction = transaction
        for hold in sorted(step.taken, key=_weakness):
            # Later another relation may have the name.
            relation = step.name_before(hold.relation)
            strength = _STRENGTH[hold.lock.mode]
            # A weaker lock than one that is held makes nobody wait besides.
            if strength > self.strongest.get(relation, -1):
                self.strongest[relation] = strength
                self.held[hold.lock.relation, hold.lock.mode] = len(self.bars)
                self.bars.append(_bar(hold, relation, number))

    def let_go(self, number: int, released: Iterable[RelationLock]) -> None:
        """Give locks back after a statement, those that it took itself excepted."""
        for lock in released:
            place = self.held.get((lock.relation, lock.mode))
            if place is None or self.bars[place].first == number:
                continue
            del self.held[lock.relation, lock.mode]
            self.bars[place] = replace(self.bars[place], last=number)
            relation = self.bars[place].relation
            left = [
                _STRENGTH[one.mode]
                for one in map(self.bars.__getitem__, self.held.values())
                if one.relation == relation
            ]
            self.strongest[relation] = max(left, default=-1)

    def end(self, number: int) -> None:
        """End the transaction with a statement."""
        for place in self.held.values():
            self.bars[place] = replace(self.bars[place], last=number)
        self.held, self.strongest = {}, {}


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


def _counts(lock: RelationLock) -> bool:
    """Whether a lock is shown: others wait for it, or it is one of those that go with changes of a table."""
    return blocks(lock) or (
        lock.preexisting
        and lock.kind in _HAVE_ROWS
        and not is_internal(lock.relation)
        and _STRENGTH.get(lock.mode, 0) >= _WEAKEST
    )


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
