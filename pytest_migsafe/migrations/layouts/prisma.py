"""Prisma: a folder ``<timestamp>_<name>`` a migration, with ``migration.sql``.

The order is that of the folders' names, and what Prisma records is the whole name (``migration_name`` in
``_prisma_migrations``): two folders of one timestamp are two migrations, as any others.
Prisma opens no transaction (its documentation, "Customizing migrations"). Up to 7.3 it sends the file as one query (its
schema engine's ``raw_cmd``); from 7.4 on statement by statement, if its own parser can read them all (prisma-engines,
pull request 5767), which it cannot where DROP INDEX CONCURRENTLY stands (5847). ``package.json`` tells the version.
``down.sql`` is a project's own
("Generating down migrations"); ``migration_lock.toml`` names the database that the files are for.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pytest_migsafe.migrations.layouts.base import FoundFile, Layout, Listing, in_order, refusing
from pytest_migsafe.migrations.model import (
    Direction,
    Manner,
    Reader,
    Remark,
    Runner,
    Script,
    TransactionMode,
)
from pytest_migsafe.migrations.source import SourceText

_LOCK = "migration_lock.toml"
_PROVIDER = re.compile(r"^[^\S\n]*provider\s*=\s*[\"']([^\"']*)", re.MULTILINE)
#: CockroachDB's are near enough to be tried.
_PROVIDERS = ("postgresql", "postgres", "cockroachdb")


def read(listing: Listing) -> tuple[FoundFile, ...]:
    """Return the ``migration.sql`` of every folder."""
    reader = _refusing_other(listing) or _splitting(listing)
    found = []
    for name in listing.folders:
        migration = listing.below(name)
        if "migration.sql" in migration.file_set:
            found.append(
                FoundFile(
                    order=(name,),
                    version=name,
                    path=migration.folder / "migration.sql",
                    down=migration.file("down.sql"),
                    reader=reader,
                )
            )
    return in_order(found)


def _refusing_other(listing: Listing) -> Reader | None:
    provider = _PROVIDER.search(listing.beginning(_LOCK)) if _LOCK in listing.file_set else None
    if provider is None or provider[1] in _PROVIDERS:
        return None
    return refusing(
        f'{_LOCK} says provider = "{provider[1]}": these migrations are not for PostgreSQL; '
        "name the folders of those that are in [tool.migsafe] migrations"
    )


_USUAL = Manner(
    TransactionMode.SINGLE_QUERY,
    "Prisma before 7.4 sends the file as one query and opens no transaction; no package.json asks for a newer one",
)
#: The first version that sends statement by statement.
_SPLITS = (7, 4)
#: How far above the migrations a package that says its version is looked for.
_ABOVE = 5
_DEPENDENCIES = ("dependencies", "devDependencies")
_PACKAGES = ("prisma", "@prisma/client")
_RANGE = re.compile(r"(?P<range>\^|~|>=)?\s*v?(?P<major>\d+)(?:\.(?P<minor>\d+))?")


@dataclass(frozen=True, slots=True)
class _Splitting:
    """The reader of a project whose Prisma sends statement by statement."""

    #: What package.json says.
    version: str

    def __call__(self, source: SourceText, runner: Runner, direction: Direction) -> Script:  # noqa: ARG002
        # Another manner is the project's own setting.
        if runner.usual != _USUAL:
            return Script.whole(source, runner.usual)
        if _UNREADABLE.search(source.text):
            reason = "Prisma sends the file as one query, for its parser cannot read DROP INDEX CONCURRENTLY"
            return Script.whole(source, Manner(TransactionMode.SINGLE_QUERY, reason))
        reason = f"Prisma sends the statements one by one since 7.4 (package.json: {self.version})"
        return Script.whole(source, Manner(TransactionMode.AUTOCOMMIT, reason))


#: What Prisma's parser cannot read, so that the file remains one query.
_UNREADABLE = re.compile(r"\bDROP\s+INDEX\s+CONCURRENTLY\b", re.IGNORECASE)


def _splitting(listing: Listing) -> Reader | None:
    version = next(_versions(listing.folder), "")
    return _Splitting(version) if _newest(version) >= _SPLITS else None


def _versions(folder: Path) -> Iterator[str]:
    """Yield which Prisma the packages above a folder ask for, the nearest first."""
    for above in folder.parents[:_ABOVE]:
        try:
            package = json.loads((above / "package.json").read_bytes())
        except (OSError, ValueError, RecursionError):
            continue
        kinds = (package.get(kind) for kind in _DEPENDENCIES) if isinstance(package, dict) else ()
        asked = [kind.get(name) for kind in kinds if isinstance(kind, dict) for name in _PACKAGES]
        yield from (version for version in asked if isinstance(version, str))


def _newest(version: str) -> tuple[float, float]:
    """Return the newest major and minor version that npm takes for what is asked; zero where it cannot be told."""
    found = _RANGE.match(version)
    if found is None:
        return (0, 0)
    if found["range"] == ">=":
        return (float("inf"), 0)
    is_open = found["range"] == "^" or found["minor"] is None
    return (int(found["major"]), float("inf") if is_open else int(found["minor"]))


def remarks(listing: Listing, found: tuple[FoundFile, ...]) -> tuple[Remark, ...]:  # noqa: ARG001
    """Return the folders at which Prisma would end."""
    return tuple(
        Remark(f"{name}/", "without migration.sql, at which Prisma ends with error P3015")
        for name in listing.folders
        if "migration.sql" not in listing.below(name).file_set
    )


LAYOUT = Layout(
    name="prisma",
    files="`<timestamp>_<name>/migration.sql`",
    order="the folders' names, as text",
    transactions="the file is one simple query; each statement alone if a `package.json` above asks for Prisma 7.4 or newer",
    down="`down.sql` in the folder",
    detected_by="the names, or `migration_lock.toml`",
    manner=_USUAL,
    read=read,
    is_marked=lambda listing: _LOCK in listing.file_set,
    remarks=remarks,
)
