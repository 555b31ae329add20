"""Liquibase: files of formatted SQL in the order of a root changelog, or else of their paths, as ``includeAll`` has them.

Facts: see ``liquibase_sql`` for the files and ``liquibase_changelog`` for the changelogs. A changeset is what Liquibase runs in
a transaction; a file may have several. A file of plain SQL that is included is one changeset.
"""

import os
import re
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

from pytest_migsafe.migrations.layouts.base import FoundFile, Layout, Listing, first_file_has
from pytest_migsafe.migrations.layouts.liquibase_changelog import Changelog, IncludedFile, read_changelog
from pytest_migsafe.migrations.layouts.liquibase_sql import HEADER, read_formatted, read_raw
from pytest_migsafe.migrations.model import Direction, Manner, Remark, Runner, Script, TransactionMode
from pytest_migsafe.migrations.source import SourceText

#: What a root changelog is called: db.changelog-master.yaml, changelog.xml, master.xml, changelog-root.json, ...
_ROOT = re.compile(
    r"(?:(?:db[._-])?changelog(?:[._-](?:master|root|main))?|(?:db[._-])?(?:master|root)(?:[._-]changelog)?)"
    r"\.(?:xml|json|ya?ml|sql)",
    re.IGNORECASE,
)
#: Folders of changelogs, by their names.
_CONVENTIONAL = frozenset({"changelog", "changelogs", "liquibase"})
#: Folders that are searched to the bottom without a root changelog; a project's root must not be.
_SEARCHED = _CONVENTIONAL | {"migration", "migrations", "migrate", "changes", "changesets"}
#: Enough for any folder of changelogs; links may lead from one to another in a circle.
_DEEPEST = 8


def _root(listing: Listing) -> str | None:
    # `db.changelog-master.xml` before `changelog.xml`: the longer name says more.
    named = [name for name in listing.files if _ROOT.fullmatch(name) and _is_changelog(listing, name)]
    return max(named, key=len, default=None)


def _is_changelog(listing: Listing, name: str) -> bool:
    # A project's own list of changes may be called changelog.yml, too.
    text = listing.beginning(name)
    return _is_formatted(text) if name.endswith(".sql") else "databaseChangeLog" in text


#: With Liquibase both ways stand in one file.
_has_formatted_sql = first_file_has(HEADER)


def _is_formatted(text: str) -> bool:
    return HEADER.match(text) is not None


def is_detected_in(listing: Listing) -> bool:
    """Whether a folder has a root changelog, or its first SQL file is formatted for Liquibase."""
    return _root(listing) is not None or _has_formatted_sql(listing)


def is_marked(listing: Listing) -> bool:
    """Whether a folder is Liquibase's whatever it is called."""
    if _root(listing) is not None:
        return True
    return listing.folder.name.lower() in _CONVENTIONAL and _has_formatted_sql(listing)


def read(listing: Listing) -> tuple[FoundFile, ...]:
    """Return the files of SQL in the order in which Liquibase runs them.

    Raises:
        SettingsError: a changelog cannot be read, or a file that it includes is not there.
    """
    changelog = _changelog(listing)
    return tuple(
        FoundFile(
            order=(at,),
            version=_relative(listing, one.path).removesuffix(".sql"),
            path=one.path,
            down=one.path if one.attributes is None else None,
            encoding=(one.attributes or {}).get("encoding", "utf-8"),
            reader=partial(read_file, parameters=changelog.parameters, attributes=one.attributes),
        )
        for at, one in enumerate(changelog.files)
    )


def _changelog(listing: Listing) -> Changelog:
    root = _root(listing)
    if root is not None:
        return read_changelog(listing.folder / root)
    files = sorted(_sql_files(listing), key=lambda path: path.as_posix())
    return Changelog([IncludedFile(path) for path in files])


def _sql_files(listing: Listing) -> Iterator[Path]:
    yield from (listing.folder / name for name in listing.files if name.endswith(".sql"))
    for name in listing.folders if listing.folder.name.lower() in _SEARCHED else ():
        if not listing.leads_back(name):
            yield from _all_sql_files(listing.below(name), _DEEPEST)


def _all_sql_files(listing: Listing, depth: int) -> Iterator[Path]:
    yield from (listing.folder / name for name in listing.files if name.endswith(".sql"))
    for name in listing.folders if depth else ():
        if not listing.leads_back(name):
            yield from _all_sql_files(listing.below(name), depth - 1)


def _relative(listing: Listing, path: Path) -> str:
    return os.path.relpath(path, listing.folder).replace(os.sep, "/")


def read_file(
    source: SourceText,
    runner: Runner,
    direction: Direction,
    *,
    parameters: Mapping[str, str] | None = None,
    attributes: Mapping[str, str] | None = None,
) -> Script:
    """Read a file of changesets, or of plain SQL.

    Raises:
        MigrationReadError: Liquibase would refuse the file.
    """
    if attributes is None and _is_formatted(source.text):
        return read_formatted(source, runner, direction, parameters=parameters)
    return read_raw(source, runner, direction, attributes=attributes, parameters=parameters)


def remarks(listing: Listing, found: tuple[FoundFile, ...]) -> tuple[Remark, ...]:
    """Return the changes that are not SQL, and the SQL files that no changelog includes."""
    known = {file.path for file in found}
    beside = sorted({listing.folder, *(path.parent for path in known)})
    not_included = [path for folder in beside for path in sorted(folder.glob("*.sql")) if path not in known]
    return (
        *(
            Remark(_relative(listing, path), "changelogs with changes that are not SQL, so not rehearsed")
            for path in _changelog(listing).not_sql
        ),
        *(Remark(_relative(listing, path), "SQL files that no changelog includes") for path in not_included),
    )


LAYOUT = Layout(
    name="liquibase",
    files="`<name>.sql` that begin with `--liquibase formatted sql`, and what a root changelog includes",
    order="the root changelog (XML, JSON, plain YAML), or the paths as text",
    transactions="one a changeset, cut at semicolons as Liquibase does it; `runInTransaction:false` opts out",
    down="`--rollback` of each changeset, the last first",
    detected_by="`db.changelog-master.*` and the like, or the first line of the first file",
    manner=Manner(TransactionMode.TRANSACTION, "Liquibase runs each changeset in a transaction"),
    read=read,
    reader=read_file,
    is_detected_in=is_detected_in,
    is_marked=is_marked,
    remarks=remarks,
)
