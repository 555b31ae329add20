"""A database at position k of a history: rehearse the file there, apply it, go on to the next."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Self

import psycopg

from pytest_migsafe.errors import MigrationReadError
from pytest_migsafe.migrations.dialect import WrittenFor, written_for
from pytest_migsafe.migrations.model import History, Migration, Script
from pytest_migsafe.postgres.database import Database
from pytest_migsafe.rehearsal.creations import find_creations
from pytest_migsafe.rehearsal.end import End
from pytest_migsafe.rehearsal.evidence import Evidence, StatementError
from pytest_migsafe.rehearsal.isolation import IsolationLostError
from pytest_migsafe.rehearsal.loss import sessions_end_shown
from pytest_migsafe.rehearsal.rehearsal_database import Conditions, RehearsalDatabase
from pytest_migsafe.rehearsal.task import Task

#: Opens an empty database for a chain, and leaves closing it to the stack.
OpenDatabase = Callable[[ExitStack], Database]


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocked:
    """A file that cannot be rehearsed, because one before it cannot be applied."""

    by: Migration
    error: StatementError


class Chain:
    """A database to which the first ``position`` files of a history have been applied, and nothing else.

    Going back means a new database. On a server of ours that is a new server: migrations create roles and change
    settings of the whole cluster, which no two chains can share.
    """

    def __init__(
        self, history: History, open_database: OpenDatabase, conditions: Conditions | None = None
    ) -> None:
        self._history = history
        self._open_database = open_database
        self._conditions = conditions or Conditions()
        self._resources = ExitStack()
        self._open: RehearsalDatabase | None = None
        self._failed: tuple[int, StatementError] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the database; the next rehearsal opens a new one."""
        self._open = None
        self._resources.close()

    def rehearse(self, position: int) -> Evidence | Blocked:
        """Rehearse the file at a position, apply it if it can be applied, and tell what happened.

        Raises:
            ServerError: the throwaway server could not be started, or died other than by the file's doing.
        """
        blocked = self._go_to(position)
        if blocked is not None:
            return blocked
        migration = self._history.migrations[position]
        started = perf_counter()
        try:
            task = self._database.task(migration)
        except MigrationReadError as error:
            return self._fail(position, None, self._database.unread(migration, error))
        try:
            evidence = self._try(task)
        except IsolationLostError:
            # The database is in an unknown state: throw it away and run the file for real on a true one.
            self.close()
            blocked = self._go_to(position)
            if blocked is not None:
                return blocked
            evidence = self._try(task, hold=False)
        evidence = replace(
            evidence,
            duration_ms=(perf_counter() - started) * 1000,
            same_version=migration.same_version,
            refuses_duplicates=self._history.refuses_duplicates,
            creations=find_creations(self._history, position) if _broke_code(evidence) else (),
        )
        return evidence if evidence.error is None else self._fail(position, task.script, evidence)

    def end(self) -> End | Blocked:
        """Apply whatever is not applied yet, and tell what the database holds then.

        Raises:
            ServerError: the throwaway server could not be started, or is gone.
        """
        return self._go_to(len(self._history.migrations)) or self._database.end()

    def _try(self, task: Task, *, hold: bool = True) -> Evidence:
        """Rehearse a file in the open database, which is closed when the file has ended its session.

        Raises:
            IsolationLostError: something of the rehearsal may have remained.
            ServerError: the server is gone, or its disk full.
        """
        database = self._database
        try:
            with sessions_end_shown():
                evidence = database.rehearse(task, hold=hold)
        except psycopg.OperationalError as error:
            evidence = database.lost(task, error)
            self.close()
            return evidence
        if evidence.error is not None:
            database.demand_room(task.migration, evidence.error)
        return evidence

    @property
    def database(self) -> Database:
        """The database at the chain's position, for looking at."""
        return self._database.database

    @property
    def _database(self) -> RehearsalDatabase:
        if self._open is None:
            self._open = RehearsalDatabase(self._open_database(self._resources), self._conditions)
            self._resources.callback(self._open.close)
        return self._open

    def _go_to(self, position: int) -> Blocked | None:
        """Bring the database to the state before the file at a position, applying what lies between."""
        if self._failed is not None and self._failed[0] < position:
            return self._blocked(*self._failed)
        if self._open is not None and self._open.position > position:
            self.close()
        while self._database.position < position:
            at = self._database.position
            error = self._database.apply(self._history.migrations[at])
            if error is not None:
                self._failed = at, error
                return self._blocked(at, error)
        return None

    def _blocked(self, position: int, error: StatementError) -> Blocked:
        return Blocked(by=self._history.migrations[position], error=error)

    def _fail(self, position: int, script: Script | None, evidence: Evidence) -> Evidence:
        assert evidence.error is not None  # noqa: S101 - the callers' condition
        self._failed = position, evidence.error
        # What a failed file left behind (outside a transaction, much may stay) is no state to go on from.
        self.close()
        return replace(
            evidence,
            creations=find_creations(self._history, position),
            written_for=_written_for(script, evidence.error),
        )


#: syntax_error and undefined_object, such as a type (manual: "PostgreSQL Error Codes").
_NOT_POSTGRESQL = frozenset({"42601", "42704"})


def _broke_code(evidence: Evidence) -> bool:
    """Whether a function no longer works: what it lacks may be created by a later file."""
    before, after = evidence.state_before.facts, evidence.state_after.facts
    return any(before.broken_functions.get(name) != broken for name, broken in after.broken_functions.items())


def _written_for(script: Script | None, error: StatementError) -> WrittenFor | None:
    if script is None or error.sqlstate not in _NOT_POSTGRESQL:
        return None
    return written_for(script.source)
