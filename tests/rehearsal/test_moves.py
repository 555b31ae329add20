"""Tables that got another name in a history are found in the files' text."""

from pathlib import Path

from pytest_migsafe.rehearsal.moves import Move, find_moves
from tests.migrations.projects import project, the_history


def test_renamed_and_moved_tables_are_found(tmp_path: Path) -> None:
    root = project(
        tmp_path,
        **{
            "migrations/1_a.sql": "ALTER TABLE orders RENAME TO purchases; ALTER TABLE orders RENAME COLUMN a TO b;",
            "migrations/2_b.sql": "SELECT 1;",
            "migrations/3_c.sql": 'ALTER TABLE IF EXISTS shop."Old" SET SCHEMA app; ALTER FUNCTION f() SET SCHEMA x;\n'
            "ALTER MATERIALIZED VIEW shop.totals RENAME TO sums; ALTER TABLE t RENAME CONSTRAINT a TO b;",
            "migrations/4_d.sql": "-- rename to\nSELECT 'set schema'; SELEC;",
            "migrations/5_e.sql": "ALTER TABLE a RENAME TO\u00e9;\x00",
        },
    )

    assert find_moves(the_history(root)) == (
        Move(position=0, old_schema="", old="orders", new_schema="", new="purchases"),
        Move(position=2, old_schema="shop", old="Old", new_schema="app", new="Old"),
        Move(position=2, old_schema="shop", old="totals", new_schema="shop", new="sums"),
    )
