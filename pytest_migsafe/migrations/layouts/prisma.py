"""Prisma: a folder ``<timestamp>_<name>`` a migration, with ``migration.sql``.

The order is that of the folders' names. Prisma sends the file as one query and opens no transaction
(its documentation, "Customizing migrations", and its schema engine's ``raw_cmd``).
"""

from pytest_migsafe.migrations.layouts.base import FoundFile, Layout, Listing, in_order
from pytest_migsafe.migrations.model import Manner, TransactionMode


def read(listing: Listing) -> tuple[FoundFile, ...]:
    """Return the ``migration.sql`` of every folder."""
    found = []
    for name in listing.folders:
        migration = listing.below(name)
        if "migration.sql" in migration.file_set:
            found.append(
                FoundFile(
                    order=(name,),
                    version=name.split("_", 1)[0],
                    path=migration.folder / "migration.sql",
                    down=migration.folder / "down.sql" if "down.sql" in migration.file_set else None,
                )
            )
    return in_order(found)


LAYOUT = Layout(
    name="prisma",
    files="`<timestamp>_<name>/migration.sql`",
    order="the folders' names, as text",
    transactions="the file is one simple query",
    down="`down.sql` in the folder",
    detected_by="the names",
    manner=Manner(
        TransactionMode.SINGLE_QUERY, "Prisma sends the file as one query and opens no transaction"
    ),
    read=read,
)
