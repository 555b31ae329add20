"""A repository with a pull request, and a machine of a CI service on which its pipeline runs."""

import importlib.metadata
import json
import os
import re
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from pytest_migsafe.postgres.binaries import Binaries
from tests.gate.repository import ENVIRONMENT, Scratch

REPOSITORY = Path(__file__).parents[2]
EXAMPLES = REPOSITORY / "docs" / "ci"
#: On main: what others have applied.
BASE = {
    "migrations/0001_users.sql": "CREATE TABLE users (id bigint PRIMARY KEY, name text);\n",
    "migrations/0002_email.sql": "SET LOCAL lock_timeout = '2s';\nALTER TABLE users ADD email text;\n",
    "pyproject.toml": '[tool.migsafe]\nmigrations = "migrations"\n',
    # In nobody's environment here: the module is never to be imported.
    "tests/test_app.py": "import the_application\n",
}
DANGEROUS = {
    "migrations/0003_index.sql": "-- migsafe: allow lock-without-timeout because nobody is there at night\n"
    "CREATE INDEX users_email ON users (email);\n"
}
CLEAN = {"migrations/0003_plans.sql": "CREATE TABLE plans (id bigint PRIMARY KEY);\n"}


@dataclass(frozen=True)
class Program:
    """A program of the outside world, which only keeps what it is told."""

    log: Path

    @property
    def calls(self) -> list[list[str]]:
        """The arguments of each call."""
        if not self.log.exists():
            return []
        return [json.loads(line) for line in self.log.read_text(encoding="utf-8").splitlines()]


@pytest.fixture
def project(tmp_path: Path) -> Scratch:
    """A repository with two migrations on main; a branch for the pull request is checked out."""
    if shutil.which("git") is None:
        pytest.skip("there is no git on this machine")
    scratch = Scratch.at(tmp_path / "project")
    scratch.commit(BASE)
    scratch.branch("pull-request")
    return scratch


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """The folder that comes first on PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    return folder


@pytest.fixture
def environment(binaries: Binaries, programs: Path) -> dict[str, str]:
    """The environment of a CI service's machine on which nothing is set but what the tests need."""
    foreign = re.compile(
        r"PYTEST_.*|COV_.*|CI|CI_.*|BUILD_NUMBER|.*COLOR.*|GIT_.*|GITHUB_.*|MIGSAFE_(?!CACHE_DIR).*"
    )
    kept = {name: value for name, value in os.environ.items() if not foreign.fullmatch(name)}
    own = Path(sys.executable).parent
    is_installed = bool(importlib.metadata.entry_points(group="pytest11", name="migsafe"))
    plugin = [] if is_installed else ["-p pytest_migsafe.plugin"]
    return kept | {
        # Run from the source tree, whether it is installed or not.
        "PYTHONPATH": str(REPOSITORY),
        "PATH": os.pathsep.join([str(programs), str(own), os.environ.get("PATH", os.defpath)]),
        "PYTEST_ADDOPTS": " ".join(["-p no:randomly -p no:cacheprovider", *plugin]),
        **_server(binaries),
        **ENVIRONMENT,
    }


def _server(binaries: Binaries) -> dict[str, str]:
    if os.environ.get("MIGSAFE_TEST_BINDIR"):
        return {"MIGSAFE_BINDIR": str(binaries.bindir)}
    return {"MIGSAFE_POSTGRES": str(binaries.major)} if os.environ.get("MIGSAFE_TEST_POSTGRES") else {}


def steps_of(workflow: str) -> list[dict[str, Any]]:
    """Return the steps of an example's only job."""
    (job,) = yaml.safe_load((EXAMPLES / workflow).read_text(encoding="utf-8"))["jobs"].values()
    steps: list[dict[str, Any]] = job["steps"]
    return steps


def recording(folder: Path, name: str, *, answers: Sequence[str] = (), instead: str = "") -> Program:
    """Put a program into a folder that keeps its arguments; lines of Python say what it does beside."""
    log = folder / f"{name}.log"
    program = folder / name
    lines = [
        f"#!{sys.executable} -I",
        "import json, os, subprocess, sys",
        instead,
        f"with open({str(log)!r}, 'a') as log:",
        "    log.write(json.dumps(sys.argv[1:]) + '\\n')",
        *answers,
    ]
    program.write_text("\n".join(lines) + "\n", encoding="utf-8")
    program.chmod(0o755)
    return Program(log)


def recording_pip(folder: Path, *, answers: Sequence[str] = ()) -> Program:
    """Put a ``python`` into a folder that keeps what ``python -m pip`` is told; everything else goes to Python."""
    own = repr(sys.executable)
    instead = f"if sys.argv[1:3] != ['-m', 'pip']: os.execv({own}, [{own}, *sys.argv[1:]])"
    return recording(folder, "python", instead=instead, answers=answers)


@pytest.fixture
def pip(programs: Path) -> Program:
    """What ``python -m pip`` is told."""
    return recording_pip(programs)
