"""Private databases at any point of a history: each its own, closed in the end, on our server and on a given one."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psycopg
import pytest

from pytest_migsafe import catalog
from pytest_migsafe.errors import IrreversibleError
from pytest_migsafe.postgres.binaries import Binaries
from pytest_migsafe.postgres.database import Database
from pytest_migsafe.rehearsal.laboratory import Laboratory, LiveDatabase, OnTheWayError
from tests.laboratories import laboratory_of
from tests.service import Service

FILES = {
    "0001_users.up.sql": "create table users (id int primary key, name text);\n",
    "0001_users.down.sql": "drop table users;\n",
    "0002_email.up.sql": "alter table users add column email text;\n",
    "0002_email.down.sql": "alter table users drop column email;\n",
    "0003_key.up.sql": "-- one address, one user\nalter table users add constraint users_email_key unique (email);\n",
    "0003_key.down.sql": "alter table users drop constraint users_email_key;\n",
    "0004_forward_only.up.sql": "create table plans (id int primary key);\n",
}
SOME_USERS = b"insert into users values (1, 'ann', 'a@example.com'), (2, 'bob', 'a@example.com')"

#: Makes a laboratory, closed after the test.
Make = Callable[..., Laboratory]


@pytest.fixture
def make(tmp_path: Path, binaries: Binaries) -> Iterator[Make]:
    with ExitStack() as resources:

        def made(files: Mapping[str, str], on: str | None = None, **settings: Any) -> Laboratory:
            return resources.enter_context(laboratory_of(tmp_path, files, on or binaries, **settings))

        yield made


@pytest.fixture(params=["ours", "given"])
def laboratory(request: pytest.FixtureRequest, make: Make) -> Laboratory:
    given = request.getfixturevalue("service").uri() if request.param == "given" else None
    return make(FILES, given)


def _columns(live: LiveDatabase) -> list[str]:
    with live.connect() as connection:
        return sorted(catalog.snapshot(connection).columns)


def test_each_database_is_its_own_and_is_gone_after_the_block(laboratory: Laboratory) -> None:
    with (
        laboratory.database_at(2) as one,
        laboratory.database_at(2) as other,
        laboratory.database_at(2) as third,
    ):
        assert one.database != other.database != third.database
        with one.connect() as connection:
            connection.execute(SOME_USERS)
        one.undo()
        other.apply()
        assert [[file.id for file in live.applied] for live in (one, other, third)] == [
            ["0001"],
            ["0001", "0002", "0003"],
            ["0001", "0002"],
        ]
        assert "public.users.email" not in _columns(one)
        assert "public.users.email" in _columns(third)
        dsn = one.dsn
        left_open = one.connect(autocommit=False)
        left_open.execute(b"select 1")
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(dsn)
    left_open.close()


def test_there_and_back_again(laboratory: Laboratory) -> None:
    with laboratory.database_at(0) as live:
        assert _columns(live) == []
        live.apply_to(4)
        with pytest.raises(IrreversibleError, match=r"nothing undoes migrations/0004_forward_only\.up\.sql"):
            live.undo()
        with pytest.raises(IndexError):
            live.apply()
    with laboratory.database_at(3) as live:
        live.undo_to(0)
        assert _columns(live) == []
        with pytest.raises(IndexError):
            live.undo()


def test_an_error_is_psycopgs_and_its_note_says_where(laboratory: Laboratory) -> None:
    with laboratory.database_at(2) as live:
        with live.connect() as connection:
            connection.execute(SOME_USERS)
        for _ in range(2):  # it does not count as applied
            with pytest.raises(psycopg.errors.UniqueViolation) as raised:
                live.apply()
            assert raised.value.__notes__ == ["migrations/0003_key.up.sql, line 2"]
        assert live.position == 2
        with live.connect() as connection:
            connection.execute(b"alter table users drop column email")
        with pytest.raises(psycopg.errors.UndefinedColumn) as refused:
            live.undo()
        assert refused.value.__notes__ == ["migrations/0002_email.down.sql, line 1"]


def test_a_broken_file_on_the_way_is_named_and_tried_once(make: Make) -> None:
    laboratory = make(FILES | {"0002_email.up.sql": "\nalter table user add column email text;\n"})
    for position in (4, 2, 3):
        with (
            pytest.raises(
                OnTheWayError, match=r"0002_email.up.sql cannot be applied: syntax error"
            ) as raised,
            laboratory.database_at(position),
        ):
            pass
        assert raised.value.migration.id == "0002"
        assert isinstance(raised.value.__cause__, psycopg.errors.SyntaxError)
    with laboratory.database_at(1) as live, pytest.raises(psycopg.errors.SyntaxError):
        live.apply()


def test_a_file_that_ends_in_its_own_transaction_or_ends_its_session(make: Make) -> None:
    laboratory = make(
        {
            "0001_open.up.sql": "begin;\ncreate table a (id int);\n",
            "0002_gone.up.sql": "select pg_terminate_backend(pg_backend_pid());\n",
        }
    )
    with laboratory.database_at(0) as live:
        with pytest.raises(psycopg.errors.InvalidTransactionState) as raised:
            live.apply()
        assert raised.value.__notes__ == ["migrations/0001_open.up.sql, line 1"]
        live.position = 1
        with pytest.raises(psycopg.errors.AdminShutdown) as ended:
            live.apply()
        assert ended.value.__notes__ == ["migrations/0002_gone.up.sql ended its session"]


def test_the_time_of_a_file_is_limited(make: Make) -> None:
    laboratory = make({"0001_slow.sql": "select pg_sleep(60);\n"}, file_timeout="200ms")
    with laboratory.database_at(0) as live, pytest.raises(psycopg.errors.QueryCanceled) as raised:
        live.apply()
    assert raised.value.__notes__[-1] == "given up after 0.2 s: [tool.migsafe] file_timeout"


def test_what_is_asked_for_often_is_copied_and_a_few_are_kept(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    laboratory = make({f"{number:04}_t.sql": f"create table t{number} (id int);\n" for number in range(1, 7)})
    made: list[str] = []
    opened, copied = laboratory.open, laboratory.copy

    def open_database(resources: ExitStack) -> Database:
        made.append("open")
        return opened(resources)

    def copy_database(database: Database, resources: ExitStack) -> Database:
        made.append("copy")
        return copied(database, resources)

    monkeypatch.setattr(laboratory, "open", open_database)
    monkeypatch.setattr(laboratory, "copy", copy_database)
    for position in (3, 3, 3, 3, 5):
        with laboratory.database_at(position) as live:
            assert len(_columns(live)) == position
    assert made == ["open", "open", "open", "copy", "copy", "copy"]
    for position in (1, 2, 4, 5, 6) * 3:
        with laboratory.database_at(position):
            pass
    assert len(laboratory._stations) == 4


def test_roles_are_of_the_servers_own(make: Make) -> None:
    """A file that makes a role is applied on the way, and again in a copy of a database from before it."""
    laboratory = make({"0001_t.sql": "create table t (id int);", "0002_role.sql": "create role app_user;"})
    for position in (2, 1, 1, 1, 2, 2):
        with laboratory.database_at(position) as live:
            live.apply_to(2)
            with live.connect() as connection:
                found = connection.execute(b"select 1 from pg_roles where rolname = 'app_user'").fetchall()
            assert found == [(1,)]


@pytest.mark.parametrize("given", [False, True], ids=["ours", "given"])
def test_who_one_is(make: Make, service: Service, given: bool) -> None:
    """With the setting `role`, files run as it and connections are its own; without, they are the superuser's."""
    on = service.uri("boss") if given else None
    laboratory = make(FILES, on, role="app_owner")
    with laboratory.database_at(1) as live:
        live.apply()
        with live.connect() as connection, psycopg.connect(live.dsn) as other:
            for one in (connection, other):
                assert one.execute(b"select current_user::text").fetchall() == [("app_owner",)]
            (owner,) = {table.owner for table in catalog.snapshot(connection).tables.values()}
        assert owner == "app_owner"
        with live.connect_as_administrator() as connection:
            row = connection.execute(b"select rolsuper from pg_roles where rolname = current_user").fetchall()
        assert row == [(True,)]


def test_a_prelude_and_stubs_are_there(make: Make) -> None:
    laboratory = make(
        {"0001_docs.sql": "create extension vector;\ncreate table docs (place vector);\n"},
        prelude=("supabase",),
    )
    for _ in range(4):
        with laboratory.database_at(1) as live, live.connect() as connection:
            assert connection.execute(b"select count(*) from pg_roles where rolname = 'anon'").fetchall() == [
                (1,)
            ]
            connection.execute(b"select place from docs")


def test_rows_of_unlogged_tables_are_copied_too(make: Make) -> None:
    laboratory = make({"0001_t.sql": "create unlogged table t (id int);\ninsert into t values (1), (2);\n"})
    for _ in range(4):
        with laboratory.database_at(1) as live, live.connect() as connection:
            assert connection.execute(b"select count(*) from t").fetchall() == [(2,)]
