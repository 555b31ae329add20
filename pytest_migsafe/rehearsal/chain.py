"""A database at position k of a history: rehearse the file there, apply it, go on to the next."""

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Self

import psycopg

from pytest_migsafe import catalog
from pytest_migsafe.errors import MigrationReadError, ServerError
from pytest_migsafe.migrations.model import History, Migration, Script
from pytest_migsafe.migrations.statements import Statement
from pytest_migsafe.postgres.database import Database
from pytest_migsafe.postgres.server import Server
from pytest_migsafe.rehearsal.creations import find_creations
from pytest_migsafe.rehearsal.evidence import (
    Evidence,
    Lane,
    StatementError,
    TransactionControlStatement,
)
from pytest_migsafe.rehearsal.isolation import (
    IsolationLostError,
    Run,
    SavepointCannotHoldError,
    apply_as_runner,
    run_for_real,
    run_in_savepoint,
    why_not_in_savepoint,
)
from pytest_migsafe.rehearsal.loss import demand_room, explain_loss
from pytest_migsafe.rehearsal.sequences import SequenceValues, read_sequences, restore_sequences
from pytest_migsafe.rehearsal.session import MigrationSession
from pytest_migsafe.rehearsal.trace import describe

#: Starts a server of its own for a chain, and leaves stopping it to the stack.
StartServer = Callable[[ExitStack], Server]


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocked:
    """A file that cannot be rehearsed, because one before it cannot be applied."""

    by: Migration
    error: StatementError


class Chain:
    """A database to which the first ``position`` files of a history have been applied, and nothing else.

    The chain owns its server: migrations create roles and change settings of the whole cluster, so going back
    means a new one, and two chains do not share one.
    """

    def __init__(
        self, history: History, start_server: StartServer, *, options: Mapping[str, str] | None = None
    ) -> None:
        """``options`` are the settings of the migrations' sessions, such as ``lock_timeout``."""
        self._history = history
        self._start_server = start_server
        self._options = options or {}
        self._resources = ExitStack()
        self._open: _OpenDatabase | None = None
        self._failed: tuple[int, StatementError] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop the server; the next rehearsal starts a new one."""
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
        database = self._database
        try:
            script = migration.read()
        except MigrationReadError as error:
            return self._fail(position, database.unread(migration, str(error)))
        try:
            evidence = database.rehearse(migration, script)
        except IsolationLostError:
            # The database is in an unknown state: throw it away and run the file for real on a true one.
            self.close()
            self._go_to(position)
            evidence = self._database.rehearse(migration, script, hold=False)
        except psycopg.OperationalError as error:
            evidence = database.lost(migration, script, error)
            self.close()
        evidence = replace(evidence, duration_ms=(perf_counter() - started) * 1000)
        if evidence.error is not None:
            database.demand_room(migration, evidence.error)
            return self._fail(position, evidence)
        return evidence

    @property
    def database(self) -> Database:
        """The database at the chain's position, for looking at."""
        return self._database.database

    @property
    def _database(self) -> "_OpenDatabase":
        if self._open is None:
            server = self._start_server(self._resources)
            # The server is this chain's alone, so the database that comes with every cluster will do.
            self._open = _OpenDatabase(Database(server, "postgres"), self._options)
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

    def _fail(self, position: int, evidence: Evidence) -> Evidence:
        assert evidence.error is not None  # noqa: S101 - the callers' condition
        self._failed = position, evidence.error
        # What a failed file left behind (outside a transaction, much may stay) is no state to go on from.
        self.close()
        return replace(evidence, creations=find_creations(self._history, position))


class _OpenDatabase:
    """The chain's database while its server runs."""

    def __init__(self, database: Database, options: Mapping[str, str]) -> None:
        self.database = database
        self._server = database.server
        self.position = 0
        self._session = MigrationSession(lambda: database.connect(options=options))
        # Both are read when they are first needed, and kept up to date from then on.
        self._schema: catalog.Schema | None = None
        self._sequences: SequenceValues | None = None

    def close(self) -> None:
        self._session.close()

    def apply(self, migration: Migration) -> StatementError | None:
        """Apply a file without looking closer, on the way to another; return the error that ended it."""
        self._schema = self._sequences = None
        try:
            script = migration.read()
            error = apply_as_runner(self._session.connection, script)
        except MigrationReadError as problem:
            return _unreadable(str(problem))
        except psycopg.OperationalError as problem:
            return explain_loss(self._server, migration.relative_path, problem)
        if error is None:
            self._session.renew(script)
            self.position += 1
        return error

    def rehearse(self, migration: Migration, script: Script, *, hold: bool = True) -> Evidence:
        """Rehearse a file and apply it; ``hold=False`` applies it for real only."""
        connection = self._session.connection
        if self._schema is None:
            self._schema = catalog.snapshot(connection)
        if self._sequences is None:
            self._sequences = read_sequences(connection)
        before = self._schema
        reason = "a savepoint was lost in it" if not hold else why_not_in_savepoint(script)
        run: Run | None = None
        if not reason:
            run, reason = self._rehearse_and_apply(script, before)
        if run is None:
            run = run_for_real(connection, script)
            self._sequences = None
        leaks = self._session.renew(script)
        after = run.after if run.after is not None else catalog.snapshot(self._session.connection)
        if run.error is None:
            self.position += 1
            self._schema = after
        return replace(
            self._evidence(migration, script, before),
            lane=Lane.REAL if reason else Lane.SAVEPOINT,
            lane_reason=reason,
            statements=describe(script, run.traced, run.baseline),
            # Outside one transaction, a part of a failed file may stay.
            after=after,
            error=run.error,
            error_line=_line(script, run.error),
            leaks=leaks,
        )

    def _rehearse_and_apply(self, script: Script, before: catalog.Schema) -> tuple[Run | None, str]:
        """Rehearse a file in a savepoint, then apply it; return the run, or why there has to be another."""
        connection = self._session.connection
        try:
            run = run_in_savepoint(self._session.prepared, script, before)
        except SavepointCannotHoldError as refusal:
            self._session.reset(script)
            return None, str(refusal)
        self._session.reset(script)
        self._put_sequences_back(run)
        error = apply_as_runner(connection, script)
        if run.error is not None and error is None:
            # It does apply, so the savepoint was in the way of something.
            reason = f"in a savepoint it fails: {run.error.message}"
            return replace(run, error=None), reason
        if error is not None and run.error is None:
            # The rehearsal's schema is none that there is.
            run = replace(run, error=error, after=None)
        self._learn_sequences(run)
        return run, ""

    def _put_sequences_back(self, run: Run) -> None:
        known = self._sequences or {}
        drawn = {
            oid: known[oid] for oid, one in run.baseline.items() if one.kind == "sequence" and oid in known
        }
        restore_sequences(self._session.connection, drawn)

    def _learn_sequences(self, run: Run) -> None:
        known = self._sequences or {}
        touched = {
            oid
            for one in run.traced
            if one.after is not None
            for oid, reading in one.after.relations.items()
            if reading.kind in ("sequence", None)
        }
        if touched:
            highest = max(known, default=0)
            self._sequences = known | read_sequences(self._session.connection, above=highest, of=touched)

    def unread(self, migration: Migration, problem: str) -> Evidence:
        """Return the evidence of a file that cannot be read."""
        if self._schema is None:
            self._schema = catalog.snapshot(self._session.connection)
        return replace(self._evidence(migration, None, self._schema), error=_unreadable(problem))

    def lost(self, migration: Migration, script: Script, problem: psycopg.OperationalError) -> Evidence:
        """Return the evidence of a file that ended the session or the server.

        Raises:
            ServerError: the server is gone although the file had not been sent to it.
        """
        if self._schema is None:
            raise ServerError(f"the throwaway server went away: {problem}") from problem
        return replace(
            self._evidence(migration, script, self._schema),
            error=explain_loss(self._server, migration.relative_path, problem),
        )

    def demand_room(self, migration: Migration, error: StatementError) -> None:
        """See that a file's error is not that of a full disk.

        Raises:
            ServerError: it is.
        """
        demand_room(self._server, migration.relative_path, sqlstate=error.sqlstate, said=error.message)

    def _evidence(self, migration: Migration, script: Script | None, before: catalog.Schema) -> Evidence:
        manner = script.manner if script is not None else migration.runner.usual
        return Evidence(
            migration_id=migration.id,
            path=migration.relative_path,
            mode=manner.mode,
            mode_reason=manner.reason,
            lane=Lane.SAVEPOINT,
            server_version=self._server.version,
            statement_count=len(script.body) if script is not None else 0,
            before=before,
            after=before,
            transaction_control=_transaction_control(script) if script is not None else (),
            has_transaction_pair=script is not None and script.has_transaction_pair,
        )


def _unreadable(problem: str) -> StatementError:
    return StatementError(sqlstate="", message=problem, line=1, column=1, during="reading the file")


def _line(script: Script, error: StatementError | None) -> str:
    return script.source.line(error.line) if error is not None else ""


def _transaction_control(script: Script) -> tuple[TransactionControlStatement, ...]:
    def described(statement: Statement) -> TransactionControlStatement:
        place = script.position(statement.start)
        return TransactionControlStatement(line=place.line, column=place.column, text=statement.text)

    return tuple(described(one) for one in script.statements if one.transaction_control)
