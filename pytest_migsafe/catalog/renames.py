"""What is called otherwise than before: an object that is gone, and a new one that is the same but for its name.

A snapshot knows objects by their names only, so a rename looks like a removal and an addition. Two objects are taken
for one when they alone among what is gone and what is new are alike.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields
from typing import Any, TypeVar

from pytest_migsafe.catalog.objects import CatalogObject, Home, Key
from pytest_migsafe.catalog.schema import Column, Constraint, Function, Index, Policy, Schema, Trigger

_Name = TypeVar("_Name")

#: What belongs to a relation and can be renamed without it.
_PARTS: tuple[type[CatalogObject], ...] = (Constraint, Index, Policy, Trigger)


def renames(before: Schema, after: Schema) -> Mapping[str, str]:
    """Return the new name of each relation and function that was renamed, and of what belongs to relations."""
    gone = before.homes.keys() - after.homes.keys()
    new = after.homes.keys() - before.homes.keys()
    found = {}
    for old, now in _alike(
        ((home, _likeness_of_home(home, before.homes[home])) for home in gone),
        ((home, _likeness_of_home(home, after.homes[home])) for home in new),
    ):
        found[old.name] = now.name
        found.update(_parts(before.homes[old], after.homes[now]))
    for home in before.homes.keys() & after.homes.keys():
        if before.homes[home] is not after.homes[home]:
            found.update(_parts(before.homes[home], after.homes[home]))
    return found


def renamed(name: str, names: Mapping[str, str]) -> str:
    """Return what an object is called now, also where it is the relation in its name that was renamed."""
    if name in names:
        return names[name]
    for old, new in names.items():
        if name.startswith(f"{old}."):
            return new + name.removeprefix(old)
    return name


def _parts(
    before: Mapping[Key, CatalogObject], after: Mapping[Key, CatalogObject]
) -> Iterator[tuple[str, str]]:
    """Yield the old and the new name of what belongs to a relation."""
    for old, now in _alike(
        (
            (key, _likeness(one))
            for key, one in before.items()
            if key not in after and isinstance(one, _PARTS)
        ),
        (
            (key, _likeness(one))
            for key, one in after.items()
            if key not in before and isinstance(one, _PARTS)
        ),
    ):
        yield old.name, now.name


def _alike(
    before: Iterable[tuple[_Name, Any]], after: Iterable[tuple[_Name, Any]]
) -> Iterator[tuple[_Name, _Name]]:
    """Yield the pairs that are alike, and like nothing else."""
    old, new = _by_likeness(before), _by_likeness(after)
    for likeness in old.keys() & new.keys():
        if len(old[likeness]) == len(new[likeness]) == 1:
            yield old[likeness][0], new[likeness][0]


def _by_likeness(some: Iterable[tuple[_Name, Any]]) -> dict[Any, list[_Name]]:
    found: dict[Any, list[_Name]] = {}
    for name, likeness in some:
        if likeness is not None:
            found.setdefault(likeness, []).append(name)
    return found


def _likeness_of_home(home: Home, objects: Mapping[Key, CatalogObject]) -> Any:
    """Return what is the same of a relation or function under another name."""
    itself = next(
        (one for one in objects.values() if one.qualified_name == home.name and one.home == home), None
    )
    if isinstance(itself, Function):
        return _likeness(itself)
    columns = tuple(sorted((one.name, one.type) for one in objects.values() if isinstance(one, Column)))
    return (type(itself), columns) if itself is not None and columns else None


def _likeness(one: CatalogObject) -> Any:
    """Return an object's fields, but for its names."""
    own = getattr(one, "name", "")
    return (
        type(one),
        *(
            _without_names(getattr(one, part.name), own, getattr(one, "relation", ""))
            for part in fields(one)
            if part.compare and part.name not in {"name", "relation", "comment"}
        ),
    )


def _without_names(value: Any, *names: str) -> Any:
    """Return a definition without the names of the object and its relation: what is left is the same under others."""
    if not isinstance(value, str):
        return value
    for name in names:
        value = value.replace(name, "").replace(name.rpartition(".")[2], "") if name else value
    return value
