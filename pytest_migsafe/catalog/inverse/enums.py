"""Values taken from an enum: PostgreSQL has no statement for it, so the type is made anew, and its columns move over.

Rows that have such a value by then end it with an error, and nothing has happened (manual: "ALTER TYPE").
"""

from collections.abc import Iterator

from pytest_migsafe.catalog import rarer
from pytest_migsafe.catalog.inverse import types
from pytest_migsafe.catalog.inverse.relations import constraint_of, names
from pytest_migsafe.catalog.inverse.steps import Phase, Way
from pytest_migsafe.catalog.lexical import last_part, parent_of, quoted
from pytest_migsafe.catalog.objects import CatalogObject
from pytest_migsafe.catalog.schema import (
    Column,
    Schema,
    Table,
    Type,
)


def made_anew(way: Way, now: Type, then: Type) -> list[CatalogObject] | None:
    """Add the steps that make an enum anew; return what has to go meanwhile, and the columns. None: it cannot be.

    What has to go is dropped and made again by the caller, with what depends on it and on the columns.
    """
    columns = [one for one in way.now.columns.values() if _is_of(one.type, now.name)]
    if _is_built_on(way.now, now.name) or any(names(one.generated or "", now.name) for one in columns):
        return None
    before = quoted(f"{last_part(now.name)}_before")
    way.add(Phase.SCHEMA, f"ALTER TYPE {now.name} RENAME TO {before};")
    way.add(Phase.TYPE, types.create(then) or "")
    for one in columns:
        if way.now.get(Table.KIND, one.relation) is not None:
            way.add(Phase.COLUMN, *_moved(way, one, now.name))
    way.add(Phase.DROP_TYPE, f"DROP TYPE {parent_of(now.name)}.{before};")
    return [*columns, *_saying(way.now, now.name)]


def _is_of(type_name: str, name: str) -> bool:
    """Whether a type is an enum, or an array of it."""
    return type_name.removesuffix("[]") == name


def _moved(way: Way, one: Column, name: str) -> Iterator[str]:
    """Yield what gives a column the new type; one that is gone later, or comes from a parent, needs nothing."""
    then = way.then.get(Column.KIND, one.qualified_name)
    if not isinstance(then, Column) or (one.inherited and not one.local):
        return
    alter = f"ALTER TABLE {one.relation} ALTER COLUMN {one.name}"
    many = one.type.removeprefix(name)
    if one.default is not None:
        yield f"{alter} DROP DEFAULT;"
    yield f"{alter} TYPE {one.type} USING {one.name}::text{many}::{one.type};"
    if then.default is not None:
        yield f"{alter} SET DEFAULT {then.default};"


def _is_built_on(schema: Schema, name: str) -> bool:
    """Whether another type, a cast or an operator is made of a type."""
    made = (
        f"{one.base_type} {one.attributes} {one.range}" for one in schema.types.values() if one.name != name
    )
    named = (one.name for some in (schema.casts, schema.operators) for one in some.values())
    classes = (one.type for one in schema.of_kind(rarer.OperatorClass).values())
    return any(names(text, name) for text in (*made, *named, *classes))


def _saying(schema: Schema, name: str) -> Iterator[CatalogObject]:
    """Yield what has a type in its definition."""
    for function in schema.functions.values():
        if names(f"{function.name} {function.arguments} {function.returns}", name):
            yield function
    for policy in schema.policies.values():
        if names(f"{policy.using} {policy.check}", name):
            yield policy
    own = (
        one for one in schema.indexes.values() if constraint_of(schema, one) is None and one.parent is None
    )
    others = (schema.constraints, schema.views, schema.triggers, schema.rules)
    for one in (*own, *(one for some in others for one in some.values())):
        if names(one.definition, name):
            yield one
