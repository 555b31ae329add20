"""What is stored otherwise and means the same is told apart, and no difference."""

import psycopg

from pytest_migsafe import catalog


def test_a_column_that_was_dropped_and_added_again_is_a_note(connection: psycopg.Connection) -> None:
    connection.execute(
        b"create table t (a integer, b text, c text); create table u (a integer); create table v (a integer)"
    )
    before = catalog.snapshot(connection)
    connection.execute(
        b"alter table t drop a; alter table t add a integer; alter table u add b integer default 7; drop table v"
    )
    connection.execute(b"alter table u drop a; alter table u add a integer")
    after = catalog.snapshot(connection)
    assert [one.name for one in catalog.diff(before, after)] == ["public.v", "public.u.b", "public.v.a"]
    notes = catalog.physical_diff(before, after)
    assert [line.text for line in catalog.render(notes)] == [
        "~ table public.t: column_order (a, b, c) -> (b, c, a)",
        "~ table public.t: dropped_columns 0 -> 1",
        "~ table public.u: dropped_columns 0 -> 1",
        "~ table public.u: missing_values () -> (b)",
    ]
    assert [one.inverted() for one in notes] == catalog.physical_diff(after, before)
    assert catalog.physical_diff(after, catalog.Schema.loads(after.dumps())) == []
