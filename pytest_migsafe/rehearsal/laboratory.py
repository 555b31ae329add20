"""Private databases at a point of a history, to try things in: seed rows, apply files, undo them, look.

What is done in one touches no other, and not the database in which files are rehearsed: on a throwaway server of ours
each has a server of its own, for files make roles and change settings of the whole cluster.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from typing import Any, Self

import psycopg

from pytest_migsafe.errors import IrreversibleError, MigrationReadError, MigsafeError
from pytest_migsafe.migrations.model import Direction, History, Migration
from pytest_migsafe.postgres.database import Database
from pytest_migsafe.postgres.server import TIMEOUTS
from pytest_migsafe.rehearsal.chain import OpenDatabase
from pytest_migsafe.rehearsal.deadline import Watcher
from pytest_migsafe.rehearsal.isolation import RefusedError, send_as_runner
from pytest_migsafe.rehearsal.rehearsal_database import Conditions
from pytest_migsafe.rehearsal.seeds import run_seed
from pytest_migsafe.rehearsal.task import read_task

#: Opens a database that holds what another does, and leaves closing it to the stack. The other is only copied from then on.
CopyDatabase = Callable[[Database, ExitStack], Database]

#: How many databases are kept to copy from.
_STATIONS = 4
#: How many small files are applied in the time in which a database is copied.
_FAR = 40
#: How often a position is asked for before a database is kept there.
_SELDOM = 2


class OnTheWayError(MigsafeError):
    """There is no database at a point of a history, for a file before it cannot be applied; the cause says why."""

    def __init__(self, migration: Migration, problem: Exception) -> None:
        self.migration = migration
        #: The error's first line.
        self.reason = str(problem).partition("\n")[0]
        super().__init__(f"{migration.relative_path} cannot be applied: {self.reason}")


@dataclass(kw_only=True)
class LiveDatabase:
    """A database to which the first ``position`` files of a history have been applied, to do anything with."""

    database: Database
    history: History
    conditions: Conditions
    position: int

    @property
    def applied(self) -> tuple[Migration, ...]:
        """The files that have been applied, in their order."""
        return self.history.migrations[: self.position]

    def apply(self) -> Migration:
        """Apply the next file, the way the project's runner does, and return it.

        Raises:
            psycopg.Error: what ended the file, with its place as a note. What had been committed before stays.
            MigrationReadError: the file cannot be read.
            SeedError: the team's own SQL before the file is refused.
            IndexError: there is no next file.
        """
        __tracebackhide__ = True
        migration = self.history.migrations[self.position]
        self.apply_to(self.position + 1)
        return migration

    def apply_to(self, position: int) -> None:
        """Apply files until the first ``position`` ones are; the same errors as of ``apply``."""
        __tracebackhide__ = True
        with self._watcher() as watcher:
            while self.position < position:
                self._run(self.history.migrations[self.position], Direction.UP, watcher)
                self.position += 1

    def undo(self) -> Migration:
        """Undo the last file that was applied, by the file or the section that its runner has for it; return it.

        Raises:
            IrreversibleError: there is none.
            psycopg.Error: what ended it, with its place as a note.
            MigrationReadError: it cannot be read.
            IndexError: no file is applied.
        """
        __tracebackhide__ = True
        migration = self.applied[-1]
        if migration.down is None:
            raise IrreversibleError(
                f"nothing undoes {migration.relative_path}: it has no file for the way back"
            )
        with self._watcher() as watcher:
            self._run(migration, Direction.DOWN, watcher)
        self.position -= 1
        return migration

    def undo_to(self, position: int) -> None:
        """Undo files until only the first ``position`` ones are applied; the same errors as of ``undo``."""
        __tracebackhide__ = True
        while self.position > position:
            self.undo()

    def connect(self, *, autocommit: bool = True) -> psycopg.Connection[Any]:
        """Return a new connection as the role that migrations run as; the caller closes it."""
        return self.database.connect(autocommit=autocommit, options=self.owner)

    def connect_as_administrator(self) -> psycopg.Connection[Any]:
        """Return a new connection that may become any role, as far as the server lets us; the caller closes it."""
        return self.database.connect(user=self.database.server.administrator)

    @property
    def dsn(self) -> str:
        """How libpq reaches the database as the role that migrations run as."""
        return self.database.dsn(options={**TIMEOUTS, **self.owner})

    @property
    def owner(self) -> Mapping[str, str]:
        """The setting of a session that makes it the role that migrations run as, where logging in does not."""
        role = self.conditions.options.get("role")
        return {"role": role} if role else {}

    def _watcher(self) -> closing[Watcher]:
        return closing(Watcher(self.conditions.file_timeout))

    def _run(self, migration: Migration, direction: Direction, watcher: Watcher) -> None:
        # A test's traceback ends in the test: what is of interest is there, and in the note.
        __tracebackhide__ = True
        may_change_cluster = self.database.server.is_ours or self.conditions.cluster_wide
        task = read_task(migration, self.database, may_change_cluster=may_change_cluster, direction=direction)
        now = self.conditions.for_file(migration)
        if direction is Direction.UP:
            for seed in now.seeds:
                run_seed(self.database, seed, migration.relative_path, now.options)
        # Each file has a session of its own, so that none finds what another left behind.
        with self.database.connect(options=now.options) as connection, watcher.limit(connection) as limit:
            try:
                send_as_runner(connection, task.script)
            except (RefusedError, psycopg.Error) as refusal:
                down = migration.relative_down if direction is Direction.DOWN else None
                error = _as_raised(refusal, down or migration.relative_path)
                if limit.is_over:
                    error.add_note(f"given up after {watcher.seconds:g} s: [tool.migsafe] file_timeout")
                raise error.with_traceback(None) from None


def _as_raised(refusal: RefusedError | psycopg.Error, path: str) -> BaseException:
    """Return what ended a file as psycopg has it, with its place as a note."""
    if isinstance(refusal, psycopg.Error):
        refusal.add_note(f"{path} ended its session")
        return refusal
    told = refusal.error
    error = refusal.__cause__ or psycopg.errors.lookup(told.sqlstate)(told.message)
    error.add_note(f"{path}, line {told.line}")
    return error


@dataclass(kw_only=True)
class Laboratory:
    """Gives private databases at any position of a history."""

    history: History
    open: OpenDatabase
    copy: CopyDatabase
    conditions: Conditions = field(default_factory=Conditions)
    #: Databases to copy from, by their positions, the one that was used last at the end.
    _stations: dict[int, tuple[LiveDatabase, ExitStack]] = field(default_factory=dict)
    #: How often positions have been asked for.
    _asked: Counter[int] = field(default_factory=Counter)
    #: The file that cannot be applied, by its position, once that is known.
    _in_the_way: dict[int, OnTheWayError] = field(default_factory=dict)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close what is kept to copy from."""
        while self._stations:
            self._give_up(next(iter(self._stations)))

    @contextmanager
    def database_at(self, position: int) -> Iterator[LiveDatabase]:
        """Yield a private database to which the first ``position`` files have been applied; it goes with the block.

        Raises:
            OnTheWayError: one of these files cannot be applied.
            ServerError: there is no server.
        """
        for at, problem in self._in_the_way.items():
            if at < position:
                raise problem
        with ExitStack() as resources:
            if self._is_worth_keeping(position):
                station = self._station(position)
                yield self._live(self.copy(station.database, resources), position)
            else:
                yield self._made(position, resources)

    def _is_worth_keeping(self, position: int) -> bool:
        """Return whether a database is copied from one that is kept, rather than made for its asker alone.

        To make it takes as long as to copy one, but for the files on the way; and one that is kept has to be made first.
        """
        self._asked[position] += 1
        return self._asked[position] > _SELDOM or position - (self._nearest(position) or 0) > _FAR

    def _station(self, position: int) -> LiveDatabase:
        if position in self._stations:
            self._stations[position] = self._stations.pop(position)
        else:
            with ExitStack() as resources:
                self._stations[position] = self._made(position, resources), resources.pop_all()
            if len(self._stations) > _STATIONS:
                self._give_up(next(iter(self._stations)))
        return self._stations[position][0]

    def _nearest(self, position: int) -> int | None:
        """Return where the nearest database is that is kept."""
        return max((at for at in self._stations if at <= position), default=None)

    def _made(self, position: int, resources: ExitStack) -> LiveDatabase:
        """Return a new database at a position."""
        nearest = self._nearest(position)
        if nearest is None:
            made = self._live(self.open(resources), 0)
        else:
            made = self._live(self.copy(self._stations[nearest][0].database, resources), nearest)
        try:
            made.apply_to(position)
        except (psycopg.Error, MigrationReadError) as error:
            at = made.position
            self._in_the_way[at] = OnTheWayError(self.history.migrations[at], error)
            raise self._in_the_way[at] from error
        return made

    def _live(self, database: Database, position: int) -> LiveDatabase:
        return LiveDatabase(
            database=database, history=self.history, conditions=self.conditions, position=position
        )

    def _give_up(self, position: int) -> None:
        _, resources = self._stations.pop(position)
        resources.close()
