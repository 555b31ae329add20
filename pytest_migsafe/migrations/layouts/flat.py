"""Numbered or timestamped files in one folder: ``0001_x.sql``, ``20240101120000_x.sql``, ``20231223_001_x.sql``.

The order is that of the numbers, not of the text (``10_x`` comes after ``9_x``). What undoes a file stands
beside it as ``<name>.down.sql``, or in ``rollback/<name>_down.sql``.
"""

import re

from pytest_migsafe.migrations.layouts.base import FoundFile, Layout, Listing, in_order, mode_of
from pytest_migsafe.migrations.model import TransactionMode

#: A date and a number of the day, or one number; then the name.
_NAME = re.compile(r"(?P<date>\d{8})[_-](?P<serial>\d+)(?:[_\-. ].*)?|(?P<number>\d+)(?:[_\-. ].*)?")
_DOWN = (".down.sql", "_down.sql")


def read(listing: Listing) -> tuple[FoundFile, ...]:
    """Return the numbered ``.sql`` files of a folder."""
    rollbacks = (
        Listing.of(listing.folder / "rollback").file_set if "rollback" in listing.folders else frozenset()
    )
    found = []
    for name in listing.files:
        stem = name.removesuffix(".sql")
        match = _NAME.fullmatch(stem)
        if stem == name or match is None or name.endswith(_DOWN):
            continue
        path = listing.folder / name
        mode, reason = mode_of(path, TransactionMode.TRANSACTION, "each file is one transaction, the default")
        beside = f"{stem.removesuffix('.up')}.down.sql"
        behind = f"{stem}_down.sql"
        down = None
        if beside in listing.file_set:
            down = listing.folder / beside
        elif behind in rollbacks:
            down = listing.folder / "rollback" / behind
        numbers = [part for part in (match["date"], match["serial"], match["number"]) if part]
        found.append(
            FoundFile(
                order=tuple(int(part) for part in numbers),
                version="_".join(numbers),
                path=path,
                mode=mode,
                mode_reason=reason,
                down=down,
            )
        )
    return in_order(found)


LAYOUT = Layout(
    name="flat",
    description=(
        "`<number>_<name>.sql` in one folder, by number; down files `<name>.down.sql` beside or "
        "`rollback/<name>_down.sql`; one transaction a file, `-- no-transaction` on top opts out"
    ),
    read=read,
)
