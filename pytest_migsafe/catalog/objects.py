"""What all kinds of objects share: a name, a home, and a way into JSON and back."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import ClassVar, NamedTuple, Self


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
        """Return the object that `to_json` described."""
        return cls(**{name: tuple(one) if isinstance(one, list) else one for name, one in values.items()})


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value


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
