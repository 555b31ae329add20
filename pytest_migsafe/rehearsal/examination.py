"""What a database is asked about itself between files, for the smoke tests; kept up to date from file to file."""

from collections.abc import Iterable

from pytest_migsafe.catalog import Schema
from pytest_migsafe.catalog.composition import Source, connection_of
from pytest_migsafe.catalog.objects import Home
from pytest_migsafe.rehearsal.evidence import RelationLock, StatementEvidence
from pytest_migsafe.rehearsal.facts import Facts, Scope
from pytest_migsafe.rehearsal.probes import Asking, ask
from pytest_migsafe.rehearsal.session import COUNTERS_ARE_FLUSHED_SINCE
from pytest_migsafe.rehearsal.state import State, changed_homes, states_around


class Examination:
    """Knows the facts of the database that a chain stands on."""

    def __init__(self, scope: Scope, server_version: str) -> None:
        self._scope = scope
        self._server_version = server_version
        self._facts: Facts | None = None

    def forget(self) -> None:
        """Forget what is known: the database has been changed unwatched."""
        self._facts = None

    def begin(self, source: Source, schema: Schema) -> State:
        """Return the state before the next file; everything is asked, if nothing is known yet."""
        if self._facts is None:
            everything = frozenset(schema.homes)
            self._facts = self._ask(
                source, Schema(), schema, Facts(), changed=everything, written=None, cluster_changed=True
            )
        return self._state(schema, self._facts)

    def states(
        self,
        source: Source,
        before: Schema,
        after: Schema,
        statements: Iterable[StatementEvidence],
        *,
        cluster_changed: bool,
    ) -> tuple[State, State]:
        """Ask what a file can have changed; return the states before and after it."""
        known = self._facts or Facts()
        changed = changed_homes(before, after)
        self._facts = self._ask(
            source,
            before,
            after,
            known,
            changed=changed,
            written=_written(statements),
            cluster_changed=cluster_changed,
        )
        return states_around(self._state(before, known), self._state(after, self._facts), changed)

    def _ask(
        self,
        source: Source,
        before: Schema,
        after: Schema,
        known: Facts,
        *,
        changed: frozenset[Home],
        written: frozenset[str] | None,
        cluster_changed: bool,
    ) -> Facts:
        if not changed and written == frozenset() and not cluster_changed:
            return known
        connection = connection_of(source)
        # Roles are made in it, whatever a migration has made the default of transactions.
        connection.execute(b"BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE")
        try:
            return ask(
                Asking(
                    connection=connection,
                    source=source,
                    before=before,
                    after=after,
                    scope=self._scope,
                    changed=changed,
                    written=written,
                    cluster_changed=cluster_changed,
                ),
                known,
            )
        finally:
            if not connection.closed:
                connection.execute(_ended(connection.info.server_version))

    def _state(self, schema: Schema, facts: Facts) -> State:
        return State(schema=schema, facts=facts, scope=self._scope, server_version=self._server_version)


def _ended(server_version: int) -> bytes:
    """Return what ends the questions: the tables that they read are no scans of the next file, so those are handed over."""
    if server_version >= COUNTERS_ARE_FLUSHED_SINCE:
        return b"ROLLBACK; SELECT pg_catalog.pg_stat_force_next_flush()"
    return b"ROLLBACK"


#: Statements that run outside a transaction, where little of them is seen, and write no rows.
_WRITE_NO_ROWS = frozenset({"IndexStmt", "ReindexStmt", "DropStmt", "VacuumStmt", "TransactionStmt"})


def _written(statements: Iterable[StatementEvidence]) -> frozenset[str] | None:
    """Return the tables whose rows a file changed, and the sequences that it moved; None where it is not known."""
    some = list(statements)
    if any(not one.observed and one.node not in _WRITE_NO_ROWS for one in some):
        return None
    if any(one.unread_relations for one in some):
        return None
    written = {write.relation for one in some for write in one.writes}
    # TRUNCATE in a function is seen as a new file.
    written.update(rewrite.relation for one in some for rewrite in one.rewrites if rewrite.preexisting)
    written.update(
        lock.relation for one in some for lock in one.locks if lock.preexisting and _tells(one.node, lock)
    )
    return frozenset(written)


def _tells(node: str, lock: RelationLock) -> bool:
    """Say whether a lock tells of rows or positions that change: nextval, setval and ALTER SEQUENCE lock the sequence."""
    if lock.kind == "sequence":
        return lock.mode != "AccessShareLock"
    return node == "TruncateStmt" and lock.kind == "table"
