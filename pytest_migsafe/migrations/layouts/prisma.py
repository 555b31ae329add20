"""Prisma: a folder ``<timestamp>_<name>`` a migration, with ``migration.sql``.

The order is that of the folders' names, and what Prisma records is the whole name (``migration_name`` in
``_prisma_migrations``): two folders of one timestamp are two migrations, as any others. Prisma sends the file as one query and opens no transaction
(its documentation, "Customizing migrations", and its schema engine's ``raw_cmd``). ``down.sql`` is a project's own
("Generating down migrations"); ``migration_lock.toml`` names the database that the files are for.
"""

import re

from pytest_migsafe.migrations.layouts.base import FoundFile, Layout, Listing, in_order, refusing
from pytest_migsafe.migrations.model import Manner, Reader, Remark, TransactionMode

_LOCK = "migration_lock.toml"
_PROVIDER = re.compile(r"^\s*provider\s*=\s*[\"']([^\"']*)", re.MULTILINE)
#: CockroachDB's are near enough to be tried.
_PROVIDERS = ("postgresql", "postgres", "cockroachdb")


def read(listing: Listing) -> tuple[FoundFile, ...]:
    """Return the ``migration.sql`` of every folder."""
    reader = _refusing_other(listing)
    found = []
    for name in listing.folders:
        migration = listing.below(name)
        if "migration.sql" in migration.file_set:
            found.append(
                FoundFile(
                    order=(name,),
                    version=name,
                    path=migration.folder / "migration.sql",
                    down=migration.folder / "down.sql" if "down.sql" in migration.file_set else None,
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
    transactions="the file is one simple query",
    down="`down.sql` in the folder",
    detected_by="the names, or `migration_lock.toml`",
    manner=Manner(
        TransactionMode.SINGLE_QUERY, "Prisma sends the file as one query and opens no transaction"
    ),
    read=read,
    is_marked=lambda listing: _LOCK in listing.file_set,
    remarks=remarks,
)
