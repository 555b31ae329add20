"""The way back from one schema to another: for single changes of every kind, run on a real server and compared."""

import psycopg
import pytest

from pytest_migsafe import catalog
from pytest_migsafe.catalog import Schema
from pytest_migsafe.catalog.inverse import Found, alike, inverse, names_back, search
from tests.catalog import manual_mutations, mutations, rarer_mutations

#: Of the two long lists every so many changes are tried: of all 655 (PostgreSQL 18), 562 are undone, and of 73 it is said why not.
_EACH = 8
_OTHERS = dict([*rarer_mutations.MUTATIONS.items(), *manual_mutations.MUTATIONS.items()][::_EACH])

#: What no SQL undoes, or none that is known to be true. Of these it is said; the others only a trial shows.
_IS_SAID = frozenset(
    {
        "enum value added",
        "enum value added before",
        "table inherits",
        "table names swapped",
    }
)
_SHOWS = frozenset(
    {
        # PostgreSQL 18: "cannot start a subtransaction when there are unprocessed inval messages", in this transaction.
        "domain check dropped",
        # The label's provider is made up.
        "table dropped",
        # What has another name is told by whoever saw it renamed.
        "type renamed",
        "type moved",
        "composite renamed",
        "role renamed",
    }
)


@pytest.fixture(scope="module")
def before(lasting_connection: psycopg.Connection) -> Schema:
    return catalog.snapshot(lasting_connection)


def _undone(connection: psycopg.Connection, before: Schema, text: str) -> Found:
    connection.execute(b"begin")
    connection.execute(text.encode(), prepare=False)
    now = catalog.snapshot(connection)
    return search(connection, now, before, first=names_back(now, alike(now, before)))


@pytest.mark.parametrize("what", mutations.MUTATIONS)
def test_a_change_is_undone(what: str, rich_connection: psycopg.Connection, before: Schema) -> None:
    found = _undone(rich_connection, before, mutations.MUTATIONS[what])
    left = [line.text for line in catalog.render(found.remaining)]
    if what in _IS_SAID:
        assert left
        assert found.unsaid
    elif what in _SHOWS:
        assert not left or found.refused
    else:
        assert (left, found.refused) == ([], ())


@pytest.mark.parametrize("what", _OTHERS)
def test_what_of_a_rarer_change_is_not_undone_is_known(
    what: str, rich_connection: psycopg.Connection, before: Schema
) -> None:
    found = _undone(rich_connection, before, _OTHERS[what])
    assert not found.remaining or found.unsaid or found.refused or what in _MADE_UP


#: Done to the catalog itself.
_MADE_UP = frozenset({"ALTER EXTENSION member", "published column renamed"})


def test_a_column_that_had_to_be_filled_is_filled_before_it_must_be(
    rich_connection: psycopg.Connection, before: Schema
) -> None:
    found = _undone(rich_connection, before, "alter table app.child add column was bigint not null")
    assert found.statements == ("ALTER TABLE app.child DROP COLUMN was;",)
    rich_connection.execute(b"rollback; begin")
    rich_connection.execute(b"alter table app.child add column was bigint not null")
    then = catalog.snapshot(rich_connection)
    rich_connection.execute(b"rollback")
    assert inverse(before, then, 18).statements == (
        "ALTER TABLE app.child ADD COLUMN was bigint;",
        "ALTER TABLE app.child ALTER COLUMN was SET NOT NULL;",
    )


_SHOP = """
create schema shop;
create type shop.state as enum ('open', 'paid');
create table shop.bill (id bigint primary key, state shop.state not null default 'open', past shop.state[],
    check (state <> 'paid' or id > 0));
create index bill_open on shop.bill (id) where state = 'open';
create view shop.open as select id from shop.bill where state = 'open';
create view shop.opened as select id from shop.open;
create function shop.is_paid(one shop.state) returns boolean language sql immutable as $$ select one = 'paid' $$;
create policy paid on shop.bill using (state = 'paid'::shop.state);
grant select on shop.open to migsafe_reader;
comment on type shop.state is 'How far it is';
"""


def test_a_value_is_taken_from_an_enum_that_is_used(rich_connection: psycopg.Connection) -> None:
    rich_connection.execute(b"begin")
    rich_connection.execute(_SHOP.encode(), prepare=False)
    before = catalog.snapshot(rich_connection)
    rich_connection.execute(b"alter type shop.state add value 'void'")
    found = search(rich_connection, catalog.snapshot(rich_connection), before)
    assert (found.remaining, found.refused) == ((), ())
    assert "ALTER TYPE shop.state RENAME TO state_before;" in found.statements
    assert (
        "ALTER TABLE shop.bill ALTER COLUMN past TYPE shop.state[] USING past::text[]::shop.state[];"
        in found.statements
    )


def test_a_value_that_comes_back_can_be_used_at_once(rich_connection: psycopg.Connection) -> None:
    rich_connection.execute(b"begin")
    rich_connection.execute(
        b"create type app.step as enum ('new', 'old'); create table app.way (step app.step check (step <> 'old'))"
    )
    before = catalog.snapshot(rich_connection)
    rich_connection.execute(
        b"alter table app.way drop constraint way_step_check; alter type app.step rename to was;"
        b"create type app.step as enum ('new'); alter table app.way alter step type app.step using step::text::app.step;"
        b"drop type app.was"
    )
    found = search(rich_connection, catalog.snapshot(rich_connection), before)
    assert (found.remaining, found.refused) == ((), ())


def test_the_index_of_a_constraint_is_not_taken_for_another(rich_connection: psycopg.Connection) -> None:
    rich_connection.execute(b"begin; create table app.paths (path text, constraint paths_key unique (path))")
    before = catalog.snapshot(rich_connection)
    rich_connection.execute(
        b"alter table app.paths drop constraint paths_key; alter table app.paths rename to ways;"
        b"create unique index ways_key on app.ways (path)"
    )
    now = catalog.snapshot(rich_connection)
    found = search(rich_connection, now, before, first=names_back(now, alike(now, before)))
    assert (found.remaining, found.refused) == ((), ())


def test_nothing_leads_to_where_one_is(before: Schema) -> None:
    assert inverse(before, Schema.of(before), 18).statements == ()
