"""Measure how long the work takes that others wait for: what the estimates of ``rules/sizes.py`` assume.

python benchmarks/work.py "host=... dbname=scratch" [ROWS]

It makes two tables in the database, does each kind of work twice, and drops the tables. Run it on a server with the settings and
disks of production to see how far the estimates are from yours.
"""

import argparse
import sys
from collections.abc import Iterator
from time import perf_counter

import psycopg
from psycopg import sql

#: Bytes of padding in each row, and by how much fewer rows there are then.
_WIDTHS = ((0, 1), (60, 1), (900, 5))

#: What is done, and how it is undone.
_WORK = (
    ("scan: CHECK", "ALTER TABLE work ADD CONSTRAINT c CHECK (k >= 0)", "ALTER TABLE work DROP CONSTRAINT c"),
    ("scan: SET NOT NULL", "ALTER TABLE work ALTER p SET NOT NULL", "ALTER TABLE work ALTER p DROP NOT NULL"),
    (
        "foreign key",
        "ALTER TABLE work ADD CONSTRAINT f FOREIGN KEY (p) REFERENCES work_parent",
        "ALTER TABLE work DROP CONSTRAINT f",
    ),
    ("index: integers", "CREATE INDEX work_i ON work (k)", "DROP INDEX work_i"),
    ("index: texts", "CREATE INDEX work_i ON work (s)", "DROP INDEX work_i"),
    ("rewrite: type", "ALTER TABLE work ALTER k TYPE bigint", "ALTER TABLE work ALTER k TYPE integer"),
    (
        "rewrite: default",
        "ALTER TABLE work ADD z double precision DEFAULT random()",
        "ALTER TABLE work DROP z",
    ),
    ("write: UPDATE", "UPDATE work SET k = k + 1", "VACUUM FULL work"),
)


def main() -> int:
    """Print a line for each kind of work and width of rows."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("dsn")
    parser.add_argument("rows", type=int, nargs="?", default=2_000_000)
    given = parser.parse_args()
    with psycopg.connect(given.dsn, autocommit=True) as connection:
        for line in _measured(connection, given.rows):
            sys.stdout.write(f"{line}\n")
            sys.stdout.flush()
    return 0


def _measured(connection: psycopg.Connection, most: int) -> Iterator[str]:
    yield f"PostgreSQL {connection.info.server_version}"
    try:
        for padding, fewer in _WIDTHS:
            rows = most // fewer
            size = _make_tables(connection, rows, padding)
            for name, work, undo in _WORK * 2:
                connection.execute("CHECKPOINT")
                started = perf_counter()
                connection.execute(work.encode())
                seconds = perf_counter() - started
                connection.execute(undo.encode())
                yield (
                    f"{size / rows:5.0f} bytes a row  {name:20} {seconds:7.2f} s  {seconds / rows * 1e6:6.2f} µs a row  "
                    f"{size / seconds / 1e6:5.0f} MB/s"
                )
    finally:
        connection.execute("DROP TABLE IF EXISTS work, work_parent")


def _make_tables(connection: psycopg.Connection, rows: int, padding: int) -> int:
    """Make the tables anew, and return the bytes of the one that is worked on."""
    parents = rows // 10
    connection.execute("DROP TABLE IF EXISTS work, work_parent")
    connection.execute("CREATE TABLE work_parent (id bigint PRIMARY KEY)")
    connection.execute(
        sql.SQL("INSERT INTO work_parent SELECT generate_series(1, {})").format(sql.Literal(parents))
    )
    connection.execute("CREATE TABLE work (id bigint, k integer NOT NULL, p bigint, s text)")
    connection.execute(
        sql.SQL(
            "INSERT INTO work SELECT i, (i::bigint * 7919) % 1000003, 1 + (i::bigint * 104729) % {parents}, "
            "repeat('x', {padding}) || md5(i::text) FROM generate_series(1, {rows}) i"
        ).format(parents=sql.Literal(parents), padding=sql.Literal(padding), rows=sql.Literal(rows))
    )
    connection.execute("VACUUM ANALYZE work, work_parent")
    row = connection.execute("SELECT pg_table_size('work')").fetchone()
    assert row is not None  # noqa: S101 - a function returns a row
    return int(row[0])


if __name__ == "__main__":
    sys.exit(main())
