"""Machines that lack something: a home, a locale, open files, leave to write."""

import sysconfig
from pathlib import Path

import pytest

from pytest_migsafe.postgres.binaries import Binaries
from tests.ends.machines import elsewhere, needs_mounts
from tests.ends.runs import SOUND, Workplace, limited

_LETTERS = {"migrations/0003_größe.sql": "create table größe (ß text default 'łódź');\n"}


@pytest.mark.parametrize("home", [None, "/nonexistent/home"])
def test_no_home(workplace: Workplace, home: str | None) -> None:
    """Nor another place for the cache: `/var/tmp` has it then, and keeps it for later runs."""
    ended = workplace.with_environment(HOME=home, MIGSAFE_CACHE_DIR=None).write(SOUND).run()
    assert (ended.exit_code, ended.outcomes) == (0, ["passed", "passed"]), ended.output


@pytest.mark.parametrize(
    "variables",
    [
        {"LC_ALL": None, "LANG": None},
        {"LC_ALL": None, "LANG": "C"},
        {"LC_ALL": "POSIX"},
        {"LC_ALL": "xx_YY.UTF-8"},
    ],
    ids=["none", "C", "POSIX", "unknown"],
)
def test_no_locale(workplace: Workplace, directory: Path, variables: dict[str, str | None]) -> None:
    """The cache is cold where the locale is unknown, for initdb asks for locales."""
    cache = str(directory / "cache") if variables.get("LC_ALL", "") == "xx_YY.UTF-8" else None
    place = workplace.with_environment(**variables)
    place = place.with_environment(MIGSAFE_CACHE_DIR=cache) if cache else place
    ended = place.write(SOUND, _LETTERS).run()
    assert (ended.exit_code, ended.outcomes) == (0, ["passed"] * 3), ended.output


@pytest.mark.parametrize("args", [[], ["-n", "2"]], ids=["alone", "-n 2"])
def test_few_open_files(workplace: Workplace, args: list[str]) -> None:
    ended = limited(workplace, "-n 64").write(SOUND).run(*args)
    assert (ended.exit_code, ended.outcomes) == (0, ["passed", "passed"]), ended.output


@pytest.mark.parametrize(
    ("limit", "cause", "way_out"),
    [
        ("-n 32", "insufficient file descriptors available", "ulimit -n 256 (it is 32 here)"),
        ("-n 16", "Too many open files", "ulimit -n 256"),
        ("-f 1000", "cp was ended by SIGXFSZ", "ulimit -f"),
    ],
)
def test_too_low_a_limit_is_named(workplace: Workplace, limit: str, cause: str, way_out: str) -> None:
    ended = limited(workplace, limit).write(SOUND).run()
    assert ended.exit_code == pytest.ExitCode.TESTS_FAILED
    assert ended.is_well_mannered
    assert cause in ended.output
    assert way_out in ended.output
    assert ended.outcomes == ["failed", "failed"]


@needs_mounts
@pytest.mark.parametrize("is_cold", [False, True], ids=["warm", "cold"])
def test_read_only_packages_and_home(workplace: Workplace, directory: Path, is_cold: bool) -> None:
    home = directory / "home"
    home.mkdir(mode=0o755)
    place = workplace.with_environment(HOME=str(home), XDG_CACHE_HOME=None)
    place = place.with_environment(MIGSAFE_CACHE_DIR=str(directory / "cache") if is_cold else None)
    packages = Path(sysconfig.get_path("purelib"))
    ended = elsewhere(place, locked=(packages, home)).write(SOUND).run()
    assert (ended.exit_code, ended.outcomes) == (0, ["passed", "passed"]), ended.output
    assert list(home.iterdir()) == []


@needs_mounts
def test_a_read_only_project(workplace: Workplace) -> None:
    workplace.write(SOUND)
    ended = elsewhere(workplace, locked=(workplace.project,)).run()
    assert (ended.exit_code, ended.outcomes) == (0, ["passed", "passed"]), ended.output
    assert ended.counts["warnings"] > 0  # pytest's, of its own cache


@needs_mounts
def test_an_ordinary_user_without_anything(workplace: Workplace, binaries: Binaries) -> None:
    """Root's home, which is closed to them, and a project that belongs to root."""
    place = workplace.with_environment(HOME="/root", XDG_CACHE_HOME=None, MIGSAFE_CACHE_DIR=None)
    ended = elsewhere(place, ordinary=True).write(SOUND).run()
    assert (ended.exit_code, ended.outcomes) == (0, ["passed", "passed"]), ended.output
    assert ended.report["server"]["version"] == binaries.version


@needs_mounts
@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "xdist"])
def test_an_ordinary_user_s_server_of_pytest_postgresql(
    workplace: Workplace, workers: tuple[str, ...]
) -> None:
    """Their ``postgresql_proc`` starts a server with pg_ctl, which root may not."""
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"))
    if not programs:
        pytest.skip("no pg_ctl of a system's package")
    settings = {
        "pyproject.toml": "[tool.migsafe]\nserver_fixture = 'postgresql_proc'\ncluster_wide = true\n",
        "pytest.ini": f"[pytest]\npostgresql_exec = {programs[-1]}\n",
        "migrations/0003_role.sql": "create role shop;\n",
    }
    place = workplace.with_environment(HOME=str(workplace.temporary))
    ended = elsewhere(place, ordinary=True).write(SOUND, settings).run("-W", "error", *workers)
    assert (ended.exit_code, ended.outcomes) == (0, ["passed"] * 3), ended.output
