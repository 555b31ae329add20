"""Where the cache is, whom it trusts, and that an entry which exists is complete."""

import contextlib
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pytest_migsafe.errors import ServerError
from pytest_migsafe.postgres.account import Account, server_account
from pytest_migsafe.postgres.cache import cache_directory, making


@pytest.fixture
def open_directory() -> Iterator[Path]:
    """A directory that the server's account can reach; pytest's own temporary directories are closed."""
    with tempfile.TemporaryDirectory(dir="/tmp", prefix="migsafe-test-") as name:
        path = Path(name)
        path.chmod(0o755)
        yield path


@pytest.fixture(autouse=True)
def _no_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MIGSAFE_CACHE_DIR")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)


@pytest.fixture
def ourselves() -> Account:
    """The account of somebody who is not root."""
    return Account("us", os.geteuid(), os.getegid(), is_other=False)


def test_the_setting_decides_and_is_private_to_each_user(
    open_directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIGSAFE_CACHE_DIR", str(open_directory / "mine"))
    assert cache_directory(server_account()) == open_directory / "mine" / f"uid-{os.geteuid()}"


def test_a_setting_that_does_not_serve_is_an_error(
    open_directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (open_directory / "file").touch()
    monkeypatch.setenv("MIGSAFE_CACHE_DIR", str(open_directory / "file"))
    with pytest.raises(
        ServerError, match=r"No directory can serve as pytest-migsafe's cache(?s:.*)Not a directory"
    ):
        cache_directory(server_account())


def test_the_home_is_used_when_it_is_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ourselves: Account
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    cache = cache_directory(ourselves)
    assert cache.is_relative_to(tmp_path)
    assert cache.name == "pytest-migsafe"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_directory(ourselves) == tmp_path / "xdg" / "pytest-migsafe"


def test_without_a_home_the_cache_is_below_var_tmp(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HOME")
    assert cache_directory(server_account()) == Path(f"/var/tmp/pytest-migsafe-{os.geteuid()}")


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, which has a closed home")
def test_roots_closed_home_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tmp_path.chmod(0o700)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_directory(server_account()) == Path("/var/tmp/pytest-migsafe-0")


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, which may give files away")
def test_a_home_or_a_cache_of_somebody_else_is_not_trusted(
    open_directory: Path, monkeypatch: pytest.MonkeyPatch, ourselves: Account
) -> None:
    os.chown(open_directory, 65534, 65534)
    monkeypatch.setenv("HOME", str(open_directory))  # as `sudo` may leave it
    assert cache_directory(ourselves) == Path("/var/tmp/pytest-migsafe-0")
    assert list(open_directory.iterdir()) == []

    laid = open_directory / "uid-0"
    laid.mkdir()
    os.chown(laid, 65534, 65534)
    monkeypatch.setenv("MIGSAFE_CACHE_DIR", str(open_directory))
    with pytest.raises(ServerError, match="belongs to uid 65534, not to us"):
        cache_directory(ourselves)


def test_a_link_and_an_open_directory_are_not_trusted(
    open_directory: Path, monkeypatch: pytest.MonkeyPatch, ourselves: Account
) -> None:
    monkeypatch.setenv("MIGSAFE_CACHE_DIR", str(open_directory))
    cache = open_directory / f"uid-{os.geteuid()}"
    (open_directory / "elsewhere").mkdir()
    cache.symlink_to(open_directory / "elsewhere")
    with pytest.raises(ServerError, match="not a directory"):
        cache_directory(ourselves)
    cache.unlink()
    cache.mkdir()
    cache.chmod(0o777)
    with pytest.raises(ServerError, match="others can write to it"):
        cache_directory(ourselves)


def test_an_entry_appears_only_when_it_is_complete(tmp_path: Path) -> None:
    entry = tmp_path / "entry"
    with making(entry) as draft:
        (draft / "half").touch()
        assert not entry.exists()
    assert [path.name for path in entry.iterdir()] == ["half"]


def test_a_failed_entry_leaves_nothing(tmp_path: Path) -> None:
    with contextlib.suppress(KeyboardInterrupt), making(tmp_path / "entry") as draft:
        (draft / "half").touch()
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


def test_the_loser_of_a_race_keeps_the_winners_entry(tmp_path: Path) -> None:
    entry = tmp_path / "entry"
    with making(entry) as loser, making(entry) as winner:
        (loser / "loser").touch()
        (winner / "winner").touch()
    assert [path.name for path in tmp_path.rglob("*")] == ["entry", "winner"]


def test_drafts_of_killed_runs_are_swept(tmp_path: Path) -> None:
    old, young = tmp_path / "draft-old", tmp_path / "draft-young"
    old.mkdir()
    young.mkdir()
    os.utime(old, (time.time() - 7200,) * 2)
    with making(tmp_path / "entry"):
        pass
    assert sorted(path.name for path in tmp_path.iterdir()) == ["draft-young", "entry"]
