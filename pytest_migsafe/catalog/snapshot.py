"""Read a whole database into a `Schema`."""

from collections.abc import Iterable, Iterator

from pytest_migsafe.catalog.composition import Source, connection_of
from pytest_migsafe.catalog.objects import CatalogObject
from pytest_migsafe.catalog.queries import QUERIES, Query, Rows, reading
from pytest_migsafe.catalog.schema import Schema


def snapshot(connection: Source) -> Schema:
    """Return everything that the database holds, as this session sees it.

    Works on an idle connection and inside an open transaction, and leaves either as it was.

    Raises:
        SnapshotError: the connection's transaction has failed, or the server refuses a query.
    """
    with reading(connection_of(connection)) as read:
        is_privileged = read.is_privileged()
        found = read.last([one.in_full(is_privileged=is_privileged) for one in QUERIES])
    return Schema.of(build(connection, zip(QUERIES, found, strict=True)))


def build(connection: Source, found: Iterable[tuple[Query, Rows]]) -> Iterator[CatalogObject]:
    """Return the objects that the queries found there."""
    major = connection_of(connection).info.server_version // 10000
    for query, rows in found:
        yield from query.build(rows, major)
