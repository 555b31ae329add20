"""What holds for every migration: each of these tests runs once for each file, or for those that its marker names."""

import pytest

from pytest_migsafe.testing import (
    Change,
    DatabaseAt,
    Migration,
    Rehearsal,
    Schema,
    assert_no_stall,
    assert_reversible,
)


def test_nobody_waits_while_a_table_is_read_or_written_as_a_whole(rehearsal: Rehearsal) -> None:
    assert_no_stall(rehearsal)


def test_what_a_file_adds_is_described(schema_diff: tuple[Change, ...], schema_after: Schema) -> None:
    """Tables and views have a comment; partitions too, for whoever is to detach one."""
    added = [one.name for one in schema_diff if one.action == "added" and one.kind in ("table", "view")]
    relations = {**schema_after.tables, **schema_after.views}
    assert [name for name in added if not relations[name].comment] == []


def test_what_the_running_version_reads_stays(schema_before: Schema, schema_after: Schema) -> None:
    assert schema_before.columns.keys() <= schema_after.columns.keys()
    assert schema_before.views.keys() <= schema_after.views.keys()


@pytest.mark.migsafe(at="0019")
def test_the_way_back_leaves_no_trace(migration: Migration, database_at: DatabaseAt) -> None:
    assert_reversible(database_at(before=migration), migration)
