"""Numbered or timestamped files in one folder: ``0001_x.sql``, ``20240101120000_x.sql``, ``20231223_001_x.sql``.

The order is that of the numbers, not of the text (``10_x`` comes after ``9_x``). What undoes a file stands
beside it as ``<name>.down.sql`` or ``<name>_down.sql``, or in ``rollback/``.
"""

import re
from pathlib import Path

from pytest_migsafe.migrations.layouts.base import FoundFile, Layout, Listing, in_order, read_with_header
from pytest_migsafe.migrations.model import Manner, TransactionMode

#: A date and a number of the day, or one number; then the name.
_NAME = re.compile(r"(?P<date>\d{8})[_-](?P<serial>\d+)(?:[_\-. ].*)?|(?P<number>\d+)(?:[_\-. ].*)?")


def read(listing: Listing) -> tuple[FoundFile, ...]:
    """Return the numbered ``.sql`` files of a folder."""
    found = []
    for name in listing.files:
        stem = name.removesuffix(".sql")
        match = _NAME.fullmatch(stem)
        if stem == name or match is None or _undoes_another(stem, listing):
            continue
        numbers = [part for part in (match["date"], match["serial"], match["number"]) if part]
        found.append(
            FoundFile(
                order=tuple(int(part) for part in numbers),
                version="_".join(numbers),
                path=listing.folder / name,
                down=_down(stem, listing),
            )
        )
    return in_order(found)


def _undoes_another(stem: str, listing: Listing) -> bool:
    # `0007_tear_down.sql` is a migration like any other, unless there is a `0007_tear.sql`.
    return stem.endswith(".down") or (
        stem.endswith("_down")
        and (listing.folder.name == "rollback" or f"{stem.removesuffix('_down')}.sql" in listing.file_set)
    )


def _down(stem: str, listing: Listing) -> Path | None:
    for beside in (f"{stem.removesuffix('.up')}.down.sql", f"{stem}_down.sql"):
        if beside in listing.file_set:
            return listing.folder / beside
    if "rollback" in listing.folders:
        rollback = listing.below("rollback")
        for behind in (f"{stem}_down.sql", f"{stem}.down.sql"):
            if behind in rollback.file_set:
                return rollback.folder / behind
    return None


LAYOUT = Layout(
    name="flat",
    files="`<number>_<name>.sql`",
    order="the number",
    transactions="one a file; `-- no-transaction` on top opts out",
    down="`<name>.down.sql` or `<name>_down.sql` beside, `rollback/<name>_down.sql`",
    detected_by="the names, when no other layout is found",
    manner=Manner(TransactionMode.TRANSACTION, "each file is one transaction, the default"),
    read=read,
    reader=read_with_header,
    refuses_duplicates=False,
)
