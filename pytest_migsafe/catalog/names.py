"""Names that PostgreSQL chose: two schemas that differ in nothing else are the same schema.

Going down and up again can turn `orders_email_key` into `orders_email_key1`. What a name would be is computed as
PostgreSQL does it (`ChooseRelationName`, `ChooseConstraintName` and `makeObjectName` in its source): the table, the
columns and a label with underscores between them, cut to 63 bytes, with a number where the name is taken. A name is
automatic only if PostgreSQL could have chosen it for this very object.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from pytest_migsafe.catalog.lexical import LONGEST_NAME, parent_of, quoted, unquoted
from pytest_migsafe.catalog.objects import CatalogObject, Key
from pytest_migsafe.catalog.schema import Column, Constraint, Grant, Index, Schema, Sequence, Table

_LABELS: Mapping[str, str] = {
    "check": "check",
    "foreign key": "fkey",
    "primary key": "pkey",
    "unique": "key",
    "exclude": "excl",
    "not null": "not_null",
}
#: The constraints that have an index of their name.
_INDEXED = frozenset({"primary key", "unique", "exclude"})


def without_automatic_names(schema: Schema) -> Schema:
    """Return the schema with names that PostgreSQL chose replaced by what it would choose first, were none taken.

    So are the places where such a name stands: defaults with their sequence, indexes that others rely on, grants on
    sequences. The text of functions and views is left as it is.
    """
    names = _Names(schema)
    return Schema.of(map(names.renamed, schema))


def chosen_name(table: str, columns: Iterable[str], label: str) -> str:
    """Return the name that PostgreSQL gives to what belongs to a table, all names unquoted."""
    addition = ""
    for column in columns:
        addition = f"{addition}_{column}" if addition else column
        if len(addition.encode()) > LONGEST_NAME:
            break
    first, second = table.encode(), addition.encode()
    room = LONGEST_NAME - len(label.encode()) - (2 if second else 1)
    lengths = [len(first), len(second)]
    while sum(lengths) > room:
        lengths[0 if lengths[0] > lengths[1] else 1] -= 1
    # No character is cut in two.
    parts = (
        part[:length].decode(errors="ignore") for part, length in zip((first, second), lengths, strict=True)
    )
    return "_".join(part for part in (*parts, label) if part)


def _is_automatic(name: str, table: str, columns: Iterable[str], label: str) -> bool:
    number = re.search(rf"{label}([1-9][0-9]*|)$", name)
    return number is not None and name == chosen_name(table, columns, label + number[1])


@dataclass(frozen=True, slots=True)
class _Chosen:
    """An object with an automatic name, and what that would be first."""

    object: CatalogObject
    namespace: str
    first: str


class _Names:
    """The names of a schema's objects, and the ones instead of them."""

    def __init__(self, schema: Schema) -> None:
        self._schema = schema
        #: By the object's key; qualified as the object's own name is.
        self._instead: dict[Key, str] = {}
        taken: dict[tuple[str, str], int] = {}
        for one in sorted(self._chosen(), key=lambda one: (one.namespace, one.first, _content(one.object))):
            number = taken[one.namespace, one.first] = taken.get((one.namespace, one.first), 0) + 1
            again = f"#{number}" if number > 1 else ""
            self._instead[one.object.key] = f"{quoted(one.first)}{again}"
        for constraint in schema.constraints.values():
            self._inherit(constraint)

    def _chosen(self) -> Iterator[_Chosen]:
        for sequence in self._schema.sequences.values():
            if sequence.owned_by:
                table = parent_of(sequence.owned_by)
                yield from _if_chosen(sequence, table, [sequence.owned_by.removeprefix(f"{table}.")], "seq")
        of_constraints = set()
        for constraint in self._schema.constraints.values():
            columns: tuple[str, ...] = constraint.columns
            if constraint.type in _INDEXED:
                name = f"{parent_of(constraint.relation)}.{constraint.name}"
                of_constraints.add(name)
                index = self._schema.indexes.get(name)
                columns = index.columns if index and constraint.type != "primary key" else ()
            elif constraint.type == "check" and len(columns) > 1:
                columns = ()
            yield from _if_chosen(constraint, constraint.relation, columns, _LABELS[constraint.type])
        for name, one in self._schema.indexes.items():
            if name not in of_constraints:
                yield from _if_chosen(one, one.relation, one.columns, "idx")

    def _inherit(self, constraint: Constraint) -> str | None:
        """Let a constraint that has its name from a parent's have it from there again; return it."""
        if constraint.key not in self._instead and constraint.inherited:
            table = self._schema.tables.get(constraint.relation)
            for parent in table.parents if table else ():
                of_parent = self._schema.constraints.get(f"{parent}.{constraint.name}")
                if of_parent is not None and (name := self._inherit(of_parent)):
                    self._instead[constraint.key] = name
        return self._instead.get(constraint.key)

    def renamed(self, one: CatalogObject) -> CatalogObject:
        """Return an object under its new name, and with the new names of others in it."""
        change = _RENAMED.get(type(one))
        changes = change(self, one) if change is not None else {}
        changed = {name: value for name, value in changes.items() if value != getattr(one, name)}
        return replace(one, **changed) if changed else one

    def of_sequence(self, name: str) -> str:
        return self._qualified(Key(Sequence.KIND, name))

    def of_index(self, name: str) -> str:
        index = self._schema.indexes.get(name)
        if index is not None:
            constraint = f"{index.relation}.{name.removeprefix(parent_of(name) + '.')}"
            if instead := self._instead.get(Key(Constraint.KIND, constraint)):
                return f"{parent_of(name)}.{instead}"
        return self._qualified(Key(Index.KIND, name))

    def of_constraint(self, one: Constraint) -> str:
        return self._instead.get(one.key, one.name)

    def _qualified(self, key: Key) -> str:
        instead = self._instead.get(key)
        return f"{parent_of(key.name)}.{instead}" if instead else key.name


def _if_chosen(
    one: Sequence | Constraint | Index, table: str, columns: Iterable[str], label: str
) -> Iterator[_Chosen]:
    """Yield the object if PostgreSQL could have chosen its name."""
    namespace = parent_of(table)
    name = unquoted(one.name if isinstance(one, Constraint) else one.name.removeprefix(f"{namespace}."))
    bare_table, bare_columns = (
        unquoted(table.removeprefix(f"{namespace}.")),
        [unquoted(each) for each in columns],
    )
    if _is_automatic(name, bare_table, bare_columns, label):
        yield _Chosen(one, namespace, chosen_name(bare_table, bare_columns, label))


def _content(one: CatalogObject) -> str:
    """Return what an object is but for its name: the order in which those are counted that would be called the same."""
    values = one.to_json()
    if isinstance(one, Index):
        values["definition"] = _unnamed(one.definition)
    return repr(sorted((name, value) for name, value in values.items() if name != "name"))


_NAMED_INDEX = re.compile(r'^(CREATE (?:UNIQUE )?INDEX )("(?:[^"]|"")*"|\S+)')


def _unnamed(definition: str, name: str = "") -> str:
    return _NAMED_INDEX.sub(lambda found: found[1] + name, definition)


def _of_index(names: _Names, one: Any) -> dict[str, Any]:
    name = names.of_index(one.name)
    return {
        "name": name,
        "definition": _unnamed(one.definition, name.removeprefix(f"{parent_of(one.name)}.")),
        "parent": one.parent and names.of_index(one.parent),
    }


def _of_table(names: _Names, one: Any) -> dict[str, Any]:
    kind, _, index = (one.replica_identity or "").partition(" ")
    return {"replica_identity": f"{kind} {names.of_index(index)}"} if index else {}


_SEQUENCE = re.compile(r"(?<=')((?:[^']|'')+)(?='::regclass)")


def _of_column(names: _Names, one: Any) -> dict[str, Any]:
    def instead(found: "re.Match[str]") -> str:
        return names.of_sequence(found[1].replace("''", "'")).replace("'", "''")

    return {"default": one.default and _SEQUENCE.sub(instead, one.default)}


def _of_grant(names: _Names, one: Any) -> dict[str, Any]:
    return {"object": names.of_sequence(one.object)} if one.object_kind == "sequence" else {}


_RENAMED: Mapping[type[CatalogObject], Callable[[_Names, Any], dict[str, Any]]] = {
    Sequence: lambda names, one: {"name": names.of_sequence(one.name)},
    Constraint: lambda names, one: {
        "name": names.of_constraint(one),
        "index": one.index and names.of_index(one.index),
    },
    Index: _of_index,
    Table: _of_table,
    Column: _of_column,
    Grant: _of_grant,
}
