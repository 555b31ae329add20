"""When a file's session or its server is gone: whether that was the file's doing, or the machine's.

What the machine did is no verdict on the file: it ends the rehearsals with a `ServerError`, which says what to do.
"""

import re
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from pytest_migsafe.errors import ServerError, SnapshotError
from pytest_migsafe.postgres.server import Server
from pytest_migsafe.rehearsal.evidence import StatementError
from pytest_migsafe.rehearsal.isolation import QUERY_CANCELED

#: disk_full (manual, "PostgreSQL Error Codes").
_DISK_FULL = "53100"
#: How long a server may take to notice that one of its processes crashed, and to go.
_LAST_MOMENTS_SECONDS = 2.0
_LOG_LINES = 20
#: What the postmaster says of a child that crashed (reaper in postmaster.c), such as "client backend (PID 42) was
#: terminated by signal 11: Segmentation fault".
_CRASH = re.compile(r"LOG:  (.*\(PID \d+\) (?:was terminated by|exited with) .*)")
_FULL = re.compile(r"(?:PANIC|FATAL):  (.*No space left on device)")
_ASKED_TO_STOP = re.compile(r"LOG:  (received .* shutdown request)")


@contextmanager
def sessions_end_shown() -> Iterator[None]:
    """Raise what ended a session, or a time limit, also where it met us while we read the catalog."""
    try:
        yield
    except SnapshotError as error:
        if isinstance(error.__cause__, psycopg.OperationalError):
            raise error.__cause__ from error
        raise


def explain_loss(server: Server, path: str, problem: psycopg.OperationalError) -> StatementError:
    """Return the error of a file that ended its session, or the whole server.

    Raises:
        ServerError: it was not the file: the disk is full, or somebody stopped or killed the server.
    """
    said = " ".join(str(problem).split())
    if problem.sqlstate == QUERY_CANCELED:
        # It hit a query of ours: the statements' own errors are no exceptions there.
        return _error(
            problem,
            "the file's time limit is too short for the rehearsal's own readings "
            "(statement_timeout as the file sets it, or a limit of [tool.migsafe])",
            "",
        )
    demand_room(server, path, sqlstate=problem.sqlstate, said=said)
    if _is_up(server, patient=problem.sqlstate is None):
        return _error(problem, "the file ends its own session", server.log_tail(5))
    log = server.log_tail(_LOG_LINES)
    if full := _FULL.search(log):  # when another of the server's processes has met it
        demand_room(server, path, sqlstate=_DISK_FULL, said=full[1])
    if crash := _CRASH.search(log):
        return _error(problem, f"the server crashed: {crash[1]}", server.log_tail(5))
    if not server.is_ours:
        raise server.lost(problem) from problem
    asked = _ASKED_TO_STOP.search(log)
    how = f"it {asked[1]}" if asked else "it was killed, for its log does not say why"
    raise ServerError(
        f"The throwaway server went away while {path} was rehearsed: {how}.\n"
        f"Its session was told: {said}\n"
        "See that nothing stops it from outside (a limit on memory or on time, pkill), and run again."
    ) from problem


def demand_room(server: Server, path: str, *, sqlstate: str | None, said: str) -> None:
    """See that a file's error is not that of a full disk.

    Raises:
        ServerError: it is.
    """
    if sqlstate != _DISK_FULL:
        return
    cause = f"The disk of the throwaway server is full: {said} ({path})."
    if not server.is_ours:
        raise ServerError(cause.replace("throwaway ", "") + "\nMake room there.")
    directory = Path(server.log).parent
    size = shutil.disk_usage(directory).total // 1_000_000
    raise ServerError(
        f"{cause}\nDirectory: {directory}, on a file system of {size} MB.\n"
        "Make room there, or set TMPDIR to a directory on a larger disk."
    )


def _is_up(server: Server, *, patient: bool) -> bool:
    """Return whether the server takes connections.

    One that just crashed may still take some for a moment, so after a session that ended without a word (`patient`)
    it is asked for a while.
    """
    end = time.monotonic() + (_LAST_MOMENTS_SECONDS if patient else 0)
    while True:
        try:
            server.connect(user=server.administrator).close()
        except ServerError:
            return False
        if time.monotonic() >= end:
            return True
        time.sleep(0.02)


def _error(problem: psycopg.OperationalError, message: str, log: str) -> StatementError:
    return StatementError(
        sqlstate=problem.sqlstate or "08006",
        message=message,
        detail=str(problem).strip(),
        context=log,
        line=1,
        column=1,
    )
