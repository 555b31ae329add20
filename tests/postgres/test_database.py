"""Databases are made, cloned and dropped, whatever is going on in them."""

import os
import re
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from pytest_migsafe.errors import LeftoverWarning, ServerError
from pytest_migsafe.postgres.binaries import Binaries
from pytest_migsafe.postgres.database import Database, _drop, create_database, sweep_leftovers
from pytest_migsafe.postgres.given import given_server
from pytest_migsafe.postgres.server import SUPERUSER, Server, start_server
from tests.service import Service


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


# -- on a server that is somebody else's -------------------------------------------------------------------


@pytest.fixture
def given(service: Service) -> Server:
    """The server as a role sees it that may log in and make databases, and no more."""
    return given_server(service.uri())


@pytest.fixture
def nothing_else(service: Service) -> Iterator[None]:
    """See that a test leaves the server's databases as they were."""
    before = service.databases()
    yield
    assert service.databases() == before


@pytest.mark.usefixtures("nothing_else")
def test_a_database_on_a_given_server_says_whose_it_is(given: Server) -> None:
    with create_database(given) as database, database.connect() as connection:
        row = connection.execute(
            "SELECT pg_get_userbyid(datdba)::text, shobj_description(oid, 'pg_database') FROM pg_database"
            " WHERE datname = current_database()"
        ).fetchone()

    assert row is not None
    owner, comment = row
    assert owner == "ci"
    assert re.fullmatch(r"migsafe_\d{8}t\d{6}_[0-9a-f]{12}", database.name)
    made = datetime.strptime(database.name, f"migsafe_%Y%m%dt%H%M%S_{database.name[-12:]}").replace(
        tzinfo=UTC
    )
    assert abs(datetime.now(UTC) - made) < timedelta(minutes=1)
    assert comment == (
        f"pytest-migsafe: made on {socket.gethostname()} by process {os.getpid()} at {made:%Y-%m-%dT%H:%M:%SZ} "
        "for one rehearsal; it may be dropped"
    )


@pytest.mark.usefixtures("nothing_else")
def test_createdb_is_enough_for_a_clone(given: Server) -> None:
    with create_database(given) as database:
        session = database.connect()
        session.execute("CREATE TABLE t AS SELECT 1 AS a")
        with create_database(given, template=database.name) as clone, clone.connect() as connection:
            assert connection.execute("SELECT a FROM t").fetchone() == (1,)
        session.close()


@pytest.mark.usefixtures("nothing_else")
@pytest.mark.parametrize(
    "statement",
    [
        "ALTER DATABASE {} IS_TEMPLATE true",
        "ALTER DATABASE {} ALLOW_CONNECTIONS false",
        "ALTER DATABASE {} CONNECTION LIMIT 0",
        "DROP DATABASE {}",
    ],
)
def test_createdb_is_enough_to_drop_whatever_a_migration_did(given: Server, statement: str) -> None:
    with create_database(given) as database, given.connect() as connection:
        connection.execute(statement.format(database.name))


@pytest.mark.usefixtures("nothing_else")
def test_several_runs_work_at_the_same_time(given: Server) -> None:
    def run(number: int) -> tuple[str, int]:
        with create_database(given) as database, database.connect() as connection:
            connection.execute("CREATE TABLE t AS SELECT %s::int AS a", (number,))
            row = connection.execute("SELECT a FROM t").fetchone()
            return database.name, row[0] if row else -1

    with ThreadPoolExecutor(4) as pool:
        seen = list(pool.map(run, range(8)))
    assert len({name for name, _ in seen}) == 8
    assert [number for _, number in seen] == list(range(8))


def test_a_database_that_cannot_be_dropped_is_told(given: Server, service: Service) -> None:
    told: list[str] = []
    with create_database(given, tell=told.append) as database:
        service.run(f"ALTER DATABASE {database.name} OWNER TO app_owner")

    (sentence,) = told
    assert sentence.startswith(
        f"the database {database.name} stays on the server at {service.address}:5432, for it could not be dropped: "
        f"must be owner of database {database.name}"
    )
    assert "\n" not in sentence
    service.run(f"DROP DATABASE {database.name}")


@pytest.mark.filterwarnings("error")
def test_who_is_told_by_default_is_the_reader_of_warnings(given: Server, service: Service) -> None:
    with ExitStack() as open_database:
        database = open_database.enter_context(create_database(given))
        service.run(f"ALTER DATABASE {database.name} OWNER TO app_owner")
        with pytest.warns(LeftoverWarning, match=f"{database.name} stays on the server"):
            open_database.close()
    service.run(f"DROP DATABASE {database.name}")


@pytest.mark.usefixtures("nothing_else")
def test_a_prepared_transaction_does_not_outlive_its_database(given: Server, service: Service) -> None:
    with create_database(given) as database, database.connect() as connection:
        connection.execute("BEGIN; CREATE TABLE t (); PREPARE TRANSACTION 'it''s held'")
    with service.owner.connect() as connection:
        assert connection.execute("SELECT gid FROM pg_prepared_xacts").fetchall() == []


def test_a_given_server_that_went_away_is_told_without_an_error(binaries: Binaries) -> None:
    told: list[str] = []
    with ExitStack() as running:
        server = replace(running.enter_context(start_server(binaries)), is_ours=False)
        with create_database(server, tell=told.append) as database:
            running.close()

    assert len(told) == 1
    assert database.name in told[0]
    assert "failed" in told[0]


def test_our_own_server_that_went_away_needs_no_word(binaries: Binaries) -> None:
    told: list[str] = []
    with ExitStack() as running:
        server = running.enter_context(start_server(binaries))
        with create_database(server, tell=told.append):
            running.close()
    assert told == []


@pytest.mark.usefixtures("nothing_else")
def test_a_role_that_has_lost_its_privilege_is_named(given: Server, service: Service) -> None:
    service.run("ALTER ROLE ci NOCREATEDB")
    try:
        with pytest.raises(ServerError) as caught, create_database(given):
            pass
    finally:
        service.run("ALTER ROLE ci CREATEDB")
    first, way_out = str(caught.value).splitlines()
    assert first.startswith(
        f"No database can be made on the server at {service.address}:5432: permission denied"
    )
    assert first.endswith(" (role ci).")
    assert way_out.startswith("Give it the privilege, ALTER ROLE ci CREATEDB,")


@pytest.mark.usefixtures("nothing_else")
def test_a_database_may_belong_to_a_role_that_ours_is_a_member_of(given: Server, service: Service) -> None:
    service.run("GRANT app_owner TO ci")
    try:
        with (
            create_database(given, owner="app_owner") as database,
            database.connect(options={"role": "app_owner"}) as connection,
        ):
            connection.execute("CREATE TABLE t ()")
            row = connection.execute(
                "SELECT current_user::text, pg_get_userbyid(datdba)::text FROM pg_database WHERE datname = %s",
                (database.name,),
            ).fetchone()
    finally:
        service.run("REVOKE app_owner FROM ci")
    assert row == ("app_owner", "app_owner")


@pytest.mark.usefixtures("nothing_else")
@pytest.mark.parametrize(
    ("owner", "way_out"), [("app_owner", "GRANT app_owner TO ci"), ("missing", "CREATE ROLE missing")]
)
def test_a_database_for_a_role_that_ours_cannot_become(given: Server, owner: str, way_out: str) -> None:
    with pytest.raises(ServerError) as caught, create_database(given, owner=owner):
        pass
    first, second = str(caught.value).splitlines()
    assert owner in first
    assert way_out in second


# -- what is dropped, and what never -----------------------------------------------------------------------

_OLD = "migsafe_20200229t235959"
_COMMENT = "pytest-migsafe: made on ci-runner by process 7 at 2020-02-29T23:59:59Z for one rehearsal"


@pytest.mark.parametrize(
    "name",
    [
        "app",
        "postgres",
        "migsafe_mine",
        "migsafe_0123456789ab",
        f"{_OLD}_0123456789a",
        f"{_OLD}_0123456789ab\n",
        f"{_OLD}_0123456789AB",
        f"my_{_OLD}_0123456789ab",
        "migsafe_20209999t235959_0123456789ab",
        "",
    ],
)
def test_a_name_that_is_not_of_our_making_is_never_dropped(server: Server, name: str) -> None:
    with (
        server.connect() as connection,
        connection.cursor() as cursor,
        pytest.raises(AssertionError, match="is not a database that pytest-migsafe has made"),
    ):
        _drop(cursor, name, with_sessions=True)


def test_leftovers_are_swept_and_nothing_else(given: Server, service: Service) -> None:
    now = datetime.now(UTC)
    leftover, as_template = f"{_OLD}_0123456789ab", f"{_OLD}_0123456789ac"
    young = f"migsafe_{now - timedelta(hours=23):%Y%m%dt%H%M%S}_0123456789ab"
    a_day_old = f"migsafe_{now - timedelta(hours=25):%Y%m%dt%H%M%S}_0123456789ab"
    without_comment, of_another = f"{_OLD}_000000000001", f"{_OLD}_000000000002"
    foreign_comment, in_use = f"{_OLD}_000000000003", f"{_OLD}_000000000004"
    impossible = "migsafe_20209999t235959_0123456789ab"
    kept = [young, without_comment, of_another, foreign_comment, in_use, impossible, "migsafe_mine"]
    for name in (leftover, as_template, a_day_old, *kept):
        service.run(f"CREATE DATABASE {name} OWNER ci")
        if name not in (without_comment, foreign_comment):
            service.run(f"COMMENT ON DATABASE {name} IS '{_COMMENT}'")
    service.run(
        f"COMMENT ON DATABASE {foreign_comment} IS 'made by pytest-migsafe: keep'",
        f"ALTER DATABASE {as_template} IS_TEMPLATE true",
        f"ALTER DATABASE {of_another} OWNER TO app_owner",
    )
    try:
        with service.owner.connect(in_use):
            assert sweep_leftovers(given) == (leftover, as_template, a_day_old)
            assert set(kept) <= set(service.databases())
            assert sweep_leftovers(given) == ()
    finally:
        service.run(*(f"DROP DATABASE IF EXISTS {name}" for name in kept))


@pytest.mark.usefixtures("nothing_else")
def test_opening_a_given_server_sweeps(service: Service) -> None:
    service.run(
        f"CREATE DATABASE {_OLD}_0123456789ab OWNER ci",
        f"COMMENT ON DATABASE {_OLD}_0123456789ab IS '{_COMMENT}'",
    )
    given_server(service.uri())
