"""However a run ends, nothing of it is left: no server, no directory; and what was seen is written."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.plugin.conftest import BROKEN_IN_THE_MIDDLE, SOUND, Project

SLOW = {
    **SOUND,
    "migrations/0003_slow.sql": "select pg_sleep(30);\n",
    "conftest.py": (
        "def pytest_runtest_call(item):\n    if '0003' in item.nodeid:\n        open('slow', 'w').close()\n"
    ),
}
#: From the call of the slow item on, until its statement sleeps.
_SETTLING_SECONDS = 0.3
_PATIENCE_SECONDS = 20.0


@pytest.fixture
def servers_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which the servers of this test's runs have theirs."""
    # Not below tmp_path, which is closed to the account that runs the server when the tests run as root.
    home = Path("/tmp") / f"interrupted-{os.getpid()}-{tmp_path.name}"
    home.mkdir(mode=0o755)
    monkeypatch.setenv("TMPDIR", str(home))
    return home


def _wait_until(is_so: Callable[[], bool]) -> bool:
    end = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < end:
        if is_so():
            return True
        time.sleep(0.05)
    return is_so()


def _servers(home: Path) -> list[str]:
    listed = subprocess.run(["ps", "-ww", "-eo", "args"], capture_output=True, text=True, check=True)  # noqa: S607
    return [line for line in listed.stdout.splitlines() if str(home) in line]


def _is_gone(home: Path) -> bool:
    """Return whether neither a directory nor a process is left; the watchdog may need a moment."""
    return not list(home.glob("migsafe-*")) and not _servers(home)


@contextmanager
def _running(project: Project, *args: str) -> Iterator["subprocess.Popen[str]"]:
    """Run pytest until the slow migration sleeps, and hand over the process."""
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "no:randomly",
        "--migsafe",
        "--migsafe-json=out.json",
        *args,
    ]
    with subprocess.Popen(
        command,
        cwd=project.path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,  # so that it can be told what a terminal tells: the whole group
    ) as process:
        try:
            assert _wait_until((project.path / "slow").exists)
            time.sleep(_SETTLING_SECONDS)
            assert _servers(Path(os.environ["TMPDIR"]))
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize("args", [[], ["-x"], ["-k", "users"]], ids=["failure", "-x", "success"])
def test_nothing_is_left_after_a_run(project: Project, servers_home: Path, args: list[str]) -> None:
    project.write(BROKEN_IN_THE_MIDDLE)
    assert project.run(*args).verdicts
    assert _is_gone(servers_home)
    servers_home.rmdir()


def test_one_ctrl_c(project: Project, servers_home: Path) -> None:
    project.write(SLOW)
    with _running(project) as process:
        os.killpg(process.pid, signal.SIGINT)
        output, _ = process.communicate(timeout=_PATIENCE_SECONDS)
    assert process.returncode == pytest.ExitCode.INTERRUPTED
    assert "KeyboardInterrupt" in output
    assert "INTERNALERROR" not in output
    assert "2 migrations: 2 passed" in output
    assert _is_gone(servers_home)
    report = json.loads((project.path / "out.json").read_text())
    assert [one["outcome"] for one in report["migrations"]] == ["passed", "passed", "skipped"]
    servers_home.rmdir()


def test_ctrl_c_twice(project: Project, servers_home: Path) -> None:
    project.write(SLOW)
    with _running(project) as process:
        os.killpg(process.pid, signal.SIGINT)
        time.sleep(0.02)
        os.killpg(process.pid, signal.SIGINT)
        process.communicate(timeout=_PATIENCE_SECONDS)
    assert process.returncode != 0
    assert _wait_until(lambda: _is_gone(servers_home))
    servers_home.rmdir()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_killed(project: Project, servers_home: Path, number: signal.Signals) -> None:
    project.write(SLOW)
    with _running(project) as process:
        process.send_signal(number)
        process.communicate(timeout=_PATIENCE_SECONDS)
    assert process.returncode == -number
    assert _wait_until(lambda: _is_gone(servers_home))
    servers_home.rmdir()


def test_ctrl_c_under_xdist(project: Project, servers_home: Path) -> None:
    pytest.importorskip("xdist")
    project.write(SLOW)
    with _running(project, "-n", "1") as process:
        os.killpg(process.pid, signal.SIGINT)
        process.communicate(timeout=_PATIENCE_SECONDS)
    assert _wait_until(lambda: _is_gone(servers_home))
    assert json.loads((project.path / "out.json").read_text())["format"] == 1
    servers_home.rmdir()
