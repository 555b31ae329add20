"""A database as it is, for the smoke tests: its schema, what it was asked, and which part is looked at."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TypeVar

from pytest_migsafe.catalog import Schema
from pytest_migsafe.catalog.lexical import schema_of
from pytest_migsafe.catalog.objects import CatalogObject, Home, Key
from pytest_migsafe.catalog.schema import (
    GROUPS,
    Column,
    Constraint,
    Function,
    Grant,
    Index,
    Policy,
    Rule,
    Sequence,
    Table,
    Trigger,
    View,
)
from pytest_migsafe.rehearsal.facts import Facts, Scope

_Object = TypeVar("_Object", bound=CatalogObject)


@dataclass(frozen=True)
class Relation:
    """A table, view or sequence with all that belongs to it."""

    name: str
    objects: Mapping[Key, CatalogObject]

    def of_kind(self, kind: type[_Object]) -> tuple[_Object, ...]:
        """Return what belongs to it of a kind, by name."""
        return tuple(one for _, one in sorted(self.objects.items()) if isinstance(one, kind))

    def itself(self, kind: type[_Object]) -> _Object | None:
        """Return the relation as an object, if it is of this kind."""
        found = self.objects.get(Key(kind.KIND, self.name))
        return found if isinstance(found, kind) else None

    @property
    def schema(self) -> str:
        """The name of its schema."""
        return schema_of(self.name)

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        """The columns, in their physical order."""
        return tuple(sorted(self.of_kind(Column), key=lambda one: one.position))

    @cached_property
    def constraints(self) -> tuple[Constraint, ...]:
        """The constraints, by name."""
        return self.of_kind(Constraint)

    @cached_property
    def indexes(self) -> tuple[Index, ...]:
        """The indexes, by name."""
        return self.of_kind(Index)

    @cached_property
    def triggers(self) -> tuple[Trigger, ...]:
        """The triggers, by name: within a table and event the order in which they fire."""
        return self.of_kind(Trigger)

    @cached_property
    def rules(self) -> tuple[Rule, ...]:
        """The rewrite rules, by name."""
        return self.of_kind(Rule)

    @cached_property
    def policies(self) -> tuple[Policy, ...]:
        """The row-level security policies, by name."""
        return self.of_kind(Policy)

    @cached_property
    def grants(self) -> tuple[Grant, ...]:
        """The grants on it and on its columns."""
        return self.of_kind(Grant)


def major_of(server_version: str) -> int:
    """Return the major version of a server's version, such as "18.1"; 0 when that is not known."""
    return int(server_version.partition(".")[0] or 0)


@dataclass(frozen=True, kw_only=True)
class State:
    """A database as it is, and the part of it that is looked at."""

    schema: Schema = field(default_factory=Schema)
    facts: Facts = field(default_factory=Facts)
    scope: Scope = field(default_factory=Scope)
    #: The server's version, such as "18.1".
    server_version: str = ""
    #: The homes of what is looked at; None: everything is.
    looked_at: frozenset[Home] | None = None

    def _homes(self, catalog: str) -> Iterator[tuple[Home, Mapping[Key, CatalogObject]]]:
        if self.looked_at is None:
            homes = sorted(home for home in self.schema.homes if home.catalog == catalog)
        else:
            homes = sorted(home for home in self.looked_at if home.catalog == catalog)
        for home in homes:
            objects = self.schema.homes.get(home)
            if objects is not None and self.scope.includes(schema_of(home.name)):
                yield home, objects

    @property
    def major(self) -> int:
        """The server's major version; 0 when it is not known."""
        return major_of(self.server_version)

    @cached_property
    def relations(self) -> tuple[Relation, ...]:
        """The relations that are looked at, in the schemas that are judged."""
        return tuple(Relation(home.name, objects) for home, objects in self._homes("relation"))

    @cached_property
    def tables(self) -> tuple[tuple[Table, Relation], ...]:
        """Those of them that are tables: ordinary, partitioned or foreign."""
        return tuple((table, one) for one in self.relations if (table := one.itself(Table)))

    @cached_property
    def views(self) -> tuple[tuple[View, Relation], ...]:
        """Those of them that are views or materialized views."""
        return tuple((view, one) for one in self.relations if (view := one.itself(View)))

    @cached_property
    def sequences(self) -> tuple[tuple[Sequence, Relation], ...]:
        """Those of them that are sequences."""
        return tuple((sequence, one) for one in self.relations if (sequence := one.itself(Sequence)))

    @cached_property
    def functions(self) -> tuple[Function, ...]:
        """The functions, procedures and aggregates that are looked at."""
        return tuple(
            one
            for _, objects in self._homes("function")
            for one in objects.values()
            if isinstance(one, Function)
        )

    @property
    def missing_roles(self) -> tuple[str, ...]:
        """The roles that are called exposed and that the server does not have."""
        return tuple(one for one in self.scope.exposed_roles if one not in self.facts.access.roles)

    @cached_property
    def grants_on_schemas(self) -> tuple[Grant, ...]:
        """The grants on the schemas that are looked at."""
        return tuple(
            one for _, objects in self._homes("schema") for one in objects.values() if isinstance(one, Grant)
        )

    def listed(self, kind: type[_Object]) -> tuple[_Object, ...]:
        """Return the objects of a kind, of which there are few, if any of their group is looked at."""
        return tuple(
            one
            for home in GROUPS
            if self.looked_at is None or home in self.looked_at
            for one in self.schema.homes.get(home, {}).values()
            if isinstance(one, kind)
        )

    def relation(self, name: str) -> Relation | None:
        """Return any relation by its name, looked at or not."""
        objects = self.schema.belonging_to(name)
        return Relation(name, objects) if objects else None


def states_around(before: State, after: State, changed: frozenset[Home] | None = None) -> tuple[State, State]:
    """Return two states, one of which was made of the other, as far as they can differ in what is wrong with them.

    ``changed`` are the homes that differ between their schemas; they are looked for where they are not given.

    That is what was changed, the views of it (what a view shows depends on more than itself), and the sequences that
    its columns draw from, or drew from. And what others may do with, or what the planner makes of its policies, for that
    depends on schemas, roles and functions.
    """
    if after.facts.access.has_other_roles(before.facts.access):
        # Who is a member of whom bears on every policy and every owner.
        return replace(before, looked_at=None), replace(after, looked_at=None)
    if changed is None:
        changed = changed_homes(before.schema, after.schema)
    changed = changed.union(_open_to_others(before.facts, after.facts))
    relations = {home.name for home in changed if home.catalog == "relation"}
    looked_at = changed.union(
        _views_of(after.schema, relations) if relations else (),
        _sequences_of(before.schema, relations),
        _sequences_of(after.schema, relations),
    )
    return replace(before, looked_at=looked_at), replace(after, looked_at=looked_at)


def _open_to_others(before: Facts, after: Facts) -> Iterator[Home]:
    told: tuple[tuple[str, Mapping[str, object], Mapping[str, object]], ...] = (
        ("relation", before.access.relations, after.access.relations),
        ("function", before.access.functions, after.access.functions),
        ("relation", before.policies, after.policies),
    )
    for catalog, then, now in told:
        yield from (
            Home(catalog, name)
            for name in then.keys() | now.keys()
            if (was := then.get(name)) is not (now_is := now.get(name)) and was != now_is
        )


def changed_homes(before: Schema, after: Schema) -> frozenset[Home]:
    """Return the homes whose objects differ between two schemas, of which one was made of the other."""
    known = before.homes.get
    # Most lie in both: identity answers for nearly all.
    touched = [home for home, now in after.homes.items() if known(home) is not now]
    gone: Iterable[Home] = ()
    if sum(home not in before.homes for home in touched) != len(after.homes) - len(before.homes):
        gone = before.homes.keys() - after.homes.keys()
    return frozenset([*gone, *(home for home in touched if known(home) != after.homes[home])])


def _views_of(schema: Schema, relations: set[str]) -> Iterator[Home]:
    """Yield the views of relations, and the views of those."""
    views = list(schema.of_kind(View).values())
    while found := [view for view in views if not relations.isdisjoint(view.reads)]:
        yield from (view.home for view in found)
        relations = {view.name for view in found}
        views = [view for view in views if view.name not in relations]


def _sequences_of(schema: Schema, relations: set[str]) -> Iterator[Home]:
    for relation in relations:
        for one in schema.belonging_to(relation).values():
            if isinstance(one, Column) and (sequence := sequence_of(one)) is not None:
                yield Home("relation", sequence)


#: A default that is the next value of a sequence, and nothing else.
_NEXT_VALUE = re.compile(r"nextval\('((?:[^']|'')+)'::regclass\)")


def sequence_of(column: Column) -> str | None:
    """Return the sequence whose next value is a column's default, by its name."""
    found = _NEXT_VALUE.fullmatch(column.default or "")
    return found[1].replace("''", "'") if found is not None else None
