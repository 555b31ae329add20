"""Placeholders in a file, for which the runner puts values in before it sends the text.

As Flyway has them (its documentation, "Migration placeholders", and its ``PlaceholderReplacingReader``): put in
wherever they stand, in quotes and comments too; whatever stands between prefix and suffix is the name; letter
case does not matter; one without a value ends the run.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from pytest_migsafe.errors import MigrationReadError
from pytest_migsafe.migrations.source import CharOffset, CharSpan, Replacement, SourceText


class _Placeholder(NamedTuple):
    name: str
    start: int
    end: int


def substituted(
    source: SourceText, values: Mapping[str, str], *, prefix: str = "${", suffix: str = "}"
) -> SourceText:
    """Return a text with the values of its placeholders.

    Raises:
        MigrationReadError: some have no value, or one is not closed; all are named.
    """
    if prefix not in source.text:
        return source
    known = {name.lower(): value for name, value in values.items()}
    return _with_values(source, _enclosed(source, prefix, suffix), lambda name: known.get(name.lower()))


def with_environment(source: SourceText, values: Mapping[str, str], spans: Sequence[CharSpan]) -> SourceText:
    """Return a text with ``$NAME`` and ``${NAME}`` replaced within some spans, as goose's ENVSUB does.

    ``${NAME:-default}`` and ``${NAME-default}`` give a value of their own; ``$$`` and ``$1`` are no placeholders.

    Raises:
        MigrationReadError: some have neither value nor default; all are named.
    """
    defaults: dict[str, str] = {}
    found = []
    for start, end in spans:
        for match in _VARIABLE.finditer(source.text, start, end):
            name = match["bare"] or match["name"]
            if match["default"] is not None and not (
                values.get(name) or (name in values and match["dash"] == "-")
            ):
                name = match.group()
                defaults[name] = match["default"]
            found.append(_Placeholder(name, *match.span()))
    return _with_values(source, found, lambda name: defaults.get(name, values.get(name)))


_VARIABLE = re.compile(
    r"""
      (?<! \$ ) \$ (?: (?P<bare> [A-Za-z_][A-Za-z0-9_]*+ ) (?! \$ )
    | \{ (?P<name> [A-Za-z_][A-Za-z0-9_]* ) (?: (?P<dash> :?- ) (?P<default> [^}]* ) )? \} )
    """,
    re.VERBOSE,
)


def _enclosed(source: SourceText, prefix: str, suffix: str) -> list[_Placeholder]:
    text = source.text
    found = []
    start = text.find(prefix)
    while start >= 0:
        closing = text.find(suffix, start + len(prefix))
        if closing < 0:
            line = source.line_of(start)
            raise MigrationReadError(
                f"the placeholder that begins with {prefix} in line {line} is not closed with {suffix}"
            )
        found.append(_Placeholder(text[start + len(prefix) : closing], start, closing + len(suffix)))
        start = text.find(prefix, found[-1].end)
    return found


def _with_values(
    source: SourceText, found: Sequence[_Placeholder], value_of: Callable[[str], str | None]
) -> SourceText:
    replacements, missing = [], []
    for one in found:
        value = value_of(one.name)
        if value is None:
            missing.append(one)
        else:
            replacements.append(Replacement(CharOffset(one.start), CharOffset(one.end), value))
    if missing:
        raise MigrationReadError(_without_value(source, missing))
    return source.replaced(replacements)


def _without_value(source: SourceText, missing: Sequence[_Placeholder]) -> str:
    # Each is named once, where it first stands.
    first = {source.text[one.start : one.end]: one for one in reversed(missing)}
    named = [
        f"{written} (line {source.line_of(first[written].start)})"
        for written in dict.fromkeys(source.text[one.start : one.end] for one in missing)
    ]
    if len(named) == 1:
        return f"no value for the placeholder {named[0]}; set it in [tool.migsafe.placeholders]"
    return f"no values for the placeholders {', '.join(named)}; set them in [tool.migsafe.placeholders]"
