"""What a statement locks that runs outside a transaction block: a witness makes it wait, and looks.

Such a statement's locks are gone when it ends, and how long it takes is not for us to say. So before it begins, another
session takes ROW EXCLUSIVE locks, as an INSERT does, on every table: CREATE INDEX CONCURRENTLY and its like wait for the
transactions of those who write to their table, and VACUUM FULL waits for the table itself. As soon as the statement is seen
waiting for the witness, its locks are read, those that it has and the one that it waits for, and the witness lets go.

Where several tables are worked on, each in a transaction of its own, a second witness takes the locks on the tables that are
left before the first lets go, and so on: nothing depends on who is faster.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from importlib.resources import files
from threading import Event, Thread
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import tuple_row

from pytest_migsafe.errors import ServerError
from pytest_migsafe.migrations.statements import Statement
from pytest_migsafe.rehearsal.observed import LOCK_MODES

#: Opens one more session in the database; the caller closes it.
OpenSession = Callable[[], psycopg.Connection[Any]]
#: The lock modes by the relations' OIDs.
Locked = dict[int, set[str]]

_TABLES = files(__package__).joinpath("witness_tables.sql").read_text(encoding="utf-8").encode()
_WAITING = files(__package__).joinpath("witness_waiting.sql").read_text(encoding="utf-8").encode()

#: Statements that lock tables outside a transaction block. A plain VACUUM is not among them: nobody waits for its lock,
#: and it tries for five seconds to get another, to cut off empty pages (``lazy_truncate_heap``).
_LOCKING = frozenset({"AlterTableStmt", "ClusterStmt", "DropStmt", "IndexStmt", "ReindexStmt"})
_VACUUM_FULL = re.compile(r"\bfull\b", re.IGNORECASE)
#: With this a table is passed over that anybody else has locked.
_PASSES_OVER = re.compile(r"\bskip_locked\b", re.IGNORECASE)

#: What conflicts with ROW EXCLUSIVE (manual: "Table-Level Locks").
_CONFLICTING = frozenset(LOCK_MODES[LOCK_MODES.index("ShareLock") :])

#: REINDEX CONCURRENTLY of a partitioned table takes it on the partitions to list them (``ReindexPartitions`` in PostgreSQL's
#: source), and no CONCURRENTLY holds it while it works.
_BRIEFLY = frozenset({"ShareLock"})

_LOOK_EVERY_SECONDS = 0.001
#: A statement that has not waited so long for a witness will not.
_GIVE_UP_AFTER_SECONDS = 5.0
#: The witness holds its locks for some milliseconds. Who waits no longer than so for a lock must not wait for ours.
_SHORT_LOCK_TIMEOUT_MS = 5_000


def is_witnessed(statement: Statement) -> bool:
    """Whether a statement, run outside a transaction block, takes locks that a witness can show."""
    if _PASSES_OVER.search(statement.text):
        return False
    is_full = statement.node == "VacuumStmt" and _VACUUM_FULL.search(statement.text) is not None
    return is_full or statement.node in _LOCKING


@contextmanager
def witnessing(
    watched: psycopg.Connection[Any], open_session: OpenSession, statement: Statement, lock_timeout_ms: int
) -> Iterator[Locked]:
    """Yield what a statement is seen to lock that the block runs on ``watched``; it is complete when the block has ended.

    ``lock_timeout_ms`` is what is in force in the session. A short one is lifted for the statement, which without a witness
    would have nobody to wait for.
    """
    seen: Locked = {}
    with ExitStack() as stack:
        try:
            witness = _Witness(stack, open_session, watched.info.backend_pid, seen)
        except (psycopg.Error, ServerError):
            # On a server that is not ours there may be no room for one more session, or no privilege.
            yield seen
            return
        with _without_short_timeout(watched, lock_timeout_ms):
            done = Event()
            is_concurrent = "CONCURRENTLY" in statement.refuses_transaction_block
            witness.passes_over = _BRIEFLY if is_concurrent else frozenset()
            watcher = Thread(target=witness.watch, args=(done,), kwargs={"once": is_concurrent}, daemon=True)
            watcher.start()
            try:
                yield seen
            finally:
                done.set()
                watcher.join()


@contextmanager
def _without_short_timeout(connection: psycopg.Connection[Any], lock_timeout_ms: int) -> Iterator[None]:
    if not 0 < lock_timeout_ms < _SHORT_LOCK_TIMEOUT_MS:
        yield
        return
    connection.execute(b"SET lock_timeout = 0")
    try:
        yield
    finally:
        if not connection.closed:
            connection.execute(sql.SQL("SET lock_timeout = {}").format(sql.Literal(lock_timeout_ms)))


class _Witness:
    """Two sessions of which one holds locks on the tables that have not been seen locked."""

    def __init__(self, stack: ExitStack, open_session: OpenSession, watched: int, seen: Locked) -> None:
        self._stack = stack
        self._open_session = open_session
        self._watched = watched
        self._seen = seen
        #: Modes of locks that the statement lets go before its work.
        self.passes_over: frozenset[str] = frozenset()
        self._holder = self._session()
        self._hold(self._holder)

    def _session(self) -> psycopg.Connection[Any]:
        session = self._open_session()
        self._stack.callback(session.close)
        return session

    def _hold(self, session: psycopg.Connection[Any]) -> None:
        """Lock, in a transaction that stays open, every table that has not been seen locked."""
        session.execute(b"BEGIN")
        with session.cursor(row_factory=tuple_row) as cursor:
            tables = cursor.execute(_TABLES, {"without": list(self._locked())}).fetchall()
            if tables:
                # ONLY stands for one table each: without it a partitioned one's partitions are locked, seen or not.
                listed = sql.SQL(", ").join(
                    sql.SQL("ONLY {}").format(sql.Identifier(schema, name)) for schema, name in tables
                )
                cursor.execute(sql.SQL("LOCK TABLE {} IN ROW EXCLUSIVE MODE").format(listed))

    def watch(self, done: Event, *, once: bool) -> None:
        """Look until the statement is done; ``once``: let go of everything when it has waited once."""
        # A session that goes away takes its locks along.
        with suppress(psycopg.Error, ServerError):
            looks = round(_GIVE_UP_AFTER_SECONDS / _LOOK_EVERY_SECONDS)
            while looks and not done.wait(_LOOK_EVERY_SECONDS):
                looks -= 1
                known = self._locked()
                if self._sees_it_waiting():
                    if once or self._locked() == known:
                        break
                    self._change_places()
        self._stack.close()

    def _sees_it_waiting(self) -> bool:
        with self._holder.cursor(row_factory=tuple_row) as cursor:
            rows = cursor.execute(_WAITING, {"watched": self._watched}).fetchall()
        for relation, mode in rows:
            if relation is not None and mode not in self.passes_over:
                self._seen.setdefault(relation, set()).add(mode)
        return bool(rows)

    def _locked(self) -> set[int]:
        """Return the relations that the statement has locked, or waits to lock, so that a witness would wait for it."""
        return {oid for oid, modes in self._seen.items() if not _CONFLICTING.isdisjoint(modes)}

    def _change_places(self) -> None:
        """Let the statement go on, to wait for another session at the next table."""
        other = self._session()
        self._hold(other)
        # A session that is closed ends when its server process gets to it; until then the statement would be seen waiting
        # for the old one, and be taken for one that waits for nothing new.
        self._holder.execute(b"ROLLBACK")
        self._holder.close()
        self._holder = other
