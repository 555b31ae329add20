"""Each single change is seen in full and incrementally, alike; what is no change is not seen."""

import psycopg
import pytest

from pytest_migsafe import catalog
from pytest_migsafe.catalog import Schema, rarer
from pytest_migsafe.postgres.database import Database
from tests.catalog import manual_mutations, mutations, rarer_mutations
from tests.catalog.conftest import Rehearse
from tests.catalog.mutations import NO_CHANGES

MUTATIONS = mutations.MUTATIONS | rarer_mutations.MUTATIONS | manual_mutations.MUTATIONS
#: From which major version on, what, and the statements.
_SINCE = [
    (major, what, text)
    for one in (rarer_mutations, manual_mutations)
    for major, some in one.MUTATIONS_SINCE.items()
    for what, text in some.items()
]

#: What may stand in any definition, and is seldom changed.
_NAMED_ANYWHERE = (
    "access method",
    "collation",
    "configuration",
    "dictionary",
    "language",
    "operator",
    "server",
)
#: The few changes for which everything has to be read.
_NEED_EVERYTHING = {
    "schema owner",
    "schema renamed",
    "schema grant",
    "schema revoke",
    "GRANT ON SCHEMA public",
    "GRANT ON SCHEMA with grant option",
    "ALTER EXTENSION member",
    "role renamed",
    "everything owned dropped",
    # It takes a grant on the schema.
    "statistics owner",
    # Its server goes with it.
    "wrapper dropped",
    # Operators go with it, and those may stand in any definition.
    "type of an operator class dropped",
}


@pytest.fixture(scope="module")
def before(rich: Database) -> Schema:
    with rich.connect() as connection:
        return catalog.snapshot(connection)


@pytest.mark.parametrize("what", MUTATIONS)
def test_a_change_is_seen(
    what: str, rich_connection: psycopg.Connection, before: Schema, rehearse: Rehearse
) -> None:
    after, read = rehearse(rich_connection, before, MUTATIONS[what])
    if not what.startswith(_NAMED_ANYWHERE):
        assert (read.everything is not None) == (what in _NEED_EVERYTHING)
    changes = catalog.diff(before, after)
    if what == "column dropped and made again":
        # Only its physical place is another, and that is no part of equality.
        assert before == after
        assert before.columns["app.loose.id"].position < after.columns["app.loose.id"].position
        return
    assert changes
    _check_laws(before, after, changes)


@pytest.mark.parametrize(
    ("major", "text"), [pytest.param(major, text, id=what) for major, what, text in _SINCE]
)
def test_a_change_is_seen_where_it_can_be_made(
    major: int, text: str, rich_connection: psycopg.Connection, before: Schema, rehearse: Rehearse
) -> None:
    if rich_connection.info.server_version < major * 10000:
        pytest.skip(f"this came with PostgreSQL {major}")
    after, _ = rehearse(rich_connection, before, text)
    changes = catalog.diff(before, after)
    assert changes
    _check_laws(before, after, changes)


def _check_laws(before: Schema, after: Schema, changes: list[catalog.Change]) -> None:
    assert before != after
    assert list(catalog.render(changes))
    assert [one.inverted() for one in changes] == catalog.diff(after, before)
    assert [catalog.Change.from_json(one.to_json()) for one in changes] == changes
    assert Schema.from_json(after.to_json()) == after


def test_what_needs_everything_is_among_the_changes() -> None:
    assert MUTATIONS.keys() >= _NEED_EVERYTHING


@pytest.mark.parametrize("what", NO_CHANGES)
def test_what_is_no_change_is_not_seen(
    what: str, rich_connection: psycopg.Connection, before: Schema, rehearse: Rehearse
) -> None:
    after, changes = rehearse(rich_connection, before, NO_CHANGES[what])
    assert after is before
    assert changes.everything is None
    assert catalog.diff(before, after) == []


def test_a_role_that_may_do_little_is_told_what_it_may_not_read(
    rich_connection: psycopg.Connection, before: Schema
) -> None:
    rich_connection.execute(b"begin; set local role migsafe_reader")
    read = catalog.snapshot(rich_connection)
    mapping, subscription = catalog.diff(before, read)
    assert (mapping.kind, mapping.name) == ("user mapping", "PUBLIC on far")
    ((field, options, unreadable),) = mapping.attributes
    assert (field, unreadable) == ("foreign_options", ("(may not be read)",))
    assert isinstance(options, tuple)
    assert [one.partition("=")[0] for one in options] == ["password", "user"]
    assert (subscription.kind, subscription.name) == ("subscription", "paper")
    assert subscription.attributes == (("connection", ("host=nowhere",), ("(may not be read)",)),)


def test_a_view_says_what_it_reads_and_calls_itself(before: Schema) -> None:
    on_top, sums = before.views["app.on_top"], before.views["app.sums"]
    assert (on_top.reads, on_top.calls) == (("app.bottom",), ("app.twice(bigint)",))
    assert (sums.reads, sums.calls) == (("app.orders",), ())
    assert before.views["app.busy"].reads == ("app.customer", "app.orders")


def test_a_role_that_is_no_superuser_any_more_is_told_what_it_may_not_read(
    rich_connection: psycopg.Connection,
) -> None:
    rich_connection.execute(b"begin; create role migsafe_fallen superuser; set local role migsafe_fallen")
    assert catalog.snapshot(rich_connection).of_kind(rarer.Subscription)["paper"].connection == (
        "host=nowhere",
    )
    # The session is not told, and says that it is a superuser's still.
    rich_connection.execute(b"alter role migsafe_fallen nosuperuser")
    fallen = catalog.snapshot(rich_connection).of_kind(rarer.Subscription)["paper"]
    assert fallen.connection == ("(may not be read)",)


def test_no_secret_is_kept(before: Schema) -> None:
    text = str(before.to_json())
    assert "api_key=*** (" in text
    assert "secret one" not in text
    assert "secret two" not in text


def test_the_control_is_equal(rich_connection: psycopg.Connection, before: Schema) -> None:
    assert catalog.snapshot(rich_connection) == before
