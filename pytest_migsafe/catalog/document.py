"""A schema as a file for people: kept in git, read in reviews, compared with what migrations make.

It holds what a history made, changed and dropped, not what was there before. What is otherwise on another machine and
means the same is not in it: the name of the role that runs the migrations, the versions of extensions that a server
offers of its own accord, physical positions.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, Field, fields, replace
from itertools import groupby
from types import MappingProxyType
from typing import Any, cast

from pytest_migsafe.catalog.diff import Value
from pytest_migsafe.catalog.lexical import parent_of
from pytest_migsafe.catalog.objects import Bound, CatalogObject, Key, Listed, Named
from pytest_migsafe.catalog.rarer import UserMapping
from pytest_migsafe.catalog.schema import (
    KIND_ORDER,
    KINDS,
    DefaultPrivileges,
    Extension,
    Function,
    Grant,
    Index,
    Schema,
    Sequence,
    Table,
    View,
)
from pytest_migsafe.catalog.surroundings import Surroundings
from pytest_migsafe.errors import SchemaFileError

#: The first key of a file, by which it is known; its value is the version of the format.
MARK = "pytest-migsafe schema"
VERSION = 1
#: Stands for the role that runs the migrations, as in SQL (manual: "GRANT").
CURRENT_ROLE = "CURRENT_ROLE"

_OBJECTS, _CHANGED, _DROPPED = "objects", "changed", "dropped"
_INDENT = "  "
#: A list that is longer than this has a line for each entry.
_LONGEST_LINE = 90

Values = Mapping[str, Value]


# -- writing -----------------------------------------------------------------------------------------------


def to_document(schema: Schema, around: Surroundings) -> str:
    """Return the file's text for the schema at the end of a history."""
    base, now = (
        {one.key: one for one in (_as_anywhere(one, around) for one in some)}
        for some in (around.base, schema)
    )
    made = {key: one for key, one in now.items() if key not in base}
    changed = {key: one for key, one in now.items() if key in base and one != base[key]}
    dropped = _by_kind(dict.fromkeys(base.keys() - now.keys()))
    sections: dict[str, Any] = {
        MARK: VERSION,
        _OBJECTS: _by_kind({key: _description(one, around) for key, one in made.items()}),
        _CHANGED: _by_kind({key: _differences(base[key], one) for key, one in changed.items()}),
        _DROPPED: {kind: tuple(names) for kind, names in dropped.items()},
    }
    return _written({name: part for name, part in sections.items() if part or name == _OBJECTS}, "") + "\n"


def _by_kind(found: Mapping[Key, Any]) -> dict[str, dict[str, Any]]:
    """Return what was found, by kind and name, in their orders."""
    keys = sorted(found, key=lambda key: (KIND_ORDER[key.kind], key.name))
    return {
        kind: {key.name: found[key] for key in some} for kind, some in groupby(keys, key=lambda key: key.kind)
    }


def _description(one: CatalogObject, around: Surroundings) -> dict[str, Value]:
    """Return what is to be said of an object: what its name does not tell, and what is not as usual."""
    values = _values(one)
    usual = _usual(type(one), one.qualified_name, values, around)
    return {name: value for name, value in values.items() if name not in usual or usual[name] != value}


def _differences(before: CatalogObject, after: CatalogObject) -> dict[str, Value]:
    return {name: value for name, value in _values(after).items() if value != getattr(before, name)}


def _values(one: CatalogObject) -> dict[str, Value]:
    return {name: getattr(one, name) for name in _FIELDS[one.KIND]}


def _written(value: Any, indent: str) -> str:
    """Return a value as JSON: an attribute a line, a line of a long text a line."""
    inner = indent + _INDENT
    if isinstance(value, dict) and value:
        entries = (f"{_plain(name)}: {_written(one, inner)}" for name, one in value.items())
        return f"{{\n{inner}" + f",\n{inner}".join(entries) + f"\n{indent}}}"
    if isinstance(value, str) and "\n" in value:
        return _line_by_line(value.split("\n"), indent)
    if isinstance(value, tuple) and len(indent) + len(_plain(value)) > _LONGEST_LINE:
        return _line_by_line(value, indent)
    return _plain(value)


def _line_by_line(texts: Any, indent: str) -> str:
    inner = indent + _INDENT
    return f"[\n{inner}" + f",\n{inner}".join(map(_plain, texts)) + f"\n{indent}]"


def _plain(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


# -- reading -----------------------------------------------------------------------------------------------


def from_document(text: str, around: Surroundings) -> Schema:
    """Return the schema that a file declares, as it would be in these surroundings.

    Raises:
        SchemaFileError: the text is none of ours; the message continues a sentence that begins with the file's name.
    """
    sections = _parsed(text)
    objects = {one.key: one for one in (_as_anywhere(one, around) for one in around.base)}
    for kind, names in _section(sections, _DROPPED).items():
        for name in names:
            objects.pop(Key(_known(kind).KIND, name), None)
    for key, values in _entries(sections, _CHANGED):
        # Where it was never there, there is nothing to change; whoever makes it anew is told so by the comparison.
        if key in objects:
            objects[key] = replace(objects[key], **_read(key, values))
    for key, values in _entries(sections, _OBJECTS):
        objects[key] = _built(key, _read(key, values), around)
    return Schema.of(_as_here(one, around) for one in objects.values())


_CONFLICT = re.compile(r"^(?:<{7}|>{7})(?: |$)", re.MULTILINE)


def _parsed(text: str) -> Mapping[str, Any]:
    if conflict := _CONFLICT.search(text):
        line = text.count("\n", 0, conflict.start()) + 1
        raise SchemaFileError(f"has merge conflict markers (line {line})")
    try:
        sections = json.loads(text, object_pairs_hook=_each_once)
    except json.JSONDecodeError as error:
        raise SchemaFileError(f"is not valid JSON (line {error.lineno}: {error.msg})") from error
    except (RecursionError, ValueError) as error:
        raise SchemaFileError(f"is not valid JSON ({error})") from error
    if not isinstance(sections, dict) or MARK not in sections:
        raise SchemaFileError(f"is no schema file: it does not begin with {_plain(MARK)}")
    if sections[MARK] != VERSION:
        raise SchemaFileError(
            f"has format {_plain(sections[MARK])}, and this version of pytest-migsafe reads {VERSION}"
        )
    return sections


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object; a merge that went wrong leaves two of a name, of which JSON would take the last."""
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise SchemaFileError(f"has {_plain(name)} twice in the same place, as after a merge")
        found[name] = value
    return found


def _section(sections: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    section = sections.get(name, {})
    inside = list if name == _DROPPED else dict
    if not isinstance(section, dict) or not all(isinstance(some, inside) for some in section.values()):
        raise SchemaFileError(f"is damaged: {_plain(name)} does not hold objects by kind")
    if not all(isinstance(one, str) for some in section.values() for one in some):
        raise SchemaFileError(f"is damaged: {_plain(name)} does not hold names")
    return section


def _entries(sections: Mapping[str, Any], section: str) -> Iterator[tuple[Key, Mapping[str, Any]]]:
    for kind, some in _section(sections, section).items():
        cls = _known(kind)
        for name, values in some.items():
            if not isinstance(values, dict):
                raise SchemaFileError(f"is damaged: {kind} {name} is not an object of JSON")
            yield Key(cls.KIND, name), values


_CLASS_OF: Mapping[str, type[CatalogObject]] = MappingProxyType({one.KIND: one for one in KINDS})
_NEWER = "was it written by a newer version of pytest-migsafe?"


def _known(kind: str) -> type[CatalogObject]:
    if kind not in _CLASS_OF:
        raise SchemaFileError(f"names a kind of object that is not known, {_plain(kind)}: {_NEWER}")
    return _CLASS_OF[kind]


def _read(key: Key, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of an object's fields as they stand in the file."""
    known = _FIELDS[key.kind]
    for name in values:
        if name not in known:
            raise SchemaFileError(
                f"gives {key.kind} {key.name} an attribute that is not known, {_plain(name)}: {_NEWER}"
            )
    return {name: _value(key, known[name], value) for name, value in values.items()}


def _value(key: Key, field: "Field[Any]", value: Any) -> Value:
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return tuple(value) if field.type == _LIST else "\n".join(value)
    if isinstance(value, list | dict) or (field.type == _LIST):
        raise SchemaFileError(
            f"is damaged: {key.kind} {key.name} has no such {field.name} as {_plain(value)}"
        )
    return cast(Value, value)


def _built(key: Key, values: Values, around: Surroundings) -> CatalogObject:
    cls = _CLASS_OF[key.kind]
    try:
        complete = {**_usual(cls, key.name, values, around), **values}
    except ValueError as error:
        raise SchemaFileError(f"is damaged: {key.name} is no name of a {key.kind}") from error
    for name in _FIELDS[key.kind]:
        if name not in complete:
            raise SchemaFileError(f"is damaged: {key.kind} {key.name} has no {name}")
    return cls(**cast(dict[str, Any], complete))


# -- what need not be said ---------------------------------------------------------------------------------
# It is a part of the format, and so are the fields' defaults: files that rely on them are in many repositories.

#: The fields that mean something, and what they hold.
_FIELDS: Mapping[str, Mapping[str, "Field[Any]"]] = MappingProxyType(
    {kind.KIND: {one.name: one for one in fields(kind) if one.compare} for kind in KINDS}
)
_LIST = tuple[str, ...]

#: What CREATE SEQUENCE and CREATE FUNCTION make when nothing is said.
_USUAL: Mapping[type[CatalogObject], Values] = {
    Sequence: {"type": "bigint", "start": 1, "increment": 1, "minimum": 1, "cache": 1, "cycle": False},
    Function: {"kind": "function", "arguments": "", "cost": 100, "rows": 0},
}
#: The highest value of each type of sequences.
_MAXIMUM = {"smallint": 2**15 - 1, "integer": 2**31 - 1, "bigint": 2**63 - 1}
#: The kinds of relations that have an access method, which is almost always heap.
_ON_HEAP = frozenset({"table", "materialized view"})


def _usual(cls: type[CatalogObject], name: str, given: Values, around: Surroundings) -> dict[str, Value]:
    """Return what an object's fields hold when nothing is said of them, as far as that is known.

    Raises:
        ValueError: the name is none that such an object can have.
    """
    known = _FIELDS[cls.KIND]
    usual: dict[str, Value] = {
        one.name: one.default for one in known.values() if one.default is not MISSING
    } | dict(_USUAL.get(cls, {}))
    if "owner" in known:
        usual["owner"] = CURRENT_ROLE
    if cls is Sequence:
        usual["maximum"] = _MAXIMUM.get(str(given.get("type", "bigint")))
    elif cls is Function and str(given.get("returns")).startswith(("SETOF ", "TABLE(")):
        usual["rows"] = 1000
    elif cls in {Table, View}:
        kind = given.get("kind", usual["kind"])
        usual["access_method"] = "heap" if kind in _ON_HEAP else None
    elif cls is Extension and (offered := around.extensions.get(name)) is not None:
        usual |= {field: getattr(offered, field) for field in ("version", "configuration_tables", "comment")}
    return {**usual, **_named(cls, name)}


def _named(cls: type[CatalogObject], name: str) -> Values:
    """Return the fields that a qualified name tells."""
    if issubclass(cls, Named | Listed) or cls is Index:
        return {"name": name}
    if issubclass(cls, Bound):
        relation = parent_of(name)
        return {"relation": relation, "name": name.removeprefix(f"{relation}.")}
    found = (_GRANT if cls.KIND == "grant" else _DEFAULT_PRIVILEGES).fullmatch(name)
    return found.groupdict() if found is not None else {}


#: An object's name may hold anything between double quotes, a role's anything at all.
_UNQUOTED_OR_QUOTED = r'(?:[^"]|"(?:[^"]|"")*")'
_GRANT = re.compile(
    "(?P<object_kind>table|view|sequence|column|function|type|schema|language|foreign-data wrapper|server) "
    f"(?P<object>{_UNQUOTED_OR_QUOTED}+?) to (?P<grantee>.+)",
    re.DOTALL,
)
_DEFAULT_PRIVILEGES = re.compile(
    "on (?P<objects>tables|sequences|functions|types|schemas|large objects) of (?P<role>.+?)"
    f"(?: in schema (?P<schema>{_UNQUOTED_OR_QUOTED}+?))? to (?P<grantee>.+)",
    re.DOTALL,
)


# -- what is written otherwise -----------------------------------------------------------------------------

#: Stands for all privileges that there are.
_ALL = "ALL"
#: These, sorted, by what they are granted on (manual: "Privileges"); MAINTAIN, which came with PostgreSQL 17, is in snapshots
#: of earlier versions, too.
_ON_TABLES = ("DELETE", "INSERT", "MAINTAIN", "REFERENCES", "SELECT", "TRIGGER", "TRUNCATE", "UPDATE")
_ON_SEQUENCES = ("SELECT", "UPDATE", "USAGE")
_ON_SCHEMAS = ("CREATE", "USAGE")
_PRIVILEGES: Mapping[str, tuple[str, ...]] = {
    "table": _ON_TABLES,
    "tables": _ON_TABLES,
    "view": _ON_TABLES,
    "sequence": _ON_SEQUENCES,
    "sequences": _ON_SEQUENCES,
    "schema": _ON_SCHEMAS,
    "schemas": _ON_SCHEMAS,
}
#: Follows a privilege that may be passed on.
_OPTION = "*"


def _as_anywhere(one: CatalogObject, around: Surroundings) -> CatalogObject:
    """Return an object as it is written in the file, whatever the machine."""
    one = _with_role(one, around.role, CURRENT_ROLE)
    if isinstance(one, Grant | DefaultPrivileges) and (known := _all_privileges(one)):
        with_option = tuple(privilege for privilege in one.privileges if privilege.endswith(_OPTION))
        if with_option == tuple(privilege + _OPTION for privilege in known):
            return replace(one, privileges=(_ALL + _OPTION,))
        if {privilege.removesuffix(_OPTION) for privilege in one.privileges} == set(known):
            return replace(one, privileges=(_ALL, *with_option))
    return one


def _as_here(one: CatalogObject, around: Surroundings) -> CatalogObject:
    """Return an object that was written in the file as it is on this machine."""
    one = _with_role(one, CURRENT_ROLE, around.role)
    if isinstance(one, Grant | DefaultPrivileges) and one.privileges[:1] in ((_ALL,), (_ALL + _OPTION,)):
        (everything, *with_option) = one.privileges
        option = everything.removeprefix(_ALL)
        more = (name + option for name in _all_privileges(one) if name + _OPTION not in with_option)
        return replace(one, privileges=tuple(sorted([*with_option, *more])))
    return one


def _all_privileges(one: Grant | DefaultPrivileges) -> tuple[str, ...]:
    return _PRIVILEGES.get(one.object_kind if isinstance(one, Grant) else one.objects, ())


def _with_role(one: CatalogObject, role: str, instead: str) -> CatalogObject:
    """Return an object in which a role is called otherwise wherever it appears as one."""
    changed: dict[str, Any] = {
        name: instead for name in ("owner", "grantee", "role") if getattr(one, name, None) == role
    }
    roles = getattr(one, "roles", ())
    if role in roles:
        changed["roles"] = tuple(sorted(instead if each == role else each for each in roles))
    if isinstance(one, UserMapping) and one.name.startswith(f"{role} on "):
        changed["name"] = instead + one.name.removeprefix(role)
    return replace(one, **changed) if changed else one
