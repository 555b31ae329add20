"""The role that is nobody in particular, in whose name it is asked what everybody may do."""

from collections.abc import Iterator
from contextlib import ExitStack

import psycopg
import pytest

from pytest_migsafe.postgres.database import Database
from pytest_migsafe.rehearsal.probes.stranger import stranger


@pytest.fixture
def sessions(database: Database) -> Iterator[tuple[psycopg.Connection, psycopg.Connection]]:
    """Two sessions of a server, each in a transaction, the first of a role that may make roles and is no superuser."""
    with ExitStack() as resources:
        maker, other = (resources.enter_context(database.connect()) for _ in range(2))
        maker.execute(b"BEGIN; CREATE ROLE maker CREATEROLE; SET LOCAL SESSION AUTHORIZATION maker")
        other.execute(b"BEGIN; SET LOCAL lock_timeout = '1s'")
        yield maker, other
        maker.rollback()


def _role(connection: psycopg.Connection, name: str) -> object:
    return connection.execute(
        "SELECT count(*) FROM pg_catalog.pg_roles WHERE rolname = %s", [name]
    ).fetchone()


def test_two_runs_make_one_at_a_time_and_leave_none(
    sessions: tuple[psycopg.Connection, psycopg.Connection],
) -> None:
    maker, other = sessions

    with stranger(maker) as one, stranger(other) as another:
        for connection, name in ((maker, one), (other, another)):
            connection.execute(f"SET LOCAL ROLE {name}")

    assert _role(maker, one) == _role(other, another) == (0,)
    assert one != another


def test_who_may_make_none_is_told(sessions: tuple[psycopg.Connection, psycopg.Connection]) -> None:
    maker, _ = sessions
    maker.execute(b"RESET SESSION AUTHORIZATION; CREATE ROLE nobody; SET LOCAL SESSION AUTHORIZATION nobody")

    with pytest.raises(psycopg.errors.InsufficientPrivilege), stranger(maker):
        pass

    assert maker.execute("SELECT 1").fetchone() == (1,)
