"""Real histories, whole: every file is applied, and the schema is the one that psql makes of the same files."""

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from pytest_migsafe import catalog
from pytest_migsafe.migrations.discovery import find_histories
from pytest_migsafe.migrations.model import History, TransactionMode
from pytest_migsafe.postgres.account import server_account
from pytest_migsafe.postgres.binaries import Binaries
from pytest_migsafe.postgres.cache import cache_directory
from pytest_migsafe.postgres.database import Database
from pytest_migsafe.postgres.installation import installed
from pytest_migsafe.postgres.server import start_server
from pytest_migsafe.rehearsal.chain import Chain
from pytest_migsafe.rehearsal.evidence import Evidence, Lane


@pytest.fixture(params=["crates_io", "minder", "ftl", "marquez"])
def history(request: pytest.FixtureRequest, corpora: Path, binaries: Binaries) -> History:
    if request.param == "minder" and binaries.major < 15:
        pytest.skip("minder says NULLS NOT DISTINCT, which came with PostgreSQL 15")
    (found,) = find_histories(corpora, [corpora / request.param])
    return found


@pytest.fixture
def chain(history: History, binaries: Binaries) -> Iterator[Chain]:
    with Chain(
        history, lambda resources: Database(resources.enter_context(start_server(binaries)), "postgres")
    ) as opened:
        yield opened


def program(binaries: Binaries, name: str) -> str:
    """Return a client program: the server's own, or else the one on PATH (an older one will do for psql)."""
    account = server_account()
    own = installed(binaries, account=account, cache=cache_directory(account)).bindir / name
    return str(own) if own.exists() else name


def psql_loop(binaries: Binaries, history: History, database: Database) -> None:
    """Apply the files in their order with psql, one process each, in the runner's transaction mode."""
    psql = program(binaries, "psql")
    for migration in history.migrations:
        flags = ["-1"] if migration.read().manner.mode is TransactionMode.TRANSACTION else []
        subprocess.run(
            [psql, "-X", "-q", "-v", "ON_ERROR_STOP=1", *flags, "-d", database.dsn(), "-f", migration.path],
            check=True,
            capture_output=True,
            env=os.environ | {"PGOPTIONS": "-c client_min_messages=error"},
        )


def dump(binaries: Binaries, database: Database) -> str:
    done = subprocess.run(
        [program(binaries, "pg_dump"), "--schema-only", "-d", database.dsn()],
        check=True,
        capture_output=True,
        text=True,
    )
    # Since August 2025 every dump carries a random key.
    return re.sub(r"^\\(un)?restrict .*\n", "", done.stdout, flags=re.MULTILINE)


def test_every_file_is_applied_and_the_schema_is_psqls(
    chain: Chain, history: History, binaries: Binaries, database: Database
) -> None:
    results = [chain.rehearse(position) for position in range(len(history.migrations))]
    assert [one for one in results if not isinstance(one, Evidence) or one.error is not None] == []

    psql_loop(binaries, history, database)
    assert dump(binaries, chain.database) == dump(binaries, database)

    # What was carried from file to file is what a look at the whole database gives.
    last = results[-1]
    assert isinstance(last, Evidence)
    with chain.database.connect() as connection:
        assert catalog.diff(last.after, catalog.snapshot(connection)) == []


def test_crates_io_is_rehearsed_in_savepoints_but_for_the_files_that_opt_out(
    corpora: Path, binaries: Binaries
) -> None:
    (crates,) = find_histories(corpora, [corpora / "crates_io"])
    opted_out = [
        one.id for one in crates.migrations if one.read().manner.mode is not TransactionMode.TRANSACTION
    ]
    with Chain(
        crates, lambda resources: Database(resources.enter_context(start_server(binaries)), "postgres")
    ) as opened:
        evidence = [opened.rehearse(position) for position in range(len(crates.migrations))]
    real = [one for one in evidence if isinstance(one, Evidence) and one.lane is Lane.REAL]
    assert {one.migration_id for one in real} <= set(opted_out)
    assert all("CONCURRENTLY" in one.lane_reason for one in real)
