"""Whoever interrupts a run gets pytest's exit code, what was seen so far, and a clean machine."""

import signal
import time

import pytest

from tests.ends.runs import SLEEPING, Workplace


def test_ctrl_c_in_a_migration(workplace: Workplace) -> None:
    workplace.write(SLEEPING)
    with workplace.running() as running:
        running.wait_for_sleep()
        running.interrupt()
        ended = running.end()
    print(ended.output)
    assert ended.exit_code == pytest.ExitCode.INTERRUPTED
    assert ended.is_well_mannered
    assert "2 migrations: 2 passed" in ended.output
    assert ended.outcomes == ["passed", "passed", "skipped", "skipped", "skipped"]
