"""Databases are made, cloned and dropped, whatever is going on in them."""

import psycopg
import pytest

from pytest_migsafe.postgres.database import Database, create_database
from pytest_migsafe.postgres.server import SUPERUSER, Server


def _exists(server: Server, name: str) -> bool:
    with server.connect(user=SUPERUSER) as connection:
        return (
            connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,)).fetchone() is not None
        )


def test_an_empty_database_belongs_to_the_migrations_role(
    database: Database, connection: psycopg.Connection
) -> None:
    assert database.name.startswith("migsafe_")
    row = connection.execute(
        "SELECT current_database(), current_user::text, pg_get_userbyid(datdba)::text FROM pg_database"
        " WHERE datname = current_database()"
    ).fetchone()
    assert row == (database.name, "postgres", "postgres")
    tables = "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace"
    assert connection.execute(tables).fetchone() == (0,)
    assert connection.autocommit


def test_the_public_schema_belongs_to_the_database_owner(connection: psycopg.Connection) -> None:
    row = connection.execute(
        "SELECT nspowner::regrole::text FROM pg_namespace WHERE nspname = 'public'"
    ).fetchone()
    assert row in (("pg_database_owner",), ("postgres",))


def test_a_clone_has_the_templates_content_and_is_independent(server: Server, database: Database) -> None:
    with database.connect() as connection:
        connection.execute("CREATE TABLE t AS SELECT 1 AS a")
    with create_database(server, template=database.name) as clone, clone.connect() as connection:
        assert connection.execute("SELECT a FROM t").fetchone() == (1,)
        connection.execute("DROP TABLE t")
    with database.connect() as connection:
        assert connection.execute("SELECT a FROM t").fetchone() == (1,)


def test_cloning_ends_the_sessions_in_the_template(server: Server, database: Database) -> None:
    session = database.connect()
    with create_database(server, template=database.name), pytest.raises(psycopg.errors.AdminShutdown):
        session.execute("SELECT 1")
    session.close()


def test_a_database_is_dropped_with_whoever_is_in_it(server: Server) -> None:
    with create_database(server) as database:
        session = database.connect(autocommit=False)
        session.execute("CREATE TABLE t ()")
    assert not _exists(server, database.name)
    session.close()


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER DATABASE {} IS_TEMPLATE true",
        "ALTER DATABASE {} ALLOW_CONNECTIONS false",
        "ALTER DATABASE {} OWNER TO migsafe",
        "ALTER DATABASE {} CONNECTION LIMIT 0",
    ],
)
def test_a_database_is_dropped_whatever_a_migration_did_to_it(server: Server, statement: str) -> None:
    with create_database(server) as database, server.connect() as connection:
        connection.execute(statement.format(database.name))
    assert not _exists(server, database.name)


def test_a_database_that_a_migration_dropped_is_no_error(server: Server) -> None:
    with create_database(server) as database, server.connect() as connection:
        connection.execute(f"DROP DATABASE {database.name}")


def test_a_database_held_by_a_subscription_is_left_to_the_servers_end(server: Server) -> None:
    with create_database(server) as database, database.connect() as connection:
        connection.execute("CREATE SUBSCRIPTION s CONNECTION 'dbname=x' PUBLICATION p WITH (connect = false)")
    assert _exists(server, database.name)


def test_a_database_is_dropped_after_an_error(server: Server) -> None:
    with pytest.raises(ZeroDivisionError), create_database(server) as database:
        raise ZeroDivisionError
    assert not _exists(server, database.name)
