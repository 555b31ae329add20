"""The cache directory: what is expensive to make and the same in every run.

It may be deleted at any moment, and several runs may fill it at once: an entry is made under a draft name
beside its place and renamed in one step, so that an entry which exists is complete.
"""

import contextlib
import os
import shutil
import stat
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from pytest_migsafe.errors import ServerError
from pytest_migsafe.postgres.account import Account

#: A draft older than this was left by a run that was killed while it made an entry; making one takes seconds.
_ABANDONED_AFTER_SECONDS = 3600


def cache_directory(account: Account) -> Path:
    """Return our cache directory, made when it is missing, that `account` can read and execute from.

    ``$MIGSAFE_CACHE_DIR`` decides; otherwise it is the user's cache directory, or, where there is none that serves
    (no home, read-only, root's closed home), one of our own below the system's temporary directories.
    Root and ordinary users never share one.

    Raises:
        ServerError: no place can be used; each is listed with its reason.
    """
    refused = []
    for candidate in _candidates():
        reason = _unusable(candidate, account)
        if reason is None:
            return candidate
        refused.append(f"{candidate}: {reason}")
    raise ServerError(
        f"No directory can serve as pytest-migsafe's cache; {refused[0]}.\nLooked at:\n"
        + "\n".join(f"  {line}" for line in refused)
        + "\nSet MIGSAFE_CACHE_DIR to a directory that you own and that programs may be run from."
    )


@contextmanager
def making(entry: Path) -> Iterator[Path]:
    """Yield an empty draft directory that becomes `entry` when the block ends without an error.

    When another run has published the same entry meanwhile, that one stays and the draft is deleted.
    """
    _sweep_abandoned(entry.parent)
    draft = Path(tempfile.mkdtemp(prefix="draft-", dir=entry.parent))
    try:
        yield draft
        try:
            # rename(2) puts a directory in place of a missing or empty one, atomically, and of no other.
            draft.rename(entry)
        except OSError:
            if not entry.is_dir():
                raise
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def entries(cache: Path, version: str) -> tuple[Path, ...]:
    """Return what the cache holds of one version of PostgreSQL."""
    return tuple(sorted(cache.glob(f"*-{version}-*")))


def discard(damaged: Iterable[Path]) -> None:
    """Delete entries that no server starts from, each in one step for whoever looks for it."""
    for entry in damaged:
        grave = Path(tempfile.mkdtemp(prefix="draft-", dir=entry.parent))
        # Another run may have come first.
        with contextlib.suppress(FileNotFoundError):
            entry.rename(grave / entry.name)
        shutil.rmtree(grave, ignore_errors=True)


@contextmanager
def trial_cache(cache: Path, account: Account) -> Iterator[Path]:
    """Yield an empty directory below a cache that can stand in for it, and delete it in the end."""
    trial = Path(tempfile.mkdtemp(prefix="draft-", dir=cache))
    try:
        if account.is_other:
            trial.chmod(0o755)
        yield trial
    finally:
        shutil.rmtree(trial, ignore_errors=True)


def _candidates() -> Iterator[Path]:
    explicit = os.environ.get("MIGSAFE_CACHE_DIR")
    if explicit:
        # The user's word: when it does not serve, say so instead of going elsewhere.
        yield _common(Path(explicit).absolute()) / f"uid-{os.geteuid()}"
        return
    for base in _home_caches():
        # `sudo` may keep the HOME of the user: what root left there, the user could not write to.
        if _nearest_existing(base).stat().st_uid == os.geteuid():
            yield base / "pytest-migsafe"
    for base in dict.fromkeys((Path("/var/tmp"), Path(tempfile.gettempdir()))):  # noqa: S108  # owner is verified
        yield base / f"pytest-migsafe-{os.geteuid()}"


def _common(directory: Path) -> Path:
    """Return the directory in which every user has a cache; if root is the first who needs it, it is made like /tmp."""
    if os.geteuid() == 0 and not directory.exists():
        with contextlib.suppress(OSError):  # what is wrong with it shows in a moment
            directory.mkdir(parents=True)
            directory.chmod(0o1777)
    return directory


def _home_caches() -> Iterator[Path]:
    xdg = Path(os.environ.get("XDG_CACHE_HOME", ""))
    if xdg.is_absolute():  # the XDG specification: relative paths are invalid and ignored
        yield xdg
    elif home := os.environ.get("HOME"):
        yield Path(home).absolute() / ("Library/Caches" if sys.platform == "darwin" else ".cache")


def _nearest_existing(path: Path) -> Path:
    # Not Path.exists, which raises where a directory on the way is closed to us (HOME=/root for another user).
    return next(step for step in (path, *path.parents) if os.access(step, os.F_OK))


def _unusable(directory: Path, account: Account) -> str | None:
    """Return why `directory` cannot be our cache, after making it if need be; None when it can."""
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        # lstat: below a world-writable directory, a symbolic link could have been laid by anybody.
        status = directory.lstat()
        if account.is_other and status.st_uid == os.geteuid() and stat.S_ISDIR(status.st_mode):
            # The server's account reads here; by chmod, for the mode given to mkdir passes through the umask.
            directory.chmod(stat.S_IMODE(status.st_mode) | 0o055)
        checks = (
            (not stat.S_ISDIR(status.st_mode), "not a directory"),
            (status.st_uid != os.geteuid(), f"belongs to uid {status.st_uid}, not to us"),
            (status.st_mode & (stat.S_IWGRP | stat.S_IWOTH), "others can write to it"),
            (not os.access(directory, os.W_OK | os.X_OK), "not writable"),
            (not account.can_enter(directory), f"the server's account ({account.name}) cannot enter it"),
            (_is_noexec(directory), "mounted noexec, and PostgreSQL's programs are kept here"),
        )
    except OSError as error:
        return error.strerror or str(error)
    return next((reason for wrong, reason in checks if wrong), None)


def _is_noexec(directory: Path) -> bool:
    return bool(os.statvfs(directory).f_flag & getattr(os, "ST_NOEXEC", 0))


def _sweep_abandoned(directory: Path) -> None:
    oldest = time.time() - _ABANDONED_AFTER_SECONDS
    for draft in directory.glob("draft-*"):
        try:
            abandoned = draft.stat().st_mtime < oldest
        except FileNotFoundError:  # another run has just published or swept it
            continue
        if abandoned:
            shutil.rmtree(draft, ignore_errors=True)
