"""Roles, settings and the database itself: read and compared apart from the schema."""

import psycopg
import pytest

from pytest_migsafe import catalog
from pytest_migsafe.postgres.database import Database, create_database
from pytest_migsafe.postgres.server import Server

_CHANGES = {
    "create role migsafe_a login connection limit 3 valid until '2040-01-01'": ("added", "role", "migsafe_a"),
    "alter role migsafe_r createdb": ("changed", "role", "migsafe_r"),
    "grant migsafe_r to migsafe_m": ("added", "membership", "migsafe_m in migsafe_r"),
    "comment on role migsafe_r is 'Reads'": ("added", "role comment", "migsafe_r"),
    "alter role migsafe_r set work_mem = '8MB'": ("added", "setting", "of role migsafe_r"),
    "alter database {} set search_path = app": ("added", "database", "setting"),
    "alter role migsafe_r in database {} set work_mem = '9MB'": (
        "added",
        "database",
        "setting of role migsafe_r",
    ),
    "revoke connect on database {} from public": ("changed", "database", "grants to PUBLIC"),
    "grant create on database {} to migsafe_r": ("added", "database", "grants to migsafe_r"),
    "alter database {} connection limit 5": ("added", "database", "connection limit"),
    "comment on database {} is 'Ours'": ("changed", "database", "comment"),
    "alter tablespace pg_default set (seq_page_cost = 2)": ("added", "tablespace options", "pg_default"),
}


@pytest.mark.parametrize("text", _CHANGES)
def test_a_change_around_the_schema_is_seen(text: str, connection: psycopg.Connection) -> None:
    connection.execute(b"begin; create role migsafe_r; create role migsafe_m")
    schema, before = catalog.snapshot(connection), catalog.environment(connection)
    connection.execute(text.format(connection.info.dbname).encode())
    after = catalog.environment(connection)
    changes = catalog.environment_diff(before, after)
    assert [(one.action, one.kind, one.name) for one in changes] == [_CHANGES[text]]
    assert [one.inverted() for one in changes] == catalog.environment_diff(after, before)
    assert list(catalog.render(changes))
    assert catalog.snapshot(connection) == schema
    connection.execute(b"rollback")


def test_options_of_memberships_are_seen(connection: psycopg.Connection) -> None:
    if connection.info.server_version < 160000:
        pytest.skip("they came with PostgreSQL 16")
    connection.execute(b"begin; create role migsafe_r; create role migsafe_m; grant migsafe_r to migsafe_m")
    before = catalog.environment(connection)
    connection.execute(b"grant migsafe_r to migsafe_m with inherit false, set false")
    (change,) = catalog.environment_diff(before, catalog.environment(connection))
    assert change.value("definition") == "INHERIT FALSE, SET FALSE"
    connection.execute(b"rollback")


def test_a_database_of_another_name_is_in_the_same_environment(server: Server, database: Database) -> None:
    with create_database(server) as other, database.connect() as here, other.connect() as there:
        assert catalog.environment(here) == catalog.environment(there)
