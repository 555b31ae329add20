"""The server finds the libraries that came with it, and what a module misses is told without a server."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from pytest_migsafe.errors import ServerError
from pytest_migsafe.postgres.account import environment, server_account
from pytest_migsafe.postgres.binaries import Binaries
from pytest_migsafe.postgres.cache import cache_directory
from pytest_migsafe.postgres.cluster import ready_cluster
from pytest_migsafe.postgres.installation import installed
from pytest_migsafe.postgres.libraries import SEARCH_PATH, named_as_missing, own_libraries


@pytest.fixture
def programs(binaries: Binaries) -> Binaries:
    account = server_account()
    return installed(binaries, account=account, cache=cache_directory(account))


def test_an_installation_with_a_libpq_of_its_own_gets_it(tmp_path: Path) -> None:
    bindir = tmp_path / "pgsql" / "bin"
    bindir.mkdir(parents=True)
    assert own_libraries(bindir) is None
    library = tmp_path / "pgsql" / "lib" / "libpq.so.5"
    library.parent.mkdir()
    library.touch()
    assert own_libraries(bindir) == library.parent
    # Through a link, too: the loader's $ORIGIN is the real place.
    (tmp_path / "link").symlink_to(bindir)
    assert own_libraries(tmp_path / "link") == library.parent


def test_the_system_s_own_directories_are_left_to_the_loader() -> None:
    assert own_libraries(Path("/usr/bin")) is None
    assert own_libraries(Path("/usr/lib/postgresql/15/bin")) is None


def test_the_user_s_search_path_comes_second(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(SEARCH_PATH, "/opt/oracle")
    assert environment(tmp_path)[SEARCH_PATH] == f"{tmp_path}{os.pathsep}/opt/oracle"
    assert environment()[SEARCH_PATH] == "/opt/oracle"
    monkeypatch.delenv(SEARCH_PATH)
    assert environment(tmp_path)[SEARCH_PATH] == str(tmp_path)
    assert SEARCH_PATH not in environment()


@pytest.mark.parametrize(
    ("complaint", "library"),
    [
        (
            "libossp-uuid.so.16: cannot open shared object file: No such file or directory",
            "libossp-uuid.so.16",
        ),
        (
            "/v/bin/postgres: error while loading shared libraries: libxml2.so.2: cannot open shared object file: No such",
            "libxml2.so.2",
        ),
        (
            "Error loading shared library libxml2.so.2: No such file or directory (needed by x)",
            "libxml2.so.2",
        ),
        ("dlopen(/v/lib/x.dylib, 0x0002): Library not loaded: @rpath/libpq.5.dylib", "@rpath/libpq.5.dylib"),
        ("/v/lib/postgres_fdw.so: undefined symbol: PQcancelStart", None),
    ],
)
def test_loaders_say_in_their_own_words_what_is_missing(complaint: str, library: str | None) -> None:
    assert named_as_missing(complaint) == library


def test_a_server_whose_libraries_are_missing_says_which_and_where_they_come_from(
    programs: Binaries,
) -> None:
    """As the wheel in a slim container. The program is a script with the loader's words: no library can be hidden here."""
    if sys.platform != "linux":
        pytest.skip("the words are those of Linux")
    account = server_account()
    bindir = cache_directory(account) / f"test-{os.getpid()}"
    bindir.mkdir()
    try:
        for name in ("initdb", "postgres"):
            program = bindir / name
            program.write_text(
                "#!/bin/sh\n"
                f"echo '{programs.bindir}/{name}: error while loading shared libraries: libxml2.so.2: cannot open shared "
                "object file: No such file or directory' >&2\nexit 127\n"
            )
            program.chmod(program.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH | stat.S_IROTH)
        with pytest.raises(ServerError) as error:
            ready_cluster(
                Binaries(bindir, programs.version, "setting"), account=account, cache=cache_directory(account)
            )
    finally:
        subprocess.run(["rm", "-r", str(bindir)], check=True)  # noqa: S607
    first, *rest = str(error.value).splitlines()
    assert (
        first
        == f"PostgreSQL {programs.version} cannot run here: the system lacks its shared library libxml2.so.2."
    )
    assert "apt install libxml2" in "\n".join(rest)
