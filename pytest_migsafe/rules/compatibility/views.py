"""What a view lets applications write (manual: "CREATE VIEW", Updatable Views)."""

import re
from collections.abc import Iterator, Mapping

from pytest_migsafe.catalog import Schema
from pytest_migsafe.catalog.lexical import last_part, quoted
from pytest_migsafe.catalog.schema import Column, Rule, Table, Trigger, View
from pytest_migsafe.migrations.definitions import SimpleQuery, simple_query

_COMMANDS = ("INSERT", "UPDATE", "DELETE")


def unwritable(schema: Schema, relation: str) -> str:
    """Return why a relation cannot be written; empty when it can, by INSERT, UPDATE and DELETE."""
    if isinstance(schema.get(Table.KIND, relation), Table):
        return ""
    view = schema.get(View.KIND, relation)
    if not isinstance(view, View):
        return "it is no table"
    if view.kind != "view":
        return f"it is a {view.kind}"
    if instead := set(_instead(schema, relation)):
        missing = [one for one in _COMMANDS if one not in instead]
        return f"nothing is done instead of {missing[0]}" if missing else ""
    query = simple_query(view.definition)
    return query if isinstance(query, str) else unwritable(schema, _relation(query, view))


def _instead(schema: Schema, view: str) -> Iterator[str]:
    """Yield the commands that triggers and rules of a view do in another way."""
    for one in schema.belonging_to(view).values():
        if isinstance(one, Trigger) and (found := re.search(r"INSTEAD OF (.*?) ON ", one.definition)):
            yield from (word for word in _COMMANDS if word in found[1])
        elif isinstance(one, Rule) and (
            found := re.search(r"ON (\w+)\s.*DO INSTEAD", one.definition, re.DOTALL)
        ):
            yield found[1].upper()


def _relation(query: SimpleQuery, view: View) -> str:
    """Return the qualified name of what a view shows."""
    if query.schema:
        return f"{quoted(query.schema)}.{quoted(query.relation)}"
    return next((one for one in view.reads if last_part(one) == query.relation), quoted(query.relation))


def unwritten_columns(schema: Schema, relation: str) -> set[str]:
    """Return the columns of a view that are computed, so that no value can be given to them."""
    view = schema.get(View.KIND, relation)
    if not isinstance(view, View) or set(_instead(schema, relation)):
        return set()
    query = simple_query(view.definition)
    if isinstance(query, str):
        return set()
    below = unwritten_columns(schema, _relation(query, view))
    return {quoted(name) for name, column in query.columns.items() if not column or quoted(column) in below}


def columns_of(schema: Schema, relation: str) -> Mapping[str, Column]:
    """Return a relation's columns by name, in their physical order."""
    found = [one for one in schema.belonging_to(relation).values() if isinstance(one, Column)]
    return {one.name: one for one in sorted(found, key=lambda one: one.position)}
