"""What a file changes, read both ways: as the difference it made, and in full."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import psycopg
import pytest
from psycopg.rows import tuple_row

from pytest_migsafe import catalog
from pytest_migsafe.catalog import Changes, PreparedConnection, Schema
from pytest_migsafe.postgres.database import Database, create_database
from pytest_migsafe.postgres.server import Server
from tests.catalog import manual_mutations, mutations, rarer_mutations

Connection = psycopg.Connection[Any]
#: Runs a file in a savepoint that is rolled back: (connection, before, text) -> (after, what was read).
Rehearse = Callable[..., tuple[Schema, Changes]]

_LOCKED = """
    select distinct relation::int8 from pg_catalog.pg_locks
    where pid = pg_catalog.pg_backend_pid() and locktype = 'relation' and relation >= 16384
        and mode in ('ShareUpdateExclusiveLock', 'ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock',
                     'AccessExclusiveLock')
"""


def locked_relations(connection: Connection) -> list[int]:
    cursor = psycopg.Cursor(connection, row_factory=tuple_row)
    return [one for (one,) in cursor.execute(_LOCKED, prepare=False)]


#: One a connection: the names of what is prepared in a session are used once.
_PREPARED: WeakKeyDictionary[Connection, PreparedConnection] = WeakKeyDictionary()


def rehearse(
    connection: Connection, before: Schema, text: str, *, prepared: bool = True
) -> tuple[Schema, Changes]:
    source = _PREPARED.setdefault(connection, PreparedConnection(connection)) if prepared else connection
    connection.execute(b"begin; savepoint s")
    mark = catalog.mark(source)
    if text.strip():
        connection.execute(text.encode(), prepare=False)
    connection.execute(b"set constraints all immediate")
    changes = catalog.read_changes(source, mark, locked=locked_relations(connection))
    full = catalog.snapshot(connection)
    connection.execute(b"rollback to savepoint s")
    after = catalog.apply_changes(source, before, changes)
    connection.execute(b"rollback")
    assert not (wrong := [line.text for line in catalog.render(catalog.diff(full, after))]), wrong
    assert after == full
    assert catalog.physical_diff(after, full) == []
    assert after.to_json() == full.to_json()
    return after, changes


@pytest.fixture(name="rehearse")
def rehearse_fixture() -> Rehearse:
    return rehearse


#: Something of every kind, and expressions of every form.
PORTABLE = (
    mutations.RICH
    + rarer_mutations.RICH
    + Path(__file__).with_name("portable.sql").read_text(encoding="utf-8")
)


@contextmanager
def _database_of(server: Server, text: str) -> Iterator[Database]:
    """Make a database with the role that the objects of a text want, and leave nothing behind."""
    with create_database(server) as created:
        with created.connect() as connection:
            connection.execute(b"drop role if exists migsafe_reader; create role migsafe_reader")
            connection.execute(text.encode(), prepare=False)
        yield created
        with created.connect() as connection:
            # A database with a subscription cannot be dropped.
            connection.execute(
                b"drop subscription paper; drop owned by migsafe_reader cascade; drop role migsafe_reader"
            )


@pytest.fixture(scope="module")
def portable_database(server: Server) -> Iterator[Database]:
    with _database_of(server, PORTABLE) as created:
        yield created


@pytest.fixture(scope="module")
def portable(portable_database: Database) -> Schema:
    with portable_database.connect() as connection:
        return catalog.snapshot(connection)


#: What all changes are made of.
RICH = mutations.RICH + rarer_mutations.RICH + manual_mutations.RICH


@pytest.fixture(scope="module")
def rich(server: Server) -> Iterator[Database]:
    with _database_of(server, RICH) as created:
        yield created


@pytest.fixture(scope="module")
def lasting_connection(rich: Database) -> Iterator[psycopg.Connection]:
    """One for all changes: its caches are warm, and its queries prepared."""
    with rich.connect() as connection:
        yield connection


@pytest.fixture
def rich_connection(lasting_connection: psycopg.Connection) -> Iterator[psycopg.Connection]:
    yield lasting_connection
    # Also after a test that failed: the next one needs the database, and the session, as they were.
    lasting_connection.execute(b"rollback")
