"""What has become of a history's files since a commit, and what stands beside the new ones on the branch they go into."""

import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path, PurePosixPath

from pytest_migsafe.errors import MigsafeError
from pytest_migsafe.gate.base import Base
from pytest_migsafe.migrations.discovery import discover
from pytest_migsafe.migrations.model import History, Migration
from pytest_migsafe.migrations.origin import Change, Gone, Origin
from pytest_migsafe.migrations.sameness import compare, digests, similarity

#: Files beside a history in which a runner may be configured, by their endings.
_CONFIGURATION = (".conf", ".json", ".plan", ".properties", ".sql", ".toml", ".xml", ".yaml", ".yml")
#: The layouts whose order stands in a file of its own, which both branches have changed when both have a new migration.
_PLANNED = frozenset({"sqitch", "drizzle", "liquibase"})
#: From so much in common on, a file that is gone and a new one are one that was renamed.
_ALIKE = 0.6


@dataclass(frozen=True, slots=True)
class Past:
    """What is known of a history's files, by their positions, and of those that it has no longer."""

    origins: Mapping[int, Origin]
    gone: tuple[Gone, ...] = ()


def past_of(history: History, base: Base) -> Past:
    """Return what has become of a history since a base.

    Raises:
        GitError: git does not answer.
    """
    return _Comparison(history, base).past()


@dataclass(frozen=True)
class _Then:
    """A history as it was at a commit: its files' names as git has them, in order, by migration."""

    migrations: Mapping[str, Migration]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.migrations)


@dataclass
class _Comparison:
    """A history beside a base."""

    history: History
    base: Base
    _contents: dict[str, bytes] = field(default_factory=dict)
    #: What git calls a file "x" in a folder; empty: it is outside of the repository.
    _folder_names: dict[Path, str | None] = field(default_factory=dict)

    def past(self) -> Past:
        if not self._has_changed:
            unchanged = self._origin(Change.UNCHANGED)
            return Past(dict.fromkeys(range(len(self.history.migrations)), unchanged))
        origins = {at: self._of(at) for at in range(len(self.history.migrations))}
        origins, gone = self._with_renamed(origins)
        for at, origin in origins.items():
            if origin.change is Change.NEW and not self.history.migrations[at].is_repeatable:
                origins[at] = self._among_others(at, origin)
        return Past(origins, gone)

    # -- names ---------------------------------------------------------------------------------------------

    @cached_property
    def _root(self) -> str:
        return self.base.repository.name(Path(os.path.realpath(self.history.root))) or ""

    @cached_property
    def _folders(self) -> tuple[str, ...]:
        """The folders whose files are compared: the history's, and those of its files elsewhere."""
        outside = {self.base.repository.name(path.parent) for path in self.history.outside}
        return tuple(sorted({self._root, *(name for name in outside if name)}))

    @cached_property
    def _names(self) -> tuple[str | None, ...]:
        """The migrations' names as git has them, by their positions; None: outside of the repository."""
        return tuple(self._name(one.path) for one in self.history.migrations)

    def _name(self, path: Path) -> str | None:
        """Return a file's name as ``Repository.name`` does; a folder's links are followed once, not for each file."""
        folder = self._folder_names.setdefault(path.parent, None)
        if folder is None:
            real = Path(os.path.realpath(path.parent))
            folder = self._folder_names[path.parent] = self.base.repository.name(real / "x") or ""
        return f"{folder[:-1]}{path.name}" if folder else None

    def _shown(self, name: str) -> str:
        """Return a file's name at another commit, as the project's files are named."""
        root = self.history.relative_root
        below = name.removeprefix(f"{self._root}/") if self._root else name
        if self._root and below == name:
            return os.path.relpath(self.base.repository.top / name, self._project)
        return below if root == "." else f"{root}/{below}"

    @cached_property
    def _project(self) -> Path:
        """The project's root, which the history's is told from."""
        root = Path(os.path.realpath(self.history.root))
        relative = PurePosixPath(self.history.relative_root)
        depth = 0 if relative.is_absolute() else len([part for part in relative.parts if part != "."])
        return root.parents[depth - 1] if depth else root

    # -- what git says -------------------------------------------------------------------------------------

    @cached_property
    def _then(self) -> Mapping[str, str]:
        """The files below the folders at the base, with the ids of their contents."""
        return self._files(self.base.commit)

    @cached_property
    def _files_at_tip(self) -> Mapping[str, str]:
        return self._files(self.base.tip)

    def _files(self, commit: str) -> dict[str, str]:
        """Return the files below the folders at a commit, as they are called since these were moved."""
        repository = self.base.repository
        found = {
            name: blob for folder in self._folders for name, blob in repository.files(commit, folder).items()
        }
        if self._came_from is not None and not any(name.startswith(f"{self._root}/") for name in found):
            moved = repository.files(commit, self._came_from)
            cut = len(self._came_from) + 1 if self._came_from else 0
            found |= {f"{self._root}/{name[cut:]}": blob for name, blob in moved.items()}
        return found

    @cached_property
    def _came_from(self) -> str | None:
        """The folder that the history's was at the base, when it was moved since; None: it was where it is, or not at all."""
        repository = self.base.repository
        if not self._root or repository.files(self.base.commit, self._root):
            return None
        below = [name[len(self._root) + 1 :] for name in self._names if name and name.startswith(self._root)]
        there = repository.files(self.base.commit)
        folders = sorted(
            name.removesuffix(below[0]).rstrip("/")
            for name in there
            if below and f"/{name}".endswith(f"/{below[0]}")
        )
        for folder in folders:
            names = [f"{folder}/{name}" if folder else name for name in below]
            # One that is still there was copied: what is made of it is new.
            if not (repository.top / names[0]).exists() and sum(name in there for name in names) * 2 >= len(
                names
            ):
                return folder
        return None

    @cached_property
    def _changes(self) -> Mapping[str, str]:
        """What differs in the working tree: a letter by the file's name."""
        if self._came_from is not None:
            return dict(self._changes_of_moved())
        folders = () if "" in self._folders else self._folders
        names = {self._name_of_target(one.path) for one in self.history.migrations if one.path.is_symlink()}
        within = (*folders, *sorted(name for name in names if name)) if folders else ()
        return {one.name: one.status for one in self.base.repository.changes(self.base.commit, within)}

    def _changes_of_moved(self) -> Iterator[tuple[str, str]]:
        """Yield what differs besides that it lies elsewhere, which is all that git would see."""
        contents = self.base.repository.contents(list(self._then.values()))
        for name, blob in self._then.items():
            path = self.base.repository.top / name
            if not path.is_file():
                yield name, "D"
            elif path.read_bytes().replace(b"\r\n", b"\n") != contents[blob].replace(b"\r\n", b"\n"):
                yield name, "M"

    def _name_of_target(self, link: Path) -> str | None:
        return self.base.repository.name(Path(os.path.realpath(link)))

    @cached_property
    def _has_changed(self) -> bool:
        if self._changes or any(name not in self._then for name in self._names):
            return True
        return self.base.tip != self.base.commit and self._files_at_tip != self._then

    def _content_then(self, name: str) -> bytes:
        if name not in self._contents:
            blob = self._then.get(name, f"{self.base.commit}:{name}")
            self._contents[name] = self.base.repository.contents([blob]).get(blob, b"")
        return self._contents[name]

    # -- one file ------------------------------------------------------------------------------------------

    def _origin(self, change: Change) -> Origin:
        return Origin(base=str(self.base), commit=self.base.short, layout=self.history.layout, change=change)

    def _of(self, at: int) -> Origin:
        """Return a file's origin by itself: whether it is new, or edited."""
        name = self._names[at]
        if name is None or not self._was_migration(name):
            return self._origin(Change.NEW)
        migration = self.history.migrations[at]
        if name in self._changes or (
            migration.path.is_symlink() and self._name_of_target(migration.path) in self._changes
        ):
            return self._edited(migration, name)
        is_beside = any(one in self._changes for one in self._companions(migration))
        return self._origin(Change.ALLOWED if is_beside else Change.UNCHANGED)

    def _was_migration(self, name: str) -> bool:
        if name not in self._then:
            return False
        # A file may have been there before it was planned.
        planned = self.history.layout in _PLANNED and self._at_base is not None
        return not planned or (self._at_base is not None and name in self._at_base.migrations)

    def _edited(self, migration: Migration, name: str) -> Origin:
        name = self._name_of_target(migration.path) or name if migration.path.is_symlink() else name
        try:
            now = migration.path.read_bytes()
        except OSError:
            return self._origin(Change.UNCHANGED)  # rehearsing it says what is wrong with it
        found = compare(migration, self._content_then(name), now)
        return Origin(
            base=str(self.base),
            commit=self.base.short,
            layout=self.history.layout,
            change=found.change,
            line=found.line,
            differences=found.differences,
        )

    def _companions(self, migration: Migration) -> Iterator[str]:
        """Yield the names of the files that belong to a migration: what undoes it, and what lies in its own folder."""
        if not self._changes:
            return
        if migration.down is not None and (name := self._name(migration.down)) is not None:
            yield name
        folder = (self._name(migration.path) or "").rpartition("/")[0]
        if folder and migration.path.name in _ALONE:
            yield from (name for name in self._changes if name.startswith(f"{folder}/"))

    # -- other files ---------------------------------------------------------------------------------------

    @cached_property
    def _at_base(self) -> _Then | None:
        return self._history_at(self._with_configuration(self.base.commit, self._then))

    @cached_property
    def _at_tip(self) -> _Then | None:
        if self.base.tip == self.base.commit:
            return self._at_base
        return self._history_at(self._with_configuration(self.base.tip, self._files_at_tip))

    def _with_configuration(self, commit: str, files: Mapping[str, str]) -> dict[str, str]:
        """Return files, and with them those above the folders in which a runner may be configured."""
        repository = self.base.repository
        above = {
            "" if one == PurePosixPath() else str(one)
            for folder in self._folders
            if folder
            for one in PurePosixPath(folder).parents
        }
        beside = {
            name: blob
            for folder in sorted(above)
            for name, blob in repository.files_in(commit, folder).items()
            if name.endswith(_CONFIGURATION)
        }
        return beside | dict(files)

    def _history_at(self, blobs: Mapping[str, str], new: Mapping[str, bytes] | None = None) -> _Then | None:
        """Return the history that some files make, with some more; None where they make none."""
        with tempfile.TemporaryDirectory(prefix="migsafe-") as folder:
            # Layouts look at what lies above; nothing of ours does.
            top = Path(os.path.realpath(folder)) / "top"
            top.mkdir()
            self.base.repository.write(blobs, top)
            for name, content in (new or {}).items():
                (top / name).parent.mkdir(parents=True, exist_ok=True)
                (top / name).write_bytes(content)
            root = top / self._root
            if not root.is_dir():
                return None
            try:
                found = discover(top, [root], layout=self.history.layout).histories
            except MigsafeError:
                return None  # a plan of then that cannot be read, for example
            return next(
                (
                    _Then({path.relative_to(top).as_posix(): one.migrations[at] for path, at in ordered})
                    for one in found
                    if one.root == root
                    for ordered in [sorted(one.positions.items(), key=lambda item: item[1])]
                ),
                None,
            )

    # -- files that are gone -------------------------------------------------------------------------------

    @property
    def _missing(self) -> list[str]:
        """The migrations at the base that are none any more, as far as git knows of it."""
        may_be_missing = bool({"D", "T"} & set(self._changes.values())) or self.history.layout in _PLANNED
        if not may_be_missing or self._at_base is None:
            return []
        top, here = self.base.repository.top, set(self._names)
        return [
            name
            for name, one in self._at_base.migrations.items()
            if name not in here
            and not one.is_repeatable
            # A journal that could not be read stood in for its files.
            and not name.endswith(".json")
            and (self._changes.get(name) == "D" or (top / name).is_file())
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
                        path=self._shown(name),
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
        assert self._at_base is not None  # noqa: S101 - only then something is known to be gone
        old, was = self._at_base.migrations[name], self._content_then(name)
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
        assert self._at_base is not None  # noqa: S101 - as above
        migration = self.history.migrations[at]
        found = compare(migration, self._content_then(name), self._content_now(at))
        return Origin(
            base=str(self.base),
            commit=self.base.short,
            layout=self.history.layout,
            change=Change.RENAMED,
            was=self._shown(name),
            has_new_version=self._at_base.migrations[name].id != migration.id,
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
            name = self._names[at]
            path = PurePosixPath(name or "")
            old = f"{path.parent}/{path.name.partition('@')[0]}{path.suffix}"
            if "@" not in path.name or old not in self._then or old not in self._names:
                continue
            migration = self.history.migrations[at]
            if digests(migration, self._content_then(old)) == digests(migration, self._content_now(at)):
                origins[at] = self._origin(Change.UNCHANGED)
                origins[self._names.index(old)] = self._origin(Change.NEW)
        return origins

    # -- new files among the others ------------------------------------------------------------------------

    @cached_property
    def _new_at_tip(self) -> frozenset[str]:
        """The migrations that the branch has got since this one left it, and that are not here."""
        if self.base.tip == self.base.commit or not (self._files_at_tip.keys() - self._then.keys()):
            return frozenset()
        if self._at_tip is None:
            return frozenset()
        then = set(self._at_base.migrations if self._at_base is not None else ())
        return frozenset(
            name
            for name, one in self._at_tip.migrations.items()
            if name not in then and name not in self._names and not one.is_repeatable
        )

    @cached_property
    def _merged(self) -> _Then | None:
        """The history as merging would make it; None: nobody can tell before it is done."""
        if not self._new_at_tip or self.history.layout in _PLANNED:
            return None
        here = {
            name: self._content_now(at)
            for at, name in enumerate(self._names)
            if name and name not in self._then
        }
        gone = set(self._missing)
        files = {name: blob for name, blob in self._files_at_tip.items() if name not in gone}
        return self._history_at(self._with_configuration(self.base.tip, files), here)

    def _among_others(self, at: int, origin: Origin) -> Origin:
        """Return a new file's origin, with what stands beside it."""
        name = self._names[at]
        if name is None:
            return origin
        if self._merged is not None and name in self._merged.migrations:
            order = self._merged.names
            known = {one for one in order if one in self._then or one in self._new_at_tip}
            rivals = self._of_same_version(name, self._merged)
            after = order[order.index(name) + 1 :]
            is_repeatable = {one for one, it in self._merged.migrations.items() if it.is_repeatable}
        else:
            order = tuple(one or "" for one in self._names)
            known = {one for one in order if self._was_migration(one)}
            rivals = self._at_same_place(at)
            after = order[at + 1 :]
            is_repeatable = {
                order[number] for number, it in enumerate(self.history.migrations) if it.is_repeatable
            }
        later = [one for one in after if one in known and one not in is_repeatable and one not in rivals]
        return origin.beside(
            later=tuple(map(self._shown, later)), rivals=tuple(map(self._shown, rivals)), tip=self.base.ref
        )

    def _of_same_version(self, name: str, merged: _Then) -> list[str]:
        same = set(merged.migrations[name].same_version)
        return [
            one
            for one, it in merged.migrations.items()
            if one in self._new_at_tip and it.relative_path in same
        ]

    def _at_same_place(self, at: int) -> list[str]:
        """Return what stands at a file's place of the plan on the branch that it goes into."""
        if not self._new_at_tip or self._at_tip is None or at >= len(self._at_tip.names):
            return []
        other = self._at_tip.names[at]
        return [other] if other in self._new_at_tip else []


#: Files that have a folder of their own, with what belongs to them.
_ALONE = frozenset({"migration.sql", "up.sql"})
