"""A history's files as git has them: how they are called, what stood in them at a commit, and which history they made."""

import os
import tempfile
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path, PurePosixPath

from pytest_migsafe.errors import MigsafeError
from pytest_migsafe.gate.base import Base
from pytest_migsafe.migrations.discovery import discover
from pytest_migsafe.migrations.model import History, Migration

#: Files beside a history in which a runner may be configured, by their endings.
CONFIGURATION = (".conf", ".json", ".plan", ".properties", ".sql", ".toml", ".xml", ".yaml", ".yml")


@dataclass(frozen=True)
class Then:
    """A history as it was at a commit: its files' names as git has them, in order, by migration."""

    migrations: Mapping[str, Migration]

    @property
    def names(self) -> tuple[str, ...]:
        """The files' names in the history's order."""
        return tuple(self.migrations)


@dataclass
class HistoryFiles:
    """The files of a history beside a base; all names are relative to the repository's top."""

    history: History
    base: Base
    _contents: dict[str, bytes] = field(default_factory=dict)
    #: What git calls a file "x" in a folder; empty: it is outside of the repository.
    _folder_names: dict[Path, str | None] = field(default_factory=dict)

    # -- names ---------------------------------------------------------------------------------------------

    @cached_property
    def root(self) -> str:
        """The history's folder; empty: the repository's top."""
        return self.base.repository.name(Path(os.path.realpath(self.history.root))) or ""

    @cached_property
    def _folders(self) -> tuple[str, ...]:
        """The folders whose files are compared: the history's, and those of its files elsewhere."""
        outside = {self.base.repository.name(path.parent) for path in self.history.outside}
        return tuple(sorted({self.root, *(name for name in outside if name)}))

    @cached_property
    def names(self) -> tuple[str | None, ...]:
        """The migrations' names as git has them, by their positions; None: outside of the repository."""
        return tuple(self.name(one.path) for one in self.history.migrations)

    def name(self, path: Path) -> str | None:
        """Return a file's name as ``Repository.name`` does; a folder's links are followed once, not for each file."""
        folder = self._folder_names.setdefault(path.parent, None)
        if folder is None:
            real = Path(os.path.realpath(path.parent))
            folder = self._folder_names[path.parent] = self.base.repository.name(real / "x") or ""
        return f"{folder[:-1]}{path.name}" if folder else None

    def shown(self, name: str) -> str:
        """Return a file's name at another commit, as the project's files are named."""
        root = self.history.relative_root
        below = name.removeprefix(f"{self.root}/") if self.root else name
        if self.root and below == name:
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
    def at_base(self) -> Mapping[str, str]:
        """The files below the folders at the base, with the ids of their contents."""
        return self._files(self.base.commit)

    @cached_property
    def at_tip(self) -> Mapping[str, str]:
        """The same at the newest commit of the branch that this one goes into."""
        return self._files(self.base.tip)

    def _files(self, commit: str) -> dict[str, str]:
        """Return the files below the folders at a commit, as they are called since these were moved."""
        repository = self.base.repository
        found = {
            name: blob for folder in self._folders for name, blob in repository.files(commit, folder).items()
        }
        if self._came_from is not None and not any(name.startswith(f"{self.root}/") for name in found):
            moved = repository.files(commit, self._came_from)
            cut = len(self._came_from) + 1 if self._came_from else 0
            found |= {f"{self.root}/{name[cut:]}": blob for name, blob in moved.items()}
        return found

    @cached_property
    def _came_from(self) -> str | None:
        """The folder that the history's was at the base, when it was moved since; None: it was where it is, or not at all."""
        repository = self.base.repository
        if not self.root or repository.files(self.base.commit, self.root):
            return None
        below = [
            name[len(self.root) + 1 :] for name in self.names if name and name.startswith(f"{self.root}/")
        ]
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
    def changes(self) -> Mapping[str, str]:
        """What differs in the working tree: a letter by the file's name."""
        if self._came_from is not None:
            return dict(self._changes_of_moved())
        folders = () if "" in self._folders else self._folders
        names = {self.name_of_target(one.path) for one in self.history.migrations if one.path.is_symlink()}
        within = (*folders, *sorted(name for name in names if name)) if folders else ()
        return {one.name: one.status for one in self.base.repository.changes(self.base.commit, within)}

    @cached_property
    def changed_folders(self) -> frozenset[str]:
        """The folders in which, or below which, something differs."""
        return frozenset(str(folder) for name in self.changes for folder in PurePosixPath(name).parents)

    def _changes_of_moved(self) -> Iterator[tuple[str, str]]:
        """Yield what differs besides that it lies elsewhere, which is all that git would see."""
        contents = self.base.repository.contents(list(self.at_base.values()))
        for name, blob in self.at_base.items():
            path = self.base.repository.top / name
            if not path.is_file():
                yield name, "D"
            elif path.read_bytes().replace(b"\r\n", b"\n") != contents[blob].replace(b"\r\n", b"\n"):
                yield name, "M"

    def name_of_target(self, link: Path) -> str | None:
        """Return the name of the file that a link leads to; None: it is outside of the repository."""
        return self.base.repository.name(Path(os.path.realpath(link)))

    @cached_property
    def has_changed(self) -> bool:
        """Whether anything is otherwise than at the base, here or on the branch that this one goes into."""
        if self.changes or any(name not in self.at_base for name in self.names):
            return True
        return self.base.tip != self.base.commit and self.at_tip != self.at_base

    def content_at_base(self, name: str) -> bytes:
        """Return what stood in a file at the base; nothing, where there was none."""
        if name not in self._contents:
            blob = self.at_base.get(name, f"{self.base.commit}:{name}")
            self._contents[name] = self.base.repository.contents([blob]).get(blob, b"")
        return self._contents[name]

    # -- histories -----------------------------------------------------------------------------------------

    @cached_property
    def history_at_base(self) -> Then | None:
        """The history as it was at the base; None: there was none, or it cannot be read."""
        return self._history_at(self._with_configuration(self.base.commit, self.at_base))

    @cached_property
    def history_at_tip(self) -> Then | None:
        """The history of the branch that this one goes into."""
        if self.base.tip == self.base.commit:
            return self.history_at_base
        return self._history_at(self._with_configuration(self.base.tip, self.at_tip))

    def history_after_merging(self, new: Mapping[str, bytes], *, without: Collection[str]) -> Then | None:
        """Return the history of that branch with new files in it, given what stands in them, and without others."""
        files = {name: blob for name, blob in self.at_tip.items() if name not in without}
        return self._history_at(self._with_configuration(self.base.tip, files), new)

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
            if name.endswith(CONFIGURATION)
        }
        return beside | dict(files)

    def _history_at(self, blobs: Mapping[str, str], new: Mapping[str, bytes] | None = None) -> Then | None:
        """Return the history that some files make, with some more; None where they make none."""
        with tempfile.TemporaryDirectory(prefix="migsafe-") as folder:
            # Layouts look at what lies above; nothing of ours does.
            top = Path(os.path.realpath(folder)) / "top"
            top.mkdir()
            self.base.repository.write(blobs, top)
            for name, content in (new or {}).items():
                (top / name).parent.mkdir(parents=True, exist_ok=True)
                (top / name).write_bytes(content)
            root = top / self.root
            if not root.is_dir():
                return None
            try:
                found = discover(top, [root], layout=self.history.layout).histories
            except MigsafeError:
                return None  # a plan of then that cannot be read, for example
            return next(
                (
                    Then({path.relative_to(top).as_posix(): one.migrations[at] for path, at in ordered})
                    for one in found
                    if one.root == root
                    for ordered in [sorted(one.positions.items(), key=lambda item: item[1])]
                ),
                None,
            )
