"""What has become of a history's files since a commit, and what stands beside the new ones on the branch they go into."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath

from pytest_migsafe.gate.base import Base
from pytest_migsafe.gate.files import HistoryFiles, Then
from pytest_migsafe.migrations.model import History, Migration, Remark
from pytest_migsafe.migrations.origin import Change, Gone, Origin
from pytest_migsafe.migrations.sameness import compare, digests, similarity

#: The layouts whose order stands in a file of its own, which both branches have changed when both have a new migration.
_PLANNED = frozenset({"sqitch", "drizzle", "liquibase"})
#: From so much in common on, a file that is gone and a new one are one that was renamed.
_ALIKE = 0.6


@dataclass(frozen=True, slots=True)
class Past:
    """What is known of a history's files, by their positions, and of those that it has no longer."""

    origins: Mapping[int, Origin]
    gone: tuple[Gone, ...] = ()
    #: New files that look like migrations and are none of the history's, each with what they are.
    unread: tuple[Remark, ...] = ()


def past_of(history: History, base: Base) -> Past:
    """Return what has become of a history since a base.

    Raises:
        GitError: git does not answer.
    """
    return _Comparison(history, base).past()


@dataclass
class _Comparison:
    """A history beside a base."""

    history: History
    base: Base

    @cached_property
    def _files(self) -> HistoryFiles:
        return HistoryFiles(self.history, self.base)

    def past(self) -> Past:
        if not self._files.has_changed:
            unchanged = self._origin(Change.UNCHANGED)
            return Past(dict.fromkeys(range(len(self.history.migrations)), unchanged))
        origins = {at: self._of(at) for at in range(len(self.history.migrations))}
        origins, gone = self._with_renamed(origins)
        for at, origin in origins.items():
            if origin.change is Change.NEW and not self.history.migrations[at].is_repeatable:
                origins[at] = self._among_others(at, origin)
        for at, later in self._put_before(origins):
            origins[at] = origins[at].beside(later=later)
        return Past(origins, gone, tuple(self._unread()))

    def _unread(self) -> Iterator[Remark]:
        """Yield what was said of files that are new and none of the history's."""
        for remark in self.history.remarks:
            name = self._files.name(self.history.root / remark.path) if remark.path else None
            is_text = remark.path.lower().startswith("readme")
            if name is not None and self._files.changes.get(name) == "A" and not is_text:
                yield Remark(self._files.shown(name), remark.text)

    def _put_before(self, origins: Mapping[int, Origin]) -> Iterator[tuple[int, tuple[str, ...]]]:
        """Yield the files that a plan now has before others, and had behind them; with those."""
        then = self._files.history_at_base if self.history.layout in _PLANNED else None
        if then is None:
            return
        places = {name: place for place, name in enumerate(then.names)}
        known = [
            (places[name], at, name)
            for at, name in enumerate(self._files.names)
            if name in places and origins[at].change not in {Change.NEW, Change.RENAMED}
        ]
        if known == sorted(known):
            return
        for number, (place, at, _) in enumerate(known):
            passed = tuple(self._files.shown(name) for other, _, name in known[number + 1 :] if other < place)
            if passed and not self.history.migrations[at].is_repeatable:
                yield at, passed

    # -- one file ------------------------------------------------------------------------------------------

    def _origin(self, change: Change) -> Origin:
        return Origin(base=str(self.base), commit=self.base.short, layout=self.history.layout, change=change)

    def _of(self, at: int) -> Origin:
        """Return a file's origin by itself: whether it is new, or edited."""
        name = self._files.names[at]
        if name is None or not self._was_migration(name):
            return self._origin(Change.NEW)
        migration = self.history.migrations[at]
        if name in self._files.changes or (
            migration.path.is_symlink() and self._files.name_of_target(migration.path) in self._files.changes
        ):
            return self._edited(migration, name)
        is_beside = self._has_changed_beside(migration)
        return self._origin(Change.ALLOWED if is_beside else Change.UNCHANGED)

    def _was_migration(self, name: str) -> bool:
        if name not in self._files.at_base:
            return False
        # A file may have been there before it was planned.
        planned = self.history.layout in _PLANNED and self._files.history_at_base is not None
        return not planned or (
            self._files.history_at_base is not None and name in self._files.history_at_base.migrations
        )

    def _edited(self, migration: Migration, name: str) -> Origin:
        name = self._files.name_of_target(migration.path) or name if migration.path.is_symlink() else name
        try:
            now = migration.path.read_bytes()
        except OSError:
            return self._origin(Change.UNCHANGED)  # rehearsing it says what is wrong with it
        found = compare(migration, self._files.content_at_base(name), now)
        return Origin(
            base=str(self.base),
            commit=self.base.short,
            layout=self.history.layout,
            change=found.change,
            line=found.line,
            differences=found.differences,
        )

    def _has_changed_beside(self, migration: Migration) -> bool:
        """Whether a file that belongs to a migration differs: what undoes it, and what lies in its own folder."""
        if not self._files.changes:
            return False
        if migration.down is not None and self._files.name(migration.down) in self._files.changes:
            return True
        folder = (self._files.name(migration.path) or "").rpartition("/")[0]
        return migration.path.name in _ALONE and folder in self._files.changed_folders

    # -- files that are gone -------------------------------------------------------------------------------

    @property
    def _missing(self) -> list[str]:
        """The migrations at the base that are none any more, as far as git knows of it."""
        may_be_missing = (
            bool({"D", "T"} & set(self._files.changes.values())) or self.history.layout in _PLANNED
        )
        if not may_be_missing or self._files.history_at_base is None:
            return []
        top, here = self.base.repository.top, set(self._files.names)
        return [
            name
            for name, one in self._files.history_at_base.migrations.items()
            if name not in here
            and not one.is_repeatable
            # A journal that could not be read stood in for its files.
            and not name.endswith(".json")
            and (self._files.changes.get(name) == "D" or (top / name).is_file())
        ]

    def _with_renamed(self, origins: Mapping[int, Origin]) -> tuple[dict[int, Origin], tuple[Gone, ...]]:
        """Return the origins, with those of renamed files, and the files that are really gone."""
        changed = dict(origins)
        new = {at for at, one in origins.items() if one.change is Change.NEW}
        gone = []
        for name in self._missing:
            at = self._heir(name, sorted(new))
            if at is None:
                gone.append(
                    Gone(
                        path=self._files.shown(name),
                        base=str(self.base),
                        commit=self.base.short,
                        layout=self.history.layout,
                    )
                )
                continue
            new.discard(at)
            changed[at] = self._renamed(at, name)
        return self._with_reworked(changed, new), tuple(gone)

    def _heir(self, name: str, new: Sequence[int]) -> int | None:
        """Return which of the new files one that is gone has become."""
        assert self._files.history_at_base is not None  # noqa: S101 - only then something is known to be gone
        old, was = self._files.history_at_base.migrations[name], self._files.content_at_base(name)
        by_version = [at for at in new if self.history.migrations[at].id == old.id]
        if by_version:
            return by_version[0]
        alike = [(similarity(was, self._content_now(at)), at) for at in new]
        best, at = max(alike, key=lambda one: (one[0], -one[1]), default=(0.0, 0))
        return at if best >= _ALIKE else None

    def _content_now(self, at: int) -> bytes:
        try:
            return self.history.migrations[at].path.read_bytes()
        except OSError:
            return b""

    def _renamed(self, at: int, name: str) -> Origin:
        assert self._files.history_at_base is not None  # noqa: S101 - as above
        migration = self.history.migrations[at]
        found = compare(migration, self._files.content_at_base(name), self._content_now(at))
        return Origin(
            base=str(self.base),
            commit=self.base.short,
            layout=self.history.layout,
            change=Change.RENAMED,
            was=self._files.shown(name),
            has_new_version=self._files.history_at_base.migrations[name].id != migration.id,
            is_edited=found.change is Change.EDITED,
            line=found.line,
            differences=found.differences,
        )

    def _with_reworked(self, origins: dict[int, Origin], new: Iterable[int]) -> dict[int, Origin]:
        """Return the origins, with those of changes that Sqitch has planned anew.

        The script of the first then has the name of a tag in it, ``users@v1.0.sql``, and what was its name is the new one's.
        """
        if self.history.layout != "sqitch":
            return origins
        for at in new:
            name = self._files.names[at]
            path = PurePosixPath(name or "")
            old = f"{path.parent}/{path.name.partition('@')[0]}{path.suffix}"
            if "@" not in path.name or old not in self._files.at_base or old not in self._files.names:
                continue
            migration = self.history.migrations[at]
            if digests(migration, self._files.content_at_base(old)) == digests(
                migration, self._content_now(at)
            ):
                origins[at] = self._origin(Change.UNCHANGED)
                origins[self._files.names.index(old)] = self._origin(Change.NEW)
        return origins

    # -- new files among the others ------------------------------------------------------------------------

    @cached_property
    def _new_at_tip(self) -> frozenset[str]:
        """The migrations that the branch has got since this one left it, and that are not here."""
        if self.base.tip == self.base.commit or not (self._files.at_tip.keys() - self._files.at_base.keys()):
            return frozenset()
        if self._files.history_at_tip is None:
            return frozenset()
        then = set(self._files.history_at_base.migrations if self._files.history_at_base is not None else ())
        return frozenset(
            name
            for name, one in self._files.history_at_tip.migrations.items()
            if name not in then and name not in self._files.names and not one.is_repeatable
        )

    @cached_property
    def _merged(self) -> Then | None:
        """The history as merging would make it; None: nobody can tell before it is done."""
        if not self._new_at_tip or self.history.layout in _PLANNED:
            return None
        here = {
            name: self._content_now(at)
            for at, name in enumerate(self._files.names)
            if name and name not in self._files.at_base
        }
        return self._files.history_after_merging(here, without=set(self._missing))

    def _among_others(self, at: int, origin: Origin) -> Origin:
        """Return a new file's origin, with what stands beside it."""
        name = self._files.names[at]
        if name is None:
            return origin
        if self._merged is not None and name in self._merged.migrations:
            order = self._merged.names
            known = {one for one in order if one in self._files.at_base or one in self._new_at_tip}
            rivals = self._of_same_version(name, self._merged)
            after = order[order.index(name) + 1 :]
            is_repeatable = {one for one, it in self._merged.migrations.items() if it.is_repeatable}
        else:
            order = tuple(one or "" for one in self._files.names)
            known = {one for one in order if self._was_migration(one)}
            rivals = self._at_same_place(at)
            after = order[at + 1 :]
            is_repeatable = {
                order[number] for number, it in enumerate(self.history.migrations) if it.is_repeatable
            }
        later = [one for one in after if one in known and one not in is_repeatable and one not in rivals]
        return origin.beside(
            later=tuple(map(self._files.shown, later)),
            rivals=tuple(map(self._files.shown, rivals)),
            tip=self.base.ref,
        )

    def _of_same_version(self, name: str, merged: Then) -> list[str]:
        same = set(merged.migrations[name].same_version)
        return [
            one
            for one, it in merged.migrations.items()
            if one in self._new_at_tip and it.relative_path in same
        ]

    def _at_same_place(self, at: int) -> list[str]:
        """Return what stands at a file's place of the plan on the branch that it goes into."""
        if (
            not self._new_at_tip
            or self._files.history_at_tip is None
            or at >= len(self._files.history_at_tip.names)
        ):
            return []
        other = self._files.history_at_tip.names[at]
        return [other] if other in self._new_at_tip else []


#: Files that have a folder of their own, with what belongs to them.
_ALONE = frozenset({"migration.sql", "up.sql"})
