"""Who would have waited for what: the locks that a file holds, and the work that it does while it holds them.

A lock that is held for an instant is no stall. One under which a table is read, written or copied as a whole is, and the
more rows the table has, the longer (manual: "Explicit Locking"). Only tables that were there before the file count: nobody
waits for a table that nobody else can see.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from pytest_migsafe.rehearsal.observed import LOCK_MODES, RelationLock, StatementEvidence

_STRENGTH = {mode: place for place, mode in enumerate(LOCK_MODES)}
_BLOCKS_WRITES = _STRENGTH["ShareLock"]
_BLOCKS_READS = _STRENGTH["AccessExclusiveLock"]


@dataclass(frozen=True, slots=True)
class Hold:
    """A lock for which others wait, on a relation that was there before the file."""

    lock: RelationLock
    #: The statement that took it.
    since: StatementEvidence

    @property
    def relation(self) -> str:
        """The relation whose users wait: of an index, its table, for planning a query locks all of its indexes."""
        return self.lock.table or self.lock.relation

    @property
    def blocks_reads(self) -> bool:
        """Whether even a SELECT waits."""
        return _STRENGTH.get(self.lock.mode, 0) >= _BLOCKS_READS

    @property
    def waiting(self) -> str:
        """Who waits: "reads and writes", "writes", or, for a sequence, "nextval"."""
        if self.lock.kind == "sequence":
            return "nextval"
        if self.lock.kind in _NEVER_WRITTEN:
            return "reads"
        return "reads and writes" if self.blocks_reads else "writes"


#: Nobody writes to them but REFRESH, and to a view by way of its tables.
_NEVER_WRITTEN = frozenset({"view", "materialized view"})
_ONLY_STRONGEST = _NEVER_WRITTEN | {"index"}


def blocks(lock: RelationLock) -> bool:
    """Whether others wait for a lock: readers or writers of what was there before the file."""
    if not lock.preexisting or lock.kind not in _USED:
        return False
    least = _BLOCKS_READS if lock.kind in _ONLY_STRONGEST else _BLOCKS_WRITES
    return _STRENGTH.get(lock.mode, 0) >= least


_USED = frozenset({"table", "foreign table", "materialized view", "view", "sequence", "index"})


class WorkKind(StrEnum):
    """Work that takes the longer, the more rows there are."""

    REWRITE = "rewrite"
    INDEX_BUILD = "index build"
    SCAN = "scan"


@dataclass(frozen=True, slots=True)
class Work:
    """What was done with the whole of a table that was there before the file."""

    kind: WorkKind
    #: The table, also where it is an index that is built.
    table: str
    index: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stall:
    """A statement that did work while locks were held that others wait for."""

    statement: StatementEvidence
    #: The statement; of an ALTER TABLE with several commands the one that did the work.
    command: StatementEvidence
    works: tuple[Work, ...]
    #: The strongest lock for each relation's users, in the order in which they were taken.
    holds: tuple[Hold, ...]

    def worked(self, kind: WorkKind) -> tuple[Work, ...]:
        """Return the work of a kind."""
        return tuple(one for one in self.works if one.kind is kind)

    @property
    def own(self) -> tuple[Hold, ...]:
        """The locks that the statement itself took."""
        return tuple(one for one in self.holds if one.since is self.statement)

    @property
    def earlier(self) -> tuple[Hold, ...]:
        """The locks that statements before it took."""
        return tuple(one for one in self.holds if one.since is not self.statement)


def stalls(statements: Sequence[StatementEvidence]) -> Iterator[Stall]:
    """Yield what was done under which locks, in the order of the file."""
    for statement, before in holding(statements):
        holds = _strongest([*before, *_taken(statement)])
        for command in statement.parts or (statement,):
            if holds and (works := tuple(_works(command))):
                yield Stall(statement=statement, command=command, works=works, holds=holds)


def holding(statements: Iterable[StatementEvidence]) -> Iterator[tuple[StatementEvidence, tuple[Hold, ...]]]:
    """Yield each statement with the locks that others wait for and that its transaction held before it."""
    held: list[Hold] = []
    transaction = 0
    for statement in statements:
        if statement.transaction != transaction or not statement.transaction:
            held, transaction = [], statement.transaction
        yield statement, tuple(held)
        released = {(lock.relation, lock.mode) for lock in statement.released}
        held = [one for one in held if (one.lock.relation, one.lock.mode) not in released]
        held += _taken(statement)


def _taken(statement: StatementEvidence) -> list[Hold]:
    return [Hold(lock, statement) for lock in statement.locks if blocks(lock)]


def _strongest(holds: Iterable[Hold]) -> tuple[Hold, ...]:
    """Return the strongest hold of each relation, the first of several; one on a table goes before those on its indexes."""
    found: dict[str, Hold] = {}
    for one in holds:
        known = found.get(one.relation)
        if known is None or _rank(one) > _rank(known):
            found[one.relation] = one
    return tuple(found.values())


def _rank(hold: Hold) -> tuple[int, bool]:
    return _STRENGTH[hold.lock.mode], hold.lock.kind != "index"


def _works(statement: StatementEvidence) -> Iterator[Work]:
    """Yield the work that a statement did with tables that were there before the file."""
    for rewrite in statement.rewrites:
        if rewrite.preexisting:
            if rewrite.kind == "index":
                yield Work(WorkKind.INDEX_BUILD, rewrite.table, rewrite.relation)
            else:
                yield Work(WorkKind.REWRITE, rewrite.relation)
    for build in statement.index_builds:
        if build.preexisting:
            yield Work(WorkKind.INDEX_BUILD, build.table, build.index)
    for scan in statement.scans:
        if scan.preexisting:
            yield Work(WorkKind.SCAN, scan.relation)
