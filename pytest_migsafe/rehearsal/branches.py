"""Do two branches commute? The new files of both are applied in both orders, each on a database of its own.

What counts is what PostgreSQL makes of them: whether each order can be applied, and whether the same schema comes of it.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from pytest_migsafe import catalog
from pytest_migsafe.catalog.objects import Key
from pytest_migsafe.migrations.model import History, Migration
from pytest_migsafe.postgres.database import Database
from pytest_migsafe.rehearsal.chain import Chain, OpenDatabase
from pytest_migsafe.rehearsal.evidence import Evidence, StatementError
from pytest_migsafe.rehearsal.laboratory import CopyDatabase
from pytest_migsafe.rehearsal.rehearsal_database import Conditions, RehearsalDatabase

#: Up to so many files of a branch, the one that is in the way is looked for, by as many trials.
_MOST_SUSPECTS = 20


@dataclass(frozen=True, kw_only=True)
class Branch:
    """A branch's new files, in the order in which its runner applies them."""

    #: What people call it.
    name: str
    files: tuple[Migration, ...]


@dataclass(frozen=True, kw_only=True)
class Fork:
    """Two branches that began at one commit, and what they have in common."""

    base: tuple[Migration, ...]
    ours: Branch
    theirs: Branch
    #: New files that both have, with the same content: they are applied once.
    shared: frozenset[str] = frozenset()
    #: The new files of both in the order in which a runner applies them after a merge; empty: that is not known.
    merged: tuple[Migration, ...] = ()
    #: Files of the common commit that both have edited, each in its own way, relative to the project's root.
    edited_by_both: tuple[str, ...] = ()
    #: New files that both have, with different content.
    added_by_both: tuple[str, ...] = ()
    #: Pairs of new files with one version: this branch's, and the other's.
    same_version: tuple[tuple[str, str], ...] = ()
    #: Whether their runner ends when it finds such a pair.
    refuses_duplicates: bool = False

    @property
    def orders(self) -> tuple[tuple[Migration, ...], tuple[Migration, ...]]:
        """The new files with ours first, and with theirs first."""
        return self._after(self.ours, self.theirs), self._after(self.theirs, self.ours)

    def _after(self, one: Branch, other: Branch) -> tuple[Migration, ...]:
        return (*one.files, *(file for file in other.files if file.relative_path not in self.shared))

    def is_ours(self, file: Migration) -> bool:
        """Whether a new file is one of this branch's."""
        return any(one is file for one in self.ours.files)

    def is_theirs(self, file: Migration) -> bool:
        """Whether a new file is one of the other branch's."""
        return any(one is file for one in self.theirs.files)

    def branch(self, file: Migration) -> Branch:
        """Return the branch that a new file belongs to."""
        return self.ours if self.is_ours(file) else self.theirs


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A file that cannot be applied."""

    file: Migration
    error: StatementError


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """A file that can be applied in its own branch, and not together with the other."""

    file: Migration
    error: StatementError
    #: The first file of the other branch after which it cannot be applied; None: that was not found out.
    after: Migration | None
    #: What both of them change, or the one changes and the other needs.
    objects: tuple[Key, ...] = ()
    #: Whether that is the order in which a runner applies them after a merge.
    is_merged_order: bool = False


@dataclass(frozen=True, kw_only=True)
class Trial:
    """What came of applying two branches in both orders."""

    fork: Fork
    #: A file that cannot be applied even without the other branch: then nothing is known of the two.
    in_the_way: Refused | None = None
    conflicts: tuple[Conflict, ...] = ()
    #: From the schema with theirs applied last to the one with ours applied last.
    changes: tuple[catalog.Change, ...] = ()
    #: Of these, what is left when the names that PostgreSQL chose make no difference.
    changes_but_names: tuple[catalog.Change, ...] = ()
    #: Tables whose columns stand in another order, which no query by name can tell.
    column_orders: tuple[catalog.Change, ...] = ()
    #: What each new file of both branches changes in its own, by its path.
    touched: Mapping[Path, frozenset[Key]] = field(default_factory=dict)

    def files_behind(self, change: catalog.Change) -> tuple[Migration, ...]:
        """Return the new files of both branches that change an object, or something that it belongs to or has."""
        key = Key(change.kind, change.name)
        files = (*self.fork.ours.files, *self.fork.theirs.files)
        concerned = [file for file in files if key in self._touched(file)]
        if {self.fork.is_ours(file) for file in concerned} != {True, False}:
            concerned = [
                file for file in files if any(_are_related(key, other) for other in self._touched(file))
            ]
        return tuple(concerned)

    def _touched(self, file: Migration) -> frozenset[Key]:
        return self.touched.get(file.path, frozenset())


def try_both_orders(
    fork: Fork, *, open_database: OpenDatabase, copy: CopyDatabase, conditions: Conditions
) -> Trial:
    """Apply the new files of two branches in both orders, on private databases.

    Raises:
        ServerError: there is no server, or it is gone.
    """
    with ExitStack() as resources:
        base = open_database(resources)
        if not base.server.is_ours:
            # What one order did to the whole cluster, the other would find there.
            conditions = replace(conditions, cluster_wide=False)
        run = _run(base, conditions, fork.base)
        if run.refused is not None:
            return Trial(fork=fork, in_the_way=run.refused)
        return _Attempt(fork, base, copy, conditions, run.schema).trial()


@dataclass(frozen=True)
class _Done:
    """What came of applying files one after the other."""

    schema: catalog.Schema
    #: What each changed of the schema.
    touched: Mapping[Path, frozenset[Key]]
    refused: Refused | None = None


def _run(
    database: Database,
    conditions: Conditions,
    files: Sequence[Migration],
    before: catalog.Schema | None = None,
) -> _Done:
    """Apply files until one cannot be; with the schema before them, what each changes is looked at."""
    touched: dict[Path, frozenset[Key]] = {}
    schema = before
    # Closed in the end: of a database in which somebody is at work no copy can be made.
    with closing(RehearsalDatabase(database, conditions)) as rehearsal:
        for file in files:
            if (error := rehearsal.apply(file)) is not None:
                return _Done(schema or catalog.Schema(), touched, Refused(file=file, error=error))
            if schema is not None:
                after = rehearsal.schema()
                touched[file.path] = frozenset(Key(one.kind, one.name) for one in catalog.diff(schema, after))
                schema = after
        return _Done(schema or rehearsal.schema(), touched)


@dataclass(frozen=True)
class _Attempt:
    fork: Fork
    base: Database
    copy: CopyDatabase
    conditions: Conditions
    schema: catalog.Schema

    def trial(self) -> Trial:
        runs = [self._applied(order) for order in self.fork.orders]
        touched = self._touched(runs)
        for run, branch in zip(runs, (self.fork.ours, self.fork.theirs), strict=True):
            if run.refused is not None and run.refused.file in branch.files:
                return Trial(fork=self.fork, in_the_way=run.refused)
        conflicts = [
            self._conflict(refused, order, touched)
            for run, order in zip(runs, self.fork.orders, strict=True)
            if (refused := run.refused) is not None
        ]
        schemas = [run.schema for run in runs]
        if self.fork.merged and self.fork.merged not in self.fork.orders and not conflicts:
            merged = self._applied(self.fork.merged)
            if merged.refused is not None:
                conflicts.append(self._conflict(merged.refused, self.fork.merged, touched))
            elif not catalog.diff(*schemas):
                schemas[1] = merged.schema
        if conflicts:
            return Trial(fork=self.fork, conflicts=tuple(conflicts), touched=touched)
        return Trial(
            fork=self.fork,
            changes=tuple(catalog.diff(*schemas)),
            changes_but_names=tuple(catalog.diff(*schemas, names="free")),
            column_orders=tuple(_column_orders(*schemas)),
            touched=touched,
        )

    def _applied(self, order: Sequence[Migration], *, is_looked_at: bool = True) -> _Done:
        with ExitStack() as resources:
            copy = self.copy(self.base, resources)
            return _run(copy, self.conditions, order, self.schema if is_looked_at else None)

    def _touched(self, runs: Sequence[_Done]) -> dict[Path, frozenset[Key]]:
        """Return what each file changes in its own branch, before the other's are applied."""
        ours, theirs = runs
        return {
            file.path: run.touched[file.path]
            for run, branch in ((ours, self.fork.ours), (theirs, self.fork.theirs))
            for file in branch.files
            if file.path in run.touched
        }

    def _conflict(
        self, refused: Refused, order: Sequence[Migration], touched: Mapping[Path, frozenset[Key]]
    ) -> Conflict:
        before = order[: order.index(refused.file)]
        own = self.fork.branch(refused.file)
        others = [file for file in before if file not in own.files]
        after = self._suspect(refused, before, others)
        suspects = others if after is None else [after]
        theirs = frozenset(key for file in suspects for key in touched.get(file.path, ()))
        return Conflict(
            file=refused.file,
            error=self._placed(refused, before),
            after=after,
            objects=_concerned(touched.get(refused.file.path, frozenset()), theirs, refused.error),
            is_merged_order=tuple(order) == self.fork.merged,
        )

    def _placed(self, refused: Refused, before: Sequence[Migration]) -> StatementError:
        """Return the error with its place: as a runner sends a file, whole, the server often names none."""
        history = History(root=Path(), relative_root="", layout="", migrations=(*before, refused.file))
        with Chain(history, partial(self.copy, self.base), self.conditions) as chain:
            evidence = chain.rehearse(len(before))
        error = evidence.error
        return error if isinstance(evidence, Evidence) and error is not None else refused.error

    def _suspect(
        self, refused: Refused, before: Sequence[Migration], others: Sequence[Migration]
    ) -> Migration | None:
        """Return the first of the other branch's files after which one cannot be applied."""
        if len(others) <= 1 or len(others) > _MOST_SUSPECTS:
            return others[0] if len(others) == 1 else None
        for at, suspect in enumerate(others[:-1], start=1):
            some = [file for file in before if file not in others[at:]]
            run = self._applied([*some, refused.file], is_looked_at=False)
            if run.refused is not None and run.refused.file is refused.file:
                return suspect
        return others[-1]


def _column_orders(before: catalog.Schema, after: catalog.Schema) -> Iterator[catalog.Change]:
    for change in catalog.physical_diff(before, after):
        orders = tuple(one for one in change.attributes if one[0] == "column_order")
        if orders:
            yield catalog.Change(action="changed", kind=change.kind, name=change.name, attributes=orders)


def _are_related(one: Key, other: Key) -> bool:
    """Whether two objects are the same, or one of them belongs to the other."""
    return one == other or one.name.startswith(f"{other.name}.") or other.name.startswith(f"{one.name}.")


def _concerned(ours: frozenset[Key], theirs: frozenset[Key], error: StatementError) -> tuple[Key, ...]:
    """Return what a file that fails and those before it are both about: what both change, or what the error names."""
    both = {key for key in theirs if any(_are_related(key, other) for other in ours)}
    named = {key for key in theirs if _is_named(key, error)}
    found = (both & named) or named or both
    # What belongs to a table that is concerned itself is not named besides.
    tops = {key for key in found if not any(key.name.startswith(f"{one.name}.") for one in found)}
    return tuple(sorted(tops))


def _is_named(key: Key, error: StatementError) -> bool:
    name = key.name.partition("(")[0].rpartition(".")[2].strip('"')
    said = f"{error.message} {error.detail} {error.table} {error.constraint}"
    return re.search(rf"(?<!\w){re.escape(name)}(?!\w)", said) is not None
