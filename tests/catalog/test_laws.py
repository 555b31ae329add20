"""What holds for every schema: tried on parts of one that has something of everything."""

import json
from random import Random

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from psycopg import sql

from pytest_migsafe import catalog
from pytest_migsafe.catalog import Change, Schema, diff
from pytest_migsafe.postgres.database import Database

_SEEDS = st.integers(0, 2**64)
_LAW = settings(max_examples=15, deadline=None)


def _part(schema: Schema, seed: int, *, lacks: int) -> Schema:
    """Return a schema without every so many of the objects."""
    return Schema.of(one for place, one in enumerate(schema) if hash((seed, place)) % lacks)


def test_the_laws_of_differences(portable: Schema) -> None:
    # The schema is no argument of the law: a report of a failure would show all of it.
    @_LAW
    @given(_SEEDS, _SEEDS)
    def law(seed: int, other_seed: int) -> None:
        one, other = (_part(portable, each, lacks=20) for each in (seed, other_seed))
        changes = diff(one, other)
        assert diff(one, Schema.of(one)) == []
        assert [change.inverted() for change in changes] == diff(other, one)
        assert [Change.from_json(json.loads(json.dumps(change.to_json()))) for change in changes] == changes
        assert (one == other) == (not changes) == (one.fingerprint() == other.fingerprint())
        free = diff(one, other, names="free")
        assert [change.inverted() for change in free] == diff(other, one, names="free")
        assert bool(list(catalog.render(changes))) == bool(changes)

    law()


def test_a_schema_is_the_same_after_a_way_through_json(portable: Schema) -> None:
    @_LAW
    @given(_SEEDS, st.randoms(use_true_random=False))
    def law(seed: int, order: Random) -> None:
        part = _part(portable, seed, lacks=3)
        for back in (Schema.from_json(json.loads(json.dumps(part.to_json()))), Schema.loads(part.dumps())):
            assert back == part
            assert back.to_json() == part.to_json()
        objects = list(part)
        order.shuffle(objects)
        assert Schema.of(objects).dumps() == part.dumps()
        assert Schema.of(objects).fingerprints() == part.fingerprints()

    law()


#: What would stop the server, fill its log, or is no setting of the session's at all.
_NOT_TO_BE_TOUCHED = (
    "^(log_|debug_|trace_|transaction_|client_min_messages|ignore_|exit_|zero_|restart_|is_|session_auth)"
)


def _other_values(connection: psycopg.Connection) -> list[tuple[str, str]]:
    """Return each setting of the session that can be switched, with each value that it has not."""
    rows = connection.execute(
        """
        select name, v from pg_settings, unnest(case vartype when 'bool' then array['on', 'off'] else enumvals end) v
        where context in ('user', 'superuser') and vartype in ('bool', 'enum') and v <> setting and name !~ %s
        order by 1, 2
        """,
        [_NOT_TO_BE_TOUCHED],
    ).fetchall()
    return [(name, value) for name, value in rows]


def test_no_switch_of_the_session_shows(portable: Schema, portable_database: Database) -> None:
    with portable_database.connect() as connection:
        values = _other_values(connection)
    assert len(values) > 50
    # Each value once, and as many at a time as there are settings.
    while values:
        now = dict(values)
        values = [one for one in values if now[one[0]] != one[1]]
        with portable_database.connect() as connection:
            for name, value in now.items():
                connection.execute(sql.SQL("set {} to {}").format(sql.Identifier(name), value))
            read = catalog.snapshot(connection)
            assert [line.text for line in catalog.render(diff(portable, read))] == [], now


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("search_path", "shop, app, pg_catalog"),
        ("lc_monetary", "C"),
        ("lc_numeric", "C"),
        ("lc_time", "C"),
        ("extra_float_digits", "-15"),
        ("TimeZone", "America/St_Johns"),
        ("DateStyle", "German, DMY"),
        ("default_text_search_config", "pg_catalog.simple"),
        ("default_table_access_method", "other_heap"),
        ("client_encoding", "SQL_ASCII"),
        ("work_mem", "64kB"),
        ("join_collapse_limit", "1"),
        ("role", "migsafe_reader"),
    ],
)
def test_no_setting_of_the_session_shows(
    name: str, value: str, portable: Schema, portable_database: Database
) -> None:
    with portable_database.connect() as connection:
        connection.execute(sql.SQL("select set_config({}, {}, false)").format(name, value))
        read = catalog.snapshot(connection)
    # Which role it is shows only in what it may not read.
    hidden = {"subscription", "user mapping"} if name == "role" else set()
    assert {one.kind for one in diff(portable, read)} == hidden
