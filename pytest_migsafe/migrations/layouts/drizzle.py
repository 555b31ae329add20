"""Drizzle: ``<number>_<name>.sql`` in the order of ``meta/_journal.json``, or a folder a migration without one.

A line ``--> statement-breakpoint`` cuts a file into what is sent at once. ``migrate()`` runs all pending files in one
transaction; here each file is one, so that each has a verdict of its own. From drizzle-orm's ``src/migrator.ts`` and
``src/pg-core/dialect.ts``; folders ``<timestamp>_<name>`` with ``migration.sql`` and ``snapshot.json`` came with 1.0.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

from pytest_migsafe.migrations.layouts.base import FoundFile, Layout, Listing, between, in_order, refusing
from pytest_migsafe.migrations.model import (
    Direction,
    Manner,
    Part,
    Reader,
    Remark,
    Runner,
    Script,
    TransactionMode,
)
from pytest_migsafe.migrations.source import CharOffset, SourceText

_BREAKPOINT = re.compile(r"--> statement-breakpoint")
_FOLDER = re.compile(r"\d{14}_.*")
_JOURNAL = "_journal.json"
#: What drizzle-kit called PostgreSQL's dialect before version 0.21, and since.
_POSTGRESQL = ("pg", "postgresql", "")


def read(listing: Listing) -> tuple[FoundFile, ...]:
    """Return the files in the order of the journal; without a journal the folders, by name."""
    return _by_journal(listing) if _has_journal(listing) else _by_folder(listing)


def _has_journal(listing: Listing) -> bool:
    return "meta" in listing.folders and _JOURNAL in listing.below("meta").file_set


def _by_journal(listing: Listing) -> tuple[FoundFile, ...]:
    journal = listing.below("meta").folder / _JOURNAL
    try:
        dialect, entries = _entries(listing)
    except ValueError:
        reason = (
            "meta/_journal.json is not the journal that drizzle-kit writes; restore it from version control"
        )
        return (FoundFile(order=(0,), version="journal", path=journal, reader=refusing(reason)),)
    found = []
    for at, (tag, _) in enumerate(entries):
        name = f"{tag}.sql"
        if name not in listing.file_set:
            # Drizzle ends here; the journal is the place.
            reason = (
                f"{_JOURNAL} names {tag}, but there is no {name}; restore the file, or take the entry out"
            )
            found.append(FoundFile(order=(at,), version=tag, path=journal, reader=refusing(reason)))
            break
        found.append(
            FoundFile(
                order=(at,),
                version=tag.partition("_")[0],
                path=listing.folder / name,
                reader=_refusing_other(dialect),
            )
        )
    return in_order(found)


def _entries(listing: Listing) -> tuple[str, list[tuple[str, int]]]:
    """Return the journal's dialect, and the tag and time of each migration.

    Raises:
        ValueError: it is no journal.
    """
    try:
        written = (listing.below("meta").folder / _JOURNAL).read_text(encoding="utf-8-sig")
        journal: Any = json.loads(written)
        entries = [(str(entry["tag"]), int(entry.get("when", 0))) for entry in journal["entries"]]
        return str(journal.get("dialect", "")), entries
    except (OSError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(str(error)) from error


def _refusing_other(dialect: str) -> Reader | None:
    if dialect in _POSTGRESQL:
        return None
    return refusing(
        f'meta/_journal.json says "dialect": "{dialect}": these migrations are not for PostgreSQL; '
        "name the folders of those that are in [tool.migsafe] migrations"
    )


def _by_folder(listing: Listing) -> tuple[FoundFile, ...]:
    found = []
    for name in listing.folders:
        migration = listing.below(name)
        if _FOLDER.fullmatch(name) and "migration.sql" in migration.file_set:
            found.append(
                FoundFile(
                    order=(name,),
                    version=name.partition("_")[0],
                    path=migration.folder / "migration.sql",
                    down=migration.file("down.sql"),
                )
            )
    return in_order(found)


def read_breakpoints(source: SourceText, runner: Runner, direction: Direction) -> Script:  # noqa: ARG001
    """Return a whole file, cut where it says so."""
    breaks = [match.span() for match in _BREAKPOINT.finditer(source.text)]
    if not breaks:
        return Script.whole(source, runner.usual)
    parts = tuple(
        Part(CharOffset(low), CharOffset(high))
        for low, high in between(breaks, len(source.text))
        if source.text[low:high].strip()
    )
    return Script.whole(source, runner.usual, parts)


def remarks(listing: Listing, found: tuple[FoundFile, ...]) -> tuple[Remark, ...]:
    """Return the files that Drizzle would never run, or would run in a new database only."""
    if not _has_journal(listing):
        return ()
    known = {file.path.name for file in found}
    strays = (
        Remark(name, "not named in meta/_journal.json, so Drizzle never runs it")
        for name in listing.files
        if name.endswith(".sql") and name not in known
    )
    return (*strays, *_late(listing))


def _late(listing: Listing) -> Iterator[Remark]:
    # The migrator compares with the latest `when` that the database has seen, and with nothing else.
    try:
        _, entries = _entries(listing)
    except ValueError:
        return
    latest = 0
    for tag, when in entries:
        if when < latest:
            yield Remark(
                f"{tag}.sql",
                "earlier in meta/_journal.json (`when`) than one above it, so Drizzle skips it in a database that has that one",
            )
        latest = max(latest, when)


def _is_drizzle_s(listing: Listing) -> bool:
    if _has_journal(listing):
        return True
    first = next(iter(listing.folders), "")
    return (
        bool(_FOLDER.fullmatch(first)) and {"migration.sql", "snapshot.json"} <= listing.below(first).file_set
    )


LAYOUT = Layout(
    name="drizzle",
    files="`<number>_<name>.sql`, or `<timestamp>_<name>/migration.sql` (1.0)",
    order="`meta/_journal.json`, or the folders' names",
    transactions="one a file, cut at `--> statement-breakpoint` (Drizzle: one for all pending files)",
    down="`down.sql` in the folder (1.0)",
    detected_by="`meta/_journal.json`, or `snapshot.json` in the folder",
    manner=Manner(
        TransactionMode.TRANSACTION, "Drizzle runs all pending files in one transaction; here each is one"
    ),
    read=read,
    reader=read_breakpoints,
    is_detected_in=_is_drizzle_s,
    is_marked=_is_drizzle_s,
    refuses_duplicates=False,
    remarks=remarks,
)
