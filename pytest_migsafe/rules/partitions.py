"""Which rows a partition has, as a condition that PostgreSQL recognizes when it attaches the partition.

It compares a table's CHECK constraints with the condition that it makes of the bounds (source: ``get_qual_for_range`` and
``get_qual_for_list`` in ``src/backend/partitioning/partbounds.c``), so this one is built in the same way.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from pytest_migsafe.catalog import Schema
from pytest_migsafe.catalog.lexical import constant
from pytest_migsafe.catalog.schema import Table


def bounds_of(schema: Schema, partition: str) -> str | None:
    """Return the condition for the rows of a partition, also what the tables say that it is a part of; None: no words for it."""
    conditions: list[str] = []
    table = _table(schema, partition)
    while table is not None and table.partition_bound is not None:
        parent = _table(schema, table.parents[0]) if table.parents else None
        condition = (
            _condition(parent.partition_key or "", table.partition_bound) if parent is not None else None
        )
        if condition is None:
            return None
        conditions.insert(0, condition)
        table = parent
    return " AND ".join(conditions) if conditions else None


def is_default(schema: Schema, name: str) -> bool:
    """Whether a table is a default partition, or a partition of one."""
    table = _table(schema, name)
    if table is None or table.partition_bound is None:
        return False
    return table.partition_bound == "DEFAULT" or any(is_default(schema, one) for one in table.parents)


def others_than(schema: Schema, partition: str) -> str | None:
    """Return the condition for the rows that are not a partition's: those that the default partition may have."""
    table = _table(schema, partition)
    parent = _table(schema, table.parents[0]) if table is not None and table.parents else None
    if table is None or parent is None or table.partition_bound is None:
        return None
    condition = _condition(parent.partition_key or "", table.partition_bound)
    return f"NOT {condition}" if condition is not None else None


def _table(schema: Schema, name: str) -> Table | None:
    found = schema.get("table", name)
    return found if isinstance(found, Table) else None


def _condition(key: str, bound: str) -> str | None:
    strategy, _, listed = key.partition(" ")
    columns = _split(_inside(listed))
    # A collation or an operator class of its own is not told by the columns' names.
    if not columns or any(" " in one and not one.startswith(("(", '"')) for one in columns):
        return None
    if strategy == "LIST" and bound.startswith("FOR VALUES IN "):
        return _of_list(columns[0], _split(_inside(bound.removeprefix("FOR VALUES IN "))))
    if strategy == "RANGE" and bound.startswith("FOR VALUES FROM "):
        lower, _, upper = bound.removeprefix("FOR VALUES FROM ").partition(") TO (")
        return _of_range(columns, _split(lower.removeprefix("(")), _split(upper.removesuffix(")")))
    return None


def _of_list(column: str, values: Sequence[str]) -> str:
    given = [_literal(one) for one in values if one != "NULL"]
    among = f"{column} = {given[0]}" if len(given) == 1 else f"{column} IN ({', '.join(given)})"
    if "NULL" not in values:
        return f"({column} IS NOT NULL AND {among})"
    return f"({column} IS NULL OR {among})" if given else f"({column} IS NULL)"


def _of_range(columns: Sequence[str], lower: Sequence[str], upper: Sequence[str]) -> str | None:
    if not len(columns) == len(lower) == len(upper):
        return None
    parts = [f"{one} IS NOT NULL" for one in columns]
    first = 0
    while first < len(columns) - 1 and lower[first] == upper[first] and lower[first] not in _INFINITE:
        parts.append(f"{columns[first]} = {_literal(lower[first])}")
        first += 1
    parts += _ends(columns[first:], lower[first:], ">", "MINVALUE")
    parts += _ends(columns[first:], upper[first:], "<", "MAXVALUE")
    return f"({' AND '.join(parts)})"


_INFINITE = frozenset({"MINVALUE", "MAXVALUE"})


def _ends(columns: Sequence[str], values: Sequence[str], operator: str, open_end: str) -> Iterator[str]:
    """Yield the condition that one end of a range is, if it has one: ``(a > 1) OR (a = 1 AND b >= 2)``."""
    finite = next((at for at, value in enumerate(values) if value in _INFINITE), len(values))
    if finite == 0:
        return
    is_open = finite < len(values) and values[finite] == open_end
    includes = operator == ">" and (finite == len(values) or is_open)
    includes = includes or (operator == "<" and is_open)
    arms = []
    for at in range(finite):
        equal = [f"{columns[before]} = {_literal(values[before])}" for before in range(at)]
        sign = f"{operator}=" if includes and at == finite - 1 else operator
        terms = [*equal, f"{columns[at]} {sign} {_literal(values[at])}"]
        arms.append(f"({' AND '.join(terms)})" if len(terms) > 1 else terms[0])
    yield arms[0] if len(arms) == 1 else f"({' OR '.join(arms)})"


def _literal(value: str) -> str:
    """Return a bound as a constant that takes the column's type."""
    return value if value.startswith("'") else constant(value)


def _inside(listed: str) -> str:
    return listed.strip().removeprefix("(").removesuffix(")")


def _split(text: str) -> list[str]:
    """Return the parts between the commas that stand in no parentheses and no quotes."""
    depth, quote, cuts = 0, "", [-1]
    for at, one in enumerate(text):
        if quote:
            quote = "" if one == quote else quote
        elif one in "'\"":
            quote = one
        elif one in "()[]":
            depth += 1 if one in "([" else -1
        elif one == "," and depth == 0:
            cuts.append(at)
    cuts.append(len(text))
    return [part for start, end in pairwise(cuts) if (part := text[start + 1 : end].strip())]
