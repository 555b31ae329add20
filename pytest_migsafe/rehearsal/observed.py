"""What one statement of a file was observed to do: plain, immutable facts."""

from dataclasses import asdict, dataclass, replace
from typing import Any

#: Lock modes from weak to strong, as ``pg_locks.mode`` spells them (manual: "Table-Level Locks").
LOCK_MODES = (
    "AccessShareLock",
    "RowShareLock",
    "RowExclusiveLock",
    "ShareUpdateExclusiveLock",
    "ShareLock",
    "ShareRowExclusiveLock",
    "ExclusiveLock",
    "AccessExclusiveLock",
)


_LONGEST_TEXT = 10_000


def shortened(text: str, longest: int = _LONGEST_TEXT) -> str:
    """Return a text as it is, or what it begins with when it is longer than so many characters."""
    return text if len(text) <= longest else f"{text[:longest]}…"


@dataclass(frozen=True, slots=True, kw_only=True)
class RelationLock:
    """A lock on a relation that a statement took and its transaction did not hold before."""

    #: Schema-qualified, quoted where needed.
    relation: str
    #: "table", "index", "view", "sequence", ...
    kind: str
    #: As ``pg_locks.mode`` spells it.
    mode: str
    #: Whether the relation existed before the file, and belongs to no extension.
    preexisting: bool
    #: An index's table.
    table: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rewrite:
    """A relation whose file PostgreSQL replaced by a new one."""

    relation: str
    kind: str
    preexisting: bool
    #: An index's table.
    table: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexBuild:
    """A new index that PostgreSQL filled from a table, also one that takes the place of another."""

    index: str
    table: str
    #: Whether the table existed before the file, and belongs to no extension.
    preexisting: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """Sequential reading of a table, which index builds and validations do too."""

    relation: str
    scans: int
    tuples: int
    preexisting: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """Rows of a table that a statement wrote."""

    relation: str
    inserted: int
    updated: int
    deleted: int
    preexisting: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Naming:
    """A relation that a statement made, dropped, or gave another name or schema."""

    #: Its name before the statement; empty for one that is new.
    relation: str
    #: Its name after the statement; empty for one that was dropped.
    became: str
    #: "table", "view", "materialized view", "foreign table" or "sequence".
    kind: str
    #: Whether it was there before the file, and belongs to no extension.
    preexisting: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """A message of the server that is no error."""

    severity: str
    sqlstate: str
    message: str
    detail: str = ""
    hint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementError:
    """The error with which the server ended a statement, and where in the file it points."""

    sqlstate: str
    message: str
    detail: str = ""
    hint: str = ""
    #: The server's context lines (the PL/pgSQL call stack).
    context: str = ""
    #: The objects that the server names.
    schema: str = ""
    table: str = ""
    column_name: str = ""
    constraint: str = ""
    #: 1-based place in the file: where the server points, or else where the statement begins.
    line: int
    column: int
    #: What was being done that is no statement of the file, such as the runner's COMMIT.
    during: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """An object that IF NOT EXISTS left as it was, compared with what the statement would have created."""

    kind: str
    name: str
    #: The existing object's definition and the statement's, line by line; equal when both are.
    existing: tuple[str, ...]
    wanted: tuple[str, ...]
    #: Why the two could not be compared; empty when they were.
    not_compared: str = ""

    @property
    def differs(self) -> bool:
        """Whether the object that was kept is not the one that the statement describes."""
        return not self.not_compared and self.existing != self.wanted


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementEvidence:
    """What one statement did."""

    #: 1-based place of the statement's first character, and its last line.
    line: int
    column: int
    end_line: int
    text: str
    #: The parse tree's node (``IndexStmt``, ...), empty when the grammar rejects the statement.
    node: str
    #: The server's command tag; empty when the statement failed.
    tag: str = ""
    duration_ms: float = 0.0
    #: Which of the file's transactions the statement ran in, from 1 on: those of one hold their locks together.
    #: 0 outside a transaction block.
    transaction: int = 0
    #: ``lock_timeout`` and ``statement_timeout`` in force before the statement, in milliseconds; 0 means none.
    lock_timeout_before_ms: int = 0
    statement_timeout_before_ms: int = 0
    #: ``lock_timeout`` in force after the statement.
    lock_timeout_ms: int = 0
    #: Locks newly taken; of what ran outside a transaction block, those on tables that a witness saw it take.
    locks: tuple[RelationLock, ...] = ()
    #: Locks that are held no more (ROLLBACK TO SAVEPOINT).
    released: tuple[RelationLock, ...] = ()
    rewrites: tuple[Rewrite, ...] = ()
    index_builds: tuple[IndexBuild, ...] = ()
    scans: tuple[Scan, ...] = ()
    writes: tuple[Write, ...] = ()
    wal_bytes: int = 0
    #: How many relations, all created by the file itself, were not looked at, because there are too many.
    unread_relations: int = 0
    #: Relations that came, went or are called otherwise, also by CASCADE or in code; not those of which only the
    #: schema got another name.
    namings: tuple[Naming, ...] = ()
    notices: tuple[Notice, ...] = ()
    kept: tuple[Kept, ...] = ()
    error: StatementError | None = None
    #: Whether all locks could be read, and the scans and writes of this statement alone (it ran inside a transaction
    #: block).
    observed: bool = True
    #: The commands of an ALTER TABLE with several, each as a statement of its own, if it did any work that grows with
    #: a table: which of them did it is seen by running them one by one.
    parts: tuple["StatementEvidence", ...] = ()

    @property
    def rows_written(self) -> int:
        """Rows inserted, updated and deleted, by the statement and by triggers that it fired."""
        return sum(write.inserted + write.updated + write.deleted for write in self.writes)

    def to_json(self) -> dict[str, Any]:
        """Return the statement's evidence as JSON values."""
        # A seed's statement may have megabytes, and travels with every report.
        plain = asdict(replace(self, text=shortened(self.text)))
        plain["rows_written"] = self.rows_written
        plain["duration_ms"] = round(self.duration_ms, 3)
        return plain
