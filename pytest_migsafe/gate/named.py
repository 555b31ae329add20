"""Which migrations the project's settings and the command line name: the files to judge, and those that are left alone."""

import difflib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_migsafe.errors import SettingsError
from pytest_migsafe.migrations.model import History, Migration
from pytest_migsafe.migrations.selection import nothing_named, positions_of
from pytest_migsafe.settings import Settings


@dataclass(frozen=True, slots=True)
class Named:
    """What ``--migsafe-only`` names."""

    #: The positions of the migrations, of each history.
    positions: tuple[frozenset[int], ...]
    #: Files that belong to no migration, as given.
    others: tuple[str, ...]


def named_files(histories: Sequence[History], only: Sequence[str], directory: Path) -> Named:
    """Return which migrations ``--migsafe-only`` names, from a folder.

    Raises:
        SettingsError: there is no such file.
    """
    owners = [_owners(history) for history in histories]
    found: list[set[int]] = [set() for _ in histories]
    others = []
    for given in only:
        path = Path(os.path.abspath(directory / given))  # noqa: PTH100 - as pytest does it: links stay
        keys = {path, Path(os.path.realpath(path))}
        at = [
            (number, position)
            for number, one in enumerate(owners)
            for key in keys
            for position in one.get(key, ())
        ]
        for number, position in at:
            found[number].add(position)
        if not at:
            _refuse_unknown(given, path, histories)
            others.append(given)
    return Named(tuple(frozenset(one) for one in found), tuple(others))


def _owners(history: History) -> dict[Path, list[int]]:
    """Return the positions of migrations by the files that belong to them."""
    owners: dict[Path, list[int]] = {}
    for position, migration in enumerate(history.migrations):
        for path in _files_of(migration):
            owners.setdefault(path, []).append(position)
            owners.setdefault(Path(os.path.realpath(path)), []).append(position)
    return owners


def _files_of(migration: Migration) -> Iterator[Path]:
    yield migration.path
    if migration.down is not None:
        yield migration.down
    yield migration.path.parent / "metadata.toml"


def _refuse_unknown(given: str, path: Path, histories: Sequence[History]) -> None:
    """See that a file that is no migration is at least a file; which files changed is not ours to choose."""
    if path.is_dir():
        raise SettingsError(
            f"--migsafe-only: {given} is a folder; name files, and put paths for pytest before --migsafe-only"
        )
    # What a commit deletes is listed by some tools, too.
    if not path.exists() and not any(path.is_relative_to(history.root) for history in histories):
        names = [os.path.relpath(one.path, path.parent) for it in histories for one in it.migrations]
        close = difflib.get_close_matches(path.name, names, n=1) or difflib.get_close_matches(
            path.name,
            [name.rpartition("/")[2] for name in names],
            n=1,
        )
        meant = f"; did you mean {close[0]!r}?" if close else ""
        raise SettingsError(f"--migsafe-only: there is no file {given}{meant}")


def after_baselines(histories: Sequence[History], settings: Sequence[Settings]) -> tuple[int, ...]:
    """Return the positions after the baselines; one that stands above several histories is that of those that have it.

    Raises:
        SettingsError: none has.
    """
    ends = [
        max(positions_of(history, one.baseline), default=-1) + 1 if one.baseline is not None else 0
        for history, one in zip(histories, settings, strict=True)
    ]
    for baseline in dict.fromkeys(one.baseline for one in settings):
        those = [at for at, one in enumerate(settings) if one.baseline == baseline]
        if baseline is not None and not any(ends[at] for at in those):
            unknown = nothing_named([histories[at] for at in those], baseline)
            raise SettingsError(f"pyproject.toml, [tool.migsafe] baseline: {unknown}")
    return tuple(ends)
