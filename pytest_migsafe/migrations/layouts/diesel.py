"""Diesel: a folder ``<version>_<name>`` a migration, with ``up.sql``, ``down.sql`` and maybe ``metadata.toml``.

The version is what stands before the first underscore, without dashes, and is compared as text, so that
``2017-08-31-230457_invitations`` comes after ``20170101000000_x`` although its name sorts before it.
"""

from pytest_migsafe.migrations.layouts.base import FoundFile, Layout, Listing, in_order
from pytest_migsafe.migrations.layouts.project_files import toml_of
from pytest_migsafe.migrations.model import Manner, TransactionMode


def read(listing: Listing) -> tuple[FoundFile, ...]:
    """Return the ``up.sql`` of every versioned folder."""
    found = []
    for name in listing.folders:
        version = name.split("_", 1)[0].replace("-", "")
        if not version.isdigit():
            continue
        migration = listing.below(name)
        up = migration.file("up.sql")
        if up is None:
            continue
        found.append(
            FoundFile(
                order=(version,),
                version=version,
                path=up,
                down=migration.file("down.sql"),
                manner=_manner(migration),
            )
        )
    return in_order(found)


def _manner(migration: Listing) -> Manner | None:
    metadata = migration.file("metadata.toml")
    if metadata is None or toml_of(metadata).get("run_in_transaction", True):
        return None
    return Manner(TransactionMode.SINGLE_QUERY, "run_in_transaction = false in metadata.toml")


LAYOUT = Layout(
    name="diesel",
    files="`<version>_<name>/up.sql`",
    order="the version without dashes, as text",
    transactions="one a file; `run_in_transaction = false` in `metadata.toml` opts out",
    down="`down.sql` in the folder",
    detected_by="the names",
    manner=Manner(TransactionMode.TRANSACTION, "Diesel wraps each file in a transaction"),
    read=read,
)
