"""How the time for a statement grows with the number of tables that a file creates.

What is left of the growth is PostgreSQL's own list of locks, which a transaction with thousands of tables makes
long; the server's lock table (`max_locks_per_transaction`) ends it at some ten thousand tables. Measured on two busy
cores with PostgreSQL 18: 2.7, 4.1 and 14 ms a statement for 500, 2000 and 8000 tables.

python benchmarks/many_tables.py 500 2000 8000
"""

import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from time import perf_counter

from pytest_migsafe.migrations.discovery import find_histories
from pytest_migsafe.postgres.binaries import find_binaries
from pytest_migsafe.postgres.database import Database
from pytest_migsafe.postgres.server import start_server
from pytest_migsafe.rehearsal.chain import Blocked, Chain


def _open(resources: ExitStack) -> Database:
    return Database(resources.enter_context(start_server(find_binaries())), "postgres")


def _time(tables: int) -> str:
    with tempfile.TemporaryDirectory() as folder:
        migrations = Path(folder) / "migrations"
        migrations.mkdir()
        (migrations / "0001_old.sql").write_text("CREATE TABLE old (id bigint PRIMARY KEY);")
        text = "".join(f"CREATE TABLE t{number} (id bigint, at timestamptz);\n" for number in range(tables))
        (migrations / "0002_many.sql").write_text(text)
        (history,) = find_histories(Path(folder), [migrations])
        with Chain(history, _open) as chain:
            chain.rehearse(0)
            started = perf_counter()
            evidence = chain.rehearse(1)
            seconds = perf_counter() - started
    if isinstance(evidence, Blocked) or not evidence.applied:
        raise SystemExit(f"{tables} tables were not made: {evidence.error}")
    return f"{tables} tables: {seconds:.1f} s, {seconds / tables * 1000:.2f} ms a statement"


if __name__ == "__main__":
    for wanted in sys.argv[1:] or ["500", "2000", "8000"]:
        print(_time(int(wanted)), flush=True)
