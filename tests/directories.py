"""Directories for tests whose server is run by another account; pytest's own are closed to others."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def directory_for_all() -> Iterator[Path]:
    """Make a directory that every account can use, and delete it."""
    path = Path(tempfile.mkdtemp(dir=_ram_disk() or "/tmp", prefix="test-"))
    path.chmod(0o1777)
    try:
        yield path
    finally:
        shutil.rmtree(path)


def _ram_disk() -> str | None:
    """Return a RAM disk that programs may run from: the tests make and delete many files."""
    ram = "/dev/shm"
    if not os.access(ram, os.W_OK):
        return None
    status = os.statvfs(ram)
    is_roomy = status.f_bavail * status.f_frsize > 1 << 30
    return ram if is_roomy and not status.f_flag & os.ST_NOEXEC else None
