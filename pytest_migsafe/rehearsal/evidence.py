"""What happened when a migration was rehearsed: plain, immutable facts, the input of every rule."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from functools import cached_property, wraps
from typing import Any, TypeVar

from pytest_migsafe.catalog import Change, Schema, diff
from pytest_migsafe.migrations.dialect import WrittenFor
from pytest_migsafe.migrations.model import TransactionMode
from pytest_migsafe.migrations.origin import Origin
from pytest_migsafe.migrations.waivers import Waiver
from pytest_migsafe.rehearsal.holding import Stall, stalls
from pytest_migsafe.rehearsal.identities import Identities
from pytest_migsafe.rehearsal.observed import (
    LOCK_MODES,
    IndexBuild,
    Kept,
    Naming,
    Notice,
    RelationLock,
    Rewrite,
    Scan,
    StatementError,
    StatementEvidence,
    Write,
    shortened,
)
from pytest_migsafe.rehearsal.reach import Catalog, Reaches
from pytest_migsafe.rehearsal.state import State, major_of
from pytest_migsafe.rehearsal.timeline import Timeline, timeline

__all__ = [
    "LOCK_MODES",
    "ClusterChange",
    "Creation",
    "Evidence",
    "IndexBuild",
    "Kept",
    "Lane",
    "Leak",
    "LeftOut",
    "LeftOutFor",
    "Naming",
    "Notice",
    "RelationLock",
    "Rewrite",
    "Scan",
    "StatementError",
    "StatementEvidence",
    "TransactionControlStatement",
    "Waiver",
    "Write",
    "once",
    "shortened",
]


_Made = TypeVar("_Made")


class Lane(StrEnum):
    """How the evidence was gathered."""

    #: Statement by statement in a savepoint, rolled back, then applied for real.
    SAVEPOINT = "savepoint"
    #: Applied for real only, because a savepoint cannot hold the file.
    REAL = "real"


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


@dataclass(frozen=True, kw_only=True)
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
    #: What the file itself allows, and why.
    waivers: tuple[Waiver, ...] = ()
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
    #: Where the file comes from; None: nothing is known of its past.
    origin: Origin | None = None
    #: What the history's files create; gathered only when there is an error to explain, or a function that was broken.
    creations: tuple[Creation, ...] = ()
    #: The other database for which the file is written; asked only when the server could not understand it.
    written_for: WrittenFor | None = None
    duration_ms: float = 0.0

    @property
    def applied(self) -> bool:
        """Whether the file was applied for real."""
        return self.error is None

    @property
    def major(self) -> int:
        """The server's major version."""
        return major_of(self.server_version)

    @cached_property
    def made_once(self) -> dict[Callable[["Evidence"], Any], Any]:
        """What functions made of the evidence, by the function; only for `once`."""
        return {}

    @cached_property
    def changes(self) -> tuple[Change, ...]:
        """What of the schema is different after the file."""
        return tuple(diff(self.before, self.after))

    @cached_property
    def _catalog(self) -> Catalog:
        return Catalog(self.before, self.after)

    @cached_property
    def reaches(self) -> tuple[Reaches | None, ...]:
        """What each statement does with the rows of tables, as its text tells; None where it does not."""
        found = []
        for one in self.statements:
            # Names without a schema mean what the statements touched.
            self._catalog.speak_of(one)
            found.append(self._catalog.reaches(one))
        return tuple(found)

    @cached_property
    def stalls(self) -> tuple[Stall, ...]:
        """What was done, growing with a table, while locks were held that others wait for."""
        return tuple(stalls(self.statements, self._catalog))

    @cached_property
    def timeline(self) -> Timeline:
        """The locks along the statements, and what was done while they were held."""
        return timeline(self.statements, self._catalog)

    @cached_property
    def identities(self) -> Identities:
        """What is the same before and after the file, whatever it is called."""
        return Identities(self.before, self.after, self.statements)


def once(make: Callable[[Evidence], _Made]) -> Callable[[Evidence], _Made]:
    """Have a function that many rules ask make its answer once for each evidence; what it returns is never changed."""

    @wraps(make)
    def made(evidence: Evidence) -> _Made:
        if make not in evidence.made_once:
            evidence.made_once[make] = make(evidence)
        answer: _Made = evidence.made_once[make]
        return answer

    return made
