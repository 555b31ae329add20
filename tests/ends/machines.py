"""Other machines than this one: read-only places, small disks, an ordinary user; made with mounts, which only root may."""

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from tests.ends.runs import REPOSITORY, Workplace

#: The account `nobody`, of whom no test makes a real user.
NOBODY = 65534

#: Makes directories that lie in a closed one reachable, makes others read-only, and becomes somebody else. All this
#: happens in a mount namespace of its own (unshare(1)) and goes with it. Lines of arguments: what to do, and where.
_ELSEWHERE = """
set -e
while [ "$1" != -- ]; do
    case $1 in
        keep) mkdir -p "$3"; mount --bind "$2" "$3" ;;
        hide) mount -t tmpfs -o mode=755 tmpfs "$2" ;;
        back) mkdir -p "$2"; mount --bind "$3" "$2" ;;
        lock) mount --bind "$2" "$2"; mount -o remount,bind,ro "$2" ;;
    esac
    shift 3
done
shift
exec "$@"
"""


@cache
def may_mount() -> bool:
    """Return whether we are root and may have mounts of our own; many containers forbid it."""
    command = ["unshare", "--mount", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]
    try:
        return os.geteuid() == 0 and subprocess.run(command, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


needs_mounts = pytest.mark.skipif(not may_mount(), reason="needs root, and leave to mount")


@contextmanager
def small_disk(directory: Path, size: str) -> Iterator[None]:
    """Have a file system of a few megabytes in a directory, and see in the end that nothing is on it."""
    options = f"size={size},mode=1777"
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(directory)], check=True)  # noqa: S607
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(directory)], check=True)  # noqa: S607


def elsewhere(workplace: Workplace, *, locked: tuple[Path, ...] = (), ordinary: bool = False) -> Workplace:
    """Return the place as it were with some directories read-only, and for an ordinary user if wanted."""
    steps: list[str] = []
    for number, prefix in enumerate(_packages() if ordinary else ()):
        kept = workplace.temporary.parent / f"kept-{number}"
        if closed := _closed_above(prefix):
            steps += ["keep", str(prefix), str(kept), "hide", str(closed), "", "back", str(prefix), str(kept)]
    for path in locked:
        steps += ["lock", str(path), ""]
    become = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"] if ordinary else []
    command = ("unshare", "--mount", "sh", "-c", _ELSEWHERE, "sh", *steps, "--", *become, *workplace.command)
    return replace(workplace, command=command)


def _packages() -> list[Path]:
    """Return the directories that a run reads its programs from."""
    return [path.resolve() for path in (Path(sys.base_prefix), Path(sys.prefix), REPOSITORY)]


def _closed_above(path: Path) -> Path | None:
    """Return the topmost directory on the way that others may not enter, such as root's home."""
    way = [*reversed(path.parents), path]
    return next((step for step in way if not step.stat().st_mode & stat.S_IXOTH), None)
