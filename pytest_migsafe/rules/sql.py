"""SQL for the remedies: the way to do a thing on this very table, be it partitioned or not."""

from collections.abc import Iterator, Sequence

from pytest_migsafe.catalog.lexical import LONGEST_NAME, last_part, parent_of, quoted, unquoted
from pytest_migsafe.catalog.schema import Table
from pytest_migsafe.rehearsal.state import State

#: CONCURRENTLY is refused in a transaction (manual: "CREATE INDEX").
OUTSIDE_A_TRANSACTION = "-- in a file that runs outside a transaction"
#: So many partitions are written out; the others go the same way.
_SHOWN = 3


def create_index(state: State, relation: str, columns: Sequence[str]) -> str:
    """Return how an index on some columns is built while the table is in use."""
    listed = ", ".join(columns)
    table = state.schema.get("table", relation)
    if not isinstance(table, Table) or table.kind != "partitioned table":
        return f"CREATE INDEX CONCURRENTLY ON {relation} ({listed});  {OUTSIDE_A_TRANSACTION}"
    name = _index_name(relation, columns)
    lines = [f"CREATE INDEX {name} ON ONLY {relation} ({listed});"]
    partitions = sorted(partitions_of(state, relation))
    for one in partitions[:_SHOWN]:
        child = _index_name(one, columns)
        lines += [
            f"CREATE INDEX CONCURRENTLY {child} ON {one} ({listed});  {OUTSIDE_A_TRANSACTION}",
            f"ALTER INDEX {parent_of(relation)}.{name} ATTACH PARTITION {parent_of(one)}.{child};",
        ]
    if len(partitions) > _SHOWN:
        lines.append(
            f"-- and so for the other {len(partitions) - _SHOWN} partitions; the last one makes the index valid"
        )
    return "\n".join(lines)


def drop_index(state: State, relation: str, index: str) -> str:
    """Return how an index is dropped while the table is in use."""
    table = state.schema.get("table", relation)
    if isinstance(table, Table) and table.kind == "partitioned table":
        # CONCURRENTLY is refused there (manual: "DROP INDEX").
        return f"DROP INDEX {index};"
    return f"DROP INDEX CONCURRENTLY {index};  {OUTSIDE_A_TRANSACTION}"


def reindex(index: str) -> str:
    """Return how an index is built again while its table is in use."""
    return f"REINDEX INDEX CONCURRENTLY {index};  {OUTSIDE_A_TRANSACTION}"


def partitions_of(state: State, relation: str) -> Iterator[str]:
    """Yield the names of a table's partitions."""
    for name, table in state.schema.tables.items():
        if table.partition_bound is not None and table.parents == (relation,):
            yield name


def _index_name(relation: str, columns: Sequence[str]) -> str:
    words = [last_part(relation), *map(unquoted, columns), "idx"]
    name = "_".join(words)
    # As PostgreSQL does with names that it makes, the table's gives way.
    while len(name.encode()) > LONGEST_NAME and len(words[0]) > 1:
        words[0] = words[0][:-1]
        name = "_".join(words)
    return quoted(name)
