"""Pairs ``<version>_<name>.up.sql`` and ``.down.sql``: golang-migrate's and sqlx's.

Both order by the number. golang-migrate sends a file as one query and opens no transaction; sqlx wraps each
file in one, and ``-- no-transaction`` on top opts out. The names look the same, so a ``Cargo.toml`` above the
folder tells sqlx's.
"""

import re
from functools import partial

from pytest_migsafe.migrations.layouts.base import FoundFile, Layout, Listing, in_order, mode_of
from pytest_migsafe.migrations.model import TransactionMode

_UP = re.compile(r"(?P<version>\d+)(?P<name>_.*)?\.up\.sql")


def read(listing: Listing, *, mode: TransactionMode, reason: str) -> tuple[FoundFile, ...]:
    """Return the up files of a folder, each with its down file where there is one."""
    found = []
    for name in listing.files:
        match = _UP.fullmatch(name)
        if match is None:
            continue
        path = listing.folder / name
        own_mode, own_reason = mode_of(path, mode, reason)
        down = name.removesuffix(".up.sql") + ".down.sql"
        found.append(
            FoundFile(
                order=(int(match["version"]),),
                version=match["version"],
                path=path,
                mode=own_mode,
                mode_reason=own_reason,
                down=listing.folder / down if down in listing.file_set else None,
            )
        )
    return in_order(found)


def _is_in_a_crate(listing: Listing) -> bool:
    # The folder, its parent and its grandparent: `migrations/`, `crate/migrations/`, `crate/db/migrations/`.
    return any((folder / "Cargo.toml").is_file() for folder in (listing.folder, *listing.folder.parents[:2]))


GOLANG_MIGRATE = Layout(
    name="golang-migrate",
    description=(
        "`<version>_<name>.up.sql` with `.down.sql`, by number; the file is one simple query, so one implicit "
        "transaction unless it has its own BEGIN"
    ),
    read=partial(
        read,
        mode=TransactionMode.SINGLE_QUERY,
        reason="golang-migrate sends the file as one query and opens no transaction",
    ),
    is_detected_in=lambda listing: not _is_in_a_crate(listing),
)

SQLX = Layout(
    name="sqlx",
    description=(
        "`<version>_<name>.up.sql` with `.down.sql` in a Rust crate, by number; one transaction a file, "
        "`-- no-transaction` on top opts out"
    ),
    read=partial(read, mode=TransactionMode.TRANSACTION, reason="sqlx wraps each file in a transaction"),
    is_detected_in=_is_in_a_crate,
)
