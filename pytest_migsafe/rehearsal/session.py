"""The session in which a file runs: fresh for each, and asked afterwards what the file left behind."""

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import dict_row, tuple_row

from pytest_migsafe.catalog.composition import (
    Fragment,
    PreparedConnection,
    Source,
    connection_of,
    fetch_all,
    fragment,
)
from pytest_migsafe.catalog.environment import CLUSTER
from pytest_migsafe.migrations.model import Script
from pytest_migsafe.rehearsal.evidence import Leak

_PLACE = files(__package__)
_TEMPLATE = _PLACE.joinpath("session_state.sql").read_text(encoding="utf-8")
_SETTINGS = _PLACE.joinpath("session_settings.sql").read_text(encoding="utf-8")
_STATE = fragment(_TEMPLATE, settings=_SETTINGS, cluster=CLUSTER)
#: To go through all settings takes most of the time; where nobody asks which were left, RESET ALL will do.
_STATE_BUT_SETTINGS = fragment(_TEMPLATE, settings="SELECT NULL::pg_catalog.jsonb", cluster=CLUSTER)
#: Since then a session can be made to hand its statistics over when it becomes idle, so that the next file counts
#: from zero (manual: "Statistics Functions"); before that the counters are compared only.
COUNTERS_ARE_FLUSHED_SINCE = 150000


#: SET app.user = ..., set_config('app.user', ...): a name with a dot is one that an application made up
#: (manual: "Customized Options").
_CUSTOM_SETTING = re.compile(
    r"\bset\s+(?:session\s+)?(\w+\.\w+)\b|\bset_config\s*\(\s*'(\w+\.\w+)'", re.IGNORECASE
)


def custom_settings(script: Script) -> tuple[str, ...]:
    """Return the names of custom settings that a file's text may set."""
    return tuple(dict.fromkeys(one or other for one, other in _CUSTOM_SETTING.findall(script.source.text)))


@dataclass(frozen=True, slots=True)
class _State:
    """What a session holds between transactions."""

    session_user: str
    current_user: str
    settings: dict[str, str]
    lists: dict[str, tuple[str, ...]]
    #: Stands for all that belongs to the whole cluster.
    cluster: str


class MigrationSession:
    """A connection that is as good as new before every file, in which our own queries are prepared.

    To undo what a file left behind is cheaper than to connect anew, but not everything can be undone (LOAD,
    custom settings, defaults set by ALTER ROLE or ALTER DATABASE). So where anything was left behind, the
    session is closed and another opened.
    """

    def __init__(self, connect: Callable[[], psycopg.Connection[Any]]) -> None:
        self._connect = connect
        self._open: tuple[PreparedConnection, _State] | None = None
        #: Whether the last file has changed what belongs to the whole cluster.
        self.cluster_has_changed = False

    @property
    def connection(self) -> psycopg.Connection[Any]:
        """The open connection; one is opened when there is none."""
        return self.prepared.connection

    @property
    def prepared(self) -> PreparedConnection:
        """The open connection, with what is prepared in it."""
        return self._opened()[0]

    def _opened(self) -> tuple[PreparedConnection, _State]:
        if self._open is None or self._open[0].connection.closed:
            prepared = PreparedConnection(self._connect())
            self._open = prepared, _state(prepared)
        return self._open

    def reset(self, script: Script) -> None:
        """Undo, between a rehearsal and the real run, what no rollback undoes: currval, advisory locks, PREPARE."""
        connection = self.connection
        connection.execute(b"SELECT pg_catalog.pg_advisory_unlock_all(); DISCARD SEQUENCES")
        if "prepare" in script.source.text.lower():
            for name in _state(self.prepared).lists["prepared statement"]:
                connection.execute(sql.SQL("DEALLOCATE {}").format(sql.Identifier(name)))

    def renew(self, script: Script, *, is_looked_at: bool = True) -> tuple[Leak, ...]:
        """End the file's session and begin a new one; return what the file left behind.

        An open transaction is rolled back, as a server does with the session of a client that goes away. Of a file
        that is not looked at, the settings that it left are reset and not told.
        """
        prepared, fresh = self._opened()
        connection = prepared.connection
        leaks: list[Leak] = []
        status = connection.info.transaction_status
        if status != psycopg.pq.TransactionStatus.IDLE:
            leaks.append(Leak(kind="open transaction", name=status.name.lower()))
            connection.execute(b"ROLLBACK")
        is_intact = not _DEALLOCATES.search(script.source.text)
        source = prepared if is_intact else connection
        state = _state(source, _STATE if is_looked_at else _STATE_BUT_SETTINGS)
        leaks.extend(_leaks(fresh, state))
        leaks.extend(_custom_leaks(connection, custom_settings(script)))
        self.cluster_has_changed = state.cluster != fresh.cluster
        if leaks or not is_intact or self.cluster_has_changed:
            self.close()
        else:
            # What DISCARD ALL does beyond this is done by having left nothing (manual: "DISCARD").
            connection.execute(b"RESET ALL; DISCARD SEQUENCES")
        return tuple(leaks)

    def close(self) -> None:
        """Close the connection; the next use opens another."""
        if self._open is not None:
            self._open[0].connection.close()
        self._open = None


#: DEALLOCATE ALL and DISCARD ALL take away what we have prepared.
_DEALLOCATES = re.compile(r"\b(?:deallocate|discard)\b", re.IGNORECASE)


def _flushing(query: Fragment) -> Fragment:
    return fragment(
        "SELECT state.* FROM ({state}) AS state, pg_catalog.pg_stat_force_next_flush()", state=query
    )


def _state(source: Source, query: Fragment = _STATE) -> _State:
    connection = connection_of(source)
    if connection.info.server_version >= COUNTERS_ARE_FLUSHED_SINCE:
        query = _flushing(query)
    with connection.cursor(row_factory=dict_row) as cursor:
        (row,) = fetch_all(cursor, source, query)
    return _State(
        session_user=row["session_user"],
        current_user=row["current_user"],
        settings=row["settings"] or {},
        lists={kind: tuple(row[column] or ()) for kind, column in _LISTS.items()},
        cluster=row["cluster"],
    )


#: The columns of the query that hold names, by what they are names of.
_LISTS = {
    "temporary relation": "temporary_relations",
    "advisory lock": "advisory_locks",
    "prepared statement": "prepared_statements",
    "cursor": "cursors",
    "LISTEN": "channels",
}


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


def _custom_leaks(connection: psycopg.Connection[Any], names: Collection[str]) -> Iterator[Leak]:
    with connection.cursor(row_factory=tuple_row) as cursor:
        for name in names:
            row = cursor.execute(
                b"SELECT pg_catalog.current_setting(%s, true)", (name,), prepare=False
            ).fetchone()
            if row is not None and row[0]:
                yield Leak(kind="setting", name=name, value=row[0])
