"""The way back from a file, tried: the project's own, or one that is made of the schemas before and after it."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from enum import StrEnum

import psycopg

from pytest_migsafe.catalog import Change, Schema, diff, physical_diff, snapshot
from pytest_migsafe.catalog.inverse import (
    Found,
    Renamed,
    Unsaid,
    alike,
    inverse,
    names_back,
    search,
)
from pytest_migsafe.catalog.objects import CatalogObject
from pytest_migsafe.catalog.schema import (
    Column,
    Constraint,
    Function,
    Index,
    Namespace,
    Policy,
    Sequence,
    Table,
    Trigger,
    Type,
    View,
)
from pytest_migsafe.errors import MigrationReadError, MigsafeError
from pytest_migsafe.migrations.model import (
    Direction,
    Manner,
    Migration,
    Script,
    TransactionMode,
)
from pytest_migsafe.migrations.source import SourceText
from pytest_migsafe.rehearsal.evidence import Evidence, StatementError
from pytest_migsafe.rehearsal.laboratory import Laboratory, LiveDatabase
from pytest_migsafe.rehearsal.rehearsal_database import RehearsalDatabase
from pytest_migsafe.rehearsal.task import Task, read_task


class Source(StrEnum):
    """Where a way back comes from."""

    #: The project's own file or section.
    OWN = "own"
    #: Made of the schemas before and after.
    GENERATED = "generated"
    #: There is nothing to undo in the schema.
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class WayBack:
    """A way back, and what came of it."""

    source: Source
    #: The project's file, by its name; empty where it is not in one of its own.
    file: str = ""
    sql: str = ""
    #: How its runner sends it, in words.
    manner: str = ""
    #: What was seen of it; None where it was not run.
    evidence: Evidence | None = None
    #: Why it was not run.
    untried: str = ""
    #: What differs afterwards from what was there before the file: from what came of it to what it was.
    remaining: tuple[Change, ...] = ()
    #: What is stored otherwise and means the same.
    physical: tuple[Change, ...] = ()
    #: Why no SQL undoes some of what remains.
    unsaid: tuple[Unsaid, ...] = ()
    refused: tuple[tuple[str, str], ...] = ()
    #: What would have to be added to the project's own, as far as the schemas tell; that was not tried.
    lacking: tuple[str, ...] = ()
    #: The error with which the file ends when it is applied again after its own way back.
    again: str = ""
    #: What is otherwise then than the first time.
    again_differs: tuple[Change, ...] = ()


def try_way_back(laboratory: Laboratory, evidence: Evidence, position: int) -> WayBack:
    """Return the way back from a file that was rehearsed, tried in a private database.

    Of a file that failed it is the way back from what of it has stayed.

    Raises:
        ServerError: there is no server.
    """
    migration = laboratory.history.migrations[position]
    try:
        has_own = evidence.applied and _has_own(migration)
    except MigrationReadError as error:
        return WayBack(source=Source.OWN, untried=str(error).partition("\n")[0])
    if not has_own and evidence.before == evidence.after:
        return WayBack(source=Source.NONE)
    try:
        with _database_after(laboratory, evidence, position) as live:
            if has_own:
                return _own(live, evidence, migration)
            return _generated(live, evidence, migration)
    except (MigsafeError, psycopg.Error) as error:
        source = Source.OWN if has_own else Source.GENERATED
        return WayBack(source=source, untried=str(error).partition("\n")[0])


def _has_own(migration: Migration) -> bool:
    """Whether the project says how a file is undone; a half or a file without a statement says nothing.

    Raises:
        MigrationReadError: it cannot be read.
    """
    return migration.down is not None and bool(migration.read(direction=Direction.DOWN).statements)


@contextmanager
def _database_after(laboratory: Laboratory, evidence: Evidence, position: int) -> Iterator[LiveDatabase]:
    """Yield a private database as the file left it."""
    if evidence.applied:
        with laboratory.database_at(position + 1) as live:
            yield live
        return
    with laboratory.database_at(position) as live:
        # It fails again, and the same of it stays.
        with suppress(psycopg.Error, MigrationReadError):
            live.apply()
        yield live


# -- the project's own ---------------------------------------------------------------------------------------


def _own(live: LiveDatabase, evidence: Evidence, migration: Migration) -> WayBack:
    down = migration.down
    file = down.name if down is not None and down != migration.path else ""
    with _open(live) as database:
        task = read_task(migration, live.database, may_change_cluster=True, direction=Direction.DOWN)
        sql = _text(task.script)
        back = _rehearsed(
            database, replace(migration, relative_path=file or migration.relative_path), task.script
        )
        way = _compared(
            WayBack(source=Source.OWN, file=file, sql=sql, manner=task.script.manner.reason, evidence=back),
            evidence,
        )
        if back.error is not None:
            made = _made(live, evidence)
            return replace(way, lacking=made.statements, unsaid=made.unsaid)
        if way.remaining:
            return replace(way, lacking=inverse(back.after, evidence.before, back.major).statements)
        return _applied_again(way, database, evidence, migration)


def _text(script: Script) -> str:
    """Return what is run of a script; of a file with two halves, the one for the way back, without the other's room."""
    parts = [unit.text(part) + (part.data or "") for unit in script.units for part in unit.parts]
    lines = [line.rstrip() for part in parts for line in part.split("\n")]
    return "\n".join(lines).strip("\n") + "\n"


def _applied_again(
    way: WayBack, database: RehearsalDatabase, evidence: Evidence, migration: Migration
) -> WayBack:
    error: StatementError | None = database.apply(migration)
    if error is not None:
        return replace(way, again=error.message)
    with database.database.connect() as connection:
        again = snapshot(connection)
    return replace(way, again_differs=tuple(diff(evidence.after, again)))


# -- one that is made ----------------------------------------------------------------------------------------


def _generated(live: LiveDatabase, evidence: Evidence, migration: Migration) -> WayBack:
    found = _made(live, evidence)
    way = WayBack(source=Source.GENERATED, unsaid=found.unsaid, refused=found.refused)
    if not found.statements:
        return replace(way, remaining=found.remaining)
    sql = in_transaction(found.statements)
    made = replace(migration, relative_path="rollback.sql", down=None)
    with _open(live) as database:
        script = Script.whole(SourceText(sql), Manner(TransactionMode.TRANSACTION, "it has BEGIN and COMMIT"))
        back = _rehearsed(database, made, script)
    return _compared(replace(way, sql=sql, evidence=back), evidence)


def in_transaction(statements: tuple[str, ...]) -> str:
    """Return statements as a file that is run as a whole or not at all, and waits for no lock for long."""
    return "\n".join(["BEGIN;", "SET LOCAL lock_timeout = '2s';", "", *statements, "", "COMMIT;", ""])


def _made(live: LiveDatabase, evidence: Evidence) -> Found:
    """Return a way back that the server takes; the database stays as it is."""
    with live.connect(autocommit=False) as connection:
        try:
            first = names_back(evidence.after, renamed(evidence))
            return search(connection, evidence.after, evidence.before, first=first)
        finally:
            connection.rollback()


def renamed(evidence: Evidence) -> Iterator[Renamed]:
    """Yield what a file called otherwise, as its statements showed it."""
    told = evidence.identities
    before = evidence.before
    for old, new in told.schemas.items():
        yield from _named(before, Namespace, old, new)
    for old, new in told.types.items():
        yield from _named(before, Type, old, new)
    for old in told.gone("function"):
        if new := told.function(old):
            yield from _named(before, Function, old, new)
    for old in told.gone_or_renamed:
        if new := told.fate(old).became:
            for kind in (Table, View, Sequence):
                yield from _named(before, kind, old, new)
    yield from _columns(evidence)
    yield from (
        one
        for one in alike(evidence.after, before)
        if isinstance(one.was, Constraint | Index | Trigger | Policy)
    )


def _columns(evidence: Evidence) -> Iterator[Renamed]:
    told = evidence.identities
    for home in told.changed:
        for one in evidence.before.homes.get(home, {}).values():
            now = told.column(one) if isinstance(one, Column) else None
            if isinstance(one, Column) and now is not None and now.name != one.name:
                yield Renamed(one, now.qualified_name)


def _named(schema: Schema, kind: type[CatalogObject], old: str, new: str) -> Iterator[Renamed]:
    was = schema.get(kind.KIND, old)
    if was is not None:
        yield Renamed(was, new)


# -- what both share -----------------------------------------------------------------------------------------


@contextmanager
def _open(live: LiveDatabase) -> Iterator[RehearsalDatabase]:
    """Yield the database for rehearsing in; what a team has put before the file is there already."""
    with ExitStack() as resources:
        database = RehearsalDatabase(live.database, replace(live.conditions, of_file=None))
        resources.callback(database.close)
        yield database


def _rehearsed(database: RehearsalDatabase, migration: Migration, script: Script) -> Evidence:
    """Return what was seen of a script.

    Raises:
        IsolationLostError: it cannot be told what of it has remained.
    """
    return database.rehearse(Task(migration, script))


def _compared(way: WayBack, evidence: Evidence) -> WayBack:
    back = way.evidence
    if back is None or back.error is not None:
        return way
    return replace(
        way,
        remaining=tuple(diff(back.after, evidence.before)),
        physical=tuple(physical_diff(evidence.before, back.after)),
    )
