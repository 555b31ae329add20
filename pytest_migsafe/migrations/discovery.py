"""Find the histories of a project: the folders that hold migrations."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from pytest_migsafe.migrations.layouts import LAYOUTS, FoundFile, Layout, Listing, layout_of, list_folder
from pytest_migsafe.migrations.model import History, Migration, TransactionMode

#: What runners call the folder; a folder that the user names may be called anything.
CONVENTIONAL_NAMES = frozenset({"migrations", "migration", "migrate"})
#: Folders that hold other people's code or built things.
_PASSED_OVER = frozenset(
    {"node_modules", "__pycache__", "build", "dist", "target", "vendor", "venv", "site-packages"}
)
#: How deep below a folder that is no history itself one is looked for.
_DEEPEST = 6

LAYOUT_NAMES = tuple(layout.name for layout in LAYOUTS)


def find_histories(
    project: Path,
    paths: Sequence[Path],
    *,
    layout: str | None = None,
    mode: TransactionMode | None = None,
) -> tuple[History, ...]:
    """Return the histories that the paths hold: each a folder of migrations, a file in one, or a folder above.

    ``layout`` names the layout instead of having it found; ``mode`` is the project's own transaction mode for
    files that do not opt out of a transaction themselves.
    """
    found: dict[Path, History] = {}
    for path in paths:
        for listing, files in _search(path, layout):
            found.setdefault(listing.folder, _history(project, listing, files[0], _with_mode(files[1], mode)))
    return tuple(found.values())


def _search(path: Path, layout: str | None) -> Iterator[tuple[Listing, tuple[Layout, tuple[FoundFile, ...]]]]:
    if path.is_file():
        # The file's folder, or the one above where a migration is a folder of its own (Diesel, Prisma).
        for folder in (path.parent, path.parent.parent):
            listing = list_folder(folder)
            files = layout_of(listing, layout)
            if files is not None and any(file.path == path for file in files[1]):
                yield listing, files
                return
    else:
        listing = list_folder(path)
        files = layout_of(listing, layout)
        if files is not None:
            yield listing, files
        else:
            yield from _search_below(listing, layout, _DEEPEST)


def _search_below(
    listing: Listing, layout: str | None, depth: int
) -> Iterator[tuple[Listing, tuple[Layout, tuple[FoundFile, ...]]]]:
    for name in listing.folders:
        if name in _PASSED_OVER:
            continue
        below = list_folder(listing.folder / name)
        if "pyvenv.cfg" in below.file_set:
            continue
        files = layout_of(below, layout) if name in CONVENTIONAL_NAMES else None
        if files is not None:
            yield below, files
        elif depth > 1:
            yield from _search_below(below, layout, depth - 1)


def _with_mode(files: tuple[FoundFile, ...], mode: TransactionMode | None) -> tuple[FoundFile, ...]:
    if mode is None:
        return files
    # A file's own opt-out (it runs without the transaction that its runner gives the others) stays.
    usual = Counter(file.mode for file in files).most_common(1)[0][0]
    return tuple(
        replace(file, mode=mode, mode_reason="transaction_mode in [tool.migsafe]")
        if file.mode is usual
        else file
        for file in files
    )


def _history(project: Path, listing: Listing, layout: Layout, files: tuple[FoundFile, ...]) -> History:
    versions = Counter(file.version for file in files)
    migrations = tuple(
        Migration(
            # Two files of one version are told apart by their names.
            id=file.version if versions[file.version] == 1 else _name(listing.folder, file.path),
            path=file.path,
            relative_path=_relative(project, file.path),
            mode=file.mode,
            mode_reason=file.mode_reason,
            down=file.down,
        )
        for file in files
    )
    known = {file.path for file in files} | {file.down for file in files}
    return History(
        root=listing.folder,
        relative_root=_relative(project, listing.folder),
        layout=layout.name,
        migrations=migrations,
        ignored=tuple(
            name for name in listing.files if name.endswith(".sql") and listing.folder / name not in known
        ),
    )


def _name(folder: Path, path: Path) -> str:
    return path.relative_to(folder).as_posix().removesuffix(".sql")


def _relative(project: Path, path: Path) -> str:
    try:
        return path.relative_to(project).as_posix()
    except ValueError:
        return path.as_posix()
