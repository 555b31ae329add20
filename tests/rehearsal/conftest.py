"""Rehearse a history that a test writes down as texts."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from pytest_migsafe.migrations.discovery import find_histories
from pytest_migsafe.migrations.model import TransactionMode
from pytest_migsafe.postgres.binaries import Binaries
from pytest_migsafe.postgres.database import Database
from pytest_migsafe.postgres.server import start_server
from pytest_migsafe.rehearsal.chain import Blocked, Chain
from pytest_migsafe.rehearsal.evidence import Evidence
from pytest_migsafe.rehearsal.facts import Scope
from pytest_migsafe.rehearsal.rehearsal_database import Conditions


@dataclass(frozen=True)
class Rehearse:
    """Makes chains of histories; each has a server of its own, stopped after the test."""

    folder: Path
    binaries: Binaries
    resources: ExitStack

    def chain(
        self,
        *texts: str,
        mode: TransactionMode | None = None,
        scope: Scope | None = None,
        **options: str,
    ) -> Chain:
        """Return a chain over migrations 1, 2, ... with these texts."""
        for number, text in enumerate(texts, start=1):
            (self.folder / f"{number:04}_file.sql").write_bytes(text.encode())
        (history,) = find_histories(self.folder.parent, [self.folder], mode=mode)
        return self.resources.enter_context(
            Chain(history, self._open, Conditions(options=options, scope=scope or Scope()))
        )

    def _open(self, resources: ExitStack) -> Database:
        return Database(resources.enter_context(start_server(self.binaries)), "postgres")

    def all(
        self, *texts: str, mode: TransactionMode | None = None, **options: str
    ) -> list[Evidence | Blocked]:
        """Rehearse all of these migrations in their order."""
        chain = self.chain(*texts, mode=mode, scope=None, **options)
        return [chain.rehearse(position) for position in range(len(texts))]

    def last(self, *texts: str, mode: TransactionMode | None = None, **options: str) -> Evidence:
        """Return the evidence of the last of these migrations; the others must apply."""
        evidence = self.chain(*texts, mode=mode, scope=None, **options).rehearse(len(texts) - 1)
        assert isinstance(evidence, Evidence), evidence
        return evidence


@pytest.fixture
def rehearse(tmp_path: Path, binaries: Binaries) -> Iterator[Rehearse]:
    folder = tmp_path / "migrations"
    folder.mkdir()
    with ExitStack() as resources:
        yield Rehearse(folder, binaries, resources)


def as_mapping(evidence: Evidence) -> Mapping[str, object]:
    """Return the parts of the evidence that do not change from run to run."""
    return {
        "lane": evidence.lane,
        "error": evidence.error,
        "statements": [
            (one.text, one.tag, one.locks, one.rewrites, one.scans, one.writes, one.notices)
            for one in evidence.statements
        ],
        "leaks": evidence.leaks,
        "after": evidence.after,
    }
