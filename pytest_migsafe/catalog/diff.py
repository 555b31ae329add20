"""What is different between two schemas, as plain values."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal, Self

from pytest_migsafe.catalog.names import without_automatic_names
from pytest_migsafe.catalog.objects import CatalogObject, Key
from pytest_migsafe.catalog.schema import KIND_ORDER, KINDS, Schema

Action = Literal["added", "removed", "changed"]
#: What a field can hold.
Value = str | int | float | bool | tuple[str, ...] | None
Attribute = tuple[str, Value, Value]

_INVERSE: Mapping[Action, Action] = {"added": "removed", "removed": "added", "changed": "changed"}

#: The fields that take part in equality.
_COMPARED: Mapping[str, tuple[str, ...]] = {
    kind.KIND: tuple(one.name for one in fields(kind) if one.compare) for kind in KINDS
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One object that was added, removed or changed."""

    action: Action
    #: The object's kind, as its class says it: table, column, default privileges ...
    kind: str
    #: The qualified name.
    name: str
    #: Name of the field, value before, value after. What is added has no values before (None), and the fields
    #: that hold None are left out; what is removed, the other way round.
    attributes: tuple[Attribute, ...] = ()

    def inverted(self) -> Self:
        """Return the change back."""
        return type(self)(
            action=_INVERSE[self.action],
            kind=self.kind,
            name=self.name,
            attributes=tuple((name, after, before) for name, before, after in self.attributes),
        )

    def value(self, attribute: str) -> Value:
        """Return what a field holds after the change, or, when the object is removed, held before; else None."""
        for name, before, after in self.attributes:
            if name == attribute:
                return before if self.action == "removed" else after
        return None

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "action": self.action,
            "kind": self.kind,
            "name": self.name,
            "attributes": [[name, _plain(before), _plain(after)] for name, before, after in self.attributes],
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Return the change that `to_json` described."""
        return cls(
            action=values["action"],
            kind=values["kind"],
            name=values["name"],
            attributes=tuple(
                (name, _value(before), _value(after)) for name, before, after in values["attributes"]
            ),
        )


def _plain(value: Value) -> object:
    return list(value) if isinstance(value, tuple) else value


def _value(plain: Any) -> Value:
    value: Value = tuple(plain) if isinstance(plain, list) else plain
    return value


def diff(before: Schema, after: Schema, *, names: Literal["kept", "free"] = "kept") -> list[Change]:
    """Return what must happen to get from one schema to the other, kinds after what they depend on, then by name.

    With ``names="free"``, the names that PostgreSQL chose itself make no difference (see `without_automatic_names`).
    """
    if before is after:
        return []
    if names == "free":
        before, after = without_automatic_names(before), without_automatic_names(after)
    # By key, not by home: an index that moves from one table to another keeps its name.
    olds: dict[Key, CatalogObject] = {}
    news: dict[Key, CatalogObject] = {}
    # An incremental reading leaves what it did not touch as it is: identity answers for nearly all.
    touched = [home for home, now in after.homes.items() if before.homes.get(home) is not now]
    if sum(home not in before.homes for home in touched) != len(after.homes) - len(before.homes):
        touched += before.homes.keys() - after.homes.keys()
    for home in touched:
        olds.update(before.homes.get(home, {}))
        news.update(after.homes.get(home, {}))
    changes = [
        _change(key, old, new)
        for key in olds.keys() | news.keys()
        if (old := olds.get(key)) is not (new := news.get(key)) and old != new
    ]
    return sorted(changes, key=lambda one: (KIND_ORDER[one.kind], one.name))


def _change(key: Key, old: CatalogObject | None, new: CatalogObject | None) -> Change:
    if old is None or new is None:
        one = new if old is None else old
        values = ((name, getattr(one, name)) for name in _COMPARED[key.kind])
        return Change(
            action="added" if old is None else "removed",
            kind=key.kind,
            name=key.name,
            attributes=tuple(
                (name, None, value) if old is None else (name, value, None)
                for name, value in values
                if value is not None
            ),
        )
    names = _COMPARED[key.kind]
    return Change(
        action="changed",
        kind=key.kind,
        name=key.name,
        attributes=tuple(
            (name, was, now) for name in names if (was := getattr(old, name)) != (now := getattr(new, name))
        ),
    )
