"""Show changes to a reader: lines and how they are meant, without colour and without a terminal."""

import difflib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from pytest_migsafe.catalog.diff import Action, Change, Value
from pytest_migsafe.catalog.lexical import parent_of

Style = Literal["added", "removed", "changed", "context"]

_SIGN: Mapping[Action, str] = {"added": "+", "removed": "-", "changed": "~"}
_INDENT = "    "
#: Lines of context around a change in a definition.
_CONTEXT = 2
#: Up to how many characters two values stand in one line.
_WIDEST = 100
#: Fields that say nothing in the line of an object that was added or removed: defaults, and what stands
#: in the name or the definition already.
_UNSAID: Mapping[str, frozenset[str]] = {
    "index": frozenset({"unique", "primary"}),
    "constraint": frozenset(
        {"object_kind", "type", "validated", "enforced", "deferrable", "deferred", "index"}
    ),
    "trigger": frozenset({"function"}),
    "statistics": frozenset({"relation"}),
}
_USUAL: Mapping[str, Value] = {
    "persistence": "permanent",
    "replica_identity": "default",
    "access_method": "heap",
    "enabled": "origin",
    "volatility": "volatile",
    "parallel": "unsafe",
    "permissive": True,
    "valid": True,
    "live": True,
    "local": True,
    "deterministic": True,
    "ready": True,
    "populated": True,
}
#: What an added function says of itself: the rest is detail.
_FUNCTION_SAYS = frozenset({"returns", "language", "volatility", "security_definer", "strict", "owner"})


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the report."""

    text: str
    style: Style


def render(changes: Iterable[Change]) -> Iterator[Line]:
    """Yield the lines that show changes; what belongs to a new or dropped relation stands under it."""
    for one, parts in grouped(changes):
        yield from _render_one(one)
        for part in parts:
            for line in _render_one(part, within=one.name):
                yield Line(_INDENT + line.text, line.style)


def grouped(changes: Iterable[Change]) -> list[tuple[Change, list[Change]]]:
    """Return changes in their order, those of what belongs to a new or dropped relation with that relation's."""
    some = list(changes)
    relations = {
        (one.action, one.name) for one in some if one.action != "changed" and one.kind in {"table", "view"}
    }
    parts: dict[tuple[Action, str], list[Change]] = {place: [] for place in relations}
    tops: list[Change] = []
    for one in some:
        place = (one.action, _relation_of(one))
        (parts[place] if place in relations else tops).append(one)
    return [
        (
            one,
            parts[one.action, one.name] if one.kind in {"table", "view"} and one.action != "changed" else [],
        )
        for one in tops
    ]


def _relation_of(change: Change) -> str:
    """Return the relation that an object belongs to, or an empty text for what stands on its own."""
    if change.kind == "grant":
        target = str(change.value("object") or "")
        return parent_of(target) if change.value("object_kind") == "column" else target
    return str(change.value("relation") or "")


def _render_one(change: Change, within: str = "") -> Iterator[Line]:
    head = f"{_SIGN[change.action]} {change.kind} {_short(change.name, within)}"
    if change.action != "changed":
        text, *more = f"{head}{_said(change)}".splitlines()
        yield Line(text, change.action)
        for line in more:
            yield Line(f"{_SIGN[change.action]} {_INDENT}{line}", change.action)
        return
    for attribute in change.attributes:
        first, *lines = _difference(*attribute)
        yield Line(f"{head}: {first.text}", first.style)
        for each in lines:
            yield Line(_INDENT + each.text, each.style)


def render_by_object(changes: Iterable[Change]) -> Iterator[Line]:
    """Yield the lines that show changes in full: a heading for each object, and under it what is not as usual.

    Bodies and definitions of what is new or gone, owners and comments are shown, too, which `render` leaves out.
    """
    for one in changes:
        yield Line(f"{_SIGN[one.action]} {one.kind} {one.name}", one.action)
        for name, before, after in one.attributes:
            value = before if after is None else after
            if one.action == "changed":
                lines = _difference(name, before, after)
            elif name in _NAMES or value in {False, "", ()} or value == _USUAL.get(name):
                continue
            else:
                lines = _content(name, value, one.action)
            for line in lines:
                yield Line(_INDENT + line.text, line.style)


#: How a terminal is told to show a line (ECMA-48, "Select Graphic Rendition"): green, red, yellow, faint.
_COLOURS: Mapping[Style, str] = {"added": "32", "removed": "31", "changed": "33", "context": "2"}


def coloured(lines: Iterable[Line]) -> str:
    """Return lines as text in colours, for a terminal."""
    return "".join(f"\x1b[{_COLOURS[one.style]}m{one.text}\x1b[0m\n" for one in lines)


#: Fields that stand in the heading.
_NAMES = frozenset({"name", "relation", "object_kind", "object", "grantee"})


def _content(name: str, value: Value, action: Action) -> Iterator[Line]:
    """Yield a field of what is new or gone."""
    if not _is_long(value):
        yield Line(f"{name} {_shown(value)}", action)
        return
    yield Line(name, action)
    for line in str(value).splitlines():
        yield Line(_INDENT + line, action)


def _difference(name: str, before: Value, after: Value) -> Iterator[Line]:
    """Yield the lines that show what became of a field."""
    if _is_long(before) or _is_long(after):
        yield Line(name, "changed")
        yield from _unified(str(before or ""), str(after or ""))
    elif (
        isinstance(before, tuple)
        and isinstance(after, tuple)
        and _is_wide(before, after)
        and {*before} != {*after}
    ):
        yield Line(name, "changed")
        yield from _entries(before, after)
    elif _is_wide(before, after):
        yield Line(name, "changed")
        yield Line(f"- {_shown(before)}", "removed")
        yield Line(f"+ {_shown(after)}", "added")
    else:
        yield Line(f"{name} {_shown(before)} -> {_shown(after)}", "changed")


def _entries(before: tuple[str, ...], after: tuple[str, ...]) -> Iterator[Line]:
    """Yield the entries of a list that are gone, and those that are new."""
    for one in before:
        if one not in after:
            yield Line(f"- {one}", "removed")
    for one in after:
        if one not in before:
            yield Line(f"+ {one}", "added")


def _is_wide(before: Value, after: Value) -> bool:
    return len(_shown(before)) + len(_shown(after)) > _WIDEST


def _short(name: str, within: str) -> str:
    return name.removeprefix(f"{within}.") if within else name


def _is_long(value: Value) -> bool:
    return isinstance(value, str) and "\n" in value


def _shown(value: Value) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return f"({', '.join(value)})"
    return str(value)


def _unified(before: str, after: str) -> Iterator[Line]:
    """Yield a unified diff without its file names."""
    styles: Mapping[str, Style] = {"+": "added", "-": "removed"}
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), n=_CONTEXT, lineterm="")
    for number, line in enumerate(lines):
        # The first two lines name the files.
        if number > 1:
            yield Line(line, styles.get(line[:1], "context"))


def _said(change: Change) -> str:
    """Return what the line of an added or removed object says after its name."""
    values = {name: change.value(name) for name, *_ in change.attributes}
    if change.kind == "column":
        return _column_said(values)
    if "definition" in values and change.kind != "view":
        return f": {values['definition']}{_extras(change.kind, values)}"
    if change.kind == "grant":
        return f": {_privileges(values)}"
    if change.kind == "default privileges":
        return f": {_privileges(values)}"
    if change.kind == "type":
        labels = values.get("labels") or values.get("attributes")
        inside = values.get("base_type") or values.get("range") or (_shown(labels) if labels else "")
        not_null = " not null" if values.get("not_null") else ""
        default = f" default {values['default']}" if values.get("default") is not None else ""
        return f" {values['kind']} {inside}{not_null}{default}".rstrip()
    if change.kind == "function":
        values = {name: value for name, value in values.items() if name in _FUNCTION_SAYS}
    return _extras(change.kind, values)


def _privileges(values: Mapping[str, Value]) -> str:
    return _shown(values.get("privileges")).strip("()") or "none (the usual ones are revoked)"


def _column_said(values: Mapping[str, Value]) -> str:
    words = [f" {values['type']}"]
    if values.get("collation"):
        words.append(f"collate {values['collation']}")
    if values.get("not_null"):
        words.append("not null")
    if values.get("default") is not None:
        words.append(f"default {values['default']}")
    if values.get("generated"):
        words.append(f"generated always as {values['generated']}")
    if values.get("identity"):
        words.append(f"generated {values['identity']} as identity")
    return " ".join(words)


def _extras(kind: str, values: Mapping[str, Value]) -> str:
    """Return the fields that are worth a word, as "name value"."""
    unsaid = _UNSAID.get(kind, frozenset()) | {"relation", "name", "definition", "body", "owner", "comment"}
    words = [
        f"{name} {_shown(value)}"
        for name, value in values.items()
        if name not in unsaid and value not in {None, False, ()} and value != _USUAL.get(name)
        if not (name == "kind" and value == kind)
    ]
    return f" ({', '.join(words)})" if words else ""
