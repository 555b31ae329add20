"""The reading does not depend on the session, and leaves it as it was."""

import psycopg
import pytest
from psycopg.rows import dict_row

from pytest_migsafe import catalog
from pytest_migsafe.catalog import Schema
from pytest_migsafe.errors import SnapshotError
from pytest_migsafe.postgres.database import Database
from tests.catalog.conftest import Rehearse
from tests.service import Service

_TABLE = """
create schema app;
create table app.t (
    a timestamptz default '2001-02-03 04:05:06+00' check (a > '2000-01-01 00:00:00+00'),
    b interval default '1 day 02:00:00', c bytea default '\\x00ff', d money default '$1.50', e date default '2001-02-03',
    "Ünïcode" text default 'ß' );
create index on app.t (a) where e > '2001-02-03';
create view app.v as select * from app.t where b > '1 day';
"""

_SETTINGS = {
    "TimeZone": "Asia/Tokyo",
    "DateStyle": "SQL, DMY",
    "IntervalStyle": "iso_8601",
    "bytea_output": "escape",
    "quote_all_identifiers": "on",
    "search_path": "app, pg_catalog",
    "extra_float_digits": "-5",
    "standard_conforming_strings": "off",
    "client_encoding": "LATIN1",
    "statement_timeout": "60000",
    "default_transaction_read_only": "on",
}


@pytest.mark.parametrize("name", _SETTINGS)
def test_a_setting_of_the_session_does_not_show(
    name: str, connection: psycopg.Connection, database: Database
) -> None:
    connection.execute(_TABLE.encode(), prepare=False)
    before = catalog.snapshot(connection)
    with database.connect() as other:
        other.execute(psycopg.sql.SQL("set {} to {}").format(psycopg.sql.Identifier(name), _SETTINGS[name]))
        was = other.execute("select name, setting from pg_settings order by 1").fetchall()
        assert catalog.snapshot(other) == before
        assert other.execute("select name, setting from pg_settings order by 1").fetchall() == was


def test_an_open_transaction_stays_open_and_as_it_was(connection: psycopg.Connection) -> None:
    connection.execute(
        b"begin; set local search_path = nowhere; savepoint migsafe_catalog; create table public.t ()"
    )
    read = catalog.snapshot(connection)
    assert "public.t" in read.tables
    assert connection.info.transaction_status == psycopg.pq.TransactionStatus.INTRANS
    assert connection.execute("show search_path").fetchone() == ("nowhere",)
    connection.execute(b"rollback to savepoint migsafe_catalog; rollback")


def test_what_the_transaction_made_is_seen(connection: psycopg.Connection) -> None:
    connection.execute(b"begin; create table t ()")
    assert "public.t" in catalog.snapshot(connection).tables
    connection.execute(b"rollback")
    assert catalog.snapshot(connection).tables == {}


def test_a_failed_transaction_is_refused(connection: psycopg.Connection) -> None:
    connection.execute(b"begin")
    with pytest.raises(psycopg.Error):
        connection.execute(b"select 1 / 0")
    with pytest.raises(SnapshotError, match="INERROR"):
        catalog.snapshot(connection)
    with pytest.raises(SnapshotError, match="INERROR"):
        catalog.mark(connection)
    connection.execute(b"rollback")


def test_no_prepared_statement_remains_unless_asked_for(
    connection: psycopg.Connection, rehearse: Rehearse
) -> None:
    before = catalog.snapshot(connection)
    for _ in range(12):
        rehearse(connection, before, "create table t (id integer)", prepared=False)
    assert connection.execute("select count(*) from pg_prepared_statements", prepare=False).fetchone() == (0,)


def test_a_weak_role_and_another_row_factory_read_the_same(
    connection: psycopg.Connection, database: Database, rehearse: Rehearse
) -> None:
    connection.execute(_TABLE.encode(), prepare=False)
    before = catalog.snapshot(connection)
    with database.connect() as other:
        other.row_factory = dict_row  # type: ignore[assignment]
        other.execute(b"create role migsafe_weak")
        try:
            after, _ = rehearse(
                other,
                before,
                "grant create on schema public to migsafe_weak; set local role migsafe_weak;"
                "create table public.mine (id serial primary key)",
            )
            other.execute(b"set role migsafe_weak")
            assert catalog.snapshot(other) == before
        finally:
            other.execute(b"reset role; drop role migsafe_weak")
    assert {change.kind for change in catalog.diff(before, after)} == {
        "sequence",
        "table",
        "column",
        "constraint",
        "index",
        "grant",
    }


def test_a_role_with_no_more_than_a_login_reads_everything(service: Service) -> None:
    with psycopg.connect(service.uri(), autocommit=True) as connection:
        read = catalog.snapshot(connection)
    assert "public" in read.namespaces
    assert "plpgsql" in read.extensions


def test_a_transaction_that_does_not_count_is_read_in_full(
    connection: psycopg.Connection, rehearse: Rehearse
) -> None:
    before = catalog.snapshot(connection)
    after, changes = rehearse(connection, before, "set local track_counts = off; create table t ()")
    assert changes.everything is not None
    assert "public.t" in after.tables


def test_extensions_hide_their_members(connection: psycopg.Connection, rehearse: Rehearse) -> None:
    available = {name for (name,) in connection.execute("select name from pg_available_extensions")}
    if "citext" not in available:
        pytest.skip("this server has no citext")
    before = catalog.snapshot(connection)
    after, changes = rehearse(connection, before, "create extension citext")
    assert changes.everything is None
    assert [change.name for change in catalog.diff(before, after)] == ["citext"]
    connection.execute(b"create extension citext; create table t (name citext)")
    before = catalog.snapshot(connection)
    assert rehearse(connection, before, "alter extension citext add table t")[0].tables == {}
    assert rehearse(connection, before, "drop extension citext cascade")[0].columns == {}
    after, _ = rehearse(connection, before, "alter extension citext set schema pg_catalog")
    assert after.columns["public.t.name"].type == "citext"


def test_what_18_says_more_about_constraints(connection: psycopg.Connection, rehearse: Rehearse) -> None:
    if connection.info.server_version < 180000:
        pytest.skip("NOT ENFORCED, NOT NULL NOT VALID and virtual columns came with PostgreSQL 18")
    connection.execute(b"create table t (a integer check (a > 0), b integer not null, c integer)")
    before = catalog.snapshot(connection)
    assert set(before.constraints) == {"public.t.t_a_check"}
    for text, seen in (
        ("alter table t add check (c > 0) not enforced", ("constraint", "enforced", False)),
        ("alter table t add constraint nn not null c not valid", ("constraint", "validated", False)),
        (
            "alter table t add column d integer generated always as (a + 1)",
            ("column", "generated", "(a + 1) virtual"),
        ),
    ):
        after, _ = rehearse(connection, before, text)
        changes = catalog.diff(before, after)
        assert any((one.kind, name, value) == seen for one in changes for name, _, value in one.attributes)
    after, _ = rehearse(connection, before, "alter table t alter c set not null; alter table t rename c to d")
    assert after.columns["public.t.d"].not_null
    assert set(after.constraints) == {"public.t.t_a_check"}
    for text in (
        "alter table t add constraint nn not null c",
        "alter table t rename constraint t_b_not_null to nn",
        "comment on constraint t_b_not_null on t is 'Never'",
    ):
        after, _ = rehearse(connection, before, text)
        (added,) = after.constraints.keys() - before.constraints.keys()
        assert after.constraints[added].type == "not null"
    connection.execute(b"create domain d as integer constraint filled not null")
    before = catalog.snapshot(connection)
    after, _ = rehearse(connection, before, "alter domain d rename constraint filled to d_not_null")
    assert [one.name for one in catalog.diff(before, after)] == ["public.d.filled"]


def test_a_snapshot_of_nothing_is_public_and_plpgsql(connection: psycopg.Connection) -> None:
    read = catalog.snapshot(connection)
    assert list(read.namespaces) == ["public"]
    assert list(read.extensions) == ["plpgsql"]
    assert read.grants == {}
    assert len(read) == 2
    assert Schema.from_json(read.to_json()) == read
