"""Real histories, whole: every file is applied, and the schema is the one that psql makes of the same files."""

import os
import re
import subprocess
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pytest_migsafe.catalog.document import from_document, to_document
from pytest_migsafe.migrations.adaptations import without_index_parameters
from pytest_migsafe.migrations.discovery import find_histories
from pytest_migsafe.migrations.model import History, TransactionMode
from pytest_migsafe.places import Place, place_of_our_own
from pytest_migsafe.postgres.account import server_account
from pytest_migsafe.postgres.binaries import Binaries
from pytest_migsafe.postgres.cache import cache_directory
from pytest_migsafe.postgres.database import Database
from pytest_migsafe.postgres.installation import installed
from pytest_migsafe.rehearsal.chain import Chain
from pytest_migsafe.rehearsal.end import End
from pytest_migsafe.rehearsal.evidence import Evidence, Lane
from pytest_migsafe.settings import Settings

#: What a project would write into [tool.migsafe], where more than the folder is needed.
_SETTINGS: dict[str, dict[str, Any]] = {
    "crates_io": {},
    "minder": {},
    "ftl": {},
    "marquez": {},
    "basejump": {"layout": "supabase"},
    "nextbase": {"layout": "supabase"},
    "liam": {"layout": "supabase"},
}


@dataclass(frozen=True)
class Project:
    """A real project: its history, and where it is rehearsed."""

    history: History
    place: Place

    def chain(self) -> Chain:
        return Chain(self.history, self.place.open)


def project(corpora: Path, name: str, binaries: Binaries) -> Project:
    settings = Settings(root=corpora, bindir=binaries.bindir, **_SETTINGS[name])
    (history,) = find_histories(corpora, [corpora / name], layout=settings.layout)
    place = place_of_our_own(binaries, settings, history.layout)
    return Project(history, place)


@pytest.fixture(params=_SETTINGS)
def real(request: pytest.FixtureRequest, corpora: Path, binaries: Binaries) -> Project:
    if request.param == "minder" and binaries.major < 15:
        pytest.skip("minder says NULLS NOT DISTINCT, which came with PostgreSQL 15")
    return project(corpora, request.param, binaries)


def program(binaries: Binaries, name: str) -> str:
    """Return a client program: the server's own, or else the one on PATH (an older one will do for psql)."""
    account = server_account()
    own = installed(binaries, account=account, cache=cache_directory(account)).bindir / name
    return str(own) if own.exists() else name


def psql_loop(binaries: Binaries, history: History, database: Database) -> None:
    """Apply the files in their order with psql, one process each, in the runner's transaction mode."""
    psql = program(binaries, "psql")
    for migration in history.migrations:
        script = migration.read()
        flags = ["-1"] if script.manner.mode is TransactionMode.TRANSACTION else []
        script, _ = without_index_parameters(script, database.server.stubbed_access_methods)
        subprocess.run(
            [psql, "-X", "-q", "-v", "ON_ERROR_STOP=1", *flags, "-d", database.dsn()],
            input=script.source.text.encode(),
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


def test_every_file_is_applied_and_the_schema_is_psqls(real: Project, binaries: Binaries) -> None:
    with real.chain() as chain, ExitStack() as resources:
        results = [chain.rehearse(position) for position in range(len(real.history.migrations))]
        assert [one for one in results if not isinstance(one, Evidence) or one.error is not None] == []

        by_psql = real.place.open(resources)
        psql_loop(binaries, real.history, by_psql)
        assert dump(binaries, chain.database) == dump(binaries, by_psql)

        # What was carried from file to file is what a look at the whole database gives.
        end = chain.end()
        assert isinstance(end, End)
        assert (end.carried_since, end.misread) == (0, ())
        assert from_document(to_document(end.schema, end.surroundings), end.surroundings) == end.schema


def test_crates_io_is_rehearsed_in_savepoints_but_for_the_files_that_opt_out(
    corpora: Path, binaries: Binaries
) -> None:
    crates = project(corpora, "crates_io", binaries)
    opted_out = [
        one.id
        for one in crates.history.migrations
        if one.read().manner.mode is not TransactionMode.TRANSACTION
    ]
    with crates.chain() as chain:
        evidence = [chain.rehearse(position) for position in range(len(crates.history.migrations))]
    outside = [one for one in evidence if isinstance(one, Evidence) and one.lane is Lane.REAL]
    assert {one.migration_id for one in outside} <= set(opted_out)
    assert all("CONCURRENTLY" in one.lane_reason for one in outside)
