"""What a snapshot costs: of a schema of 300 tables, 600 indexes and 900 constraints, in full and as one file changed it.

python benchmarks/snapshot.py
python benchmarks/snapshot.py 1200        # tables
"""

import sys
from statistics import median
from time import perf_counter

import psycopg

from pytest_migsafe import catalog
from pytest_migsafe.postgres.binaries import find_binaries
from pytest_migsafe.postgres.database import create_database
from pytest_migsafe.postgres.server import start_server

_RUNS = 15
#: Two indexes and three constraints a table; a view and a function every five.
_TABLE = """
create table t{n} (id bigint generated always as identity primary key, parent bigint references t{parent},
    name varchar(80) not null, at timestamptz default now(), total numeric(10, 2) check (total >= 0), note text);
create index on t{n} (parent);
"""
_OTHERS = """
create view v{n} as select a.id, b.name from t{n} a join t{parent} b on b.id = a.parent;
create function f{n}(n integer) returns integer language plpgsql as 'begin return n + {n}; end';
"""


def _statements(tables: int) -> str:
    texts = [_TABLE.format(n=n, parent=max(n - 1, 0)) for n in range(tables)]
    texts += [_OTHERS.format(n=n, parent=max(n - 1, 0)) for n in range(0, tables, 5)]
    return "".join(texts)


def _times(connection: psycopg.Connection) -> tuple[list[float], list[float], catalog.Schema]:
    source = catalog.PreparedConnection(connection)
    full, changed = [], []
    schema = catalog.snapshot(connection)
    for _ in range(_RUNS):
        started = perf_counter()
        schema = catalog.snapshot(connection)
        full.append(perf_counter() - started)
        connection.execute(b"begin; savepoint s")
        started = perf_counter()
        mark = catalog.mark(source)
        waited = perf_counter()
        connection.execute(b"alter table t7 add column more text; create index fresh on t7 (more)")
        resumed = perf_counter()
        (locked,) = connection.execute(b"select array['t7'::regclass::int8]").fetchone() or ([],)
        changes = catalog.read_changes(source, mark, locked=locked, locks_tell_all=True)
        connection.execute(b"rollback to savepoint s")
        catalog.apply_changes(source, schema, changes)
        changed.append(perf_counter() - resumed + waited - started)
        connection.execute(b"rollback")
    return full, changed, schema


def main(tables: int) -> None:
    """Print what it costs."""
    with (
        start_server(find_binaries()) as server,
        create_database(server) as database,
        database.connect() as connection,
    ):
        connection.execute(_statements(tables).encode(), prepare=False)
        connection.execute(b"analyze")
        full, changed, schema = _times(connection)
        what = f"{len(schema.tables)} tables, {len(schema.indexes)} indexes, {len(schema.constraints)} constraints"
        print(f"{what}, {len(schema)} objects in all")
        for name, times in (("in full", full), ("one file's changes", changed)):
            print(f"{name}: median {median(times) * 1000:.0f} ms, best {min(times) * 1000:.0f} ms")
        started = perf_counter()
        schema.fingerprint()
        print(f"fingerprint: {(perf_counter() - started) * 1000:.0f} ms")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 300)
