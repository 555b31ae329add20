"""A project whose runs can be ended, and what they leave be seen."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.directories import directory_for_all
from tests.ends.runs import REPOSITORY, Workplace

#: What our own environment says of pytest is not for the runs in the tests.
_NOT_PASSED_ON = ("PYTEST_ADDOPTS", "PYTEST_CURRENT_TEST", "PYTEST_XDIST_WORKER", "PYTEST_XDIST_WORKER_COUNT")


@pytest.fixture
def directory() -> Iterator[Path]:
    """An empty directory that every account can use."""
    with directory_for_all() as path:
        yield path


@pytest.fixture
def workplace(directory: Path) -> Workplace:
    """An empty project, on the cache that all tests share."""
    project, temporary = directory / "project", directory / "tmp"
    for path in (project, temporary):
        path.mkdir()
        path.chmod(0o777)
    (project / "pytest.ini").write_text("[pytest]\n")
    passed_on = {name: value for name, value in os.environ.items() if name not in _NOT_PASSED_ON}
    chosen = {"MIGSAFE_BINDIR": os.environ.get("MIGSAFE_TEST_BINDIR", "")}
    environment = {
        **passed_on,
        **{name: value for name, value in chosen.items() if value},
        "PYTHONPATH": str(REPOSITORY),
        "TMPDIR": str(temporary),
    }
    return Workplace(project, temporary, environment)
