"""Which migrations a few words mean: a version, a file's name, its path, or a pattern of one of these."""

import difflib
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import PurePosixPath

from pytest_migsafe.errors import SelectionError
from pytest_migsafe.migrations.model import History, Migration

_PATTERN = frozenset("*?[")
#: How many names are listed for whoever named one that there is not.
_LISTED = 5


def positions_of(history: History, named: str | Migration) -> tuple[int, ...]:
    """Return the positions of the migrations that something names, in their order; none where it names none.

    A name without ``*``, ``?`` and ``[`` is a version (``0007``, and ``7`` too), a file's name, with its suffix or
    without, the name of a version's folder, or a path from the project's root; else it is a pattern of one of these, as a
    shell writes it.
    """
    if isinstance(named, Migration):
        return tuple(at for at, one in enumerate(history.migrations) if one.path == named.path)
    exact = [at for at, one in enumerate(history.migrations) if named in _names(history, one)]
    if not exact and named.isdecimal():
        exact = [at for at, one in enumerate(history.migrations) if _is_number(one.id, int(named))]
    if exact or not _PATTERN & set(named):
        return tuple(exact)
    return tuple(
        at
        for at, one in enumerate(history.migrations)
        if any(fnmatchcase(name, named) for name in _names(history, one))
    )


def position_of(history: History, named: str | Migration) -> int:
    """Return the position of the one migration that something names.

    Raises:
        SelectionError: there is none, or there are several.
    """
    __tracebackhide__ = True
    found = positions_of(history, named)
    if not found:
        raise SelectionError(nothing_named([history], shown(named)))
    if len(found) > 1:
        listed = ", ".join(history.migrations[at].path.name for at in found[:_LISTED])
        raise SelectionError(f"{shown(named)!r} names {len(found)} migrations ({listed}); name one of them")
    return found[0]


def nothing_named(histories: Sequence[History], named: str) -> str:
    """Return what is said of a name that no migration has: which is meant, or which there are."""
    where = ", ".join(history.relative_root for history in histories) or "the project"
    names = [
        name
        for history in histories
        for one in history.migrations
        for name in (one.id, one.path.name, one.relative_path)
    ]
    close = difflib.get_close_matches(named, names, n=1, cutoff=0.6)
    if close:
        hint = f"did you mean {close[0]!r}?"
    else:
        ids = [one.id for history in histories for one in history.migrations]
        hint = f"there are {_listed(ids)}"
    return f"there is no migration {named!r} in {where}; {hint}"


def shown(named: str | Migration) -> str:
    """Return what a migration was named by."""
    return named.relative_path if isinstance(named, Migration) else named


def _listed(ids: Sequence[str]) -> str:
    if len(ids) <= _LISTED:
        return ", ".join(ids) or "none"
    return f"{len(ids)}, from {ids[0]} to {ids[-1]}"


def _names(history: History, migration: Migration) -> Iterator[str]:
    path = PurePosixPath(migration.relative_path)
    yield from (migration.id, path.name, path.stem, migration.relative_path)
    if migration.path.parent != history.root:
        yield path.parent.name


def _is_number(version: str, number: int) -> bool:
    return version.isdecimal() and int(version) == number
