"""A live database as a test uses it: there and back, as who one wants to be, and nothing left open."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from pytest_migsafe.postgres.binaries import Binaries
from pytest_migsafe.testing import MigrationDatabase, SelectionError
from pytest_migsafe.testing.database import url_of
from tests.laboratories import laboratory_of
from tests.service import PASSWORD, Service

HISTORY = {
    "0001_roles.up.sql": "create role app_user;\n",
    "0001_roles.down.sql": "drop role app_user;\n",
    "0002_notes.up.sql": (
        "create table notes (id int primary key, owner text default current_setting('app.user', true), body text);\n"
        "grant select, insert on notes to app_user;\n"
    ),
    "0002_notes.down.sql": "drop table notes;\n",
    "0003_row_security.up.sql": (
        "alter table notes enable row level security;\n"
        "create policy own on notes using (owner = coalesce(current_setting('request.jwt.claims', true)::json ->> 'sub', "
        "current_setting('app.user', true)));\n"
    ),
    "0003_row_security.down.sql": "drop policy own on notes;\nalter table notes disable row level security;\n",
    "0004_short.up.sql": "alter table notes add check (length(body) < 10);\n",
}
SOME = "insert into notes values (1, 'ann', 'hers'), (2, 'bob', 'his')"

#: Opens a database at a position.
Open = Callable[[int], MigrationDatabase]


@pytest.fixture
def database_at(tmp_path: Path, binaries: Binaries) -> Iterator[Open]:
    with ExitStack() as resources:
        laboratory = resources.enter_context(laboratory_of(tmp_path, HISTORY, binaries))

        def opened(position: int) -> MigrationDatabase:
            return MigrationDatabase(resources.enter_context(laboratory.database_at(position)), resources)

        yield opened


def test_there_and_back(database_at: Open) -> None:
    database = database_at(1)
    assert repr(database) == f"<database at 0001_roles.up.sql, PostgreSQL {database.postgres}>"
    assert database.next is not None
    assert database.apply("0002").path.name == "0002_notes.up.sql"
    database.migrate_to("*_row_security*")
    database.migrate_to("0003")
    assert [one.id for one in database.applied] == ["0001", "0002", "0003"]
    database.rollback()
    assert database.apply().id == "0003"
    database.rollback(to="0001_roles.up")
    assert database.next.id == "0002"
    database.rollback()
    assert database.applied == ()
    assert repr(database).startswith("<database before the first migration")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda one: one.apply("0004"), "the next migration is 0003_row_security.up.sql, not 0004; migrate_to('0004') app"),
        (lambda one: one.apply("0005"), "there is no migration '0005' in migrations; did you mean"),
        (lambda one: one.migrate_to("1"), "0002_notes.up.sql is applied already, which comes after 1; rollback(to='1')"),
        (lambda one: one.rollback(to="0004"), "0004 is not applied; migrate_to applies it"),
        (lambda one: one.migrate_to("*.sql"), "'*.sql' names 4 migrations (0001_roles.up.sql, "),
        (lambda one: [one.apply() for _ in range(3)], "all 4 migrations are applied, there is no next one"),
        (lambda one: [one.rollback() for _ in range(3)], "no migration is applied, there is nothing to undo"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_said_with_the_way_out(
    database_at: Open, wrong: Callable[[MigrationDatabase], object], said: str
) -> None:
    with pytest.raises(SelectionError) as raised:
        wrong(database_at(2))
    assert said in str(raised.value)


def test_queries(database_at: Open) -> None:
    database = database_at(2)
    assert database.execute(SOME).rowcount == 2
    assert database.rows("select id, body from notes where owner = %s", ["bob"]) == [(2, "his")]
    assert database.value(b"select count(*) from notes") == 2
    assert database.value(psycopg.sql.SQL("select {}").format(7)) == 7
    for query in ("select id from notes", "select 1, 2", "select id from notes where false"):
        with pytest.raises(ValueError, match="one row with one column was asked for, there are"):
            database.value(query)
    with pytest.raises(psycopg.errors.UndefinedTable):
        database.execute("select * from letters")
    # A failed query leaves nothing behind: it is a transaction of its own.
    assert database.value("select count(*) from notes") == 2


def test_as_a_role(database_at: Open) -> None:
    database = database_at(3)
    database.execute(SOME)
    with database.as_role("app_user", settings={"app.user": "ann"}) as connection:
        assert connection.execute("select body from notes").fetchall() == [("hers",)]
        connection.execute("insert into notes (id) values (3)")
        # Meanwhile the owner sees all, but what is not committed.
        assert database.value("select count(*) from notes") == 2
    assert database.value("select owner from notes where id = 3") == "ann"
    with database.as_role("app_user", {"sub": "bob"}) as connection:
        assert connection.execute("select body from notes").fetchall() == [("his",)]
        with pytest.raises(psycopg.errors.InsufficientPrivilege), connection.transaction():
            connection.execute("delete from notes")
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"):
            connection.execute("insert into notes values (4, 'ann', 'not his')")
    with (
        pytest.raises(psycopg.errors.InvalidParameterValue, match='role "app_usr" does not exist'),
        database.as_role("app_usr"),
    ):
        pass
    assert database.value("select current_user::text") == "postgres"
    assert connection.closed


def test_the_plan_is_that_of_who_asks(database_at: Open) -> None:
    database = database_at(3)
    query = "select * from notes where id = 1"
    assert "app.user" not in str(database.plan(query))
    with database.as_role("app_user") as connection:
        plan = database.plan(query, connection=connection)
        assert "app.user" in str(plan)
        assert plan.uses("notes_pkey")
        assert connection.execute("show enable_seqscan").fetchall() == [("on",)]
    assert repr(plan).startswith("<plan: Index Scan using notes_pkey on notes / ")


def test_whatever_a_test_leaves_open_is_closed(tmp_path: Path, binaries: Binaries) -> None:
    with laboratory_of(tmp_path, HISTORY, binaries) as laboratory:
        with ExitStack() as resources:
            database = MigrationDatabase(resources.enter_context(laboratory.database_at(2)), resources)
            one = database.connection
            other = database.connect(autocommit=False)
            other.execute("lock table notes")
            later = asyncio.run(database.async_connect())
            assert database.connection is one
            one.close()
            assert not database.connection.closed
            again = database.connection
            dsn = database.dsn
        assert other.closed
        assert later.closed
        assert again.closed
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(dsn)


def test_a_url_reaches_it_too(database_at: Open) -> None:
    database = database_at(0)
    with psycopg.connect(database.url) as connection:
        assert connection.execute("select 1").fetchall() == [(1,)]
    odd = psycopg.conninfo.make_conninfo(
        host="/tmp/a b", port=1, user="a@b", password=PASSWORD, dbname="d?b", options="-c role=x"
    )
    known = conninfo_to_dict(odd)
    assert conninfo_to_dict(url_of(odd)) == known


def test_on_a_given_server_one_is_the_member_that_one_is(
    tmp_path: Path, service: Service, binaries: Binaries
) -> None:
    del binaries
    files = {name: text for name, text in HISTORY.items() if "roles" not in name}
    service.run("create role app_user", "grant app_user to ci")
    try:
        with laboratory_of(tmp_path, files, service.uri()) as laboratory, ExitStack() as resources:
            database = MigrationDatabase(resources.enter_context(laboratory.database_at(2)), resources)
            database.execute(SOME)
            with database.as_role("app_user", settings={"app.user": "bob"}) as connection:
                assert connection.execute("select body from notes").fetchall() == [("his",)]
            with pytest.raises(psycopg.errors.InsufficientPrivilege), database.as_role("boss"):
                pass
            with psycopg.connect(database.url) as other:
                assert other.execute("select current_user::text").fetchall() == [("ci",)]
            database.rollback()
            database.apply()
        assert [name for name in service.databases() if name.startswith("migsafe")] == []
    finally:
        service.run("drop role app_user")
