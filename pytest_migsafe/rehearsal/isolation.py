"""The two ways to run a file: in a savepoint that is rolled back, and for real, as the project's runner does.

A COMMIT inside a file destroys a savepoint without an error. So transaction control is looked for in the
parse tree before a file is put into one, and the transaction is compared before and after.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import psycopg

from pytest_migsafe import catalog
from pytest_migsafe.catalog.composition import PreparedConnection, Source
from pytest_migsafe.errors import MigsafeError, SnapshotError
from pytest_migsafe.migrations.lexemes import headline
from pytest_migsafe.migrations.model import Part, Script, TransactionMode, Unit
from pytest_migsafe.migrations.statements import Statement, TransactionControl
from pytest_migsafe.rehearsal.attribution import Attribution
from pytest_migsafe.rehearsal.cluster import ClusterState, read_cluster
from pytest_migsafe.rehearsal.evidence import StatementError
from pytest_migsafe.rehearsal.kept import compare_kept
from pytest_migsafe.rehearsal.sending import send
from pytest_migsafe.rehearsal.trace import (
    Baseline,
    TracedStatement,
    Tracer,
    error_evidence,
    relations_locked,
    with_counters_of,
)
from pytest_migsafe.rehearsal.witness import OpenSession

#: What a server says when a transaction block or a subtransaction is the trouble, not the statement:
#: active_sql_transaction and invalid_transaction_termination (manual: "PostgreSQL Error Codes").
_BLOCK_IS_THE_TROUBLE = frozenset({"25001", "2D000"})


#: query_canceled: a timeout, or our own cancellation (manual: "PostgreSQL Error Codes").
QUERY_CANCELED = "57014"

#: Statements that lock every relation whose definition they change, if it was there before (manual: "Explicit
#: Locking"; GRANT takes no lock up to PostgreSQL 17, and whatever runs functions may do anything).
_LOCKS_WHAT_IT_CHANGES = frozenset(
    {
        "AlterEnumStmt",
        "AlterPolicyStmt",
        "AlterSeqStmt",
        "AlterTableStmt",
        "CommentStmt",
        "CompositeTypeStmt",
        "CreateDomainStmt",
        "CreateEnumStmt",
        "CreateFunctionStmt",
        "CreatePolicyStmt",
        "CreateSeqStmt",
        "CreateStmt",
        "CreateTrigStmt",
        "IndexStmt",
        "RenameStmt",
        "VariableSetStmt",
        "ViewStmt",
    }
)


_TAKES_AWAY_PREPARED = frozenset({"DeallocateStmt", "DiscardStmt"})


class SavepointCannotHoldError(MigsafeError):
    """A file turned out to need more than a savepoint; it has been rolled back completely."""


class IsolationLostError(MigsafeError):
    """It cannot be proven that nothing of a rehearsal remained: the database must be thrown away."""


class RefusedError(MigsafeError):
    """The server ended a file that was sent to it; what psycopg raised is the cause, if it was a statement's error."""

    def __init__(self, error: StatementError) -> None:
        super().__init__(error.message)
        self.error = error


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A file that was run, in a savepoint or for real."""

    traced: tuple[TracedStatement, ...]
    #: The relations that existed before the file.
    baseline: Baseline
    #: The error that ended the file.
    error: StatementError | None = None
    #: The schema that the file makes; None when the file failed or the schema must be read anew.
    after: catalog.Schema | None = None
    #: What belongs to the whole cluster after the file's statements, where that was asked for.
    cluster: ClusterState | None = None


def why_not_in_savepoint(script: Script) -> str:
    """Say why a savepoint cannot hold a file, as far as its text shows; empty when it can."""
    if len(script.units) > 1:
        return f"the runner runs it as {len(script.units)} transactions"
    # A pair of BEGIN and COMMIT around them makes statements one transaction, whoever sends them one by one.
    if script.manner.mode is TransactionMode.AUTOCOMMIT and not script.has_transaction_pair:
        return f"each statement is a transaction of its own ({script.manner.reason})"
    for statement in script.body:
        line = script.position(statement.start).line
        if statement.transaction_control:
            return f"the file controls its transaction itself (line {line})"
        if statement.node in _TAKES_AWAY_PREPARED:
            return f"{headline(statement.text)} takes away what a rehearsal prepares in the session (line {line})"
        if statement.refuses_transaction_block:
            return (
                f"{statement.refuses_transaction_block} runs outside a transaction block only (line {line})"
            )
    return ""


def run_in_savepoint(
    source: PreparedConnection, script: Script, before: catalog.Schema, *, watch_cluster: bool = False
) -> Run:
    """Run a file's statements one by one in a savepoint, read what they did, and roll everything back.

    ``watch_cluster`` asks for the cluster as the file makes it.

    Raises:
        SavepointCannotHoldError: the server says that the savepoint is in the way.
        IsolationLostError: the savepoint is gone, the transaction is another, or what we had prepared in the
            session is gone.
    """
    connection = source.connection
    with _noticing_deallocation(), _tracing(source, script) as tracer:
        connection.execute(b"BEGIN; SAVEPOINT migsafe_rehearsal")
        mark = catalog.mark(source)
        counted = tracer.counted_before()
        traced, error = _run_statements(connection, tracer, script)
        if error is not None:
            connection.execute(b"ROLLBACK")
            baseline = tracer.baseline(relations_locked(traced))
            return Run(traced=traced, baseline=with_counters_of(baseline, counted), error=error)
        changes = catalog.read_changes(
            source,
            mark,
            locked=tracer.relations_changed(),
            locks_tell_all=all(statement.node in _LOCKS_WHAT_IT_CHANGES for statement in script.body),
        )
        cluster = read_cluster(connection) if watch_cluster else None
        # Our plans are made once, so they must not read whole catalogs because these are small yet.
        connection.execute(b"ROLLBACK TO SAVEPOINT migsafe_rehearsal; SET LOCAL enable_seqscan = off")
        baseline = tracer.baseline(relations_locked(traced))
        after = catalog.apply_changes(source, before, changes)
        connection.execute(b"ROLLBACK")
    # The counters survive the rollback, so those that belong to the baseline were read at the beginning.
    return Run(traced=traced, baseline=with_counters_of(baseline, counted), after=after, cluster=cluster)


@contextmanager
def _noticing_deallocation() -> Iterator[None]:
    """Say so when a file has taken our prepared statements away where its text does not show it (EXECUTE)."""
    try:
        yield
    except (psycopg.errors.InvalidSqlStatementName, SnapshotError) as error:
        cause = error.__cause__ if isinstance(error, SnapshotError) else error
        if not isinstance(cause, psycopg.errors.InvalidSqlStatementName):
            raise
        raise IsolationLostError("the file has deallocated what the rehearsal prepared") from error


@contextmanager
def _tracing(source: Source, script: Script) -> Iterator[Tracer]:
    tracer = Tracer(source, len(script.statements))
    try:
        yield tracer
    finally:
        tracer.close()


def _run_statements(
    connection: psycopg.Connection[Any], tracer: Tracer, script: Script
) -> tuple[tuple[TracedStatement, ...], StatementError | None]:
    traced: list[TracedStatement] = []
    attribution = Attribution(connection, tracer, script)
    reading = tracer.read()
    for statement in script.body:
        one = attribution.run(statement, reading)
        if one.error is not None:
            _refuse_if_block_is_the_trouble(connection, one.error)
            return (*traced, one), error_evidence(one.error, script, statement)
        if one.after is None or one.after.started != reading.started:
            raise IsolationLostError(f"the rehearsal's transaction was ended by: {headline(statement.text)}")
        reading = one.after
        if kept := compare_kept(connection, statement, one.notices):
            one = replace(one, kept=kept)
            reading = tracer.read()  # the comparison counts as reading, too
        traced.append(one)
    # What is deferred to the commit is checked now: RELEASE and ROLLBACK never do.
    try:
        connection.execute(b"SET CONSTRAINTS ALL IMMEDIATE")
    except psycopg.Error as error:
        return tuple(traced), error_evidence(error, script, None, during="the check of deferred constraints")
    return tuple(traced), None


def _refuse_if_block_is_the_trouble(connection: psycopg.Connection[Any], error: psycopg.Error) -> None:
    if error.sqlstate in _BLOCK_IS_THE_TROUBLE:
        connection.execute(b"ROLLBACK")
        raise SavepointCannotHoldError(error.diag.message_primary or "the savepoint is in the way")


def apply_as_runner(connection: psycopg.Connection[Any], script: Script) -> StatementError | None:
    """Apply a file for real, the way its runner would; return the error that ended it.

    After an error, nothing is left open; what had been committed before it stays applied.
    """
    try:
        send_as_runner(connection, script)
    except RefusedError as refusal:
        return refusal.error
    return None


def send_as_runner(connection: psycopg.Connection[Any], script: Script) -> None:
    """Apply a file for real, the way its runner would.

    Raises:
        RefusedError: an error ended it, which is the cause. Nothing is left open; what had been committed before it
            stays applied.
    """
    for unit in script.units:
        _send_unit(connection, script, unit)
        if error := _left_open(connection, script, unit):
            raise RefusedError(error)


def _send_unit(connection: psycopg.Connection[Any], script: Script, unit: Unit) -> None:
    if unit.mode.wraps:
        connection.execute(b"BEGIN")
    for part in unit.parts:
        _send(connection, unit.text(part), script, part)
    if unit.mode.wraps:
        _send(connection, "COMMIT", script, None, during="COMMIT")


def _send(
    connection: psycopg.Connection[Any],
    text: str,
    script: Script,
    part: Part | None,
    during: str = "",
) -> None:
    try:
        with connection.cursor() as cursor:
            send(cursor, text, part.data if part is not None else None)
    except psycopg.Error as error:
        if connection.closed:
            raise
        connection.execute(b"ROLLBACK")
        raise RefusedError(error_evidence(error, script, part, during=during)) from error


def _left_open(connection: psycopg.Connection[Any], script: Script, unit: Unit) -> StatementError | None:
    if connection.info.transaction_status == psycopg.pq.TransactionStatus.IDLE:
        return None
    begin = next(
        (one for one in reversed(unit.statements) if one.transaction_control is TransactionControl.BEGIN),
        unit.statements[-1],
    )
    place = script.position(begin.start)
    return StatementError(
        sqlstate="25000",
        message="the file ends inside the transaction that it began: nothing of it is committed",
        hint="End the file with COMMIT, or leave BEGIN out.",
        line=place.line,
        column=place.column,
        during="the end of the file",
    )


def run_for_real(connection: psycopg.Connection[Any], script: Script, open_session: OpenSession) -> Run:
    """Apply a file for real, statement by statement, with the transactions that its runner would make.

    What runs in a transaction block is traced like in a rehearsal; of the rest, what a witness sees, for which
    ``open_session`` opens another session, and what shows afterwards.
    """
    with _tracing(connection, script) as tracer:
        baseline = tracer.baseline(None)
        attribution = Attribution(connection, tracer, script)
        traced: list[TracedStatement] = []
        error = None
        for unit in script.units:
            real = _RealRun(connection, tracer, attribution, script, unit, open_session=open_session)
            error = real.run()
            traced += real.traced
            if error is not None:
                break
        return Run(traced=tuple(traced), baseline=baseline, error=error)


class _RealRun:
    """What a runner runs as one on its way, statement by statement."""

    def __init__(
        self,
        connection: psycopg.Connection[Any],
        tracer: Tracer,
        attribution: Attribution,
        script: Script,
        unit: Unit,
        *,
        open_session: OpenSession,
    ) -> None:
        self._open_session = open_session
        self._connection = connection
        self._tracer = tracer
        self._attribution = attribution
        self._script = script
        self._unit = unit
        self._wraps = unit.mode.wraps
        # Several statements in one simple query share an implicit transaction block; one alone has none
        # (manual: "Multiple Statements in a Simple Query").
        self._is_implicit_block = unit.mode is TransactionMode.SINGLE_QUERY and len(unit.statements) > 1
        self._has_begun = False
        self.traced: list[TracedStatement] = []
        # Read before the transaction begins: SET TRANSACTION must be the first thing in it.
        self._reading = tracer.read()

    def run(self) -> StatementError | None:
        if self._wraps:
            self._connection.execute(b"BEGIN")
        for statement in self._unit.statements:
            one = self._run_one(statement)
            if one.error is not None:
                self.traced.append(one)
                self._roll_back()
                return error_evidence(one.error, self._script, statement)
            kept = compare_kept(self._connection, statement, one.notices)
            self.traced.append(replace(one, kept=kept))
            self._follow(statement)
            is_current = one.after is not None and self._tracer.is_in_block and not kept
            self._reading = one.after if one.after is not None and is_current else self._tracer.read()
        return self._finish()

    def _run_one(self, statement: Statement) -> TracedStatement:
        if not self._tracer.is_in_block and not statement.transaction_control:
            if self._is_implicit_block:
                self._connection.execute(b"BEGIN")
            elif statement.refuses_transaction_block:
                return self._tracer.run_bare(statement, self._open_session)
            else:
                return self._run_alone(statement)
        return self._run_in_block(statement)

    def _run_in_block(self, statement: Statement) -> TracedStatement:
        # Without a block a savepoint cannot be set.
        runner = self._attribution if self._tracer.is_in_block else self._tracer
        return runner.run(statement, self._reading)

    def _run_alone(self, statement: Statement) -> TracedStatement:
        """Run a statement as a transaction of its own: in a block, to see more, where the statement allows it."""
        self._connection.execute(b"BEGIN")
        one = self._run_in_block(statement)
        if one.error is not None and one.error.sqlstate in _BLOCK_IS_THE_TROUBLE:
            self._roll_back()
            return self._tracer.run_bare(statement, self._open_session)
        if one.error is None:
            try:
                self._connection.execute(b"COMMIT")
            except psycopg.Error as error:
                return replace(one, error=error)
        return one

    def _follow(self, statement: Statement) -> None:
        if statement.transaction_control is TransactionControl.BEGIN:
            self._has_begun = True
        elif not self._tracer.is_in_block:
            self._has_begun = False

    def _finish(self) -> StatementError | None:
        is_runners = self._wraps or (self._is_implicit_block and not self._has_begun)
        error = None
        if self._tracer.is_in_block and is_runners:
            error = self._commit()
        return error or _left_open(self._connection, self._script, self._unit)

    def _commit(self) -> StatementError | None:
        try:
            _send(self._connection, "COMMIT", self._script, None, during="COMMIT")
        except RefusedError as refusal:
            return refusal.error
        return None

    def _roll_back(self) -> None:
        if self._connection.info.transaction_status != psycopg.pq.TransactionStatus.IDLE:
            self._connection.execute(b"ROLLBACK")
