"""The settings: ``[tool.migsafe]`` in pyproject.toml, the environment and the flags, made one frozen value.

A flag beats the environment, and the environment beats the file. Every wrong key or value is a
``SettingsError`` that names the place, the key, the value, and what was probably meant.
"""

import difflib
import os
import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pytest_migsafe.errors import SettingsError
from pytest_migsafe.findings import Severity

#: PostgreSQL's own units for a time setting (manual: "Parameter Names and Values").
_DURATION = re.compile(r"[0-9]+(?:\.[0-9]+)?\s*(?:us|ms|s|min|h|d)?")
_NUMBER = re.compile(r"[0-9]+")
_TRANSACTION_MODES = ("transaction", "single-query", "autocommit")
_OLDEST_MAJOR, _NEWEST_MAJOR = 14, 99


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a project wants of pytest-migsafe."""

    #: The project's root: settings' paths are relative to it.
    root: Path
    #: The folders of migrations; empty: look for them.
    migrations: tuple[Path, ...] = ()
    #: The layout's name; None: find out.
    layout: str | None = None
    #: How the runner applies a file that does not opt out; None: as the layout's runner does.
    transaction_mode: str | None = None
    #: The server's major version; None: the first that is found.
    postgres: int | None = None
    #: The folder of PostgreSQL's programs; None: look for them.
    bindir: Path | None = None
    #: ``lock_timeout`` that the project's runner sets in its session, in PostgreSQL's notation.
    lock_timeout: str = "0"
    #: The time after which one statement is given up, in PostgreSQL's notation.
    statement_timeout: str = "1min"
    #: The severity of single rules, by their ids.
    rules: Mapping[str, Severity] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a value was written, for the message when it is wrong."""

    text: str

    def error(self, problem: str, way_out: str = "") -> SettingsError:
        return SettingsError(f"{self.text}: {problem}" + (f"; {way_out}" if way_out else ""))


def load_settings(
    root: Path,
    *,
    flags: Mapping[str, str] | None = None,
    environment: Mapping[str, str] | None = None,
    layouts: Sequence[str] = (),
    rules: Sequence[str] = (),
) -> Settings:
    """Return the settings of the project at ``root``.

    ``flags`` and the environment give values by setting's name and by ``MIGSAFE_<NAME>``; ``layouts`` and
    ``rules`` are the names that exist.

    Raises:
        SettingsError: a key is unknown, or a value is wrong.
    """
    readers = _readers(root, layouts, rules)
    values: dict[str, Any] = {}
    for key, value in _table(root).items():
        place = _Place(f"pyproject.toml, [tool.migsafe] {key}")
        if key not in readers:
            raise _Place("pyproject.toml, [tool.migsafe]").error(
                f"unknown setting {key!r}", _suggest(key, sorted(readers))
            )
        values[key] = readers[key](place, value)
    # What is said in a shell is meant from where it is said.
    readers = _readers(Path.cwd(), layouts, rules)
    for key in _FROM_OUTSIDE:
        variable = f"MIGSAFE_{key.upper()}"
        if text := (os.environ if environment is None else environment).get(variable):
            values[key] = readers[key](_Place(variable), text)
    for key, value in (flags or {}).items():
        values[key] = readers[key](_Place(f"--migsafe-{key.replace('_', '-')}"), value)
    return replace(Settings(root=root), **values)


#: The settings that a machine rather than a project decides.
_FROM_OUTSIDE = ("postgres", "bindir")

_Reader = Callable[[_Place, Any], Any]


def _readers(root: Path, layouts: Sequence[str], rules: Sequence[str]) -> dict[str, _Reader]:
    """Return, for each setting, the function that checks a value and makes it the setting's type."""
    readers: dict[str, _Reader] = {
        "migrations": lambda place, value: _folders(place, value, root),
        "layout": lambda place, value: _one_of(place, value, layouts),
        "transaction_mode": lambda place, value: _one_of(place, value, _TRANSACTION_MODES),
        "postgres": _major,
        "bindir": lambda place, value: root / _text(place, value),
        "lock_timeout": _duration,
        "statement_timeout": _duration,
        "rules": lambda place, value: _severities(place, value, rules),
    }
    assert readers.keys() == {one.name for one in fields(Settings)} - {"root"}  # noqa: S101 - a twin list
    return readers


def _table(root: Path) -> dict[str, Any]:
    path = root / "pyproject.toml"
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise SettingsError(f"cannot read {path}: {error.strerror or error}") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"{path} is not valid TOML: {error}") from error
    tool = document.get("tool", {})
    table = tool.get("migsafe", {}) if isinstance(tool, dict) else {}
    if not isinstance(table, dict):
        raise SettingsError("pyproject.toml: tool.migsafe must be a table; write [tool.migsafe]")
    return table


def _suggest(word: str, known: Sequence[str]) -> str:
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.5)
    listed = ", ".join(known)
    return f"did you mean {close[0]!r}? Known: {listed}" if close else f"known: {listed}"


def _written(value: Any) -> str:
    """Return a value's text in TOML, which is text from a flag or a variable."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _shown(value: Any) -> str:
    return _written(value) if isinstance(value, bool) else repr(value)


def _text(place: _Place, value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise place.error(f"expected text, got {_shown(value)}")
    return value


def _one_of(place: _Place, value: Any, allowed: Sequence[str]) -> str:
    if value not in allowed:
        raise place.error(f"{_shown(value)} is none of its values", _suggest(str(value), allowed))
    return str(value)


def _folders(place: _Place, value: Any, root: Path) -> tuple[Path, ...]:
    names = value if isinstance(value, list) else [value]
    if not names:
        raise place.error("the list is empty", "leave the setting out to have them looked for")
    folders = tuple(Path(os.path.normpath(root / _text(place, name))) for name in names)
    for name, folder in zip(names, folders, strict=True):
        if not folder.exists():
            siblings = (
                sorted(entry.name for entry in folder.parent.iterdir()) if folder.parent.is_dir() else []
            )
            close = difflib.get_close_matches(folder.name, siblings, n=1)
            hint = (
                f"did you mean {str(Path(name).parent / close[0])!r}?"
                if close
                else f"it is looked for in {root}"
            )
            raise place.error(f"there is no {name!r}", hint)
    return folders


def _major(place: _Place, value: Any) -> int:
    text = _written(value)
    if not _NUMBER.fullmatch(text) or not _OLDEST_MAJOR <= int(text) <= _NEWEST_MAJOR:
        raise place.error(
            f"{text!r} is no supported major version", f"{_OLDEST_MAJOR} or later, for example 18"
        )
    return int(text)


def _duration(place: _Place, value: Any) -> str:
    text = _written(value)
    if not _DURATION.fullmatch(text):
        raise place.error(
            f"{text!r} is no duration", "write it as PostgreSQL does, for example '5s' or '500ms'"
        )
    return text


def _severities(place: _Place, value: Any, rules: Sequence[str]) -> Mapping[str, Severity]:
    if not isinstance(value, dict):
        raise place.error(
            "expected a table of rule = severity", 'for example rules = {"apply-error" = "error"}'
        )
    for rule, severity in value.items():
        if rule not in rules:
            raise place.error(f"unknown rule {rule!r}", _suggest(rule, rules))
        _one_of(_Place(f"{place.text}.{rule}"), severity, [one.value for one in Severity])
    return MappingProxyType({rule: Severity(severity) for rule, severity in value.items()})
