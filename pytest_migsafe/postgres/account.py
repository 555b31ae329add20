"""The operating-system account that the server runs under.

PostgreSQL refuses to run as root (manual, "The PostgreSQL User Account"), and containers usually run as
root; so root hands the server to an unprivileged account and everybody else runs it as themselves.
"""

import contextlib
import errno
import os
import pwd
import signal
import stat
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from pytest_migsafe.errors import ServerError
from pytest_migsafe.postgres.libraries import search_path

#: Accounts that root may lend the server to, best first; every Unix has the second.
_UNPRIVILEGED = ("postgres", "nobody")

#: How long a program that is interrupted may take to clean up after itself.
_PARTING_SECONDS = 2.0


class PopenAccount(TypedDict, total=False):
    """The arguments of ``subprocess.Popen`` that change the account; empty when nothing changes."""

    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True, slots=True)
class Account:
    """Who the server runs as."""

    name: str
    uid: int
    gid: int
    #: Whether it is another account than ours, which only root can arrange.
    is_other: bool

    @property
    def popen_arguments(self) -> PopenAccount:
        """What ``subprocess.Popen`` needs to run a program as this account."""
        if not self.is_other:
            return {}
        # Without `extra_groups=[]` the child would keep root's supplementary groups.
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def can_enter(self, directory: Path) -> bool:
        """Return whether the permission bits let this account reach what is inside `directory`."""
        if not self.is_other:
            return os.access(directory, os.X_OK)
        resolved = directory.resolve()
        return all(self._has(step, stat.S_IXOTH) for step in (resolved, *resolved.parents))

    def can_execute(self, program: Path) -> bool:
        """Return whether the permission bits let this account run `program`."""
        if not self.is_other:
            return os.access(program, os.X_OK)
        resolved = program.resolve()
        return self.can_enter(resolved.parent) and self._has(resolved, stat.S_IXOTH | stat.S_IROTH)

    def own(self, path: Path) -> None:
        """Make `path` belong to this account; nothing to do for our own files."""
        if self.is_other:
            os.chown(path, self.uid, self.gid)

    def run(
        self, command: Sequence[str], *, cwd: Path, text: str = "", libraries: Path | None = None
    ) -> "Outcome":
        """Run `command` to its end as this account, with `text` as its input.

        Its shared libraries are looked for in `libraries` first.

        Whatever interrupts us takes the command's whole family along: initdb has children of its own.

        Raises:
            ServerError: the program cannot be executed at all.
        """
        try:
            process = subprocess.Popen(
                command,
                cwd=cwd,
                env=environment(libraries),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                encoding="utf-8",
                errors="replace",
                start_new_session=True,
                **self.popen_arguments,
            )
        except OSError as error:
            raise ServerError(_cannot_execute(command[0], self, error)) from error
        with process:
            try:
                output, _ = process.communicate(text)
            except BaseException:
                _end_family(process)
                raise
        return Outcome(process.returncode == 0, output + _fate(command[0], process.returncode))

    def _has(self, path: Path, bits_for_others: int) -> bool:
        """Return whether the account has permissions on `path`, given as the bits for others (S_IROTH, S_IXOTH)."""
        status = path.stat()
        if status.st_uid == self.uid:
            bits = bits_for_others << 6
        elif status.st_gid == self.gid:
            bits = bits_for_others << 3
        else:
            bits = bits_for_others
        return status.st_mode & bits == bits


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a program ended, and what it said on both its outputs."""

    succeeded: bool
    output: str


def server_account() -> Account:
    """Return the account that a server started by this process runs under.

    Raises:
        ServerError: we are root and there is no unprivileged account.
    """
    uid = os.geteuid()
    if uid != 0:
        return Account(name=f"uid {uid}", uid=uid, gid=os.getegid(), is_other=False)
    for name in _UNPRIVILEGED:
        with contextlib.suppress(KeyError):
            entry = pwd.getpwnam(name)
            return Account(name=name, uid=entry.pw_uid, gid=entry.pw_gid, is_other=True)
    raise ServerError(
        "PostgreSQL refuses to run as root, and there is no unprivileged account to run it as.\n"
        f"Looked for the accounts: {', '.join(_UNPRIVILEGED)}.\n"
        "Run the tests as an ordinary user, or add one of these accounts."
    )


def environment(libraries: Path | None = None) -> dict[str, str]:
    """Return our environment without what would change PostgreSQL's behaviour behind our back.

    PGDATA, PGOPTIONS, PGPORT and their kin belong to the user's own server (manual, libpq, "Environment Variables").
    With `libraries`, shared libraries are looked for in that directory first (`Binaries.libraries`).
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    # Messages are read by us and searched for on the web: in English, whatever the user's language.
    return kept | {"LC_ALL": "C", "LANGUAGE": "C"} | (search_path(libraries) if libraries else {})


def _end_family(process: "subprocess.Popen[str]") -> None:
    """End a program and its children; those that heed SIGTERM give their shared memory back."""
    end = time.monotonic() + _PARTING_SECONDS
    try:
        os.killpg(process.pid, signal.SIGTERM)
        while time.monotonic() < end:
            process.poll()  # a family's name lives as long as one of it, or its body
            os.killpg(process.pid, 0)
            time.sleep(0.01)
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass  # all are gone
    except BaseException:  # such as a second Ctrl-C
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        raise


def _fate(program: str, returncode: int) -> str:
    """Return how a program ended that could not say so itself."""
    if returncode >= 0:
        return ""
    with contextlib.suppress(ValueError):  # a signal without a name
        return f"{Path(program).name} was ended by {signal.Signals(-returncode).name}\n"
    return f"{Path(program).name} was ended by signal {-returncode}\n"


def _cannot_execute(program: str, account: Account, error: OSError) -> str:
    if error.errno in (errno.EMFILE, errno.ENFILE):
        return (
            f"{program} cannot be executed: {error.strerror}.\n"
            "The limit on open files is too low for this process: raise it (ulimit -n 256), and see that nothing leaks them."
        )
    return (
        f"{program} cannot be executed as {account.name}: {error.strerror}.\n"
        "If the file system is mounted noexec, set MIGSAFE_CACHE_DIR to a directory where programs may run;\n"
        "if this container may not change users, run the tests as an ordinary user."
    )
