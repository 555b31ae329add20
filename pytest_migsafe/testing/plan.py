"""The plan of a query, and which indexes it uses."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.rows import tuple_row

from pytest_migsafe.catalog.lexical import last_part, quoted

#: What a query's values can be, as psycopg takes them.
Parameters = Sequence[Any] | Mapping[str, Any] | None


@dataclass(frozen=True, repr=False)
class Plan:
    """How PostgreSQL would run a query if its tables were too big to be read as a whole."""

    #: As EXPLAIN shows it, without costs.
    text: str
    #: The qualified names of the indexes that are used, and of the tables that are read as a whole all the same.
    indexes: frozenset[str]
    sequential_scans: frozenset[str]

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"<plan: {' / '.join(line.strip() for line in self.text.splitlines())}>"

    def uses(self, index: str) -> bool:
        """Return whether an index is used; its schema may be left out."""
        return index in self.indexes or index in {last_part(name) for name in self.indexes}


def plan_of(connection: psycopg.Connection[Any], query: str, parameters: Parameters) -> Plan:
    """Return the plan of a query, which is not run.

    A table with few rows is read as a whole, whatever indexes it has: that is one page. With ``enable_seqscan`` off, the
    planner does so only where no index serves (manual: "Planner Method Configuration"). So the plan says what an index is
    good for, not what the planner will make of production's statistics.

    Raises:
        psycopg.Error: what the server says against the query.
    """
    asked = query.encode()
    with connection.transaction(force_rollback=True):
        # The values are put into the text, so that the plan is the one for them.
        cursor = psycopg.ClientCursor(connection, row_factory=tuple_row)
        cursor.execute(b"SET LOCAL enable_seqscan = off")
        cursor.execute(b"EXPLAIN (COSTS OFF, VERBOSE, FORMAT JSON) " + asked, parameters)
        ((tree,),) = cursor.fetchall()
        lines = cursor.execute(b"EXPLAIN (COSTS OFF) " + asked, parameters).fetchall()
    nodes = list(_nodes(tree[0]["Plan"], ""))
    return Plan(
        text="\n".join(line for (line,) in lines),
        indexes=frozenset(_names(nodes, "Index Name")),
        sequential_scans=frozenset(
            _names([one for one in nodes if one[0]["Node Type"] == "Seq Scan"], "Relation Name")
        ),
    )


#: A node of a plan, and the schema of the relation that it is about.
_Node = tuple[Mapping[str, Any], str]


def _nodes(node: Mapping[str, Any], schema: str) -> Iterator[_Node]:
    """Yield a node and those below it; what reads an index into a bitmap does not name the schema, the one above does."""
    schema = node.get("Schema", schema)
    yield node, schema
    for inner in node.get("Plans", ()):
        yield from _nodes(inner, schema)


def _names(nodes: Sequence[_Node], key: str) -> Iterator[str]:
    return (f"{quoted(schema)}.{quoted(node[key])}" for node, schema in nodes if key in node)
