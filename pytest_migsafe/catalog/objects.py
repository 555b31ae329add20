"""What all kinds of objects share: a name, a home, and a way into JSON and back."""

import types
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar, NamedTuple, Self, get_args

from pytest_migsafe.errors import SnapshotError


class Home(NamedTuple):
    """The object that another stands and falls with: a column's home is its table."""

    catalog: str
    name: str


class Key(NamedTuple):
    """What an object is found by: its kind and its qualified name."""

    kind: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogObject:
    """What all kinds share."""

    KIND: ClassVar[str] = ""

    @property
    def qualified_name(self) -> str:
        """Return the name, qualified as far as it takes to be the only one of its kind."""
        raise NotImplementedError

    @property
    def home(self) -> Home:
        """Return the object that this one belongs to, perhaps itself."""
        raise NotImplementedError

    @property
    def key(self) -> Key:
        """Return what this object is found by."""
        return Key(self.KIND, self.qualified_name)

    def to_json(self) -> dict[str, object]:
        """Return the fields as plain values."""
        return {one.name: _plain(getattr(self, one.name)) for one in fields(self)}

    @classmethod
    def from_json(cls, values: Mapping[str, object]) -> Self:
        """Return the object that `to_json` described.

        Raises:
            SnapshotError: it is no description of such an object; the message is one line.
        """
        if not isinstance(values, Mapping):
            raise SnapshotError(f"a stored {cls.KIND} is {_named(values)}, not an object")
        known = {one.name: one.type for one in fields(cls)}
        for name in sorted(known.keys() ^ values.keys()):
            what = f"no {name!r}" if name in known else f"an unknown field, {name!r}"
            raise SnapshotError(f"a stored {cls.KIND} has {what}: another version of pytest-migsafe wrote it")
        return cls(
            **{name: _read(values[name], kind, f"{cls.KIND}'s {name}") for name, kind in known.items()}
        )


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value


def _read(value: object, kind: Any, place: str) -> object:
    """Return a field's value; a list of JSON is a tuple."""
    kinds = get_args(kind) if isinstance(kind, types.UnionType) else (kind,)
    if type(value) in kinds or (value is None and types.NoneType in kinds):
        return value
    if float in kinds and type(value) is int:
        return float(value)
    if tuple[str, ...] in kinds and isinstance(value, list) and all(isinstance(one, str) for one in value):
        return tuple(value)
    raise SnapshotError(f"a stored {place} is {_named(value)}, which it cannot be")


def _named(value: object) -> str:
    """Return what JSON calls a value."""
    names = {dict: "an object", list: "a list", str: "a text", bool: "a truth value", type(None): "null"}
    return names.get(type(value), "a number")


@dataclass(frozen=True, slots=True, kw_only=True)
class Named(CatalogObject):
    """What has a name of its own, and a home of its own."""

    name: str

    CATALOG: ClassVar[str] = ""

    @property
    def qualified_name(self) -> str:
        """Return the name: it is qualified already."""
        return self.name

    @property
    def home(self) -> Home:
        """Return itself."""
        return Home(self.CATALOG, self.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound(CatalogObject):
    """What belongs to a relation."""

    #: The relation that this belongs to.
    relation: str
    name: str

    @property
    def qualified_name(self) -> str:
        """Return the name, qualified by the relation's."""
        return f"{self.relation}.{self.name}"

    @property
    def home(self) -> Home:
        """Return the relation."""
        return Home("relation", self.relation)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed(CatalogObject):
    """What there are few of: all objects of a group have one home, and are read together or not at all."""

    GROUP: ClassVar[str] = ""

    name: str

    @property
    def qualified_name(self) -> str:
        """Return the name: it is qualified already."""
        return self.name

    @property
    def home(self) -> Home:
        """Return the one home of the group."""
        return Home(self.GROUP, "")
