"""What every test of the project may ask for: a server, an empty database, a connection, real migrations."""

import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from threading import current_thread, main_thread

# A run of pytest in this process forgets what it imported, and protobuf's C part crashes when it is loaded anew.
import postgast  # noqa: F401
import psycopg
import pytest

from pytest_migsafe.errors import BinariesNotFoundError
from pytest_migsafe.gate.ci import VARIABLES
from pytest_migsafe.postgres.account import server_account
from pytest_migsafe.postgres.binaries import Binaries, find_binaries
from pytest_migsafe.postgres.cache import cache_directory
from pytest_migsafe.postgres.database import Database, create_database
from pytest_migsafe.postgres.installation import installed
from pytest_migsafe.postgres.server import Server, start_server
from tests.service import Service, running_service

pytest_plugins = ["pytester"]

_REPOSITORY = Path(__file__).parent.parent


def pytest_configure(config: pytest.Config) -> None:
    """Let all tests share one cache: pytester gives each of its runs a home of its own, and so a cold cache."""
    os.environ.setdefault("MIGSAFE_CACHE_DIR", str(cache_directory(server_account())))
    # Where these tests run in a workflow of GitHub's, the runs that they start must not tell it of their findings.
    for name in ("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY"):
        os.environ.pop(name, None)
    _keep_bytecode(config)
    _heed_signals()
    for name in VARIABLES:
        # Projects of the tests are in no pull request, whatever builds ours.
        os.environ.pop(name, None)


def _keep_bytecode(config: pytest.Config) -> None:
    """Let the two hundred runs that tests start compile our modules once, also where nobody wants to see bytecode.

    A run without it takes half as long again. Workers have what their controller sets.
    """
    if sys.dont_write_bytecode and "PYTHONDONTWRITEBYTECODE" in os.environ:
        directory = tempfile.mkdtemp(prefix="migsafe-test-")
        Path(directory).chmod(0o755)  # some runs are an ordinary user's
        config.add_cleanup(lambda: shutil.rmtree(directory, ignore_errors=True))
        del os.environ["PYTHONDONTWRITEBYTECODE"]
        os.environ["PYTHONPYCACHEPREFIX"] = directory


def _heed_signals() -> None:
    """Let runs that tests interrupt be interruptible, also when these were started with ``nohup`` or ``&``.

    What a process ignores, those that it starts ignore (manual page signal(7)).
    """
    for number, handler in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
        if signal.getsignal(number) is signal.SIG_IGN and current_thread() is main_thread():
            signal.signal(number, handler)


@pytest.fixture(scope="session")
def binaries() -> Binaries:
    """The server programs to test with; MIGSAFE_TEST_BINDIR or MIGSAFE_TEST_POSTGRES (a major version) choose them."""
    bindir = os.environ.get("MIGSAFE_TEST_BINDIR")
    major = os.environ.get("MIGSAFE_TEST_POSTGRES")
    return find_binaries(bindir=Path(bindir) if bindir else None, major=int(major) if major else None)


@pytest.fixture(scope="session")
def bindir(binaries: Binaries) -> Path:
    """The folder with these programs, unpacked."""
    account = server_account()
    return installed(binaries, account=account, cache=cache_directory(account)).bindir


@pytest.fixture(scope="session")
def server(binaries: Binaries) -> Iterator[Server]:
    """One throwaway server for the whole run (each xdist worker has its own)."""
    with start_server(binaries) as running:
        yield running


@pytest.fixture(scope="session")
def service(binaries: Binaries) -> Iterator[Service]:
    """A server that is somebody else's, as a CI's service container is."""
    with running_service(binaries) as running:
        yield running


@pytest.fixture
def database(server: Server) -> Iterator[Database]:
    """An empty database, dropped after the test."""
    with create_database(server) as created:
        yield created


@pytest.fixture
def connection(database: Database) -> Iterator[psycopg.Connection]:
    """A connection to `database` in autocommit mode, as the role that migrations run as."""
    with database.connect() as connected:
        yield connected


@pytest.fixture(scope="session")
def corpora() -> Path:
    """The directory with real projects' migrations, beside the repository; not part of it."""
    path = (_REPOSITORY / ".." / "shared" / "corpora").resolve()
    if not path.is_dir():
        pytest.skip(f"the migrations of real projects are not on this machine (looked in {path})")
    return path


#: Returns the throwaway server of a major version, which lives as long as the session; skips where there is none.
ServerOf = Callable[[int], Server]


@pytest.fixture(scope="session")
def server_of() -> Iterator[ServerOf]:
    """Throwaway servers by their major versions, each started when it is first asked for.

    A fixture with the version as its parameter would start another whenever the version changes from test to test.
    """
    with ExitStack() as running:

        @cache
        def started(major: int) -> Server:
            try:
                binaries = find_binaries(major=major)
            except BinariesNotFoundError:
                pytest.skip(f"PostgreSQL {major} is not on this machine")
            return running.enter_context(start_server(binaries))

        yield started
