"""The server's process: pytest-postgresql's executor, made to start and stop in hundredths of a second.

pytest-postgresql goes through pg_ctl, which looks every tenth of a second whether the server is up. Here the
postmaster is our own child, readiness is read from its pid file, and it is stopped the fast way, because nobody will
ask for its data again. Kept are the executor's start procedure and its deadlines.
"""

import contextlib
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from typing import Any, Self

from mirakuru.base import ENV_UUID
from mirakuru.exceptions import ProcessExitedWithError
from packaging.version import Version
from pytest_postgresql.executors import PostgreSQLExecutor

from pytest_migsafe.postgres.account import Account, environment
from pytest_migsafe.postgres.binaries import Binaries
from pytest_migsafe.postgres.cluster import SUPERUSER
from pytest_migsafe.postgres.run_directory import RunDirectory

#: The number only makes the socket's name, ".s.PGSQL.5432", in a directory of our own: it cannot be taken.
PORT = 5432

_START_TIMEOUT_SECONDS = 60
_STOP_TIMEOUT_SECONDS = 10
_POLL_SECONDS = 0.002


class Postmaster(PostgreSQLExecutor):
    """A server process on a data directory that is ready-made and belongs to someone else."""

    def __init__(
        self, binaries: Binaries, *, account: Account, run: RunDirectory, arguments: Sequence[str]
    ) -> None:
        self._binaries = binaries
        self._account = account
        self._run = run
        super().__init__(
            executable=str(binaries.pg_ctl),
            host=str(run.socket_dir),
            port=PORT,
            datadir=str(run.data),
            unixsocketdir=str(run.socket_dir),
            logfile=str(run.log),
            startparams="",
            dbname="postgres",
            user=SUPERUSER,
            timeout=_START_TIMEOUT_SECONDS,
            sleep=_POLL_SECONDS,
        )
        self.command_parts = [str(binaries.postgres), "-D", str(run.data), *arguments]
        self.command = " ".join(self.command_parts)

    @property
    def version(self) -> Version:
        """The version that is known already; the base class would run pg_ctl for it, twice a start."""
        return Version(str(self._binaries.major))

    @property
    def envvars(self) -> dict[str, str]:
        """Our environment without PGDATA and the like, and without the mark that mirakuru gives its children.

        At its end, every process that has imported mirakuru kills what has its number in that mark, and "2178" is in
        "21780:9f21…", too (mirakuru 3.1, base_env.py): another pytest of the machine ends our server, without a word
        in its log. Nothing of ours is left to be found that way, for the run's watchdog sees to it.
        """
        return {
            name: value
            for name, value in (super().envvars | environment(self._binaries.libraries)).items()
            if not name.startswith("PG") and name != ENV_UUID
        }

    @property
    def _popen_kwargs(self) -> dict[str, Any]:
        # The base class leaves no public door to these. Should the name change, PostgreSQL refuses to run as root
        # and tests/postgres fails at once.
        inherited = super()._popen_kwargs
        # Python warns about `preexec_fn` in a process with threads (pytest-xdist's workers have some).
        inherited.pop("preexec_fn", None)
        return {
            **inherited,
            "start_new_session": True,
            "cwd": self.datadir,  # ours may be closed to the server's account
            "stdin": subprocess.DEVNULL,
            **self._account.popen_arguments,
        }

    def init_directory(self) -> None:
        """Do nothing: the data directory is a copy of the cached cluster."""

    def clean_directory(self) -> None:
        """Do nothing: the directory belongs to its `with` block, not to this object (nor to its `__del__`)."""

    def start(self) -> Self:
        """Start the server and wait until it accepts connections.

        Raises:
            ProcessExitedWithError, TimeoutExpired: mirakuru's; it ended, or was not ready in time and was killed.
            OSError: it cannot be executed.
        """
        with self._run.log.open("ab") as log:
            # A pipe that nobody reads would stop the server once it is full.
            self._stdout = self._stderr = log
            return super().start()

    def pre_start_check(self) -> bool:
        """Return False: nobody else can be running in a directory that was made a moment ago."""
        return False

    def check_subprocess(self) -> bool:
        """Return whether the server is up; asked every few milliseconds from the moment that the process exists."""
        if self.process is not None:
            # So that the watchdog knows it from the first moment; hearing it again does no harm.
            self._run.watch(self.process.pid)
        return super().check_subprocess()

    def after_start_check(self) -> bool:
        """Return whether the server accepts connections: its pid file ends with the word that pg_ctl waits for."""
        if self.process is not None and self.process.poll() is not None:
            raise ProcessExitedWithError(self, self.process.returncode)
        try:
            text = (self._run.data / "postmaster.pid").read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return False
        return text.rstrip().endswith("ready")

    def running(self) -> bool:
        """Return whether the process is there; the base class would run pg_ctl for it."""
        return self.process is not None and self.process.poll() is None

    def stop(self, sig: int | None = None, exp_sig: int | None = None) -> Self:  # noqa: ARG002  # inherited
        """End the server at once and wait for it.

        The immediate shutdown writes no checkpoint: the data is not needed (manual, "Shutting Down the Server").
        """
        process, self.process = self.process, None
        if process is not None:
            with process:  # waits
                try:
                    process.send_signal(sig or signal.SIGQUIT)
                    process.wait(_STOP_TIMEOUT_SECONDS)
                except subprocess.TimeoutExpired:
                    _kill_group(process)
                except BaseException:  # such as a second Ctrl-C
                    _kill_group(process)
                    raise
        self._run.watch(None)
        return self


def _kill_group(process: subprocess.Popen[str]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def command_line(settings: Mapping[str, str]) -> list[str]:
    """Return settings as arguments of `postgres`; those outrank what a migration's ALTER SYSTEM may say."""
    return [argument for name, value in settings.items() for argument in ("-c", f"{name}={value}")]
