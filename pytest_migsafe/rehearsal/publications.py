"""Which publications a table is in: by name, by its schema, with all tables, or as a partition of one that is."""

import re
from collections.abc import Iterator

from pytest_migsafe.catalog import Schema
from pytest_migsafe.catalog.lexical import parent_of
from pytest_migsafe.catalog.objects import Home, Key
from pytest_migsafe.catalog.rarer import Publication
from pytest_migsafe.catalog.schema import Table

#: What a publication lists begins with the table's name; its columns and its row filter follow.
_QUALIFIED_NAME = re.compile(r'(?:"(?:[^"]|"")+"|[^".]+)\.(?:"(?:[^"]|"")+"|[^" ]+)')


def publications(schema: Schema) -> Iterator[Publication]:
    """Yield all publications."""
    for one in schema.homes.get(Home(Publication.GROUP, ""), {}).values():
        if isinstance(one, Publication):
            yield one


def publishing(schema: Schema, table: Table) -> Iterator[Publication]:
    """Yield the publications that publish a table's rows.

    A partition's rows are published with its partitioned table, under whose name does not matter: it is the
    partition that needs a replica identity (manual: "CREATE PUBLICATION", publish_via_partition_root).
    """
    line = list(lineage(schema, table))
    for one in publications(schema):
        named = {found.group() for entry in one.tables if (found := _QUALIFIED_NAME.match(entry))}
        if one.all_tables or any(each in named or parent_of(each) in one.schemas for each in line):
            yield one


def lineage(schema: Schema, table: Table) -> Iterator[str]:
    """Yield the name of a table and, of a partition, those of the partitioned tables that it belongs to."""
    yield table.name
    while table.partition_bound is not None and table.parents:
        above = schema.belonging_to(table.parents[0]).get(Key(Table.KIND, table.parents[0]))
        if not isinstance(above, Table):
            return
        table = above
        yield table.name
