"""Somebody kills a part of a run: the server, one of its sessions, a worker, the controller."""

import os
import signal

import pytest

from tests.ends.runs import SLEEPING, Workplace

#: It sleeps until a file appears.
_UNTIL = (
    "do $$ begin while pg_stat_file('{file}', true) is null loop perform pg_sleep(0.05); end loop; end $$;\n"
)


def test_the_server(workplace: Workplace) -> None:
    with workplace.write(SLEEPING).running() as running:
        running.wait_for_sleep()
        os.kill(running.wait_for("/postgres -D"), signal.SIGKILL)
        ended = running.end()
    assert ended.exit_code == pytest.ExitCode.TESTS_FAILED
    assert ended.is_well_mannered
    assert ended.outcomes == ["passed", "passed", "failed", "failed", "failed"]
    gone = "The throwaway server went away while migrations/0003_slow.sql was rehearsed: it was killed"
    assert sum(line.startswith(gone) for line in ended.lines) == 1
    assert sum(line.startswith(f"no server to rehearse on: {gone}") for line in ended.lines) == 2
    assert "cannot be applied" not in ended.output


def test_the_server_before_a_file(workplace: Workplace) -> None:
    conftest = (
        "import glob, os, pytest, signal, time\n"
        "@pytest.fixture(autouse=True)\n"
        "def kill(request):\n"
        "    if '0002' in request.node.nodeid:\n"
        "        [file] = glob.glob(os.environ['TMPDIR'] + '/migsafe-*/data/postmaster.pid')\n"
        "        os.kill(int(open(file).readline()), signal.SIGQUIT)\n"
        "        time.sleep(0.2)\n"
    )
    ended = workplace.write(SLEEPING, {"conftest.py": conftest}).run()
    assert ended.exit_code == pytest.ExitCode.TESTS_FAILED
    assert ended.is_well_mannered
    assert ended.outcomes == ["passed"] + ["failed"] * 4
    assert "it received immediate shutdown request" in ended.output


@pytest.mark.parametrize(
    ("number", "message"),
    [
        (signal.SIGKILL, "was terminated by signal 9"),
        (signal.SIGTERM, "the file ends its own session (57P01)"),
    ],
    ids=["SIGKILL", "SIGTERM"],
)
def test_the_session(workplace: Workplace, number: signal.Signals, message: str) -> None:
    """A file that crashes the server, or ends its session, looks the same from here: it has failed."""
    with workplace.write(SLEEPING).running() as running:
        [backend] = running.wait_for_sleep()
        os.kill(backend, number)
        ended = running.end()
    assert ended.exit_code == pytest.ExitCode.TESTS_FAILED
    assert ended.is_well_mannered
    assert ended.outcomes == ["passed", "passed", "failed", "blocked", "blocked"]
    assert message in ended.output


def test_a_worker(workplace: Workplace) -> None:
    pytest.importorskip("xdist")
    go = workplace.temporary / "go"
    workplace.write(SLEEPING, {"migrations/0003_slow.sql": _UNTIL.format(file=go)})
    with workplace.running("-n", "2") as running:
        running.wait_for_sleep(2)
        killed = running.pids("import sys;exec(eval(sys.stdin.readline()))")[0]
        os.kill(killed, signal.SIGKILL)
        go.touch()
        ended = running.end()
    assert ended.exit_code == pytest.ExitCode.TESTS_FAILED
    assert ended.is_well_mannered
    assert ended.output.count("crashed while running") >= 1
    # All but the one that it was at: the other workers have gone on.
    assert sorted(ended.outcomes) == ["passed"] * 4 + ["skipped"]
    assert ended.counts["failed"] == 1
    go.unlink()


@pytest.mark.parametrize(
    "number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT], ids=lambda number: number.name
)
def test_the_controller(workplace: Workplace, number: signal.Signals) -> None:
    """Its workers follow it, and so do their servers."""
    pytest.importorskip("xdist")
    with workplace.write(SLEEPING).running("-n", "2") as running:
        running.wait_for_sleep(2)
        running.process.send_signal(number)
        ended = running.end()
    expected = {signal.SIGKILL: -9, signal.SIGTERM: 143, signal.SIGINT: 2}
    assert ended.exit_code == expected[number]
    if number != signal.SIGKILL:
        assert set(ended.outcomes) <= {"passed", "skipped"}
