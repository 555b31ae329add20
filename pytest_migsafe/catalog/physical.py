"""What is stored otherwise and means the same: the order of columns, dropped ones, values that old rows lack.

Dropping a column and adding it again moves it to the end. No query by name tells the difference, so it is none between
schemas; whoever wants to know asks here.
"""

from collections.abc import Iterator, Mapping
from dataclasses import fields
from types import MappingProxyType

from pytest_migsafe.catalog.diff import Attribute, Change, Value
from pytest_migsafe.catalog.objects import CatalogObject
from pytest_migsafe.catalog.schema import KINDS, Column, Schema, Table

_PHYSICAL: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {kind.KIND: tuple(one.name for one in fields(kind) if not one.compare) for kind in KINDS}
)


def physical_values(one: CatalogObject) -> tuple[object, ...]:
    """Return the values of an object that take no part in equality."""
    return tuple(getattr(one, name) for name in _PHYSICAL[one.KIND])


def physical_diff(before: Schema, after: Schema) -> list[Change]:
    """Return the tables that both schemas have and that are stored otherwise: notes, no differences.

    The attributes are ``column_order`` (of the columns that both have), ``dropped_columns`` (how many places of every
    row they take), and ``missing_values`` (the columns that rows lack which were there before them).
    """
    layouts = _layouts(before), _layouts(after)
    return [
        Change(action="changed", kind=Table.KIND, name=name, attributes=attributes)
        for name in sorted(layouts[0].keys() & layouts[1].keys())
        if (attributes := tuple(_attributes(layouts[0][name], layouts[1][name])))
    ]


_Layout = tuple[Table, list[Column]]


def _layouts(schema: Schema) -> dict[str, _Layout]:
    """Return each table with its columns in their physical order."""
    layouts: dict[str, _Layout] = {name: (table, []) for name, table in schema.tables.items()}
    for column in sorted(schema.columns.values(), key=lambda one: one.position):
        if column.relation in layouts:
            layouts[column.relation][1].append(column)
    return layouts


def _attributes(before: _Layout, after: _Layout) -> Iterator[Attribute]:
    common = {one.name for one in before[1]} & {one.name for one in after[1]}
    both: tuple[tuple[str, Value, Value], ...] = (
        ("column_order", _order(before, common), _order(after, common)),
        ("dropped_columns", before[0].dropped_columns, after[0].dropped_columns),
        ("missing_values", _missing(before), _missing(after)),
    )
    yield from (one for one in both if one[1] != one[2])


def _order(layout: _Layout, names: set[str]) -> tuple[str, ...]:
    return tuple(one.name for one in layout[1] if one.name in names)


def _missing(layout: _Layout) -> tuple[str, ...]:
    return tuple(one.name for one in layout[1] if one.has_missing_value)
