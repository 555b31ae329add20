"""Who would have waited for what: the locks that a file holds, and the work that it does while it holds them.

A lock that is held for an instant is no stall. One under which a table is read, written or copied as a whole is, and the
more rows the table has, the longer (manual: "Explicit Locking"). Only tables that were there before the file count: nobody
waits for a table that nobody else can see.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from pytest_migsafe.migrations.operations import operations
from pytest_migsafe.migrations.queries import SMALL, Use
from pytest_migsafe.rehearsal.observed import LOCK_MODES, RelationLock, StatementEvidence
from pytest_migsafe.rehearsal.reach import Catalog, Reach

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
    if not lock.preexisting or lock.kind not in _USED or is_internal(lock.table):
        return False
    least = _BLOCKS_READS if lock.kind in _ONLY_STRONGEST else _BLOCKS_WRITES
    return _STRENGTH.get(lock.mode, 0) >= least


_USED = frozenset({"table", "foreign table", "materialized view", "view", "sequence", "index"})


class WorkKind(StrEnum):
    """Work that takes the longer, the more rows there are."""

    REWRITE = "rewrite"
    INDEX_BUILD = "index build"
    SCAN = "scan"
    #: Rows that were there are updated or deleted, as many as there are; or very many are inserted.
    WRITE = "write"


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


def stalls(statements: Sequence[StatementEvidence], catalog: Catalog) -> Iterator[Stall]:
    """Yield what was done under which locks, in the order of the file."""
    for step in steps(statements, catalog):
        holds = strongest(step.holds)
        if not holds:
            continue
        for command, works in step.works():
            yield Stall(statement=step.statement, command=command, works=works, holds=holds)


@dataclass(frozen=True, slots=True)
class Step:
    """A statement of a file, with what is known when it runs; to be asked before the next one is."""

    statement: StatementEvidence
    _before: tuple[Hold, ...]
    _own: tuple[Hold, ...]
    _known: "_Known"

    @property
    def holds(self) -> tuple[Hold, ...]:
        """The locks that its transaction held before it, and those that it took itself."""
        return self._as_known((*self._before, *self._own))

    @property
    def taken(self) -> tuple[Hold, ...]:
        """The locks that it took itself."""
        return self._as_known(self._own)

    def _as_known(self, holds: Iterable[Hold]) -> tuple[Hold, ...]:
        named = (self._known.with_old_name(one) for one in holds)
        return tuple(one for one in named if not self._known.is_unread(one.relation))

    def name_before(self, relation: str) -> str:
        """Return the name before the file of what is called so now."""
        return self._known.old_names.get(relation, relation)

    def works(self) -> Iterator[tuple[StatementEvidence, tuple[Work, ...]]]:
        """Yield its work by the commands that did it."""
        for command in self.statement.parts or (self.statement,):
            if works := tuple(dict.fromkeys(self._known.works(command))):
                yield command, works


def steps(
    statements: Sequence[StatementEvidence],
    catalog: Catalog,
    counts: Callable[[RelationLock], bool] = blocks,
) -> Iterator[Step]:
    """Yield each statement with the locks that it ran under: those that others wait for, or those that count."""
    known = _Known(catalog)
    for statement, before in holding(statements, counts):
        known.follow(statement)
        yield Step(statement, before, tuple(_taken(statement, counts)), known)


def holding(
    statements: Iterable[StatementEvidence], counts: Callable[[RelationLock], bool] = blocks
) -> Iterator[tuple[StatementEvidence, tuple[Hold, ...]]]:
    """Yield each statement with the locks that count and that its transaction held before it."""
    held: list[Hold] = []
    transaction = 0
    for statement in statements:
        if statement.transaction != transaction or not statement.transaction:
            held, transaction = [], statement.transaction
        yield statement, tuple(held)
        released = {(lock.relation, lock.mode) for lock in statement.released}
        held = [one for one in held if (one.lock.relation, one.lock.mode) not in released]
        held += _taken(statement, counts)


def _taken(statement: StatementEvidence, counts: Callable[[RelationLock], bool]) -> list[Hold]:
    locks = statement.locks if statement.transaction else (*statement.locks, *_implied(statement))
    return [Hold(lock, statement) for lock in locks if counts(lock)]


def _implied(statement: StatementEvidence) -> Iterator[RelationLock]:
    """Yield the locks of a statement outside a transaction block, which are gone when it is over, as what it did tells them.

    A table gets a new file under ACCESS EXCLUSIVE only, and an index that is not replaced by another, too (manual:
    "Explicit Locking"; VACUUM FULL, CLUSTER, REINDEX, and what a procedure does that commits).
    """
    for one in statement.rewrites:
        yield RelationLock(
            relation=one.relation,
            kind=one.kind,
            mode="AccessExclusiveLock",
            preexisting=one.preexisting,
            table=one.table,
        )
    if statement.node in _RUNS_ANYTHING:
        for build in statement.index_builds:
            yield RelationLock(
                relation=build.table, kind="table", mode="ShareLock", preexisting=build.preexisting
            )


#: Their text shows no command, and CONCURRENTLY is refused in them.
_RUNS_ANYTHING = frozenset({"DoStmt", "CallStmt", "SelectStmt"})


def strongest(holds: Iterable[Hold]) -> tuple[Hold, ...]:
    """Return the strongest hold of each relation, the first of several; one on a table goes before those on its indexes."""
    found: dict[str, Hold] = {}
    for one in holds:
        known = found.get(one.relation)
        if known is None or _rank(one) > _rank(known):
            found[one.relation] = one
    return tuple(found.values())


def _rank(hold: Hold) -> tuple[int, bool]:
    return _STRENGTH[hold.lock.mode], hold.lock.kind != "index"


#: Statements that make rows of those of other tables, and the locks under which their target is written, or made.
_FILLS = frozenset({"InsertStmt", "CreateTableAsStmt", "SelectStmt"})
_FILLED_UNDER = frozenset({"RowExclusiveLock", "AccessExclusiveLock"})


@dataclass
class _Known:
    """What is known of a file's tables when a statement runs."""

    catalog: Catalog
    transaction: int = 0
    #: Tables that the transaction has emptied: what it does with them is no work any more.
    emptied: set[str] = field(default_factory=set)
    #: Relations by whether they were there before the file.
    preexisting: dict[str, bool] = field(default_factory=dict)
    #: Relations that rows can have been written to in the transaction.
    written: set[str] = field(default_factory=set)
    #: New tables that the file has filled from those that were there: they have as many rows.
    filled: set[str] = field(default_factory=set)
    #: The names before the file of what it has renamed, by the new ones.
    old_names: dict[str, str] = field(default_factory=dict)

    def with_old_name(self, hold: Hold) -> Hold:
        """Return a lock on an index with the name by which those who wait know its table."""
        old = self.old_names.get(hold.lock.table)
        return hold if old is None else replace(hold, lock=replace(hold.lock, table=old))

    def follow(self, statement: StatementEvidence) -> None:
        """Learn from the next statement of the file what it touched."""
        if statement.transaction != self.transaction or not statement.transaction:
            self.transaction = statement.transaction
            self.emptied, self.written = set(), set()
        self.catalog.speak_of(statement)
        for one in statement.namings:
            if one.relation and one.became:
                self.old_names[one.became] = self.old_names.get(one.relation, one.relation)
        self.filled |= set(self._filled_by(statement))
        for lock in statement.locks:
            self.preexisting[lock.relation] = lock.preexisting
            if lock.mode == "RowExclusiveLock":
                self.written.add(lock.relation)
        if statement.node == "TruncateStmt":
            self.emptied |= {lock.relation for lock in statement.locks if lock.mode == "AccessExclusiveLock"}
            self.emptied |= set(self._truncated(statement))
        elif any(write.inserted > SMALL for write in statement.writes):
            self.emptied -= {write.relation for write in statement.writes if write.inserted > SMALL}
        self.emptied |= set(self._emptied_inside(statement))

    def _truncated(self, statement: StatementEvidence) -> Iterator[str]:
        for one in operations(statement.text):
            if one.node == "TruncateStmt":
                for table in one.tree.relations:
                    named = self.catalog.named(table.range_var.schemaname, table.range_var.relname)
                    if named is not None:
                        yield named

    def _emptied_inside(self, statement: StatementEvidence) -> Iterator[str]:
        """Yield the tables that a function or DO block with TRUNCATE has emptied: they have new files, the old ones unread.

        A rewrite reads the table once, and once more for each of its indexes; TRUNCATE only builds the indexes. SET
        TABLESPACE copies files without reading rows, and is seen by the tablespace.
        """
        if statement.node not in _RUNS_ANYTHING or not self.catalog.may_truncate(statement.text):
            return
        read = {scan.relation: scan.scans for scan in statement.scans}
        for one in statement.rewrites:
            if one.kind != "table":
                continue
            indexes = sum(
                other.kind == "index" and other.table == one.relation for other in statement.rewrites
            )
            # What commits was tried in a transaction block first, and counted there, too.
            only_built = {indexes} if statement.transaction else {indexes, 2 * indexes}
            if read.get(one.relation, 0) in {0, *only_built} and not self._has_moved(one.relation):
                yield one.relation

    def _has_moved(self, table: str) -> bool:
        then, now = self.catalog.before.get("table", table), self.catalog.after.get("table", table)
        return getattr(then, "tablespace", None) != getattr(now, "tablespace", None)

    def is_unread(self, relation: str) -> bool:
        """Whether a relation is a materialized view without rows: whoever reads it gets an error, and does not wait."""
        return getattr(self.catalog.before.get("view", relation), "populated", True) is False

    def works(self, statement: StatementEvidence) -> Iterator[Work]:
        """Yield the work that a statement did with tables that were there before the file."""
        reaches = self.catalog.reaches(statement)
        written = tuple(self._written(statement, reaches.tables if reaches is not None else ()))
        done = {one.table for one in written if one.kind is WorkKind.WRITE}
        for one in (*_replaced(statement), *self._refreshed(statement), *written, *self._scanned(statement)):
            if is_internal(one.table) or one.table in self.emptied:
                continue
            # Of what is written it goes without saying that it is read, and of its partitions, too.
            if one.kind is WorkKind.SCAN and not done.isdisjoint(self.catalog.family(one.table)):
                continue
            yield one

    def _refreshed(self, statement: StatementEvidence) -> Iterator[Work]:
        """Yield the materialized view that REFRESH fills: its file is new, but so would be that of an emptied one."""
        for one in operations(statement.text) if statement.node == "RefreshMatViewStmt" else ():
            view = self.catalog.named(one.tree.relation.schemaname, one.tree.relation.relname)
            if view is None or one.tree.skip_data or one.tree.concurrent or not self._is_preexisting(view):
                continue
            yield Work(WorkKind.REWRITE, view)

    def _is_preexisting(self, relation: str) -> bool:
        known = self.preexisting.get(relation)
        if known is not None:
            return known
        return bool(self.catalog.before.belonging_to(relation))

    def _filled_by(self, statement: StatementEvidence) -> Iterator[str]:
        """Yield the new tables to which a statement copies whole tables."""
        if statement.node not in _FILLS or not any(self._scanned(statement)):
            return
        for lock in statement.locks:
            if lock.kind == "table" and not lock.preexisting and lock.mode in _FILLED_UNDER:
                yield lock.relation

    def _scanned(self, statement: StatementEvidence) -> Iterator[Work]:
        if statement.tag == "ANALYZE":
            # It reads some rows of each page, of up to 30,000 pages (manual: ANALYZE, "Notes"), and counts no scan.
            for lock in statement.locks:
                if lock.preexisting and lock.kind == "table" and lock.mode == "ShareUpdateExclusiveLock":
                    yield Work(WorkKind.SCAN, lock.relation)
        for scan in statement.scans:
            if scan.relation in self.filled or (
                scan.preexisting and self._is_read_as_a_whole(statement, scan.relation)
            ):
                yield Work(WorkKind.SCAN, scan.relation)

    def _is_read_as_a_whole(self, statement: StatementEvidence, table: str) -> bool:
        """Whether a table that was read sequentially would be so however many rows it had."""
        reaches = self.catalog.reaches(statement)
        if reaches is None:
            return True
        named = reaches.of(self.catalog.family(table))
        if named:
            return reaches.is_open or any(not one.is_few for one in named)
        if reaches.is_open:
            return True
        # The check of a foreign key finds one row by its key, or by an index that is there for it.
        changed = {name for write in statement.writes for name in self.catalog.family(write.relation)}
        changed |= {one.table for one in reaches.tables if one.use is not Use.READ}
        if any(not self.catalog.refers_to(one).isdisjoint(self.catalog.family(table)) for one in changed):
            return False
        return not any(
            self.catalog.refers_to(one) & changed and one not in self._unindexed(changed)
            for one in self.catalog.family(table)
        )

    def _unindexed(self, changed: Iterable[str]) -> set[str]:
        return {name for one in changed for name in self.catalog.unindexed_referrers(one)}

    def _written(self, statement: StatementEvidence, reached: Sequence[Reach]) -> Iterator[Work]:
        """Yield the tables whose rows were updated, deleted or inserted in numbers that nobody knows."""
        for one in reached:
            if one.in_body and one.table not in self.written:
                continue
            if one.use in (Use.UPDATED, Use.DELETED) and not one.is_few and self._is_preexisting(one.table):
                yield Work(WorkKind.WRITE, one.table)
            if one.use is Use.DELETED:
                for other in self.catalog.unindexed_referrers(one.table):
                    if self._is_preexisting(other):
                        yield Work(WorkKind.SCAN, other)
        for write in statement.writes:
            if write.preexisting and write.inserted + write.updated + write.deleted > SMALL:
                yield Work(WorkKind.WRITE, write.relation)


def _replaced(statement: StatementEvidence) -> Iterator[Work]:
    for rewrite in statement.rewrites:
        if rewrite.preexisting:
            if rewrite.kind == "index":
                yield Work(WorkKind.INDEX_BUILD, rewrite.table, rewrite.relation)
            else:
                yield Work(WorkKind.REWRITE, rewrite.relation)
    for build in statement.index_builds:
        if build.preexisting:
            yield Work(WorkKind.INDEX_BUILD, build.table, build.index)


def is_internal(relation: str) -> bool:
    """Whether a relation is the TOAST table of another, which is spoken of instead."""
    return relation.startswith("pg_toast.")
