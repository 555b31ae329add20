"""Where a history is rehearsed: on throwaway servers of ours, one for each version, or on a server that is there."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from pytest_migsafe.errors import BinariesNotFoundError, ServerError
from pytest_migsafe.migrations.model import History
from pytest_migsafe.postgres.binaries import Binaries, find_binaries
from pytest_migsafe.postgres.database import Database, create_database
from pytest_migsafe.postgres.given import given_server
from pytest_migsafe.postgres.owner import owned_by
from pytest_migsafe.postgres.preludes import BUILT_IN, Prelude, apply_prelude, read_prelude
from pytest_migsafe.postgres.server import Server, start_server, stubbed_extensions
from pytest_migsafe.postgres.stub import stubs_of_platform
from pytest_migsafe.rehearsal.chain import OpenDatabase
from pytest_migsafe.rehearsal.laboratory import CopyDatabase
from pytest_migsafe.settings import Settings

#: The preludes that a layout's runner takes for granted.
_PRELUDES_OF_LAYOUTS = {"supabase": ("supabase",)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A server that a history can be rehearsed on; a database on it is opened when it is needed."""

    #: What tells a file's items apart where a history has several places: the major version; else empty.
    label: str = ""
    #: Such as "18.6", and how the server was found.
    version: str
    source: str
    open: OpenDatabase = field(compare=False)
    #: Opens another database that holds what one of ours does, and in which nothing that is done touches the first.
    copy: CopyDatabase = field(compare=False)
    #: What is there before the first migration.
    preludes: tuple[str, ...] = ()
    prelude_sql: str = field(default="", compare=False, repr=False)
    #: The role that migrations run as; empty: the one that the server is reached by.
    role: str = ""
    #: Returns the extensions of which there are only stubs there; to know it, the programs must be made ready.
    stubbed: Callable[[], tuple[str, ...]] = field(default=tuple, compare=False)
    #: What cannot be seen or done there.
    limits: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Return the place as the header names it."""
        return f"PostgreSQL {self.version} ({self.source})" if self.version else self.source


@dataclass(frozen=True, slots=True)
class Places:
    """The places of a history, and what was asked for in vain."""

    found: tuple[Place, ...]
    missing: tuple[str, ...] = ()


def find_places(settings: Settings, layout: str, more: Sequence[Prelude] = ()) -> Places:
    """Return the servers on which the settings want a history of a layout rehearsed; ``more`` comes after their preludes.

    Raises:
        BinariesNotFoundError: there is none of them; the message lists where they were looked for.
        ServerError: the server that is said to be there cannot be reached, or does not serve.
        MigsafeError: a prelude cannot be read.
    """
    if settings.server_fixture is not None:
        return Places((_place_of_fixture(settings.server_fixture),))
    if settings.dsn is not None:
        return Places((place_on(given_server(settings.dsn), settings, layout, more),))
    if len(settings.postgres) < 2:
        major = settings.postgres[0] if settings.postgres else None
        binaries = find_binaries(bindir=settings.bindir, major=major)
        return Places((place_of_our_own(binaries, settings, layout, more),))
    found, missing, problems = [], [], []
    for major in settings.postgres:
        try:
            binaries = find_binaries(bindir=settings.bindir, major=major)
        except BinariesNotFoundError as problem:
            missing.append(str(major))
            problems.append(problem)
        else:
            found.append(replace(place_of_our_own(binaries, settings, layout, more), label=str(major)))
    if not found:
        raise problems[0]
    return Places(tuple(found), tuple(missing))


def _place_of_fixture(name: str) -> Place:
    """Return a place of which nothing is known before the fixture has run; ``place_on`` its server takes its turn."""

    def open_database(resources: ExitStack) -> Database:  # noqa: ARG001 - the signature is OpenDatabase
        raise ServerError(f"The fixture {name} has not been asked for its server.")

    def copy_database(_: Database, resources: ExitStack) -> Database:
        return open_database(resources)

    return Place(
        version="", source=f"the server of the fixture {name}", open=open_database, copy=copy_database
    )


def place_on(server: Server, settings: Settings, layout: str, more: Sequence[Prelude] = ()) -> Place:
    """Return the place on a server that is there already; ``more`` comes after the settings' preludes."""
    preludes = (*_preludes(settings, layout), *more)
    return Place(
        version=server.version,
        source=server.source,
        open=partial(_open_given, server, settings.role, preludes),
        copy=partial(_copy_given, settings.role),
        preludes=tuple(prelude.name for prelude in preludes),
        limits=server.limits,
        role=settings.role or "",
    )


def place_of_our_own(
    binaries: Binaries, settings: Settings, layout: str, more: Sequence[Prelude] = ()
) -> Place:
    """Return the place on a throwaway server of these programs; ``more`` comes after the settings' preludes."""
    preludes = (*_preludes(settings, layout), *more)
    stubs = {**_stubs_of_platforms(preludes), **settings.extensions}
    return Place(
        version=binaries.version,
        source=binaries.source,
        open=partial(_open_own, binaries, settings.role, preludes, stubs),
        copy=partial(_copy_own, binaries, stubs),
        preludes=tuple(prelude.name for prelude in preludes),
        prelude_sql="\n".join(prelude.sql for prelude in preludes),
        stubbed=partial(stubbed_extensions, binaries, stubs),
        role=settings.role or "",
    )


def _stubs_of_platforms(preludes: Sequence[Prelude]) -> dict[str, Path]:
    built_in = [prelude.name for prelude in preludes if prelude.name in BUILT_IN]
    return {extension: path for name in built_in for extension, path in stubs_of_platform(name).items()}


def _preludes(settings: Settings, layout: str) -> Iterator[Prelude]:
    names = settings.prelude if settings.prelude is not None else _PRELUDES_OF_LAYOUTS.get(layout, ())
    for name in names:
        yield read_prelude(name, settings.root)


def _open_own(
    binaries: Binaries,
    role: str | None,
    preludes: Sequence[Prelude],
    stubs: Mapping[str, Path],
    resources: ExitStack,
) -> Database:
    server = resources.enter_context(start_server(binaries, stubs=stubs))
    # The server is one chain's alone, so the database that comes with every cluster will do.
    database = Database(server, "postgres")
    _apply(preludes, database)
    if role is not None:
        return owned_by(database, role)
    return database


def _copy_own(
    binaries: Binaries, stubs: Mapping[str, Path], database: Database, resources: ExitStack
) -> Database:
    # A server of its own, for what files do to roles and settings concerns a whole cluster.
    server = resources.enter_context(start_server(binaries, stubs=stubs, copy_of=database.server))
    return Database(replace(server, role=database.server.role), database.name)


def _copy_given(role: str | None, database: Database, resources: ExitStack) -> Database:
    return resources.enter_context(create_database(database.server, template=database.name, owner=role))


def _open_given(
    server: Server, role: str | None, preludes: Sequence[Prelude], resources: ExitStack
) -> Database:
    database = resources.enter_context(create_database(server, owner=role))
    _apply(preludes, database)
    return database


def _apply(preludes: Sequence[Prelude], database: Database) -> None:
    if preludes:
        with database.connect() as connection:
            for prelude in preludes:
                apply_prelude(connection, prelude)


def stubs_used(history: History, places: Places) -> tuple[str, ...]:
    """Return the extensions that a history or a prelude names, and of which there are only stubs.

    What cannot be found out is left to the rehearsal, which ends with the cause.
    """
    try:
        stubbed = {name for place in places.found for name in place.stubbed()}
    except ServerError:
        return ()
    used: set[str] = set()
    for text in _texts(history, places):
        used |= {name for name in stubbed - used if _named(name).search(text)}
        if used == stubbed:
            break
    return tuple(sorted(used))


def _texts(history: History, places: Places) -> Iterator[bytes]:
    """Yield what is run on some servers, one text after the other: a history may have large seeds."""
    for place in places.found:
        yield place.prelude_sql.encode()
    for migration in history.migrations:
        with suppress(OSError):
            yield migration.path.read_bytes()


def _named(extension: str) -> re.Pattern[bytes]:
    """Return what finds an extension in SQL: as one, or as a string, of which a block makes a statement."""
    name = re.escape(extension)
    return re.compile(rf"(?i:\bextension\s+(?:if\s+not\s+exists\s+)?\"?{name}\b)|'{name}'".encode())
