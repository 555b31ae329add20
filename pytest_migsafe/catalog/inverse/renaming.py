"""Names given back: what is called otherwise keeps its rows, where dropping it and making it again would lose them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pytest_migsafe.catalog.inverse.relations import constraint_of
from pytest_migsafe.catalog.inverse.words import target
from pytest_migsafe.catalog.lexical import own_name, parent_of
from pytest_migsafe.catalog.objects import CatalogObject
from pytest_migsafe.catalog.renames import renames
from pytest_migsafe.catalog.schema import (
    Column,
    Constraint,
    Function,
    Index,
    Namespace,
    Policy,
    Schema,
    Sequence,
    Table,
    Trigger,
    Type,
    View,
)

#: In this order names are given back: that of a whole goes before those of its parts, which are found by it.
_ORDER: tuple[type[CatalogObject], ...] = (
    Namespace,
    Type,
    Function,
    Sequence,
    Table,
    View,
    Column,
    Constraint,
    Index,
    Trigger,
    Policy,
)


@dataclass(frozen=True, slots=True)
class Renamed:
    """An object by what it was called, and what it is called now."""

    was: CatalogObject
    now: str


def alike(now: Schema, then: Schema) -> Iterator[Renamed]:
    """Yield what is likely to be the same under another name: what is gone and what is new and alone alike."""
    for old, new in renames(then, now).items():
        for kind in (Table, View, Sequence, Function, Constraint, Index, Trigger, Policy):
            was = then.get(kind.KIND, old) if _can_be(kind, old) else None
            # The index of a constraint has its name from that.
            if was is not None and not (isinstance(was, Index) and constraint_of(then, was)):
                yield Renamed(was, new)


def _can_be(kind: type[CatalogObject], name: str) -> bool:
    return name.endswith(")") == (kind is Function)


def names_back(now: Schema, renamed: Iterable[Renamed]) -> tuple[str, ...]:
    """Return the statements that give objects their names back."""
    known = {one.was.key: one for one in renamed}
    ordered = sorted(known.values(), key=lambda one: (_ORDER.index(type(one.was)), one.was.qualified_name))
    return tuple(statement for one in ordered for statement in _back(now, one))


def _back(schema: Schema, one: Renamed) -> Iterator[str]:
    was, now = one.was, one.now
    name = own_name(was.qualified_name)
    match was:
        case Namespace():
            yield f"ALTER SCHEMA {now} RENAME TO {name};"
        case Column():
            yield f"ALTER TABLE {was.relation} RENAME COLUMN {own_name(now)} TO {name};"
        case Constraint():
            domain = "DOMAIN" if was.object_kind == "domain" else "TABLE"
            yield f"ALTER {domain} {was.relation} RENAME CONSTRAINT {own_name(now)} TO {name};"
        case Trigger() | Policy():
            yield f"ALTER {was.KIND.upper()} {own_name(now)} ON {was.relation} RENAME TO {name};"
        case Index():
            # That of a constraint is renamed with it.
            if schema.get(Constraint.KIND, f"{was.relation}.{own_name(now)}") is None:
                yield f"ALTER INDEX {now} RENAME TO {name};"
        case _:
            yield from _moved_back(schema, was, now)


def _moved_back(schema: Schema, was: CatalogObject, now: str) -> Iterator[str]:
    """Yield what gives a relation, a type or a function its name and its schema back."""
    found = schema.get(was.KIND, now)
    words = target(found) if found is not None else None
    if words is None:
        return
    kind = words.removesuffix(now).rstrip()
    arguments = "(" + now.partition("(")[2] if isinstance(was, Function) else ""
    home, before = (_schema(name) for name in (now, was.qualified_name))
    if own_name(now) != own_name(was.qualified_name):
        yield f"ALTER {kind} {now} RENAME TO {own_name(was.qualified_name)};"
    if home != before:
        yield f"ALTER {kind} {home}.{own_name(was.qualified_name)}{arguments} SET SCHEMA {before};"


def _schema(name: str) -> str:
    return parent_of(name.partition("(")[0])
