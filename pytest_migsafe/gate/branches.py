"""The new files of this working tree and of another branch, since the commit at which they went apart.

The other branch is not checked out: its files are written from git's store into a folder of ours, where they are read as
the project's own are, so that any layout works.
"""

import os
import shutil
import tempfile
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from functools import cached_property, partial
from pathlib import Path

from pytest_migsafe.errors import SettingsError
from pytest_migsafe.gate.files import CONFIGURATION
from pytest_migsafe.gate.git import SHORT, GitError, Repository
from pytest_migsafe.migrations.discovery import find_histories
from pytest_migsafe.migrations.model import (
    Direction,
    History,
    Migration,
    Reader,
    Runner,
    Script,
    TransactionMode,
)
from pytest_migsafe.migrations.source import SourceText
from pytest_migsafe.rehearsal.branches import Branch, Fork
from pytest_migsafe.settings import Settings

_DEEPER = (
    "fetch more of it: `git fetch --unshallow`; `fetch-depth: 0` of actions/checkout, GIT_DEPTH: 0 in GitLab"
)
#: The endings of migrations, and of what tells runners about them.
_OF_MIGRATIONS = (".ddl", ".pgsql", ".psql", *CONFIGURATION)
#: How this branch is called in messages.
HERE = "this branch"


@dataclass(frozen=True, slots=True, kw_only=True)
class Meeting:
    """Another branch, and the commit at which it and this one went apart."""

    repository: Repository
    #: What the user calls it.
    ref: str
    #: The ids of its newest commit, and of the common one.
    tip: str
    base: str

    @property
    def short(self) -> str:
        """The common commit as people name it."""
        return self.base[:SHORT]


def meeting(folder: Path, ref: str) -> Meeting:
    """Return where the branch that is checked out in a folder and another one went apart.

    Raises:
        SettingsError: there is no git, no such branch, or no common commit; the message says the way out.
    """
    try:
        repository = Repository.containing(folder)
    except GitError as error:
        raise SettingsError(f"--migsafe-merge: {error}") from error
    tip = repository.commit(ref)
    if tip is None:
        raise SettingsError(_unknown(repository, ref))
    if repository.commit("HEAD") is None:
        raise SettingsError(f"--migsafe-merge: {repository.top} has no commit yet; commit first")
    base = repository.merge_base("HEAD", tip)
    if base is None:
        raise SettingsError(_apart(repository, ref))
    return Meeting(repository=repository, ref=ref, tip=tip, base=base)


def _unknown(repository: Repository, ref: str) -> str:
    message = f"--migsafe-merge: there is no branch, tag or commit {ref!r} in {repository.top}"
    branch = ref.removeprefix("origin/")
    fetch = f"fetch it: `git fetch origin {branch}:refs/remotes/origin/{branch}`"
    if Path(ref).exists():
        return f"{message}; a path stands before the flag, or write --migsafe-merge=REF"
    if repository.is_shallow:
        return f"{message}, a shallow clone; {fetch}; or {_DEEPER}"
    names = repository.names
    close = [name for name in names if name.rpartition("/")[2] == ref] or get_close_matches(ref, names)
    return f"{message}; did you mean {close[0]!r}?" if close else f"{message}; {fetch}"


def _apart(repository: Repository, ref: str) -> str:
    if repository.is_shallow:
        return f"--migsafe-merge: where HEAD and {ref} went apart is not in this shallow clone; {_DEEPER}"
    return f"--migsafe-merge: HEAD and {ref} in {repository.top} have no commit in common"


@contextmanager
def read_branches(history: History, settings: Settings, where: Meeting) -> Iterator[Fork]:
    """Yield the new files of a history in the working tree and in another branch; theirs are there within the block.

    Raises:
        SettingsError: git does not give what is needed.
        MigrationReadError: a file that was edited cannot be read.
    """
    with tempfile.TemporaryDirectory(prefix="migsafe-merge-") as name:
        written = _Written(history, settings, where.repository, Path(name).resolve())
        base = written.at(where.base, "base")
        theirs = written.at(where.tip, "theirs", like=base)
        ours = _Side(history.root, history)
        yield _compared(where.ref, base, ours, theirs, written)


@dataclass(frozen=True)
class _Side:
    """A history as it is somewhere; None: there is none."""

    #: The folder that it lies in, or would.
    root: Path
    history: History | None
    #: The names of all that was written, with the ids of their contents.
    blobs: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def files(self) -> dict[str, Migration]:
        """The migrations in their order, by their paths from the history's folder."""
        found = self.history.migrations if self.history is not None else ()
        return {_from(self.root, one.path): one for one in found}

    def content(self, name: str) -> bytes:
        """Return what stands in a file, whichever line ends git has given it here."""
        return (self.root / name).read_bytes().replace(b"\r\n", b"\n")


def _from(folder: Path, path: Path) -> str:
    return os.path.relpath(path, folder).replace(os.sep, "/")


@dataclass(frozen=True)
class _Written:
    """Writes the files of commits, as far as a history needs them, each into a folder of its own."""

    history: History
    settings: Settings
    repository: Repository
    folder: Path

    def at(self, commit: str, name: str, *, like: "_Side | None" = None) -> _Side:
        """Return the history as it is at a commit; what it has in common with another side is not written again."""
        into = self.folder / name
        blobs = self._blobs(commit)
        same = {
            path: blob for path, blob in blobs.items() if like is not None and like.blobs.get(path) == blob
        }
        for path in same:
            (into / path).parent.mkdir(parents=True, exist_ok=True)
            (into / path).hardlink_to(self.folder / "base" / path)
        self.repository.write({path: blob for path, blob in blobs.items() if path not in same}, into)
        return replace(self.read(into), blobs=blobs)

    def _blobs(self, commit: str) -> dict[str, str]:
        blobs: dict[str, str] = {}
        for outside in self._outside:
            blobs |= self.repository.files_in(commit, outside)
        for inside in self._inside:
            files = self.repository.files(commit, inside)
            # A history right in the repository's top folder has the whole project below it.
            is_all = inside == ""
            blobs |= {
                path: blob for path, blob in files.items() if not is_all or path.endswith(_OF_MIGRATIONS)
            }
        return blobs

    def merged(self, ours: _Side, new: Collection[str]) -> _Side:
        """Return the history of both branches in one folder: theirs, with our new files."""
        into = self.folder / "merged"
        shutil.copytree(self.folder / "theirs", into, copy_function=os.link)
        for name in new:
            # Links to the project's own files would change what git knows of them.
            copy = into / self._name(ours.root) / name
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.unlink(missing_ok=True)  # it may be a link to theirs
            shutil.copyfile(ours.root / name, copy)
        return self.read(into)

    def read(self, top: Path) -> _Side:
        """Return the history as it is in a copy of the repository."""
        root = top / self._name(self.history.root)
        if not root.is_dir():
            return _Side(root, None)
        found = find_histories(
            top,
            [root],
            layout=self.history.layout,
            mode=TransactionMode(self.settings.transaction_mode) if self.settings.transaction_mode else None,
            placeholders=self.settings.placeholders,
        )
        history = next((one for one in found if one.root == root), None)
        return _Side(root, history and self._named(history))

    def _named(self, history: History) -> History:
        """Return a history whose files are called as in the project."""

        def called(file: Migration) -> str:
            return os.path.normpath(f"{self.history.relative_root}/{_from(history.root, file.path)}")

        renamed = (replace(file, relative_path=called(file)) for file in history.migrations)
        return replace(history, migrations=tuple(renamed))

    @property
    def _inside(self) -> list[str]:
        """The folders that hold migrations, with all that is below them."""
        outside = {path.parent for path in self.history.outside}
        return sorted({self._name(folder) for folder in (self.history.root, *outside)})

    @property
    def _outside(self) -> list[str]:
        """The folders above, where runners have their configuration."""
        within = {self.repository.name(one) for one in self.history.root.resolve().parents}
        return sorted(name for name in within if name is not None)

    def _name(self, folder: Path) -> str:
        name = self.repository.name(folder.resolve())
        if name is None:
            raise SettingsError(f"--migsafe-merge: {folder} is not in the repository {self.repository.top}")
        return name


def _compared(ref: str, base: _Side, ours: _Side, theirs: _Side, written: _Written) -> Fork:
    here, there = _News.of(base, ours), _News.of(base, theirs)
    both = here.new.keys() & there.new.keys()
    shared = {name for name in both if ours.content(name) == theirs.content(name)}
    edited = {name for name in here.edited & there.edited if ours.content(name) != theirs.content(name)}
    # To a file of changesets both can add; one that is run whenever it has changed has one content.
    edited |= {name for name in both - shared if name in base.files and here.new[name].is_repeatable}
    news = {**there.new, **here.new}
    is_tried = bool(here.new and there.new)
    order = list(written.merged(ours, here.new).files) if is_tried else []
    is_known = news.keys() <= set(order) and both == shared
    prefix = {name: file.relative_path for name, file in {**base.files, **ours.files, **news}.items()}
    return Fork(
        base=tuple(base.files.values()),
        ours=Branch(name=HERE, files=tuple(here.new.values())),
        theirs=Branch(name=ref, files=tuple(there.new.values())),
        shared=frozenset(there.new[name].relative_path for name in shared),
        merged=tuple(news[name] for name in order if name in news) if is_known else (),
        edited_by_both=tuple(prefix[name] for name in sorted(edited)),
        added_by_both=tuple(prefix[name] for name in sorted(both - shared - base.files.keys())),
        same_version=tuple(_same_versions(here.new, there.new)),
        refuses_duplicates=theirs.history is not None and theirs.history.refuses_duplicates,
    )


@dataclass
class _News:
    """What one side has beyond the common commit."""

    new: dict[str, Migration] = field(default_factory=dict)
    #: Files that others may have applied already.
    edited: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, base: _Side, side: _Side) -> "_News":
        found = cls()
        known, there = base.files, side.files
        gone = {base.content(name) for name in known.keys() - there.keys()}
        again: dict[str, Migration] = {}
        for name, file in there.items():
            if name not in known:
                # A file that was renamed is none that has to be applied.
                if side.content(name) not in gone:
                    found.new[name] = file
            elif side.content(name) != base.content(name):
                if file.is_repeatable:
                    again[name] = file
                elif (added := _added(known[name], file)) is not None:
                    found.new[name] = added
                else:
                    found.edited.add(name)
        found.new |= again
        return found


def _added(before: Migration, after: Migration) -> Migration | None:
    """Return what is new of a file to which its runner lets one add (a changelog of Liquibase); None: nothing is.

    Raises:
        MigrationReadError: it cannot be read.
    """
    known = {unit.name for unit in before.read().units}
    if "" in known or not {unit.name for unit in after.read().units} - known:
        return None
    return replace(after, reader=partial(_only_new, after.reader, frozenset(known)))


def _only_new(
    reader: Reader, known: frozenset[str], source: SourceText, runner: Runner, direction: Direction
) -> Script:
    script = reader(source, runner, direction)
    return replace(script, units=tuple(unit for unit in script.units if unit.name not in known))


def _same_versions(
    ours: Mapping[str, Migration], theirs: Mapping[str, Migration]
) -> Iterator[tuple[str, str]]:
    for name, one in ours.items():
        for other_name, other in theirs.items():
            if name != other_name and one.id == other.id:
                yield one.relative_path, other.relative_path
