"""Private databases at a point of a history, to try things in: seed rows, apply files, undo them, look.

What is done in one touches no other, and not the database in which files are rehearsed: on a throwaway server of ours
each has a server of its own, for files make roles and change settings of the whole cluster.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any, Self

import psycopg

from pytest_migsafe.errors import MigsafeError
from pytest_migsafe.migrations.model import Direction, History, Migration
from pytest_migsafe.postgres.database import Database
from pytest_migsafe.rehearsal.chain import OpenDatabase
from pytest_migsafe.rehearsal.isolation import RefusedError, send_as_runner
from pytest_migsafe.rehearsal.rehearsal_database import Conditions
from pytest_migsafe.rehearsal.seeds import run_seed
from pytest_migsafe.rehearsal.task import read_task

#: Opens a database that holds what another does, and leaves closing it to the stack. Nobody may be at work in the other.
CopyDatabase = Callable[[Database, ExitStack], Database]

#: How many databases are kept to copy from; each is an idle server.
_STATIONS = 4


class IrreversibleError(MigsafeError):
    """A file is to be undone, and nothing says how."""


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
        migration = self.history.migrations[self.position]
        self._run(migration, Direction.UP)
        self.position += 1
        return migration

    def apply_to(self, position: int) -> None:
        """Apply files until the first ``position`` ones are; the same errors as of ``apply``."""
        while self.position < position:
            self.apply()

    def undo(self) -> Migration:
        """Undo the last file that was applied, by the file or the section that its runner has for it; return it.

        Raises:
            IrreversibleError: there is none.
            psycopg.Error: what ended it, with its place as a note.
            MigrationReadError: it cannot be read.
            IndexError: no file is applied.
        """
        migration = self.applied[-1]
        if migration.down is None:
            raise IrreversibleError(
                f"nothing undoes {migration.relative_path}: it has no file for the way back"
            )
        self._run(migration, Direction.DOWN)
        self.position -= 1
        return migration

    def undo_to(self, position: int) -> None:
        """Undo files until only the first ``position`` ones are applied; the same errors as of ``undo``."""
        while self.position > position:
            self.undo()

    def connect(self, *, autocommit: bool = True) -> psycopg.Connection[Any]:
        """Return a new connection as the role that migrations run as; the caller closes it."""
        return self.database.connect(autocommit=autocommit)

    def _run(self, migration: Migration, direction: Direction) -> None:
        may_change_cluster = self.database.server.is_ours or self.conditions.cluster_wide
        task = read_task(migration, self.database, may_change_cluster=may_change_cluster, direction=direction)
        path = migration.relative_path
        if direction is Direction.DOWN and migration.down not in (None, migration.path):
            path = str(migration.down)
        now = self.conditions.for_file(migration)
        if direction is Direction.UP:
            for seed in now.seeds:
                run_seed(self.database, seed, path, now.options)
        # Each file has a session of its own, so that none finds what another left behind.
        with self.database.connect(options=now.options) as connection:
            try:
                send_as_runner(connection, task.script)
            except RefusedError as refusal:
                error = refusal.__cause__ or psycopg.errors.lookup(refusal.error.sqlstate)(
                    refusal.error.message
                )
                error.add_note(f"{path}, line {refusal.error.line}")
                raise error from None


@dataclass(kw_only=True)
class Laboratory:
    """Gives private databases at any position of a history."""

    history: History
    open: OpenDatabase
    copy: CopyDatabase
    conditions: Conditions = field(default_factory=Conditions)
    #: Databases to copy from, by their positions, the one that was used last at the end.
    _stations: dict[int, tuple[LiveDatabase, ExitStack]] = field(default_factory=dict)

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
            psycopg.Error: one of these files cannot be applied; a note says which.
            ServerError: there is no server.
        """
        station = self._station(position)
        with ExitStack() as resources:
            yield LiveDatabase(
                database=self.copy(station.database, resources),
                history=self.history,
                conditions=self.conditions,
                position=position,
            )

    def _station(self, position: int) -> LiveDatabase:
        if position in self._stations:
            self._stations[position] = self._stations.pop(position)
        else:
            self._stations[position] = self._new_station(position)
            if len(self._stations) > _STATIONS:
                self._give_up(next(iter(self._stations)))
        return self._stations[position][0]

    def _new_station(self, position: int) -> tuple[LiveDatabase, ExitStack]:
        nearest = max((at for at in self._stations if at < position), default=None)
        with ExitStack() as resources:
            if nearest is None:
                database = self.open(resources)
            else:
                database = self.copy(self._stations[nearest][0].database, resources)
            station = LiveDatabase(
                database=database,
                history=self.history,
                conditions=self.conditions,
                position=nearest or 0,
            )
            station.apply_to(position)
            return station, resources.pop_all()

    def _give_up(self, position: int) -> None:
        _, resources = self._stations.pop(position)
        resources.close()
