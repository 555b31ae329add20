"""What definitions say that PostgreSQL itself wrote: the query of a view, the arguments of a function."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pytest_migsafe.migrations.late_grammar import grammar, tree_if_possible

#: What a query of one relation may not have, so that a view of it can be written (manual: "CREATE VIEW", Updatable
#: Views), and what people call it.
_CLAUSES: Mapping[str, str] = {
    "with_clause": "WITH",
    "distinct_clause": "DISTINCT",
    "group_clause": "GROUP BY",
    "having_clause": "HAVING",
    "limit_count": "LIMIT",
    "limit_offset": "OFFSET",
    "window_clause": "WINDOW",
}
#: Those of PostgreSQL's own functions that make one row of several, or several of one; a user's own count as plain ones.
_AGGREGATES = frozenset(
    """array_agg avg bit_and bit_or bool_and bool_or count every json_agg jsonb_agg json_object_agg jsonb_object_agg max min
    string_agg sum stddev variance xmlagg generate_series unnest jsonb_array_elements json_array_elements""".split()  # noqa: SIM905 - a list of words
)


@dataclass(frozen=True, slots=True)
class SimpleQuery:
    """A query that shows rows of one relation; names are without quotes."""

    #: Empty where the query does not name it.
    schema: str
    relation: str
    #: The relation's column by the query's; empty for what is computed.
    columns: Mapping[str, str]


def simple_query(definition: str) -> SimpleQuery | str:
    """Return what a view shows if it can be written through, or else why it cannot."""
    query = _query(definition)
    if query is None:
        return "its query cannot be read"
    if query.op > grammar().pg_query_pb2.SETOP_NONE:
        return "its query is a UNION, INTERSECT or EXCEPT"
    for clause, name in _CLAUSES.items():
        value = getattr(query, clause)
        if len(value) if hasattr(value, "__len__") else query.HasField(clause):
            return f"its query has {name}"
    sources = [grammar().unwrap_node(one) for one in query.from_clause]
    if len(sources) != 1 or type(sources[0]).__name__ != "RangeVar":
        return "its query does not read one table and nothing else"
    targets = [grammar().unwrap_node(one) for one in query.target_list]
    if any(_is_aggregate(grammar().unwrap_node(one.val)) for one in targets):
        return "its query computes over several rows"
    return SimpleQuery(sources[0].schemaname, sources[0].relname, dict(_columns(targets)))


def _query(definition: str) -> Any:
    tree = tree_if_possible(definition)
    node = grammar().unwrap_node(tree.stmts[0].stmt) if tree is not None and tree.stmts else None
    return node if type(node).__name__ == "SelectStmt" else None


def _is_aggregate(node: Any) -> bool:
    if type(node).__name__ != "FuncCall":
        return False
    name = grammar().unwrap_node(node.funcname[-1]).sval
    return bool(node.agg_star or node.HasField("over") or name in _AGGREGATES)


def _columns(targets: list[Any]) -> Iterator[tuple[str, str]]:
    for target in targets:
        value = grammar().unwrap_node(target.val)
        name = grammar().unwrap_node(value.fields[-1]).sval if type(value).__name__ == "ColumnRef" else ""
        if target.name or name:
            yield target.name or name, name


@dataclass(frozen=True, slots=True)
class Parameter:
    """One argument of a function, or a column of what it returns."""

    name: str
    type: str
    #: DEFAULT (that is, IN), IN, OUT, INOUT, VARIADIC or TABLE.
    mode: str
    has_default: bool


def parameters(arguments: str, returns: str) -> tuple[Parameter, ...] | None:
    """Return the arguments of a function and the columns of its result, of the texts of both; None: they cannot be read."""
    tree = tree_if_possible(f"CREATE FUNCTION f({arguments}) RETURNS {returns} LANGUAGE sql AS ''")
    node = grammar().unwrap_node(tree.stmts[0].stmt) if tree is not None and tree.stmts else None
    if node is None or type(node).__name__ != "CreateFunctionStmt":
        return None
    return tuple(_parameter(grammar().unwrap_node(one)) for one in node.parameters)


def _parameter(node: Any) -> Parameter:
    mode = grammar().pg_query_pb2.FunctionParameterMode.Name(node.mode).removeprefix("FUNC_PARAM_")
    return Parameter(node.name, _type(node.arg_type), mode, node.HasField("defexpr"))


def _type(node: Any) -> str:
    name = ".".join(grammar().unwrap_node(one).sval for one in node.names)
    return f"{'SETOF ' if node.setof else ''}{name}{'[]' * len(node.array_bounds)}"


#: Functions of PostgreSQL that leave something of their argument out.
_CUTTING = frozenset(
    """left right substr substring split_part trunc round floor ceil ceiling date_trunc date_part extract lower upper
    trim btrim ltrim rtrim regexp_replace mod abs sign md5""".split()  # noqa: SIM905 - a list of words
)


def loss(expression: Any, column: str) -> str:
    """Return what an expression (the parse tree of USING) makes of a column's values that is less than they were; or nothing."""
    nodes = list(_nodes(expression))
    names = {
        part.string.sval
        for one in nodes
        if _kind(one) == "ColumnRef"
        for part in one.fields
        if part.HasField("string")
    }
    if column not in names:
        return "the new values are not made of the old ones"
    cut = [
        name
        for one in nodes
        if _kind(one) == "FuncCall" and (name := one.funcname[-1].string.sval) in _CUTTING
    ]
    if cut:
        return f"{cut[0]}() leaves out a part of the old values"
    if any(
        _kind(one) == "TypeCast" and one.type_name.typmods and _is_cut_by_cast(one.type_name) for one in nodes
    ):
        return "the cast cuts what is longer"
    if any(_kind(one) == "A_Indirection" for one in nodes):
        return "only a part of the old values is taken"
    return ""


def _is_cut_by_cast(type_name: Any) -> bool:
    return bool(type_name.names[-1].string.sval in {"varchar", "bpchar", "bit", "varbit"})


def deletes(text: str) -> tuple[tuple[str, str], ...]:
    """Return the tables, by schema and name, of which a statement deletes all rows, without handing them on."""
    tree = tree_if_possible(text)
    if tree is None:
        return ()
    return tuple(
        (one.relation.schemaname, one.relation.relname)
        for one in _nodes(tree)
        if _kind(one) == "DeleteStmt"
        and not one.HasField("where_clause")
        and not one.using_clause
        and not one.HasField("returning_clause")
    )


def truncates(text: str) -> tuple[tuple[str, str], ...]:
    """Return the tables, by schema and name, that a TRUNCATE names."""
    tree = tree_if_possible(text)
    if tree is None:
        return ()
    return tuple(
        (relation.range_var.schemaname, relation.range_var.relname)
        for one in _nodes(tree)
        if _kind(one) == "TruncateStmt"
        for relation in one.relations
    )


def _nodes(message: Any) -> Iterator[Any]:
    """Yield a node of a parse tree and all below it."""
    yield message
    for field, value in message.ListFields():
        if field.message_type is None:
            continue
        for one in value if hasattr(value, "append") or hasattr(value, "add") else (value,):
            yield from _nodes(one)


def _kind(message: Any) -> str:
    return type(message).__name__
