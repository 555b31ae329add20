"""Serve stubs as extensions, where the server has none of that name or cannot load it.

From PostgreSQL 18 on the server is told where to look (``extension_control_path``). Before, it looks into its share
directory only, and it finds that relative to its own program: so the stubs get a replica of the installation, which
consists of the program and of links.
"""

import hashlib
import os
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from pytest_migsafe.errors import ServerError, StubError
from pytest_migsafe.postgres.account import Account, Outcome
from pytest_migsafe.postgres.binaries import Binaries
from pytest_migsafe.postgres.cache import making
from pytest_migsafe.postgres.cluster import ready_cluster, run_alone
from pytest_migsafe.postgres.installation import Directories, directories_of, let_in, mirrored, replicate
from pytest_migsafe.postgres.libraries import missing_library
from pytest_migsafe.postgres.postmaster import command_line
from pytest_migsafe.postgres.stub import BUILT_IN, Stub, read_stub

#: Change this number when stubs that older code has put into the cache must not be used any more.
_FORMAT = 1

#: The library that the functions of an extension are in, such as '$libdir/uuid-ossp' (manual, "Extension Files").
_MODULE = re.compile(r"^\s*module_pathname\s*=\s*'\$libdir/([^']+)'", re.MULTILINE)

#: The script that a mistake is in need not be repeated with it; and one that never ends is a mistake.
_TRIAL = ("-c", "log_min_error_statement=panic", "-c", "statement_timeout=60s")

#: What the server says of a failed statement, by the kind of the line: "... [4711] FATAL:  type "x" does not exist".
_SAID = re.compile(r"\] (FATAL|DETAIL|HINT):  (.*)")

#: What the stand-alone server writes when it is ready for SQL (manual: "postgres", --single).
_PROMPT = "backend> "

#: Where in an extension's script a statement failed, and that statement, if the position is in it.
_NEAR = re.compile(
    r'(?:QUERY:  (?P<query>.*(?:\n\t.*)*)\n.*CONTEXT:  )?extension script file ".*", near line (?P<line>\d+)'
)

#: How libraries are named on Linux, and on macOS since PostgreSQL 16.
_MODULE_SUFFIXES = (".so", ".dylib")

_HOW_STUBS_ARE_RUN = (
    "Mend its SQL, which is run as a superuser in an empty database. Extensions that it needs, it names in its head: "
    "`-- requires: cube`."
)


@dataclass(frozen=True, slots=True)
class Stubbed:
    """The programs that serve the stubs, and what they must be started with."""

    programs: Binaries
    settings: Mapping[str, str] = field(default_factory=dict)
    #: The extensions that have a stub, in alphabetical order.
    names: tuple[str, ...] = ()
    #: The access methods of indexes that stubs make.
    access_methods: tuple[str, ...] = ()


def with_stubs(programs: Binaries, stubs: Mapping[str, Path], *, account: Account, cache: Path) -> Stubbed:
    """Return programs that have a stub for every extension that `programs` lack, from the project's stubs and ours.

    Args:
        programs: as `installed` returns them.
        stubs: files of SQL by the extension's name; they go before ours of the same name.
        account: who the server runs as.
        cache: our cache directory.

    Raises:
        StubError: a stub cannot be read, or the server does not accept it; the message names the file.
        ServerError: the stubs cannot be tried out.
    """
    offered = {name: read_stub(name, path) for name, path in {**BUILT_IN, **stubs}.items()}
    directories = directories_of(programs)
    if directories is None:
        if stubs:
            raise StubError(_no_directories(programs))
        return Stubbed(programs)
    try:
        needed = [stub for _, stub in sorted(offered.items()) if lacks(directories, stub.name)]
        return _prepared(programs, directories, needed, account, cache) if needed else Stubbed(programs)
    except (OSError, shutil.Error) as error:
        raise ServerError(
            f"The stubs for extensions could not be put into the cache: {error}.\n"
            f"Cache: {cache}; programs: {programs.bindir}.\n"
            "See that there is room, or set MIGSAFE_CACHE_DIR to another directory."
        ) from error


def lacks(directories: Directories, name: str) -> bool:
    """Return whether an installation has no extension of that name, or one whose libraries are not on this machine."""
    control = directories.extensions / f"{name}.control"
    if not control.exists():
        return True
    named = _MODULE.search(control.read_text(encoding="utf-8", errors="replace"))
    if named is None:  # plain SQL, or several libraries
        return False
    candidates = [directories.modules / f"{named[1]}{suffix}" for suffix in _MODULE_SUFFIXES]
    module = next((one for one in candidates if one.exists()), None)
    if module is None:
        return True
    missing = missing_library(module)
    # The server is told of the libraries beside its modules (`own_libraries`), our process is not.
    return missing is not None and not (directories.modules / missing).exists()


def _prepared(
    programs: Binaries, directories: Directories, stubs: list[Stub], account: Account, cache: Path
) -> Stubbed:
    """Return what serves the stubs from the cache, made and tried out when it is missing."""
    entry = cache / f"stubs-{programs.version}-{_key(programs, directories, stubs)}"
    if not entry.is_dir():
        with making(entry) as draft:
            _write(draft, programs, directories, stubs)
            let_in(draft, account)
            served = _served(draft, programs, stubs)
            _try_out(programs, served, stubs, account=account, cache=cache, room=draft / "trial")
    return _served(entry, programs, stubs)


def _key(programs: Binaries, directories: Directories, stubs: Iterable[Stub]) -> str:
    """Return what tells apart the stubs of this installation, as it is now, from others'."""
    program = programs.postgres.stat()
    parts = (
        _FORMAT,
        programs.bindir.resolve(),
        (program.st_size, program.st_mtime_ns),
        # A package that brings an extension changes the directory.
        directories.extensions.stat().st_mtime_ns,
        [(stub.name, stub.control, stub.sql) for stub in stubs],
    )
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:12]


def _has_control_path(programs: Binaries, place: Path) -> bool:
    """Return whether the server can be told of `place`; a colon in its name separates two in the setting."""
    return programs.major >= 18 and os.pathsep not in str(place)


def _write(place: Path, programs: Binaries, directories: Directories, stubs: Iterable[Stub]) -> None:
    if _has_control_path(programs, place):
        extensions = place / "extension"  # the server adds this name to each directory of the setting
        extensions.mkdir()
    else:
        extensions = replicate(programs, directories, place).extensions
    for stub in stubs:
        stub.write_to(extensions)


def _served(place: Path, programs: Binaries, stubs: Sequence[Stub]) -> Stubbed:
    names = tuple(stub.name for stub in stubs)
    access_methods = tuple(name for stub in stubs for name in stub.access_methods)
    if _has_control_path(programs, place):
        # Ours first: the server takes the first that it finds, and would not get further than one that does not load.
        return Stubbed(programs, {"extension_control_path": f"{place}:$system"}, names, access_methods)
    return Stubbed(replace(programs, bindir=mirrored(programs.bindir, place)), {}, names, access_methods)


def _try_out(
    programs: Binaries, served: Stubbed, stubs: Iterable[Stub], *, account: Account, cache: Path, room: Path
) -> None:
    """Create each of the project's stubs in a copy of the cluster, so that a mistake is told with file and line.

    Raises:
        StubError: the server does not accept one.
        ServerError: they cannot be tried out.
    """
    untried = [stub for stub in _in_order(stubs) if not stub.is_ours]
    if not untried:
        return
    room.mkdir()
    account.own(room)
    cluster = room / "data"
    copied = ready_cluster(programs, account=account, cache=cache).copy_to(cluster, account)
    if not copied.succeeded:
        raise ServerError(f"The stubs for extensions could not be tried out: {copied.output.strip()}")
    for stub in untried:
        # A stub that an earlier one requires is there already.
        sql = f'CREATE EXTENSION IF NOT EXISTS "{stub.name}" CASCADE;\n\n'
        outcome = run_alone(
            served.programs, cluster, account, sql, arguments=(*_TRIAL, *command_line(served.settings))
        )
        if not outcome.succeeded:
            # Where it has come to its prompt, cluster and programs are sound.
            kind = StubError if _PROMPT in outcome.output else ServerError
            raise kind(_refused(stub, programs, outcome))
    shutil.rmtree(room)


def _in_order(stubs: Iterable[Stub]) -> Iterator[Stub]:
    """Yield the stubs so that each comes after those which it requires."""
    by_name = {stub.name: stub for stub in stubs}
    requires = {stub.name: set(stub.requires) & by_name.keys() for stub in by_name.values()}
    try:
        yield from (by_name[name] for name in TopologicalSorter(requires).static_order())
    except CycleError as error:
        circle = " → ".join(error.args[1])
        raise StubError(
            f"The stubs for extensions require each other in a circle: {circle}.\n"
            f"File: {by_name[error.args[1][0]].path}\nTake one of the `-- requires:` lines out."
        ) from error


def _refused(stub: Stub, programs: Binaries, outcome: Outcome) -> str:
    said = dict(_SAID.findall(outcome.output))
    message, _, position = said.get("FATAL", "it said nothing").partition(" at character ")
    line = _line(stub, outcome.output, position)
    notes = [f"{field}: {said[field]}" for field in ("DETAIL", "HINT") if field in said]
    return "\n".join(
        [
            f"The stub for the extension {stub.name} is refused by PostgreSQL {programs.version}: {message}",
            f"File: {stub.path}{f', line {line}' if line else ''}",
            *notes,
            _HOW_STUBS_ARE_RUN,
        ]
    )


def _line(stub: Stub, output: str, position: str) -> str:
    """Return the line of a stub that the server complains of; empty when it does not say."""
    if near := _NEAR.search(output):  # from 18 on: the line of the statement, and the position in that
        statement = (near["query"] or "").replace("\n\t", "\n")  # a log's further lines begin with a tab
        return str(int(near["line"]) + statement.count("\n", 0, int(position or 0)))
    # Before: at most a character of the whole script, or of a statement that a function in it runs.
    is_of_the_script = position and "QUERY:  " not in output
    return str(stub.sql.count("\n", 0, int(position)) + 1) if is_of_the_script else ""


def _no_directories(programs: Binaries) -> str:
    return (
        f"PostgreSQL {programs.version} cannot be given the project's stubs for extensions: it is not known where its own "
        f"extensions are.\nPrograms: {programs.bindir} ({programs.source}).\n"
        "Install its `pg_config` beside them (on Debian in the package postgresql-client-"
        f"{programs.major}), or use another server (--migsafe-bindir=DIR)."
    )
