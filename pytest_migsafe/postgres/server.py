"""The server: the value that describes it, and our own, started from the cached cluster and gone without a trace."""

import os
import resource
import signal
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from importlib.resources import files
from pathlib import Path

import psycopg
from mirakuru.exceptions import ExecutorError
from psycopg.conninfo import make_conninfo

from pytest_migsafe.errors import ServerError, StubError
from pytest_migsafe.postgres.account import Account, Outcome, server_account
from pytest_migsafe.postgres.binaries import Binaries
from pytest_migsafe.postgres.cache import cache_directory, discard, entries, trial_cache
from pytest_migsafe.postgres.cluster import MIGRATION_ROLE, SUPERUSER, ready_cluster
from pytest_migsafe.postgres.extensions import Stubbed, with_stubs
from pytest_migsafe.postgres.installation import installed
from pytest_migsafe.postgres.postmaster import PORT, Postmaster, command_line
from pytest_migsafe.postgres.reach import cannot_reach, one_line, parts, place
from pytest_migsafe.postgres.run_directory import RunDirectory, run_directory

__all__ = ["MIGRATION_ROLE", "SUPERUSER", "Server", "start_server", "stubbed_extensions"]

_ICU = files(__package__).joinpath("icu.sql").read_text(encoding="utf-8").encode()

#: What every throwaway server is started with. Three kinds of reasons: the data is thrown away, so nothing need be
#: safe on disk (manual, "Non-Durable Settings"); two runs must observe the same; and evidence should look as in
#: production, so `wal_level` keeps its default, under which rewrites and COPY are logged.
_SETTINGS = {
    # thrown away
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",  # also keeps page images out of the counted bytes of log
    "restart_after_crash": "off",
    "max_wal_size": "256MB",
    "min_wal_size": "16MB",
    # the same in every run
    "autovacuum": "off",
    "checkpoint_timeout": "1h",
    "jit": "off",
    "track_counts": "on",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "lc_messages": "C",
    # small and closed
    "listen_addresses": "",
    "shared_buffers": "64MB",
    "max_connections": "40",
    # A file that drops a whole schema holds many locks; but all slots are looked at whenever locks are read.
    "max_locks_per_transaction": "256",
    "max_logical_replication_workers": "0",
    "logging_collector": "off",
    "log_destination": "stderr",
    "log_checkpoints": "off",  # every new database would write two lines
    # A container may see huge pages that it may not use, and the server then dies with SIGBUS.
    "huge_pages": "off",
    # Files in the data directory: a killed server leaves nothing behind in /dev/shm.
    "dynamic_shared_memory_type": "mmap",
}

#: The timeouts of a connection that asks for none: a rehearsal that waits for itself must end some day.
TIMEOUTS = {"lock_timeout": "30s", "statement_timeout": "300s"}

_CONNECT_TIMEOUT_SECONDS = "10"
_SHUTDOWN_TIMEOUT_SECONDS = 30

#: What stands in the connection strings of our own servers, that it be not taken from the PG* variables of the
#: user's environment (manual, libpq, "Environment Variables").
_OURS = {"sslmode": "disable", "gssencmode": "disable", "target_session_attrs": "any"}


@dataclass(frozen=True, slots=True)
class Server:
    """A running server, as plain values: `Server(**dataclasses.asdict(server))` reaches it from another process.

    Either it is ours, started for this run and thrown away after it, or it was there before and was given to us.
    """

    #: Such as "18.6".
    version: str
    #: How its programs were found, as in `Binaries.source`; "given" when it was there before.
    source: str
    #: How libpq reaches it, in keyword form. It may hold a password, so it is never shown.
    conninfo: str = field(repr=False)
    #: The role that migrations run as.
    role: str = MIGRATION_ROLE
    #: The role that makes and drops databases; on a given server there is only one.
    administrator: str = SUPERUSER
    #: The database to be in while others are made and dropped.
    maintenance_dbname: str = "postgres"
    #: The file with the server's log; empty when it is out of our sight.
    log: str = ""
    #: Whether we have started it, and nobody else uses it.
    is_ours: bool = True
    #: Sentences that say what cannot be done or seen there.
    limits: tuple[str, ...] = ()
    #: The extensions that it has no more of than a stub (`extensions.with_stubs`).
    stubbed: tuple[str, ...] = ()
    #: The access methods of indexes that are only a stub's.
    stubbed_access_methods: tuple[str, ...] = ()
    #: Whether its binaries are built with ICU; of a server that is not ours it is taken for granted.
    has_icu: bool = True

    def __post_init__(self) -> None:
        # JSON makes lists of tuples.
        object.__setattr__(self, "limits", tuple(self.limits))
        object.__setattr__(self, "stubbed", tuple(self.stubbed))
        object.__setattr__(self, "stubbed_access_methods", tuple(self.stubbed_access_methods))

    @property
    def major(self) -> int:
        """The major version, such as 18."""
        return Binaries(Path(), self.version, self.source).major

    @property
    def host(self) -> str:
        """The host's name, or the directory of the Unix socket."""
        return parts(self.conninfo)["host"]

    @property
    def port(self) -> int:
        """The port, which is also a part of the Unix socket's name."""
        return int(parts(self.conninfo)["port"])

    def dsn(
        self,
        dbname: str | None = None,
        *,
        user: str | None = None,
        options: Mapping[str, str] | None = None,
        application_name: str = "pytest-migsafe",
    ) -> str:
        """Return a libpq connection string.

        On a given server it has the server's own password: to connect with, never to show.

        Args:
            dbname: the database; None is `maintenance_dbname`.
            user: the role; None is the one that migrations run as. Another than that connects without its password.
            options: the session's settings, such as `{"lock_timeout": "5s"}`, put over those that the connection
                string of a given server has itself; DISCARD ALL goes back to them.
            application_name: what the session is called in pg_stat_activity.
        """
        own = {"connect_timeout": _CONNECT_TIMEOUT_SECONDS, **parts(self.conninfo)}
        if user not in (None, self.role):
            own.pop("password", None)
        return make_conninfo(
            **own
            | {
                "dbname": dbname or self.maintenance_dbname,
                "user": user or self.role,
                "application_name": application_name,
                "client_encoding": "UTF8",
                "options": " ".join(filter(None, (own.get("options"), _as_options(options or {})))),
            }
        )

    def connect(
        self,
        dbname: str | None = None,
        *,
        user: str | None = None,
        autocommit: bool = True,
        options: Mapping[str, str] | None = None,
        application_name: str = "pytest-migsafe",
    ) -> psycopg.Connection:
        """Return a new connection, which the caller closes; `options` are put over `TIMEOUTS`.

        An option whose value is empty is left to what is set for the role, the database or the server.

        Raises:
            ServerError: the server does not answer; the message has the end of its log if it is ours.
        """
        given = {name: value for name, value in {**TIMEOUTS, **(options or {})}.items() if value}
        conninfo = self.dsn(dbname, user=user, options=given, application_name=application_name)
        try:
            return psycopg.connect(conninfo, autocommit=autocommit)
        except psycopg.OperationalError as error:
            if not self.is_ours:
                # Not chained: a traceback that shows psycopg's variables would show the password.
                raise ServerError(cannot_reach(conninfo, error)) from None
            raise ServerError(
                f"The throwaway server (PostgreSQL {self.version}) cannot be reached: {one_line(error)}\n"
                f"Database {dbname or self.maintenance_dbname}, role {user or self.role}. "
                f"The end of its log:\n{self.log_tail(20)}"
            ) from error

    def lost(self, error: BaseException) -> ServerError:
        """Return the error to raise when the server was there and does not answer any more."""
        if self.is_ours:
            return ServerError(
                f"The throwaway server (PostgreSQL {self.version}) went away: {one_line(error)}\n"
                f"The end of its log:\n{self.log_tail(20)}"
            )
        return ServerError(
            f"The server at {place(self.conninfo)} went away: {one_line(error)}\n"
            "Its log tells why; a container may have been stopped, or have had too little memory. Then run again."
        )

    def log_tail(self, lines: int = 20) -> str:
        """Return the last lines of the server's log; empty when the server is gone or not ours."""
        return _tail(Path(self.log), lines) if self.log else ""


@contextmanager
def start_server(
    binaries: Binaries,
    *,
    settings: Mapping[str, str] | None = None,
    stubs: Mapping[str, Path] | None = None,
    copy_of: Server | None = None,
) -> Iterator[Server]:
    """Start a throwaway server and yield its description; stop it and delete its directory in the end.

    Args:
        binaries: what `find_binaries` found.
        settings: server settings by name, over those that we choose.
        stubs: files of SQL that stand in for extensions which the server lacks, by the extension's name.
        copy_of: a throwaway server of the same binaries and stubs; the new one begins with all that it holds, roles and
            configuration too. It is shut down for that, and can be copied again. None: with an empty cluster.

    Raises:
        ServerError: it cannot be started; the message has the cause, the end of the log and the way out.
    """
    if not hasattr(socket, "AF_UNIX"):
        raise ServerError(
            "The throwaway server needs Unix sockets, which this platform lacks: run it on Linux or macOS."
        )
    account = server_account()
    cache = cache_directory(account)

    def started(cache: Path) -> AbstractContextManager[Server]:
        return _started(binaries, account, cache, settings=settings or {}, stubs=stubs or {}, copy_of=copy_of)

    with ExitStack() as resources:
        known = entries(cache, binaries.version)
        try:
            server = resources.enter_context(started(cache))
        except StubError:  # whatever the cache holds
            raise
        except ServerError:
            if not known or not _starts(started, trial_cache(cache, account)):
                raise
            # So it was what the cache holds: half deleted by somebody, damaged by a full disk. It is made anew.
            discard(known)
            server = resources.enter_context(started(cache))
        yield server


def stubbed_extensions(binaries: Binaries, stubs: Mapping[str, Path]) -> tuple[str, ...]:
    """Return the extensions that a server of these programs has no more of than a stub; see `start_server`.

    Raises:
        ServerError: the programs cannot be made ready, or a stub cannot be read or is refused by the server.
    """
    account = server_account()
    cache = cache_directory(account)
    programs = installed(binaries, account=account, cache=cache)
    return with_stubs(programs, stubs, account=account, cache=cache).names


def _starts(
    started: Callable[[Path], AbstractContextManager[Server]], cache: AbstractContextManager[Path]
) -> bool:
    """Return whether a server can be started from an empty cache."""
    with cache as empty:
        try:
            with started(empty):
                return True
        except ServerError:
            return False


@contextmanager
def _started(
    binaries: Binaries,
    account: Account,
    cache: Path,
    *,
    settings: Mapping[str, str],
    stubs: Mapping[str, Path],
    copy_of: Server | None,
) -> Iterator[Server]:
    programs = installed(binaries, account=account, cache=cache)
    stubbed = with_stubs(programs, stubs, account=account, cache=cache)
    with run_directory(account) as run:
        if copy_of is None:
            _fill(run, programs, account, cache)
        else:
            _fill_from(copy_of, run, account)
        with _running(run, stubbed, account, settings) as server:
            yield server


def _fill(run: RunDirectory, programs: Binaries, account: Account, cache: Path) -> None:
    """Copy the ready cluster into the run's directory; once more if the cache was emptied under our hands."""
    cluster = ready_cluster(programs, account=account, cache=cache)
    outcome = cluster.copy_to(run.data, account)
    if not outcome.succeeded and not cluster.directory.is_dir():
        cluster = ready_cluster(programs, account=account, cache=cache)
        account.run(["rm", "-rf", str(run.data)], cwd=run.path)
        outcome = cluster.copy_to(run.data, account)
    if not outcome.succeeded:
        raise ServerError(_cannot_copy(outcome, run))


def _fill_from(server: Server, run: RunDirectory, account: Account) -> None:
    """Copy a server's data directory into the run's directory.

    The server is shut down for it, and stays so: what a shutdown writes is whole, and the copy need not recover anything,
    by which tables that are UNLOGGED would lose their rows (manual: "CREATE TABLE", "Shutting Down the Server").
    """
    source = Path(server.log).parent / run.data.name
    _shut_down(server, source / "postmaster.pid")
    outcome = account.run(["cp", "-pR", str(source), str(run.data)], cwd=run.path)
    if outcome.succeeded:
        # It says how the other was started.
        outcome = account.run(["rm", "-f", str(run.data / "postmaster.opts")], cwd=run.path)
    if not outcome.succeeded:
        raise ServerError(_cannot_copy(outcome, run))


def _shut_down(server: Server, pid_file: Path) -> None:
    """Have a server of ours end in order, if it still runs; it removes its file as the last thing that it does.

    Raises:
        ServerError: it does not end.
    """
    try:
        os.kill(int(pid_file.read_text(encoding="utf-8").split()[0]), signal.SIGINT)
    except (FileNotFoundError, ProcessLookupError):
        return
    end = time.monotonic() + _SHUTDOWN_TIMEOUT_SECONDS
    while pid_file.exists():
        if time.monotonic() > end:
            raise ServerError(f"The throwaway server does not shut down.\n{server.log_tail(5)}")
        time.sleep(0.002)


@contextmanager
def _running(
    run: RunDirectory, stubbed: Stubbed, account: Account, settings: Mapping[str, str]
) -> Iterator[Server]:
    programs = stubbed.programs
    run.log.touch()  # ours, so that it can be read whoever the server runs as
    postmaster = Postmaster(
        programs,
        account=account,
        run=run,
        arguments=command_line(
            {
                **_SETTINGS,
                # From 18 on three processes read for the others; a small server is quicker without them.
                **({"io_method": "sync"} if programs.major >= 18 else {}),
                **_in_place_tablespaces(programs),
                **stubbed.settings,
                **settings,
                "unix_socket_directories": _as_list_element(str(run.socket_dir)),
                "port": str(PORT),
            }
        ),
    )
    try:
        try:
            postmaster.start()
        except (ExecutorError, OSError) as error:
            raise ServerError(_cannot_start(programs, account, run, error)) from error
        conninfo = make_conninfo(host=str(run.socket_dir), port=PORT, **_OURS)
        server = Server(
            programs.version,
            programs.source,
            conninfo,
            log=str(run.log),
            stubbed=stubbed.names,
            stubbed_access_methods=stubbed.access_methods,
        )
        # A damaged cluster may start, and then let nobody in.
        with server.connect() as connection:
            has_icu = _has_icu(connection)
        yield replace(server, has_icu=has_icu)
    finally:
        postmaster.stop()


def _has_icu(connection: psycopg.Connection) -> bool:
    return connection.execute(_ICU).fetchone() == (True,)


def _in_place_tablespaces(programs: Binaries) -> Mapping[str, str]:
    """Let tablespaces be inside the data directory (manual: "Developer Options", allow_in_place_tablespaces).

    It came with PostgreSQL 15; 14 has it since a minor release of 2022, and a server does not start with a setting
    that it does not know.
    """
    minor = programs.version.partition(".")[2]
    is_known = programs.major > 14 or (minor.isdigit() and int(minor) >= 5)
    return {"allow_in_place_tablespaces": "on"} if is_known else {}


def _as_options(settings: Mapping[str, str]) -> str:
    """Return settings in the form of libpq's `options`.

    Spaces and backslashes are escaped (manual, libpq, "Parameter Key Words").
    """
    escaped = (
        f"{name}={value}".replace("\\", "\\\\").replace(" ", "\\ ") for name, value in settings.items()
    )
    return " ".join(f"-c {setting}" for setting in escaped)


def _as_list_element(path: str) -> str:
    """Return a path quoted as an element of a list-valued setting, so that spaces and commas stay part of it."""
    doubled = path.replace('"', '""')
    return f'"{doubled}"'


def _tail(log: Path, lines: int) -> str:
    try:
        text = log.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return ""
    return "\n".join(text.splitlines()[-lines:])


def _cannot_copy(outcome: Outcome, run: RunDirectory) -> str:
    lines = outcome.output.splitlines() or ["cp said nothing"]
    return (
        f"The cluster could not be copied into the throwaway server's directory: {lines[-1]}\n"
        f"Directory: {run.path}.\n"
        "See that there is room (about 100 MB) and no lower limit on a file's size (ulimit -f), "
        "or set TMPDIR to a directory on a larger disk."
    )


def _cannot_start(programs: Binaries, account: Account, run: RunDirectory, error: Exception) -> str:
    log = _tail(run.log, 20)
    fatal = [
        line.partition(":  ")[2] for line in log.splitlines() if "FATAL:  " in line or "PANIC:  " in line
    ]
    cause = fatal[-1] if fatal else one_line(error)
    said = "\n".join(f"  {line}" for line in log.splitlines()) or "  nothing"
    return (
        f"PostgreSQL {programs.version} did not start: {cause}\n"
        f"Programs: {programs.bindir} ({programs.source}), run as {account.name}; data directory: {run.data}.\n"
        f"Its log said:\n{said}\n"
        f"{_way_out(log)}"
    )


def _way_out(log: str) -> str:
    if "insufficient file descriptors" in log:
        return f"Allow more open files: ulimit -n 256 (it is {resource.getrlimit(resource.RLIMIT_NOFILE)[0]} here)."
    if "No space left on device" in log:
        return "Make room there (about 100 MB), or set TMPDIR to a directory on a larger disk."
    return (
        "If a setting is at fault, mend it; other programs can be chosen with --migsafe-bindir=DIR, "
        "another disk with TMPDIR."
    )
