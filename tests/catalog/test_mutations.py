"""Each single change is seen in full and incrementally, alike; what is no change is not seen."""

from collections.abc import Iterator

import psycopg
import pytest

from pytest_migsafe import catalog
from pytest_migsafe.catalog import Schema
from pytest_migsafe.postgres.database import Database, create_database
from pytest_migsafe.postgres.server import Server
from tests.catalog.conftest import Rehearse
from tests.catalog.mutations import MUTATIONS, NO_CHANGES, RICH


@pytest.fixture(scope="module")
def rich(server: Server) -> Iterator[Database]:
    with create_database(server) as created:
        with created.connect() as connection:
            connection.execute(b"drop role if exists migsafe_reader; create role migsafe_reader")
            connection.execute(RICH.encode(), prepare=False)
        yield created
        with created.connect() as connection:
            connection.execute(b"drop owned by migsafe_reader; drop role migsafe_reader")


@pytest.fixture
def rich_connection(rich: Database) -> Iterator[psycopg.Connection]:
    with rich.connect() as connection:
        yield connection


@pytest.fixture(scope="module")
def before(rich: Database) -> Schema:
    with rich.connect() as connection:
        return catalog.snapshot(connection)


@pytest.mark.parametrize("what", MUTATIONS)
def test_a_change_is_seen(
    what: str, rich_connection: psycopg.Connection, before: Schema, rehearse: Rehearse
) -> None:
    after, _ = rehearse(rich_connection, before, MUTATIONS[what])
    changes = catalog.diff(before, after)
    if what == "column dropped and made again":
        # Only its physical place is another, and that is no part of equality.
        assert before == after
        assert before.columns["app.loose.id"].position < after.columns["app.loose.id"].position
        return
    assert changes
    assert before != after
    assert list(catalog.render(changes))
    assert [one.inverted() for one in changes] == catalog.diff(after, before)
    assert [catalog.Change.from_json(one.to_json()) for one in changes] == changes
    assert Schema.from_json(after.to_json()) == after


@pytest.mark.parametrize("what", NO_CHANGES)
def test_what_is_no_change_is_not_seen(
    what: str, rich_connection: psycopg.Connection, before: Schema, rehearse: Rehearse
) -> None:
    after, changes = rehearse(rich_connection, before, NO_CHANGES[what])
    assert after is before
    assert changes.everything is None
    assert catalog.diff(before, after) == []


def test_few_changes_need_everything_to_be_read(
    rich_connection: psycopg.Connection, before: Schema, rehearse: Rehearse
) -> None:
    in_full = {
        what
        for what, text in MUTATIONS.items()
        if rehearse(rich_connection, before, text)[1].everything is not None
    }
    assert in_full == {
        "schema owner",
        "schema renamed",
        "schema grant",
        "schema revoke",
        "role renamed",
        "everything owned dropped",
    }


def test_the_control_is_equal(rich_connection: psycopg.Connection, before: Schema) -> None:
    assert catalog.snapshot(rich_connection) == before
