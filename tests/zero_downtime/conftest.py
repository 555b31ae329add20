"""Histories of a few lines, rehearsed on PostgreSQL 15 and 18, and what the rules say of their last file."""

import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from pytest_migsafe.findings import Finding
from pytest_migsafe.migrations.discovery import find_histories
from pytest_migsafe.migrations.model import TransactionMode
from pytest_migsafe.postgres.database import create_database
from pytest_migsafe.postgres.server import Server
from pytest_migsafe.rehearsal.chain import Chain
from pytest_migsafe.rehearsal.evidence import Evidence
from pytest_migsafe.rehearsal.rehearsal_database import Conditions
from pytest_migsafe.rules import judge
from pytest_migsafe.rules.builtin import RULES
from tests.conftest import ServerOf

#: Those on which every test runs; ``MIGSAFE_TEST_MAJORS=14,16`` names others.
MAJORS = tuple(map(int, os.environ.get("MIGSAFE_TEST_MAJORS", "15,18").split(",")))


@pytest.fixture(scope="session", params=MAJORS)
def major_server(request: pytest.FixtureRequest, server_of: ServerOf) -> Server:
    """A throwaway server of each major version that the rules are tried on."""
    return server_of(request.param)


@dataclass(frozen=True)
class Judged:
    """The last file of a history: what was seen, and what all rules that are on by default say of it."""

    evidence: Evidence
    findings: tuple[Finding, ...]

    def of_family(self, family: str) -> tuple[Finding, ...]:
        """Return the findings of a family."""
        return tuple(one for one in self.findings if one.family == family)

    def of_rule(self, rule: str) -> tuple[Finding, ...]:
        """Return the findings of a rule."""
        return tuple(one for one in self.findings if one.rule == rule)

    @property
    def rules(self) -> list[str]:
        """The rules that found something in the family of stalls, in the order of the file."""
        return [one.rule for one in self.findings_of_stalls]

    @property
    def findings_of_stalls(self) -> tuple[Finding, ...]:
        """The findings of the family of stalls."""
        return self.of_family("blocking-work")


@dataclass(frozen=True)
class History:
    """Rehearses files in a database of their own."""

    server: Server
    folder: Path

    @property
    def major(self) -> int:
        """The server's major version."""
        return int(self.server.version.partition(".")[0])

    def knows(self, text: str) -> bool:
        """Whether the server has the commands of a text: MERGE and SET ACCESS METHOD came with PostgreSQL 15."""
        return self.major >= 15 or re.search(r"\bMERGE\b|\bSET ACCESS METHOD\b", text) is None

    def judge(self, *files: str, mode: TransactionMode | None = None, **options: str) -> Judged:
        """Return what the rules say of the last of some files; those before it must apply.

        A file that begins with ``-- no-transaction`` runs without one; ``options`` are settings of the session.
        """
        evidence = self.evidences(*files, mode=mode, **options)[-1]
        return Judged(evidence, judge(evidence, RULES, {}))

    def judge_each(self, before: str, *files: str, mode: TransactionMode | None = None) -> list[Judged]:
        """Return what the rules say of each of some files that follow one another; all must apply."""
        found = self.evidences(before, *files, mode=mode)[1:]
        assert found[-1].applied, (files[-1], found[-1].error)
        return [Judged(one, judge(one, RULES, {})) for one in found]

    def evidences(self, *files: str, mode: TransactionMode | None = None, **options: str) -> list[Evidence]:
        """Return the evidence of every file; the folder then has these files and no others."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir()
        for number, text in enumerate(files, start=1):
            (self.folder / f"{number:04}_file.sql").write_text(text, encoding="utf-8")
        (history,) = find_histories(self.folder.parent, [self.folder], mode=mode)
        evidences = []
        with Chain(
            history,
            lambda resources: resources.enter_context(create_database(self.server)),
            Conditions(options=options),
        ) as chain:
            for position in range(len(files)):
                result = chain.rehearse(position)
                assert isinstance(result, Evidence), result
                assert result.applied or position == len(files) - 1, (files[position], result.error)
                evidences.append(result)
        return evidences


@pytest.fixture
def history(major_server: Server, tmp_path: Path) -> History:
    """Rehearses histories on PostgreSQL 15 and 18."""
    return History(major_server, tmp_path / "migrations")
