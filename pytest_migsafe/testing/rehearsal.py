"""What the rehearsal of one migration found out, as a test asks for it."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pytest_migsafe.catalog import Change, Schema
from pytest_migsafe.findings import Finding
from pytest_migsafe.migrations.model import Migration
from pytest_migsafe.rehearsal.evidence import (
    LOCK_MODES,
    Evidence,
    RelationLock,
    StatementError,
    StatementEvidence,
)
from pytest_migsafe.rehearsal.holding import Stall
from pytest_migsafe.rules import Rule
from pytest_migsafe.testing.names import relation_in

if TYPE_CHECKING:
    # For annotations, as in `database`.
    from pytest_migsafe.review import Review


@dataclass(frozen=True)
class Rehearsal:
    """The rehearsal of one migration: what PostgreSQL did, and what the rules make of it.

    It is the one that the migration's own item is judged by; nothing is applied for it a second time.
    """

    #: What the item's verdict and the reports are made of.
    review: "Review"
    #: Everything that was observed.
    evidence: Evidence
    #: The rules of the run, the team's own too.
    rules: tuple[Rule, ...] = field(default=(), repr=False)

    def __repr__(self) -> str:
        return f"<rehearsal of {self.migration.relative_path}: {self.review.outcome.value}>"

    @property
    def migration(self) -> Migration:
        """The migration."""
        return self.review.migration

    @property
    def postgres(self) -> str:
        """The version of the server, such as "18.6"."""
        return self.review.postgres

    @property
    def applied(self) -> bool:
        """Whether the file could be applied."""
        return self.evidence.applied

    @property
    def error(self) -> StatementError | None:
        """The error that ended the file; None when it was applied."""
        return self.evidence.error

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What the rules find, in the order of the file, as the settings grade it; waived ones too."""
        return self.review.findings

    @property
    def statements(self) -> tuple[StatementEvidence, ...]:
        """What each statement did: locks, rewrites, scans, rows written, notices, error."""
        return self.evidence.statements

    @property
    def stalls(self) -> tuple[Stall, ...]:
        """The statements that did work which grows with a table while locks were held that others wait for."""
        return self.evidence.stalls

    @property
    def schema_before(self) -> Schema:
        """The schema before the file."""
        return self.evidence.before

    @property
    def schema_after(self) -> Schema:
        """The schema after the file."""
        return self.evidence.after

    @property
    def changes(self) -> tuple[Change, ...]:
        """What of the schema is different after the file."""
        return self.review.changes

    def locks_on(self, relation: str) -> tuple[RelationLock, ...]:
        """Return the locks that the file took on a relation and on its indexes, in the order in which it took them.

        Args:
            relation: its qualified name, such as "public.invoices"; the schema may be left out where one has it.

        Raises:
            SelectionError: there is no such relation before or after the file.
        """
        name = relation_in((self.schema_before, self.schema_after), relation)
        return tuple(
            lock for one in self.statements for lock in one.locks if name in (lock.relation, lock.table)
        )

    def strongest_lock_on(self, relation: str) -> str:
        """Return the strongest of these locks as ``pg_locks`` spells it ("AccessExclusiveLock"); empty: none was taken."""
        modes = [lock.mode for lock in self.locks_on(relation)]
        return max(modes, key=LOCK_MODES.index, default="")
