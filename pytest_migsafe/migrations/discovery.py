"""Find the histories of a project: the folders that hold migrations."""

import os
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile
from pathlib import Path

from pytest_migsafe.migrations.layouts import (
    LAYOUTS,
    OTHER_DATABASES,
    FoundFile,
    Layout,
    Listing,
    layout_of,
    list_folder,
)
from pytest_migsafe.migrations.model import History, Manner, Migration, Remark, Runner, TransactionMode
from pytest_migsafe.migrations.remarks import remarks_on

#: What runners call the folder; a folder that the user names may be called anything.
CONVENTIONAL_NAMES = frozenset({"migrations", "migration", "migrate"})
#: What a project for several databases calls PostgreSQL's part of it: ``migrations/postgres``, beside ``mysql``.
_POSTGRESQL = frozenset({"postgres", "postgresql", "pg", "pgsql", "psql"})
#: How deep below a folder that is no history itself one is looked for.
_DEEPEST = 8
#: How far above a file its history is looked for.
_ABOVE = 4

LAYOUT_NAMES = tuple(layout.name for layout in LAYOUTS)


@dataclass(frozen=True, slots=True)
class Discovered:
    """What a search came upon."""

    histories: tuple[History, ...]
    #: SQL files in folders that are called like a runner's, or were named, and that fit no layout.
    unfit: tuple[Path, ...] = ()


def find_histories(
    project: Path,
    paths: Sequence[Path],
    *,
    layout: str | None = None,
    mode: TransactionMode | None = None,
    placeholders: Mapping[str, str] | None = None,
) -> tuple[History, ...]:
    """Return the histories of ``discover``, which has the same parameters."""
    return discover(project, paths, layout=layout, mode=mode, placeholders=placeholders).histories


def discover(
    project: Path,
    paths: Sequence[Path],
    *,
    layout: str | None = None,
    mode: TransactionMode | None = None,
    placeholders: Mapping[str, str] | None = None,
) -> Discovered:
    """Return the histories that the paths hold: each a folder of migrations, a file in one, or a folder above.

    ``layout`` names the layout instead of having it found; ``mode`` is the project's own transaction mode for
    files that do not opt out of a transaction themselves; ``placeholders`` are the values of ``${name}``.
    """
    found: dict[Path, History] = {}
    unfit: list[Listing] = []
    for path in paths:
        for one in _search(project, path, layout, unfit):
            if one.listing.folder not in found:
                usual = one.layout.manner
                if mode is not None:
                    usual = Manner(mode, "transaction_mode in [tool.migsafe]")
                runner = Runner(
                    usual=usual,
                    placeholders=placeholders or {},
                    session_per_file=one.layout.session_per_file,
                )
                found[one.listing.folder] = _history(project, one, runner)
    unfit_files = {
        folder.folder / name: None for folder in unfit for name in folder.files if name.endswith(".sql")
    }
    return Discovered(tuple(found.values()), tuple(unfit_files))


@dataclass(frozen=True)
class _Found:
    """A folder that holds migrations."""

    listing: Listing
    layout: Layout
    files: tuple[FoundFile, ...]
    #: The folders that other databases have beside PostgreSQL's, met on the search.
    passed_over: tuple[Path, ...] = ()


def _read(listing: Listing, layout: str | None) -> _Found | None:
    if not os.access(listing.folder, os.X_OK):
        return None  # whoever looks for a file in it is told that he may not, not that there is none
    found = layout_of(listing, layout)
    return None if found is None else _Found(listing, *found)


def _search(project: Path, path: Path, layout: str | None, unfit: list[Listing]) -> Iterator[_Found]:
    """Yield the histories that a path holds; folders that look like one and are none are put on the list."""
    if path.is_file():
        yield from _owners(project, path, layout)[-1:]
        return
    listing = list_folder(path)
    if found := _read(listing, layout):
        yield found
        yield from _inside(found, found.listing, _DEEPEST)
        return
    if any(name.endswith(".sql") for name in listing.files):
        # Perhaps the folder of one migration.
        found = _read(list_folder(path.parent), layout)
        if found is not None and any(file.path.parent == path for file in found.files):
            yield found
            return
    search = _Search(os.path.realpath(path), layout)
    below = tuple(search.below(listing, _DEEPEST))
    yield from _for_postgresql(path, below)
    if not below or path.name in CONVENTIONAL_NAMES:
        unfit.append(listing)
    unfit += search.unfit


def _for_postgresql(top: Path, found: Sequence[_Found]) -> Iterator[_Found]:
    """Yield what a search has found, but for the folders that other databases have beside PostgreSQL's."""
    below = {one.listing.folder: one.listing.folder.relative_to(top).parts for one in found}
    beside = {names[:at] for names in below.values() for at in _places_of(_POSTGRESQL, names)}
    others = {
        folder
        for folder, names in below.items()
        if any(names[:at] in beside for at in _places_of(OTHER_DATABASES, names))
    }
    ours = [one for one in found if one.listing.folder not in others]
    for number, one in enumerate(ours):
        yield one if number else replace(one, passed_over=tuple(sorted(others)))


def _places_of(databases: Collection[str], names: Sequence[str]) -> Iterator[int]:
    return (at for at, name in enumerate(names) if name.lower() in databases)


def _owners(project: Path, file: Path, layout: str | None) -> list[_Found]:
    """Return the histories that have a file, from its own folder upwards.

    The last is the whole one: a migration may be a folder of its own (Diesel, Prisma), or lie in a folder of the
    history (Sqitch, Flyway, folders called after versions).
    """
    folders = takewhile(lambda folder: folder != project.parent, file.parents[:_ABOVE])
    above = (_read(list_folder(folder), layout) for folder in folders)
    return [found for found in above if found is not None and any(one.path == file for one in found.files)]


def _may_be_history(name: str, folder: Listing) -> bool:
    return (
        name in CONVENTIONAL_NAMES
        or (name in _POSTGRESQL and folder.folder.parent.name in CONVENTIONAL_NAMES)
        or any(layout.is_marked(folder) for layout in LAYOUTS)
    )


def _inside(outer: _Found, listing: Listing, depth: int) -> Iterator[_Found]:
    """Yield the histories inside another one's folder, where its runner has some there: all are its own."""
    if not outer.layout.is_nested or depth < 1:
        return
    for name in listing.folders:
        if name in listing.links or listing.holds_others_code(name):
            continue
        folder = listing.below(name)
        if outer.layout.is_marked(folder) and (found := _read(folder, outer.layout.name)):
            yield found
        yield from _inside(outer, folder, depth - 1)


class _Search:
    """A search below a folder that is no history itself; each folder is looked at once."""

    def __init__(self, top: str, layout: str | None) -> None:
        self._layout = layout
        self._seen = [top]
        #: Folders that are called like a runner's, and that fit no layout.
        self.unfit: list[Listing] = []

    def below(self, listing: Listing, depth: int) -> Iterator[_Found]:
        for name in listing.folders:
            if listing.holds_others_code(name):
                continue
            folder = listing.below(name)
            is_repeated = name in listing.links and self._is_seen(folder.folder)
            if is_repeated and _may_be_history(folder.folder.resolve().name, folder):
                continue
            found = _read(folder, self._layout) if _may_be_history(name, folder) else None
            if found is not None:
                yield found
                yield from _inside(found, folder, depth)
                continue
            if name in CONVENTIONAL_NAMES:
                self.unfit.append(folder)
            if depth > 1 and not is_repeated:
                yield from self.below(folder, depth - 1)

    def _is_seen(self, link: Path) -> bool:
        """Whether a link leads to where the search comes by, or has been already."""
        target = os.path.realpath(link)
        if any(target == seen or target.startswith(seen + os.sep) for seen in self._seen):
            return True
        self._seen.append(target)
        return False


def _history(project: Path, found: _Found, runner: Runner) -> History:
    root = found.listing.folder
    relative_root = _relative(project, root)
    prefix = "" if relative_root == "." else f"{relative_root.rstrip('/')}/"
    named = {
        # Sqitch's scripts may lie elsewhere, Supabase's seeds do.
        file.path: prefix + _name(root, file.path)
        if _is_below(root, file.path)
        else _relative(project, file.path)
        for file in found.files
    }
    by_version = defaultdict(list)
    for file in found.files:
        by_version[file.version].append(named[file.path])
    migrations = tuple(
        Migration(
            # Two files of one version are told apart by their names.
            id=file.version
            if len(by_version[file.version]) == 1
            else named[file.path].removeprefix(prefix).removesuffix(".sql"),
            path=file.path,
            relative_path=named[file.path],
            # A file's own opt-out (it runs without the transaction that its runner gives the others) stays.
            runner=replace(runner, usual=file.manner) if file.manner is not None else runner,
            reader=file.reader or found.layout.reader,
            down=file.down,
            encoding=file.encoding,
            same_version=tuple(one for one in by_version[file.version] if one != named[file.path]),
            is_repeatable=file.is_repeatable,
        )
        for file in found.files
    )
    return History(
        root=root,
        relative_root=relative_root,
        layout=found.layout.name,
        migrations=migrations,
        refuses_duplicates=found.layout.refuses_duplicates,
        remarks=(
            *remarks_on(found.listing, found.layout, found.files),
            *(
                Remark(
                    "", f"{_relative(project, folder)} is another database's by its name, so not rehearsed"
                )
                for folder in found.passed_over
            ),
        ),
    )


def _is_below(folder: Path, path: Path) -> bool:
    # Path.relative_to costs more than reading the folder, for each of thousands of files.
    return str(path).startswith(f"{folder}{os.sep}")


def _name(folder: Path, path: Path) -> str:
    return str(path)[len(str(folder)) :].replace(os.sep, "/").lstrip("/")


def _relative(project: Path, path: Path) -> str:
    try:
        return path.relative_to(project).as_posix()
    except ValueError:
        return path.as_posix()
