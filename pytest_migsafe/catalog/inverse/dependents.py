"""What keeps an object from being dropped or changed: what has to go before it, and to come back after it."""

import re
from collections.abc import Iterator

from pytest_migsafe.catalog.inverse.relations import INDEXED, mentions
from pytest_migsafe.catalog.lexical import own_name, parent_of, without_arguments
from pytest_migsafe.catalog.objects import CatalogObject
from pytest_migsafe.catalog.schema import (
    Column,
    Constraint,
    Function,
    Policy,
    Rule,
    Schema,
    Trigger,
    View,
)


def dependents(schema: Schema, one: CatalogObject) -> Iterator[CatalogObject]:
    """Yield what depends directly on an object, as far as definitions tell."""
    match one:
        case View():
            yield from _readers(schema, one.name)
        case Function():
            yield from _callers(schema, one)
        case Constraint() if one.type in INDEXED:
            yield from _relying(schema, one)
        case Column():
            yield from _of_column(schema, one)
        case _:
            return


def _readers(schema: Schema, relation: str) -> Iterator[View]:
    yield from (view for view in schema.views.values() if relation in view.reads)


def _relying(schema: Schema, one: Constraint) -> Iterator[Constraint]:
    index = f"{parent_of(one.relation)}.{one.name}"
    for key in schema.constraints.values():
        if key.type == "foreign key" and key.index == index:
            yield key


def _callers(schema: Schema, one: Function) -> Iterator[CatalogObject]:
    called = re.compile(rf"(?<![\w.\"]){re.escape(without_arguments(one.name))}\(")
    yield from (view for view in schema.views.values() if one.name in view.calls)
    yield from (event for event in schema.event_triggers.values() if event.function == one.name)
    for trigger in schema.triggers.values():
        if trigger.function == one.name or called.search(trigger.definition):
            yield trigger
    for policy in schema.policies.values():
        if called.search(f"{policy.using} {policy.check}"):
            yield policy
    for some in (schema.constraints, schema.indexes, schema.rules):
        yield from (each for each in some.values() if called.search(each.definition))
    for function in schema.functions.values():
        # Of a body that is text nothing is kept (manual: "CREATE FUNCTION").
        is_tree = function.body.startswith(("BEGIN ATOMIC", "RETURN "))
        if function.name != one.name and is_tree and called.search(function.body):
            yield function


def _of_column(schema: Schema, one: Column) -> Iterator[CatalogObject]:
    """Yield what names a column: its type cannot be changed, and it cannot be dropped, while that is there."""
    for view in _readers(schema, one.relation):
        if mentions(view.definition, one.name):
            yield view
    for each in schema.belonging_to(one.relation).values():
        if isinstance(each, Trigger | Rule) and mentions(_after_relation(each), one.name):
            yield each
        if isinstance(each, Policy) and mentions(f"{each.using} {each.check}", one.name):
            yield each
    for policy in schema.policies.values():
        text = f"{policy.using} {policy.check}"
        if policy.relation != one.relation and one.relation in text and mentions(text, one.name):
            yield policy


def _after_relation(one: Trigger | Rule) -> str:
    return one.definition.replace(one.relation, "", 1).replace(own_name(one.name), "", 1)
