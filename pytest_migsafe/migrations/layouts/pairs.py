"""Pairs ``<version>_<name>.up.sql`` and ``.down.sql``: golang-migrate's and sqlx's.

Both order by the number. golang-migrate sends a file as one query and opens no transaction; sqlx wraps each
file in one, and ``-- no-transaction`` on top opts out. The names look the same, so a ``Cargo.toml`` above the
folder tells sqlx's.
"""

import re

from pytest_migsafe.migrations.layouts.base import FoundFile, Layout, Listing, in_order, read_with_header
from pytest_migsafe.migrations.model import Manner, TransactionMode

_UP = re.compile(r"(?P<version>\d+)(?P<name>_.*)?\.up\.sql")


def read(listing: Listing) -> tuple[FoundFile, ...]:
    """Return the up files of a folder, each with its down file where there is one."""
    found = []
    for name in listing.files:
        match = _UP.fullmatch(name)
        if match is None:
            continue
        down = name.removesuffix(".up.sql") + ".down.sql"
        found.append(
            FoundFile(
                order=(int(match["version"]),),
                version=match["version"],
                path=listing.folder / name,
                down=listing.folder / down if down in listing.file_set else None,
            )
        )
    return in_order(found)


def _is_in_a_crate(listing: Listing) -> bool:
    # The folder, its parent and its grandparent: `migrations/`, `crate/migrations/`, `crate/db/migrations/`.
    return any((folder / "Cargo.toml").is_file() for folder in (listing.folder, *listing.folder.parents[:2]))


GOLANG_MIGRATE = Layout(
    name="golang-migrate",
    files="`<version>_<name>.up.sql`",
    order="the number",
    transactions="the file is one simple query",
    down="`<version>_<name>.down.sql`",
    detected_by="the names",
    manner=Manner(
        TransactionMode.SINGLE_QUERY, "golang-migrate sends the file as one query and opens no transaction"
    ),
    read=read,
    is_detected_in=lambda listing: not _is_in_a_crate(listing),
)

SQLX = Layout(
    name="sqlx",
    files="`<version>_<name>.up.sql`",
    order="the number",
    transactions="one a file; `-- no-transaction` on top opts out",
    down="`<version>_<name>.down.sql`",
    detected_by="the names, and a `Cargo.toml` in the folder or up to two above",
    manner=Manner(TransactionMode.TRANSACTION, "sqlx wraps each file in a transaction"),
    read=read,
    reader=read_with_header,
    is_detected_in=_is_in_a_crate,
)
