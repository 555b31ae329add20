"""The session in which a file runs: fresh for each, and asked afterwards what the file left behind."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import psycopg
from psycopg.rows import namedtuple_row

from pytest_migsafe.rehearsal.evidence import Leak

_STATE = files(__package__).joinpath("session_state.sql").read_bytes()
#: Makes the session hand its statistics over when it becomes idle, so that the next file counts from zero
#: (manual: "Statistics Functions"; new in PostgreSQL 15, and before that the counters are compared only).
_FLUSHED = b"SELECT state.* FROM (" + _STATE + b") AS state, pg_catalog.pg_stat_force_next_flush()"
_FLUSH_SINCE = 150000


@dataclass(frozen=True, slots=True)
class _State:
    """What a session holds between transactions."""

    session_user: str
    current_user: str
    settings: dict[str, str]
    lists: dict[str, tuple[str, ...]]
    role_settings: Any


class MigrationSession:
    """A connection that is as good as new before every file.

    ``DISCARD ALL`` (manual: "DISCARD") makes it so at a twentieth of a connection's cost. It cannot undo
    everything (LOAD, custom settings, defaults set by ALTER ROLE or ALTER DATABASE), so a session in which
    anything was left behind is closed and another opened.
    """

    def __init__(self, connect: Callable[[], psycopg.Connection[Any]]) -> None:
        self._connect = connect
        self._connection: psycopg.Connection[Any] | None = None
        self._fresh: _State | None = None

    @property
    def connection(self) -> psycopg.Connection[Any]:
        """The open connection; one is opened when there is none."""
        if self._connection is None or self._connection.closed:
            self._connection = self._connect()
            self._connection.prepare_threshold = None
            self._fresh = _state(self._connection)
        return self._connection

    def renew(self) -> tuple[Leak, ...]:
        """End the file's session and begin a new one; return what the file left behind.

        An open transaction is rolled back, as a server does with the session of a client that goes away.
        """
        connection = self.connection
        leaks: list[Leak] = []
        status = connection.info.transaction_status
        if status != psycopg.pq.TransactionStatus.IDLE:
            leaks.append(Leak(kind="open transaction", name=status.name.lower()))
            connection.execute(b"ROLLBACK")
        state = _state(connection)
        fresh = self._fresh
        assert fresh is not None  # noqa: S101 - set with the connection
        leaks.extend(_leaks(fresh, state))
        if leaks or state.role_settings != fresh.role_settings:
            self.close()
        else:
            connection.execute(b"DISCARD ALL")
        return tuple(leaks)

    def close(self) -> None:
        """Close the connection; the next use opens another."""
        if self._connection is not None:
            self._connection.close()
        self._connection = None


def _state(connection: psycopg.Connection[Any]) -> _State:
    query = _FLUSHED if connection.info.server_version >= _FLUSH_SINCE else _STATE
    with connection.cursor(row_factory=namedtuple_row) as cursor:
        row = cursor.execute(query).fetchone()
    assert row is not None  # noqa: S101 - the query has no FROM: one row
    return _State(
        session_user=row.session_user,
        current_user=row.current_user,
        settings=row.settings or {},
        lists={
            "temporary relation": tuple(row.temporary_relations or ()),
            "advisory lock": tuple(row.advisory_locks or ()),
            "prepared statement": tuple(row.prepared_statements or ()),
            "cursor": tuple(row.cursors or ()),
            "LISTEN": tuple(row.channels or ()),
        },
        role_settings=row.role_settings,
    )


def _leaks(fresh: _State, state: _State) -> Iterator[Leak]:
    if state.session_user != fresh.session_user:
        yield Leak(kind="session authorization", name=state.session_user)
    elif state.current_user != fresh.current_user:
        yield Leak(kind="role", name=state.current_user)
    for name, value in state.settings.items():
        # The role is a setting too, and has been named above.
        if name not in ("role", "session_authorization") and fresh.settings.get(name) != value:
            yield Leak(kind="setting", name=name, value=value)
    for kind, names in state.lists.items():
        for name in names:
            if name not in fresh.lists[kind]:
                yield Leak(kind=kind, name=name)
