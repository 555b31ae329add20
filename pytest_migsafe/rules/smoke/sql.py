"""SQL for the remedies: the way to do a thing on this very table, be it partitioned or not."""

import re
from collections.abc import Iterator, Sequence

from pytest_migsafe.catalog.schema import Table, parent_of
from pytest_migsafe.rehearsal.state import State

_PLAIN = re.compile(r"[a-z_][a-z0-9_$]*")
#: So many partitions are written out; the others go the same way.
_SHOWN = 3
#: Bytes of an identifier (manual: "Identifiers and Key Words").
LONGEST_NAME = 63


def quoted(name: str) -> str:
    """Return a name of several words as an identifier."""
    return name if _PLAIN.fullmatch(name) else '"' + name.replace('"', '""') + '"'


def bare(name: str) -> str:
    """Return the last part of a qualified name, as it is without quotes."""
    last = name.removeprefix(f"{parent_of(name)}.") if "." in name else name
    return last[1:-1].replace('""', '"') if last.startswith('"') else last


def create_index(state: State, relation: str, columns: Sequence[str]) -> str:
    """Return how an index on some columns is built while the table is in use."""
    listed = ", ".join(columns)
    table = state.schema.get("table", relation)
    if not isinstance(table, Table) or table.kind != "partitioned table":
        return f"CREATE INDEX CONCURRENTLY ON {relation} ({listed});  -- in a file that runs outside a transaction"
    name = _index_name(relation, columns)
    lines = [f"CREATE INDEX {name} ON ONLY {relation} ({listed});"]
    partitions = sorted(partitions_of(state, relation))
    for one in partitions[:_SHOWN]:
        child = _index_name(one, columns)
        lines += [
            f"CREATE INDEX CONCURRENTLY {child} ON {one} ({listed});  -- in a file that runs outside a transaction",
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
    return f"DROP INDEX CONCURRENTLY {index};  -- in a file that runs outside a transaction"


def partitions_of(state: State, relation: str) -> Iterator[str]:
    """Yield the names of a table's partitions."""
    for name, table in state.schema.tables.items():
        if table.partition_bound is not None and table.parents == (relation,):
            yield name


def _index_name(relation: str, columns: Sequence[str]) -> str:
    words = [bare(relation), *map(bare, columns), "idx"]
    name = "_".join(words)
    # As PostgreSQL does with names that it makes, the table's gives way.
    while len(name.encode()) > LONGEST_NAME and len(words[0]) > 1:
        words[0] = words[0][:-1]
        name = "_".join(words)
    return quoted(name)
