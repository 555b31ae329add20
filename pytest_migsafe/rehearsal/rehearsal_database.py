"""The database that a chain stands on, while it is open: a file is rehearsed in it, and applied to it."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace

import psycopg

from pytest_migsafe import catalog
from pytest_migsafe.errors import HookError, MigrationReadError, MigsafeError
from pytest_migsafe.migrations.model import Migration, Script
from pytest_migsafe.migrations.statements import Statement
from pytest_migsafe.postgres.database import Database
from pytest_migsafe.rehearsal.cluster import ClusterState, cluster_changes, read_cluster, read_configuration
from pytest_migsafe.rehearsal.deadline import Deadline, Watcher
from pytest_migsafe.rehearsal.end import End
from pytest_migsafe.rehearsal.evidence import (
    ClusterChange,
    Evidence,
    Lane,
    StatementError,
    TransactionControlStatement,
)
from pytest_migsafe.rehearsal.examination import Examination
from pytest_migsafe.rehearsal.facts import Scope
from pytest_migsafe.rehearsal.isolation import (
    QUERY_CANCELED,
    Run,
    SavepointCannotHoldError,
    apply_as_runner,
    run_for_real,
    run_in_savepoint,
    why_not_in_savepoint,
)
from pytest_migsafe.rehearsal.loss import demand_room, explain_loss, sessions_end_shown
from pytest_migsafe.rehearsal.seeds import Seed, SeedError, run_seed
from pytest_migsafe.rehearsal.sequences import SequenceValues, read_sequences, restore_sequences
from pytest_migsafe.rehearsal.session import MigrationSession
from pytest_migsafe.rehearsal.state import State, states_around
from pytest_migsafe.rehearsal.task import Task, read_task
from pytest_migsafe.rehearsal.trace import describe


@dataclass(frozen=True, slots=True, kw_only=True)
class FileConditions:
    """Under which conditions one file is rehearsed."""

    #: The settings of its session.
    options: Mapping[str, str]
    #: What is run before it.
    seeds: tuple[Seed, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """Under which conditions files are rehearsed."""

    #: The settings of the migrations' sessions, such as ``lock_timeout``.
    options: Mapping[str, str] = field(default_factory=dict)
    #: The time after which a file is given up, in seconds; 0 for none.
    file_timeout: float = 0.0
    #: Whether statements that change a whole cluster run on a server that is not ours.
    cluster_wide: bool = False
    #: What the smoke tests judge.
    scope: Scope = field(default_factory=Scope)
    #: Tells what is otherwise for single files; None: nothing is.
    of_file: Callable[[Migration], FileConditions] | None = None

    def for_file(self, migration: Migration) -> FileConditions:
        """Return the conditions of a file.

        Raises:
            HookError: whoever knows them could not tell.
        """
        return self.of_file(migration) if self.of_file is not None else FileConditions(options=self.options)


#: A witness waits for nobody, and is ended by nobody but us, whatever the migrations have set for all sessions.
_WITNESS_OPTIONS = {
    "lock_timeout": "2s",
    "statement_timeout": "10s",
    "idle_in_transaction_session_timeout": "0",
    "default_transaction_read_only": "off",
}


class RehearsalDatabase:
    """A database to which the first ``position`` files of a history have been applied, with a session for the next."""

    def __init__(self, database: Database, conditions: Conditions) -> None:
        self.database = database
        self._server = database.server
        self._conditions = conditions
        self.position = 0
        self._options = conditions.options
        self._session = MigrationSession(lambda: database.connect(options=self._options))
        self._watcher = Watcher(conditions.file_timeout)
        self._carried_since = 0
        self._has_unseen_waivers = False
        # All are read when they are first needed, and kept up to date from then on.
        self._schema: catalog.Schema | None = None
        self._sequences: SequenceValues | None = None
        self._cluster: ClusterState | None = None
        self._examination = Examination(conditions.scope, database.server.version)
        #: As it was before the first file.
        self._state: State | None = None

    def close(self) -> None:
        """Close the session."""
        self._watcher.close()
        self._session.close()

    @property
    def _may_change_cluster(self) -> bool:
        return self._server.is_ours or self._conditions.cluster_wide

    def task(self, migration: Migration) -> Task:
        """Return what is to be run of a file.

        Raises:
            MigrationReadError: it cannot be read.
        """
        return read_task(migration, self.database, may_change_cluster=self._may_change_cluster)

    def apply(self, migration: Migration) -> StatementError | None:
        """Apply a file without looking closer, on the way to another; return the error that ended it."""
        try:
            with sessions_end_shown():
                self._learn_base()
                self._make_ready(migration)
            self._schema = self._sequences = self._cluster = None
            self._examination.forget()
            task = self.task(migration)
            script = task.script
            self._has_unseen_waivers |= bool(task.waivers)
            error = self._apply_as_runner(script)
            if error is None:
                self._session.renew(script, is_looked_at=False)
        except MigrationReadError as problem:
            return _unreadable(problem)
        except (SeedError, HookError) as problem:
            return _not_ready(problem)
        except psycopg.OperationalError as problem:
            return explain_loss(self._server, migration.relative_path, problem)
        if error is None:
            self.position += 1
            self._carried_since = self.position
        return error

    def _apply_as_runner(self, script: Script) -> StatementError | None:
        with self._deadline() as limit:
            error = apply_as_runner(self._session.connection, script)
        return self._timed(error, limit)

    def _deadline(self) -> AbstractContextManager[Deadline]:
        return self._watcher.limit(self._session.connection)

    def _timed(self, error: StatementError | None, limit: Deadline) -> StatementError | None:
        """Return an error as it is, or, when it is our own cancellation, as the time limit that it stands for."""
        if error is None or not limit.is_over or error.sqlstate != QUERY_CANCELED:
            return error
        return replace(
            error,
            message=f"the file is not done after {self._conditions.file_timeout:g} s, and was given up",
            hint="[tool.migsafe] file_timeout is the limit for a whole file.",
        )

    def rehearse(self, task: Task, *, hold: bool = True) -> Evidence:
        """Rehearse a file and apply it; ``hold=False`` applies it for real only.

        Raises:
            SeedError: what is to be run before it is refused.
            HookError: whoever knows what is to be run before it could not tell.
        """
        script = task.script
        self._learn_base()
        self._make_ready(task.migration)
        connection = self._session.connection
        if self._schema is None:
            self._schema = catalog.snapshot(connection)
        self._examination.begin(connection, self._schema)
        if self._sequences is None:
            self._sequences = read_sequences(connection)
        if self._cluster is None:
            self._cluster = read_cluster(connection)
        before = self._schema
        configuration = self._configuration(script)
        reason = "a savepoint was lost in it" if not hold else why_not_in_savepoint(script)
        run: Run | None = None
        if not reason:
            run, reason = self._rehearse_and_apply(script, before)
        if run is None:
            with self._deadline() as limit:
                run = run_for_real(connection, script, self._open_witness)
            run = replace(run, error=self._timed(run.error, limit))
            self._sequences = None
        leaks = self._session.renew(script)
        after = run.after if run.after is not None else catalog.snapshot(self._session.connection)
        if run.error is None:
            self.position += 1
            self._schema = after
        evidence = replace(
            self._evidence(task.migration, script, before),
            lane=Lane.REAL if reason else Lane.SAVEPOINT,
            lane_reason=reason,
            statements=describe(script, run.traced, run.baseline),
            # Outside one transaction, a part of a failed file may stay.
            after=after,
            error=run.error,
            error_line=_line(script, run.error),
            leaks=leaks,
            stubbed=tuple(name for name in self._server.stubbed if _has_extension(after, name)),
            left_out=task.left_out,
            waivers=task.waivers,
            cluster_changes=(
                *self._learn_cluster(),
                *cluster_changes(configuration, self._configuration(script)),
            ),
        )
        return self._examined(evidence) if run.error is None else evidence

    def _open_witness(self) -> psycopg.Connection:
        return self.database.connect(
            user=self._server.administrator,
            options=_WITNESS_OPTIONS,
            application_name="pytest-migsafe witness",
        )

    def _examined(self, evidence: Evidence) -> Evidence:
        """Return the evidence with what the smoke tests look at: the database before and after the file."""
        before, after = self._examination.states(
            self._session.prepared,
            evidence.before,
            evidence.after,
            evidence.statements,
            cluster_changed=bool(evidence.cluster_changes),
        )
        return replace(evidence, state_before=before, state_after=after)

    def _learn_base(self) -> None:
        """Remember what is there before the first file."""
        if self._state is None:
            connection = self._session.connection
            self._schema = catalog.snapshot(connection)
            self._state = self._examination.begin(connection, self._schema)

    def _make_ready(self, migration: Migration) -> None:
        """Make session and rows what they are to be for a file.

        Raises:
            SeedError, HookError: they cannot be.
        """
        now = self._conditions.for_file(migration)
        if now.options != self._options:
            self._session.close()
            self._options = now.options
        for seed in now.seeds:
            run_seed(self.database, seed, migration.relative_path, now.options)
        if now.seeds:
            # Rows have come, unwatched; what a smoke test finds in them is not the file's doing.
            self._schema = self._sequences = self._cluster = None
            self._examination.forget()

    def schema(self) -> catalog.Schema:
        """Return what is there now, read in full."""
        return catalog.snapshot(self._session.connection)

    def end(self) -> End:
        """Return what is there now, read in full.

        Raises:
            ServerError: the server is gone.
        """
        assert self._state is not None  # noqa: S101 - it is learned with the first file
        try:
            with sessions_end_shown():
                connection = self._session.connection
                schema = catalog.snapshot(connection)
                surroundings = catalog.Surroundings.read(
                    connection, base=self._state.schema, role=self._role, schema=schema
                )
                before, after = states_around(self._state, self._examination.begin(connection, schema))
        except psycopg.OperationalError as error:
            raise self._server.lost(error) from error
        return End(
            schema=schema,
            carried=self._schema,
            carried_since=self._carried_since,
            has_unseen_waivers=self._has_unseen_waivers,
            surroundings=surroundings,
            state_before=before,
            state_after=after,
            server_version=self._server.version,
        )

    @property
    def _role(self) -> str:
        """The role that migrations run as."""
        return self._conditions.options.get("role", self._server.role)

    def _configuration(self, script: Script) -> ClusterState:
        """Return what ALTER SYSTEM has written, if a file has such a statement: it can stand in no function."""
        if all(statement.node != "AlterSystemStmt" for statement in script.statements):
            return {}
        return read_configuration(self._session.connection)

    def _learn_cluster(self) -> tuple[ClusterChange, ...]:
        """Return what the file has changed of the whole cluster, but for its configuration."""
        if not self._session.cluster_has_changed:
            return ()
        then, self._cluster = self._cluster or {}, read_cluster(self._session.connection)
        return cluster_changes(then, self._cluster)

    def _rehearse_and_apply(self, script: Script, before: catalog.Schema) -> tuple[Run | None, str]:
        """Rehearse a file in a savepoint, then apply it; return the run, or why there has to be another."""
        try:
            with self._deadline() as limit:
                run = run_in_savepoint(
                    self._session.prepared, script, before, watch_cluster=not self._may_change_cluster
                )
        except SavepointCannotHoldError as refusal:
            self._session.reset(script)
            return None, str(refusal)
        self._session.reset(script)
        self._put_sequences_back(run)
        if run.error is not None and limit.is_over:
            # For real it would take as long again.
            return replace(run, error=self._timed(run.error, limit)), ""
        if refusal_to_apply := self._refusal(script, run):
            return replace(run, error=refusal_to_apply, after=None), ""
        error = self._apply_as_runner(script)
        if run.error is not None and error is None:
            # It does apply, so the savepoint was in the way of something.
            reason = f"in a savepoint it fails: {run.error.message}"
            return replace(run, error=None), reason
        if error is not None and run.error is None:
            # The rehearsal's schema is none that there is.
            run = replace(run, error=error, after=None)
        self._learn_sequences(run)
        return run, ""

    def _refusal(self, script: Script, run: Run) -> StatementError | None:
        """Return why a rehearsed file must not be applied: it changes a cluster that is not ours to change."""
        changes = cluster_changes(self._cluster or {}, run.cluster) if run.cluster is not None else ()
        if not changes:
            return None
        place = script.position(script.statements[0].start)
        listed = ", ".join(f"{change.kind} {change.name}" for change in changes)
        return StatementError(
            sqlstate="",
            message=f"the file changes more than its database ({listed}), on a server that is not ours: not applied",
            hint="Run it on a throwaway server, or allow it with cluster_wide = true in [tool.migsafe].",
            line=place.line,
            column=place.column,
            during="the look at the whole cluster",
        )

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
        if touched or any(one.after is not None and one.after.unread for one in run.traced):
            highest = max(known, default=0)
            self._sequences = known | read_sequences(self._session.connection, above=highest, of=touched)

    def unread(self, migration: Migration, problem: MigrationReadError) -> Evidence:
        """Return the evidence of a file that cannot be read."""
        if self._schema is None:
            self._schema = catalog.snapshot(self._session.connection)
        return replace(self._evidence(migration, None, self._schema), error=_unreadable(problem))

    def lost(self, task: Task, problem: psycopg.OperationalError) -> Evidence:
        """Return the evidence of a file that ended the session or the server.

        Raises:
            ServerError: the server is gone although the file had not been sent to it.
        """
        if self._schema is None:
            raise self._server.lost(problem) from problem
        return replace(
            self._evidence(task.migration, task.script, self._schema),
            error=explain_loss(self._server, task.migration.relative_path, problem),
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
            session_per_file=migration.runner.session_per_file,
            role=self._role,
            may_change_cluster=self._may_change_cluster,
            statement_count=len(script.body) if script is not None else 0,
            before=before,
            after=before,
            transaction_control=_transaction_control(script) if script is not None else (),
            has_transaction_pair=script is not None and script.has_transaction_pair,
        )


def _has_extension(schema: catalog.Schema, name: str) -> bool:
    # Names in a schema are written as `quote_ident` writes them.
    return any(schema.get("extension", written) is not None for written in (name, f'"{name}"'))


def _not_ready(problem: MigsafeError) -> StatementError:
    first = str(problem).partition("\n")[0]
    return StatementError(sqlstate="", message=first, line=1, column=1, during="making ready for the file")


def _unreadable(problem: MigrationReadError) -> StatementError:
    return StatementError(
        sqlstate="", message=str(problem), line=problem.line, column=1, during="reading the file"
    )


def _line(script: Script, error: StatementError | None) -> str:
    return script.source.line(error.line) if error is not None else ""


def _transaction_control(script: Script) -> tuple[TransactionControlStatement, ...]:
    def described(statement: Statement) -> TransactionControlStatement:
        place = script.position(statement.start)
        return TransactionControlStatement(line=place.line, column=place.column, text=statement.text)

    return tuple(described(one) for one in script.statements if one.transaction_control)
