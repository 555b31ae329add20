"""Whoever interrupts a run gets the right exit code, what was seen so far, and a clean machine."""

import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_migsafe.postgres.binaries import Binaries
from tests.ends.runs import BROKEN_TWICE, SLEEPING, SOUND, Running, Workplace, wait_until

_INTERRUPTED = pytest.ExitCode.INTERRUPTED
_TERMINATED = 128 + signal.SIGTERM
_SEEN_UNTIL_THE_SLEEP = ["passed", "passed", "skipped", "skipped", "skipped"]

#: Collecting the second file takes until somebody interrupts it.
_SLOW_COLLECTION = {
    "conftest.py": (
        "import time\n"
        "def pytest_collect_file(file_path):\n"
        "    if file_path.name == '0002_email.sql':\n"
        "        open('collecting', 'w').close()\n"
        "        time.sleep(60)\n"
    )
}


def _once(running: Running) -> None:
    running.interrupt()


def _twice(running: Running) -> None:
    running.interrupt()
    time.sleep(0.05)
    running.interrupt()


def _terminate(running: Running) -> None:
    running.process.terminate()


@pytest.mark.parametrize(
    ("end", "exit_code", "banner"),
    [
        (_once, _INTERRUPTED, "KeyboardInterrupt"),
        (_terminate, _TERMINATED, "ended by SIGTERM"),
    ],
    ids=["Ctrl-C", "SIGTERM"],
)
def test_in_a_migration(
    workplace: Workplace, end: Callable[[Running], None], exit_code: int, banner: str
) -> None:
    with workplace.write(SLEEPING).running() as running:
        running.wait_for_sleep()
        end(running)
        ended = running.end()
    assert ended.exit_code == ended.report["exit_code"] == exit_code
    assert ended.is_well_mannered
    assert banner in ended.output
    assert "2 migrations: 2 passed" in ended.output
    assert ended.outcomes == _SEEN_UNTIL_THE_SLEEP


def test_ctrl_c_twice_in_a_migration(workplace: Workplace) -> None:
    """The second may hit anything, pytest's own summary too; what counts is that nothing is left."""
    with workplace.write(SLEEPING).running() as running:
        running.wait_for_sleep()
        _twice(running)
        ended = running.end()
    assert ended.exit_code in (_INTERRUPTED, -signal.SIGINT)


@pytest.mark.parametrize("end", [_once, _twice, _terminate], ids=["Ctrl-C", "twice", "SIGTERM"])
def test_while_the_server_starts(workplace: Workplace, end: Callable[[Running], None]) -> None:
    with workplace.write(SLEEPING).running() as running:
        assert wait_until(lambda: any(workplace.temporary.glob("migsafe-*")))
        end(running)
        ended = running.end()
    assert ended.exit_code in (_INTERRUPTED, -signal.SIGINT, _TERMINATED)
    if end is not _twice:
        assert ended.is_well_mannered
        assert set(ended.outcomes) == {"skipped"}


def test_ctrl_c_while_the_cache_is_filled(workplace: Workplace, directory: Path, binaries: Binaries) -> None:
    cache = directory / "cache"
    cold = workplace.with_environment(MIGSAFE_CACHE_DIR=str(cache)).write(SOUND)
    with cold.running() as running:
        assert wait_until(lambda: any(cache.glob("*/draft-*")))
        running.interrupt()
        ended = running.end()
    assert ended.exit_code == _INTERRUPTED
    assert ended.is_well_mannered
    assert list(cache.glob("*/draft-*")) == []
    assert cold.run().exit_code == 0
    if binaries.major >= 16:
        # What initdb has in /dev/shm would stay there; others come and go in that directory, so the setting is looked at.
        [configuration] = cache.glob("*/cluster-*/postgresql.conf")
        assert "dynamic_shared_memory_type = mmap" in configuration.read_text()


@pytest.mark.parametrize("end", [_once, _terminate], ids=["Ctrl-C", "SIGTERM"])
def test_during_collection(workplace: Workplace, end: Callable[[Running], None]) -> None:
    with workplace.write(SLEEPING, _SLOW_COLLECTION).running() as running:
        assert wait_until((workplace.project / "collecting").exists)
        end(running)
        ended = running.end()
    assert ended.exit_code in (_INTERRUPTED, _TERMINATED)
    assert ended.is_well_mannered
    assert ended.outcomes == ["skipped"] * 5


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGHUP], ids=lambda number: number.name)
def test_a_run_that_is_killed_takes_its_server_along(workplace: Workplace, number: signal.Signals) -> None:
    with workplace.write(SLEEPING).running() as running:
        running.wait_for_sleep()
        running.process.send_signal(number)
        ended = running.end()
    assert ended.exit_code == -number
    assert ended.report == {}


def test_in_the_directories_that_are_used_when_nobody_chose_any(workplace: Workplace) -> None:
    with workplace.with_environment(TMPDIR=None).write(SLEEPING).running() as running:
        running.wait_for_sleep()
        running.process.kill()
        running.end()
    assert running.directories
    assert not running.directories & {workplace.temporary, *workplace.temporary.iterdir()}


@pytest.mark.parametrize(
    ("args", "outcomes"),
    [
        (["-x"], ["passed", "failed", "skipped", "skipped", "skipped"]),
        (["--maxfail=2"], ["passed", "failed", "blocked", "blocked", "blocked"]),
    ],
    ids=" ".join,
)
def test_stopping_at_a_failure(workplace: Workplace, args: list[str], outcomes: list[str]) -> None:
    ended = workplace.write(BROKEN_TWICE).run(*args)
    assert ended.exit_code == pytest.ExitCode.TESTS_FAILED
    assert ended.is_well_mannered
    assert ended.outcomes == outcomes


def test_pytest_exit_from_a_fixture(workplace: Workplace) -> None:
    conftest = (
        "import pytest\n"
        "@pytest.fixture(autouse=True)\n"
        "def enough(request):\n"
        "    if '0003' in request.node.nodeid:\n"
        "        pytest.exit('enough', returncode=7)\n"
    )
    ended = workplace.write(BROKEN_TWICE, {"conftest.py": conftest}).run()
    assert ended.exit_code == 7
    assert ended.is_well_mannered
    assert ended.outcomes == ["passed", "failed", "skipped", "skipped", "skipped"]


def test_somebody_elses_handler_of_sigterm_stays(workplace: Workplace) -> None:
    conftest = "import os, signal\nsignal.signal(signal.SIGTERM, lambda *_: os._exit(42))\n"
    with workplace.write(SLEEPING, {"conftest.py": conftest}).running() as running:
        running.wait_for_sleep()
        running.process.terminate()
        ended = running.end()
    assert ended.exit_code == 42
