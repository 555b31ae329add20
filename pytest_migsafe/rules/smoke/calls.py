"""Calls in an expression that PostgreSQL makes for each row although they depend on none."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from pytest_migsafe.catalog import Schema
from pytest_migsafe.catalog.lexical import quoted
from pytest_migsafe.catalog.schema import Function

#: What makes an expression a statement.
_SELECT = "SELECT "
#: Those of PostgreSQL's own that are worth a subquery; the others are cheap, or mean a row.
_BUILT_IN = frozenset({"current_setting"})


@dataclass(frozen=True, slots=True, order=True)
class Call:
    """A call, and where in the expression it stands."""

    start: int
    text: str


def calls_per_row(expression: str, schema: Schema) -> tuple[Call, ...]:
    """Return the calls that have no column among their arguments, and stand in no subquery that is run once.

    Those of functions that may give another result in another statement: what is immutable, the planner works out.
    """
    # The parser costs 50 ms to import, and not every history has policies.
    from pytest_migsafe.migrations.parse_tree import parse_if_possible  # noqa: PLC0415

    text = _SELECT + expression
    tree = parse_if_possible(text)
    if tree is None:
        return ()
    (target,) = tree.stmts[0].stmt.select_stmt.target_list
    return tuple(sorted(_call(text, node.location) for node in _repeated(target, schema)))


def once(expression: str, calls: Iterable[Call]) -> str:
    """Return an expression with calls put into subqueries."""
    for call in sorted(calls, reverse=True):
        end = call.start + len(call.text)
        expression = f"{expression[: call.start]}(SELECT {call.text}){expression[end:]}"
    return expression


def _repeated(node: Any, schema: Schema) -> Iterator[Any]:
    kind = node.DESCRIPTOR.name
    if kind == "SelectStmt" and not _reads_the_row(node):
        # Run once for all rows.
        return
    if kind == "FuncCall" and not _has_column(node) and _may_change(node, schema):
        yield node
        return
    for child in _children(node):
        yield from _repeated(child, schema)


def _reads_the_row(query: Any) -> bool:
    """Say whether a subquery has columns of what is outside: PostgreSQL qualifies each column inside of one."""
    inside = set(_names(query))
    return any(
        len(parts := [part.string.sval for part in node.fields]) > 1 and parts[-2] not in inside
        for node in _nodes(query)
        if node.DESCRIPTOR.name == "ColumnRef"
    )


def _names(query: Any) -> Iterator[str]:
    """Yield what a query calls the relations that it reads."""
    for node in _nodes(query):
        kind = node.DESCRIPTOR.name
        if kind == "Alias":
            yield node.aliasname
        elif kind == "RangeVar" and not node.HasField("alias"):
            yield node.relname


def _nodes(node: Any) -> Iterator[Any]:
    yield node
    for child in _children(node):
        yield from _nodes(child)


def _may_change(call: Any, schema: Schema) -> bool:
    *qualifier, name = (part.string.sval for part in call.funcname)
    if qualifier in ([], ["pg_catalog"]):
        return name in _BUILT_IN
    prefix = ".".join(quoted(part) for part in (*qualifier, name)) + "("
    return any(
        isinstance(one, Function) and one.volatility != "immutable"
        for home, objects in schema.homes.items()
        if home.catalog == "function" and home.name.startswith(prefix)
        for one in objects.values()
    )


def _has_column(node: Any) -> bool:
    return any(one.DESCRIPTOR.name == "ColumnRef" for one in _nodes(node))


def _children(node: Any) -> Iterator[Any]:
    for field, value in node.ListFields():
        if field.message_type is not None:
            yield from [value] if hasattr(value, "ListFields") else value


def _call(text: str, location: int) -> Call:
    """Return the call that begins at a position, which is counted in bytes."""
    begin = len(text.encode()[:location].decode())
    depth = 0
    for token in _TOKEN.finditer(text, begin):
        depth += {"(": 1, ")": -1}.get(token[0], 0)
        if not depth and token[0] == ")":
            break
    return Call(start=begin - len(_SELECT), text=text[begin : token.end()])


#: A string, a quoted name, or a single character: enough to find the parenthesis that closes a call.
_TOKEN = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|.", re.DOTALL)
