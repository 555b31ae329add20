"""What indexes and foreign keys are made of, column by column: their definitions are text, and text is hard to compare."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import TypeVar

from pytest_migsafe.catalog.composition import Fragment, fragment, text_array
from pytest_migsafe.catalog.objects import Home
from pytest_migsafe.catalog.queries import Rows, send
from pytest_migsafe.catalog.schema import Constraint, Index, Schema
from pytest_migsafe.rehearsal.facts import Facts, ForeignKeyShape, IndexShape
from pytest_migsafe.rehearsal.probes.asking import Asking
from pytest_migsafe.rehearsal.probes.scripts import script

_Shape = TypeVar("_Shape")


def probe(asking: Asking, known: Facts) -> Facts:
    """Read the indexes and foreign keys of the relations that were changed, and of those that refer to them."""
    changed = {home.name for home in asking.changed if home.catalog == "relation"}
    if not changed:
        return known
    # The columns that a foreign key refers to change without any change to the table that it belongs to.
    changed |= {
        relation
        for relation, some in known.foreign_keys.items()
        if any(one.target in changed for one in some)
    }
    queries = {
        name: _query(name, some)
        for name, is_one in (("index_shapes", _is_index), ("foreign_key_shapes", _is_foreign_key))
        if (some := [one for one in changed if _has(asking.after, one, is_one)])
    }
    found = dict(zip(queries, send(asking.source, list(queries.values())), strict=True)) if queries else {}
    return replace(
        known,
        indexes=_updated(known.indexes, changed, found.get("index_shapes", []), IndexShape),
        foreign_keys=_updated(
            known.foreign_keys, changed, found.get("foreign_key_shapes", []), ForeignKeyShape
        ),
    )


def _is_index(one: object) -> bool:
    return isinstance(one, Index)


def _is_foreign_key(one: object) -> bool:
    return isinstance(one, Constraint) and one.type == "foreign key"


def _has(schema: Schema, relation: str, is_one: Callable[[object], bool]) -> bool:
    return any(is_one(one) for one in schema.homes.get(Home("relation", relation), {}).values())


def _query(name: str, relations: Iterable[str]) -> Fragment:
    return fragment(script(name), relations=text_array(sorted(relations), "pg_catalog.regclass[]"))


def _updated(
    known: Mapping[str, tuple[_Shape, ...]],
    changed: Iterable[str],
    rows: Rows,
    shape: Callable[..., _Shape],
) -> Mapping[str, tuple[_Shape, ...]]:
    """Return what is known of all relations: of the changed ones, what was read."""
    updated = dict(known)
    for relation in changed:
        updated.pop(relation, None)
    for relation, *values in rows:
        one = shape(*(tuple(value) if isinstance(value, list) else value for value in values))
        updated[relation] = (*updated.get(relation, ()), one)
    return updated
