"""Tests of the gate have a real git."""

import shutil
from pathlib import Path

import pytest

from tests.gate.repository import ENVIRONMENT, Scratch


@pytest.fixture(autouse=True)
def _git(monkeypatch: pytest.MonkeyPatch) -> None:
    if shutil.which("git") is None:
        pytest.skip("there is no git on this machine")
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def scratch(tmp_path: Path) -> Scratch:
    """An empty repository with the branch main."""
    return Scratch.at(tmp_path / "project")
