"""Shared libraries: which of them an installation brings along, and which a module of the server misses.

The wheel was built for /opt/postgresql: its programs look for libraries beside themselves (``$ORIGIN/../lib``), but its
modules look there. postgres_fdw and dblink then find no libpq, or the system's, which may be too old for them.
"""

import ctypes
import os
import re
import sys
from pathlib import Path

#: Under these names every libpq since PostgreSQL 8 is looked for: on Linux, on macOS.
_LIBPQ = ("libpq.so.5", "libpq.5.dylib")

#: Where the loader looks anyway; naming them would only change the order among them.
_SEARCHED_ANYWAY = tuple(map(Path, ("/lib", "/usr/lib", "/lib64", "/usr/lib64", "/usr/local/lib")))

#: The variable that names directories to be searched first (ld.so(8), dyld(1)).
SEARCH_PATH = "DYLD_LIBRARY_PATH" if sys.platform == "darwin" else "LD_LIBRARY_PATH"

#: How loaders say that a library is not there: glibc, musl, macOS.
_NOT_FOUND = re.compile(
    r"(?:^|: )([^\s:]+): cannot open shared object file"
    r"|Error loading shared library ([^\s:]+):"
    r"|Library not loaded: (\S+)",
    re.MULTILINE,
)


def own_libraries(bindir: Path) -> Path | None:
    """Return the directory of the libraries that came with the programs in `bindir`; None when there is none.

    An installation that lives from the system's libraries (Debian's) needs no help to find them, and gets none.
    """
    directory = bindir.resolve().parent / "lib"
    if directory in _SEARCHED_ANYWAY or not any((directory / name).exists() for name in _LIBPQ):
        return None
    return directory


def search_path(libraries: Path) -> dict[str, str]:
    """Return the variable that has a program's libraries looked for in `libraries` first, then where the user says."""
    users = os.environ.get(SEARCH_PATH)
    return {SEARCH_PATH: os.pathsep.join([str(libraries), *([users] if users else [])])}


def missing_library(module: Path) -> str | None:
    """Return the library that the loader does not find for one of the server's modules; None when it finds all.

    Opening a module outside the server always fails, for it uses the server's own variables. But the loader looks for
    the libraries first (and calls nothing before all is resolved), so its complaint tells which case this is.
    """
    try:
        ctypes.CDLL(str(module), mode=os.RTLD_NOW | os.RTLD_LOCAL)
    except OSError as error:
        return named_as_missing(str(error))
    return None


def named_as_missing(complaint: str) -> str | None:
    """Return the library that a loader's complaint says is not there; None when it complains of something else."""
    match = _NOT_FOUND.search(complaint)
    return next(filter(None, match.groups())) if match else None
