"""A project to run pytest in: files, one run, everything that came of it."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# A run in this process forgets what it imported; what is imported here stays, and is not loaded for each again.
import hypothesis  # noqa: F401 - its plugin does so at the end of every run
import pytest

import pytest_migsafe.session  # noqa: F401
from pytest_migsafe.postgres.binaries import Binaries
from tests import other_plugins

_SYSTEM = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))

#: Five files, the third of which the server refuses.
BROKEN_IN_THE_MIDDLE = {
    "migrations/0001_users.sql": "create table users (id int primary key);\n",
    "migrations/0002_email.sql": "alter table users add column email text;\n",
    "migrations/0003_broken.sql": "-- a plan for each\nalter table accounts add column plan text;\n",
    "migrations/0004_plans.sql": "create table plans (id int primary key);\n",
    "migrations/0005_prices.sql": "alter table plans add column price numeric;\n",
}
#: The verdict on each of them, whoever asks for which of them in which order.
VERDICTS = {
    "migrations/0001_users.sql": "passed",
    "migrations/0002_email.sql": "passed",
    "migrations/0003_broken.sql": "failed",
    "migrations/0004_plans.sql": "blocked",
    "migrations/0005_prices.sql": "blocked",
}
#: Two files, both fine.
SOUND = {
    "migrations/0001_users.sql": "create table users (id int primary key);\n",
    "migrations/0002_email.sql": "alter table users add column email text;\n",
}


def settings(text: str) -> dict[str, str]:
    """Return the file with a project's settings."""
    return {"pyproject.toml": f"[tool.migsafe]\n{text}\n"}


A_TEST = {"tests/test_app.py": "def test_app():\n    pass\n"}


@dataclass(frozen=True)
class Run:
    """What one run of pytest did."""

    result: pytest.RunResult
    #: Absent when none was written.
    report: Mapping[str, Any]

    @property
    def exit_code(self) -> int:
        return int(self.result.ret)

    @property
    def text(self) -> str:
        return self.result.stdout.str()

    @property
    def errors(self) -> str:
        return self.result.stderr.str()

    @property
    def counts(self) -> dict[str, int]:
        """The numbers of the final line: passed, failed, blocked, deselected."""
        return self.result.parseoutcomes()

    @property
    def verdicts(self) -> dict[str, str]:
        """The outcome of each migration that was run, by path, in apply order."""
        return {
            one["path"]: one["outcome"] for one in self.report["migrations"] if one["outcome"] != "skipped"
        }

    @property
    def lines(self) -> list[str]:
        return self.result.outlines

    @property
    def header(self) -> list[str]:
        """Our lines of the report's header."""
        return [line for line in self.lines if line.startswith("migsafe: ")]


@dataclass(frozen=True)
class Project:
    """A project in a folder of its own."""

    pytester: pytest.Pytester

    @property
    def path(self) -> Path:
        return self.pytester.path

    def write(self, *files: Mapping[str, str | bytes]) -> None:
        for path, content in (pair for one in files for pair in one.items()):
            file = self.path / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content.encode() if isinstance(content, str) else content)

    def run(self, *args: str, subprocess: bool = False, beside: Collection[str] = ()) -> Run:
        """Run ``pytest --migsafe`` with more arguments and a JSON report."""
        json_file = self.path / "report.json"
        json_file.unlink(missing_ok=True)
        result = self.pytest(
            "--migsafe", f"--migsafe-json={json_file}", *args, subprocess=subprocess, beside=beside
        )
        report = json.loads(json_file.read_text()) if json_file.exists() else {}
        return Run(result, report)

    def pytest(self, *args: str, subprocess: bool = False, beside: Collection[str] = ()) -> pytest.RunResult:
        """Run pytest with these arguments alone, and with none of the other plugins but those named."""
        arguments = (*other_plugins.without(beside), *args)
        if subprocess:
            return self.pytester.runpytest_subprocess(*arguments)
        return self.pytester.runpytest_inprocess(*arguments)

    def selected(self, *args: str) -> list[str]:
        """Return the node ids that a run would take, in order."""
        result = self.pytest("--migsafe", "--collect-only", "-q", *args)
        return [line for line in result.outlines if "::" in line]


@pytest.fixture
def project(pytester: pytest.Pytester) -> Project:
    return Project(pytester)


@pytest.fixture
def majors(binaries: Binaries) -> tuple[str, str]:
    """Two majors that are on this machine, the older first."""
    others = {int(path.parent.parent.name) for path in _SYSTEM} - {binaries.major}
    if not others:
        pytest.skip("there is one major version of PostgreSQL on this machine")
    older, newer = sorted((min(others), binaries.major))
    return str(older), str(newer)
