"""The directory of one run, which disappears with the run, however it ends.

A `with` block cleans up after success, errors and Ctrl-C. Nothing in a killed process can: so a watchdog, some lines
of shell in a session of its own, waits for the end of a pipe that only we hold. When we are gone, by whatever
signal, the pipe closes, and it kills the server and deletes the directories.
"""

import contextlib
import os
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from pytest_migsafe.errors import ServerError
from pytest_migsafe.postgres.account import Account

#: The longest path of a Unix socket: 104 bytes with the final zero on macOS, 108 on Linux (sun_path in unix(7)).
_LONGEST_SOCKET_PATH = 103

#: Room that a RAM disk must have for us to use it. A run needs about 100 MB; a container's 64 MB do not do.
_ROOM_BYTES = 1 << 30

_RAM_DISK = Path("/dev/shm")  # noqa: S108  # we make a closed directory in it

#: Lines on the pipe name the process to kill, an empty one nobody. SIGQUIT is the immediate shutdown
#: (manual, "Shutting Down the Server"), after which no shared memory is left behind; a server that does not heed it within five seconds is killed.
#: Deleting is repeated while a child of ours that outlived us (`cp`) still adds files.
_WATCHDOG = """
while read -r line; do pid=$line; done
if [ -n "$pid" ]; then
    kill -QUIT "$pid"
    n=0
    while [ $n -lt 50 ] && kill -0 "$pid"; do sleep 0.1; n=$((n + 1)); done
    kill -KILL "$pid"
fi
n=0
while [ $n -lt 100 ] && { [ -e "$1" ] || [ -e "$2" ]; }; do
    rm -rf -- "$1" "$2" || sleep 0.1
    n=$((n + 1))
done
"""


@dataclass(frozen=True, slots=True)
class RunDirectory:
    """Where one server lives: everything it writes is here."""

    #: Owned by the server's account and closed to others; the data directory is to be made in it.
    path: Path
    #: The same, unless that path is too long for a socket.
    socket_dir: Path
    _pipe: IO[bytes]

    @property
    def data(self) -> Path:
        """The data directory (PGDATA)."""
        return self.path / "data"

    @property
    def log(self) -> Path:
        """The server's log."""
        return self.path / "server.log"

    def watch(self, pid: int | None) -> None:
        """Have `pid` killed when we die; None ends that, once the process has ended."""
        # Somebody may have killed the watchdog: the `with` block still cleans up.
        with contextlib.suppress(BrokenPipeError):
            self._pipe.write(f"{pid or ''}\n".encode())


@contextmanager
def run_directory(account: Account) -> Iterator[RunDirectory]:
    """Make a run's directory, closed to everybody but `account`, and delete it in the end.

    Raises:
        ServerError: no temporary directory can be used.
    """
    path = _name_in(_base(account))
    socket_dir = path if _fits_socket(path) else _name_in(Path("/tmp"))  # noqa: S108  # the shortest there is
    # The watchdog comes first, so that there is no moment in which a directory exists and nobody would delete it.
    with _watchdog(path, socket_dir) as pipe:
        try:
            for directory in dict.fromkeys((path, socket_dir)):
                _make(directory, account)
            yield RunDirectory(path, socket_dir, pipe)
        finally:
            for directory in (path, socket_dir):
                shutil.rmtree(directory, ignore_errors=True)


def _name_in(base: Path) -> Path:
    """Return a name that nobody has and nobody can guess."""
    return base / f"migsafe-{secrets.token_hex(6)}"


def _make(directory: Path, account: Account) -> None:
    try:
        directory.mkdir(mode=0o700)  # fails if it exists, so it is ours alone
        account.own(directory)
    except OSError as error:
        raise ServerError(
            f"No directory for the throwaway server could be made in {directory.parent}: {error.strerror}.\n"
            "Make room there, or set TMPDIR to a directory that can be written to."
        ) from error


@contextmanager
def _watchdog(*directories: Path) -> Iterator[IO[bytes]]:
    process = subprocess.Popen(
        ["/bin/sh", "-c", _WATCHDOG, "migsafe-watchdog", *map(str, directories)],
        cwd="/",
        bufsize=0,
        stdin=subprocess.PIPE,
        # Whoever reads our output must not wait for the watchdog.
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        # Out of the reach of Ctrl-C and of whoever kills our process group.
        start_new_session=True,
    )
    with process:  # closes the pipe, whereupon the watchdog ends, and waits for it
        if process.stdin is None:  # never: for the type checker
            raise ServerError("The watchdog's pipe is missing.")
        yield process.stdin


def _base(account: Account) -> Path:
    """Return the directory to make ours in: the user's choice, else a roomy RAM disk, else the system's.

    A cluster is a thousand small files, and a database three hundred. Measured on ext4: copying a cluster takes 45 to
    700 ms and making a database 20 to 185 ms, the more the more files were deleted in the last minutes (making a
    file then costs 0.25 ms; it seems that ext4 passes over recently freed inodes one by one). On a RAM disk it
    takes 50 and 10 ms, always.
    """
    chosen = any(os.environ.get(name) for name in ("TMPDIR", "TEMP", "TMP"))
    standard = Path(tempfile.gettempdir())
    candidates = [standard] if chosen else [*([_RAM_DISK] if _is_roomy(_RAM_DISK) else []), standard]
    for candidate in (*candidates, Path("/var/tmp"), Path("/tmp")):  # noqa: S108  # we make a closed directory
        # postmaster.pid has a line for each path. Root's own TMPDIR may be closed to the account that runs the server.
        if candidate.is_dir() and "\n" not in str(candidate) and account.can_enter(candidate):
            return candidate
    return standard


def _is_roomy(directory: Path) -> bool:
    if not os.access(directory, os.W_OK | os.X_OK):
        return False
    room = os.statvfs(directory)
    return room.f_bavail * room.f_frsize >= _ROOM_BYTES


def _fits_socket(directory: Path) -> bool:
    """Return whether the server can put its socket into `directory`, and libpq find it there."""
    text = str(directory)
    try:
        encoded = text.encode()
    except UnicodeEncodeError:  # a file name that is not UTF-8; a connection string has to be
        return False
    # libpq takes a comma in `host` for a list of hosts (manual, "Specifying Multiple Hosts").
    return len(encoded) + len("/.s.PGSQL.5432") <= _LONGEST_SOCKET_PATH and "," not in text
