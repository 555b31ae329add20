"""Liquibase's changelogs: which files a root changelog includes, in which order.

Facts: Liquibase's documentation ("include", "includeAll", "sqlFile", "property"). Changelogs in XML and JSON are read whole. Of one
in YAML, for which Python has no reader of its own, what is written plainly is read: a list of ``include``, ``includeAll`` and
``property`` with a value a line; anything else in them is refused rather than guessed at.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree import ElementTree as ET

from pytest_migsafe.errors import SettingsError

#: What a changelog that is not SQL is called.
SUFFIXES = (".xml", ".json", ".yaml", ".yml")
#: How far above a changelog the folder is looked for that its paths start from (the search path).
_UP = 8


@dataclass(frozen=True)
class _Entry:
    """A line of a changelog."""

    #: "include", "includeAll", "property", "changeSet", ...
    kind: str
    attributes: Mapping[str, str]
    #: What stands in it: the changes of a changeset.
    inner: tuple["_Entry", ...] = ()


@dataclass(frozen=True)
class IncludedFile:
    """A file of SQL that a changelog includes."""

    path: Path
    #: What a changeset says of the file, which is plain SQL then; None where the file says it itself.
    attributes: Mapping[str, str] | None = None


@dataclass
class Changelog:
    """All that a root changelog includes, whatever stands between."""

    files: list[IncludedFile] = field(default_factory=list)
    parameters: dict[str, str] = field(default_factory=dict)
    #: The changelogs with changes that are not SQL, and how many changesets have some.
    not_sql: dict[Path, int] = field(default_factory=dict)
    #: The files that have been included.
    read: set[Path] = field(default_factory=set)


def read_changelog(root: Path) -> Changelog:
    """Return what a changelog includes, in order.

    Raises:
        SettingsError: a changelog cannot be read, or a file that it includes is not there.
    """
    changelog = Changelog()
    _include(changelog, root)
    return changelog


def _include(changelog: Changelog, path: Path) -> None:
    if path in changelog.read:
        raise SettingsError(f"{path}: it is included twice, so each changeset in it is there twice")
    changelog.read.add(path)
    if path.suffix.lower() not in SUFFIXES:
        changelog.files.append(IncludedFile(path))
        return
    for entry in _entries(path):
        match entry.kind:
            case "include":
                _include(changelog, _resolved(path, entry, entry.attributes.get("file", "")))
            case "includeAll":
                for one in _all_in(path, entry):
                    _include(changelog, one)
            case "property":
                _set_parameter(changelog, entry.attributes)
            case "changeSet":
                _take_changeset(changelog, path, entry)


def _all_in(path: Path, entry: _Entry) -> list[Path]:
    """Return the changelogs of a folder and those below it, in the order of their paths."""
    folder = _resolved(path, entry, entry.attributes.get("path", ""))
    ending = entry.attributes.get("endsWithFilter", "")
    found = [
        one
        for one in folder.rglob("*")
        if one.is_file()
        and one.suffix.lower() in (".sql", *SUFFIXES)
        and one.name.endswith(ending)
        and one != path
    ]
    return sorted(found, key=lambda one: one.as_posix())


def _set_parameter(changelog: Changelog, attributes: Mapping[str, str]) -> None:
    name, value = attributes.get("name"), attributes.get("value")
    if name and value is not None and is_for_postgresql(attributes.get("dbms", "")):
        # The first definition is the one that counts.
        changelog.parameters.setdefault(name, value)


def is_for_postgresql(dbms: str) -> bool:
    """Return whether an attribute ``dbms`` means PostgreSQL, too: a list of databases, some with ``!`` excluded."""
    named = [one.strip().lower() for one in dbms.split(",") if one.strip()]
    if not named or "all" in named:
        return True
    if "none" in named or "!postgresql" in named:
        return False
    return "postgresql" in named or all(one.startswith("!") for one in named)


def _take_changeset(changelog: Changelog, path: Path, changeset: _Entry) -> None:
    changes = [one for one in changeset.inner if one.kind not in _NO_CHANGES]
    if not changes or any(one.kind != "sqlFile" for one in changes):
        changelog.not_sql[path] = changelog.not_sql.get(path, 0) + 1
        return
    for one in changes:
        attributes = {
            name.lower(): value for name, value in {**changeset.attributes, **one.attributes}.items()
        }
        changelog.files.append(IncludedFile(_resolved(path, one, one.attributes.get("path", "")), attributes))


#: What stands in a changeset and changes nothing.
_NO_CHANGES = frozenset({"comment", "preConditions", "rollback", "tagDatabase", "validCheckSum", "empty"})


def _resolved(changelog: Path, entry: _Entry, named: str) -> Path:
    """Return the file or folder that is meant: beside the changelog, or from a folder above, as on the search path."""
    plain = named.removeprefix("classpath:").lstrip("/")
    is_beside = entry.attributes.get("relativeToChangelogFile", "false").lower() == "true"
    folder = changelog.parent
    for start in (folder,) if is_beside else (folder, *folder.parents[:_UP]):
        if plain and (start / plain).exists():
            # A path may lead up and down again (`../changes`).
            return Path(_normal(start / plain))
    raise SettingsError(f"{changelog}: it includes {named!r}, which is not there")


def _normal(path: Path) -> str:
    parts: list[str] = []
    for part in path.parts:
        if part == ".." and parts:
            parts.pop()
        else:
            parts.append(part)
    return str(Path(*parts))


# -- the formats ---------------------------------------------------------------------------------------------


def _entries(path: Path) -> list[_Entry]:
    try:
        text = path.read_text(encoding="utf-8-sig")
        match path.suffix.lower():
            case ".xml":
                return [_of_xml(one) for one in ET.fromstring(text)]  # noqa: S314 - the project's own file
            case ".json":
                return list(_of_json(json.loads(text)))
        return list(_of_yaml(path, text))
    except (OSError, ValueError, ET.ParseError) as error:
        raise SettingsError(f"{path}: the changelog cannot be read: {error}") from error


def _of_xml(element: ET.Element) -> _Entry:
    return _Entry(element.tag.rpartition("}")[2], element.attrib, tuple(_of_xml(one) for one in element))


def _of_json(content: Any) -> Iterator[_Entry]:
    log = content.get("databaseChangeLog") if isinstance(content, dict) else None
    for one in log if isinstance(log, list) else ():
        for kind, value in one.items() if isinstance(one, dict) else ():
            yield _of_value(kind, value)


def _of_value(kind: str, value: Any) -> _Entry:
    pairs = value if isinstance(value, dict) else {}
    changes = pairs.get("changes")
    return _Entry(
        kind,
        {name: _written(one) for name, one in pairs.items() if not isinstance(one, (dict, list))},
        tuple(
            _of_value(name, inner)
            for change in (changes if isinstance(changes, list) else ())
            for name, inner in (change.items() if isinstance(change, dict) else ())
        ),
    )


def _written(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


_YAML_ENTRY = re.compile(r"(?P<indent>\s*)-\s+(?P<kind>\w+):\s*(?:\{(?P<flow>[^{}\[\]]*)\})?\s*(?:#.*)?")
_YAML_PAIR = re.compile(
    r"\s*(?P<name>\w+)\s*:\s+(?P<value>\"[^\"\\]*\"|'[^']*'|[^\s\"'&*!|>{\[#][^#]*?)\s*(?:\s#.*)?"
)
#: Whose values are needed.
_YAML_READ = frozenset({"include", "includeAll", "property"})


def _of_yaml(path: Path, text: str) -> Iterator[_Entry]:
    """Yield the entries of a changelog whose includes are written plainly.

    Raises:
        SettingsError: one is not.
    """
    for first, inner in _yaml_items(path, text):
        found = _YAML_ENTRY.fullmatch(first.text)
        if found is None:
            raise _not_plain(path, first)
        pairs: dict[str, str] = {}
        if found["kind"] in _YAML_READ:
            flow = [
                _YamlLine(first.number, pair) for pair in (found["flow"] or "").split(",") if pair.strip()
            ]
            for line in (*flow, *inner):
                _take_pair(path, line, pairs)
        yield _Entry(found["kind"], pairs)


class _YamlLine(NamedTuple):
    """A line of a file that is neither empty nor a comment."""

    number: int
    text: str

    @property
    def depth(self) -> int:
        return len(self.text) - len(self.text.lstrip())


def _yaml_items(path: Path, text: str) -> Iterator[tuple[_YamlLine, list[_YamlLine]]]:
    """Yield the first line of each item of the list, and those that belong to it."""
    numbered = (_YamlLine(number, line) for number, line in enumerate(text.splitlines(), 1))
    lines = [line for line in numbered if line.text.strip().split("#")[0] not in ("", "---")]
    if not lines or lines[0].text.rstrip() != "databaseChangeLog:":
        raise _not_plain(path, lines[0] if lines else _YamlLine(1, ""))
    items: list[tuple[_YamlLine, list[_YamlLine]]] = []
    for line in lines[1:]:
        if not items or line.depth == items[0][0].depth:
            items.append((line, []))
        elif line.depth < items[0][0].depth:
            raise _not_plain(path, line)
        else:
            items[-1][1].append(line)
    yield from items


def _take_pair(path: Path, line: _YamlLine, pairs: dict[str, str]) -> None:
    found = _YAML_PAIR.fullmatch(line.text)
    if found is None:
        raise _not_plain(path, line)
    pairs[found["name"]] = found["value"].strip("\"'")


def _not_plain(path: Path, line: _YamlLine) -> SettingsError:
    return SettingsError(
        f"{path}, line {line.number}: {line.text.strip()!r} is more YAML than can be read without a YAML library; write "
        "includes with one value a line, or the root changelog as XML or JSON"
    )
