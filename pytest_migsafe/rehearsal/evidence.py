"""What happened when a migration was rehearsed: plain, immutable facts, the input of every rule."""

from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from typing import Any

from pytest_migsafe.catalog import Schema
from pytest_migsafe.migrations.dialect import WrittenFor
from pytest_migsafe.migrations.model import TransactionMode
from pytest_migsafe.rehearsal.state import State

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


class Lane(StrEnum):
    """How the evidence was gathered."""

    #: Statement by statement in a savepoint, rolled back, then applied for real.
    SAVEPOINT = "savepoint"
    #: Applied for real only, because a savepoint cannot hold the file.
    REAL = "real"


@dataclass(frozen=True, slots=True, kw_only=True)
class RelationLock:
    """A lock on a relation that a statement took and its transaction did not hold before."""

    #: Schema-qualified, quoted where needed.
    relation: str
    #: "table", "index", "view", "sequence", ...
    kind: str
    #: As ``pg_locks.mode`` spells it.
    mode: str
    #: Whether the relation existed before the file.
    preexisting: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Rewrite:
    """A relation whose file PostgreSQL replaced by a new one."""

    relation: str
    kind: str
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
    #: ``lock_timeout`` in force after the statement, in milliseconds; 0 means none.
    lock_timeout_ms: int = 0
    #: Locks newly taken. Empty for what ran outside a transaction block, whose locks are gone when it ends.
    locks: tuple[RelationLock, ...] = ()
    rewrites: tuple[Rewrite, ...] = ()
    scans: tuple[Scan, ...] = ()
    writes: tuple[Write, ...] = ()
    wal_bytes: int = 0
    #: How many relations, all created by the file itself, were not looked at, because there are too many.
    unread_relations: int = 0
    notices: tuple[Notice, ...] = ()
    kept: tuple[Kept, ...] = ()
    error: StatementError | None = None
    #: Whether locks, scans and writes could be read (the statement ran inside a transaction block).
    observed: bool = True

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Leak:
    """Something that a file left behind in its session."""

    #: "setting", "role", "temporary table", "advisory lock", "prepared statement", "cursor", "LISTEN",
    #: "open transaction".
    kind: str
    name: str
    value: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TransactionControlStatement:
    """A BEGIN, COMMIT, ... that stands in the file itself."""

    line: int
    column: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterChange:
    """Something of the whole cluster, not only of its database, that a file made, changed or removed."""

    #: "role", "membership", "setting", "database", "tablespace", "subscription" or "configuration".
    kind: str
    name: str
    #: Its definition; None where it is not there.
    before: str | None
    after: str | None


class LeftOutFor(StrEnum):
    """Why something of a file was not run."""

    #: It changes a whole cluster that is not ours.
    CLUSTER = "cluster"
    #: It is a parameter of something of which there is only a stub.
    STUB = "stub"
    #: It is a place on production's disks: the tablespace is made inside the data directory.
    TABLESPACE = "tablespace"
    #: It is a collation of ICU, without which our server is built: the collation made instead compares bytes.
    ICU = "icu"


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """A statement, or a part of one, that was not run."""

    line: int
    column: int
    text: str
    reason: LeftOutFor
    #: What of the cluster it changes ("roles"); empty for a stub.
    changes: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self) | {"reason": self.reason.value}


@dataclass(frozen=True, slots=True, kw_only=True)
class Creation:
    """A statement of the history that creates an object: who is asked when something is missing."""

    kind: str
    schema: str
    name: str
    path: str
    line: int
    #: Where the file stands relative to the rehearsed one: "earlier", "same" or "later".
    when: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Everything that is known of one migration's rehearsal."""

    migration_id: str
    path: str
    mode: TransactionMode
    #: Where the mode comes from, in words.
    mode_reason: str
    lane: Lane
    #: Why a savepoint could not hold the file; empty in the savepoint lane.
    lane_reason: str = ""
    server_version: str
    #: The role that ran the file, in the beginning.
    role: str = ""
    statements: tuple[StatementEvidence, ...] = ()
    #: The statements of the file, of which those after an error did not run.
    statement_count: int = 0
    before: Schema
    after: Schema
    #: The database before and after the file as the smoke tests see it; both look at what the file can have changed.
    state_before: State = field(default_factory=State)
    state_after: State = field(default_factory=State)
    #: The error that ended the file; None when it was applied.
    error: StatementError | None = None
    #: The text of the file's line that the error points at.
    error_line: str = ""
    leaks: tuple[Leak, ...] = ()
    #: Whether the runner ends the session with the file, and what is left in it.
    session_per_file: bool = False
    transaction_control: tuple[TransactionControlStatement, ...] = ()
    #: Whether BEGIN comes first and COMMIT last in the file, and nothing else controls the transaction.
    has_transaction_pair: bool = False
    cluster_changes: tuple[ClusterChange, ...] = ()
    #: The extensions in the database of which there is only a stub.
    stubbed: tuple[str, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    #: Whether statements that change the whole cluster are run; if not, those of the files before were left out, too.
    may_change_cluster: bool = True
    #: Other files of the same version, and whether their runner ends with an error because of it.
    same_version: tuple[str, ...] = ()
    refuses_duplicates: bool = False
    #: What the history's files create; gathered only when there is an error to explain, or a function that was broken.
    creations: tuple[Creation, ...] = ()
    #: The other database for which the file is written; asked only when the server could not understand it.
    written_for: WrittenFor | None = None
    duration_ms: float = 0.0

    @property
    def applied(self) -> bool:
        """Whether the file was applied for real."""
        return self.error is None
