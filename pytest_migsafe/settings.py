"""The settings: ``[tool.migsafe]`` in pyproject.toml, the environment and the flags, made one frozen value.

A flag beats the environment, and the environment beats the file. Every wrong key or value is a
``SettingsError`` that names the place, the key, the value, and what was probably meant.
"""

import difflib
import os
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
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


def _nothing() -> Mapping[str, Any]:
    """Return a mapping that holds nothing, as a default that nobody can change."""
    return MappingProxyType({})


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
    #: The values of ``${name}`` in files, for runners that put some in.
    placeholders: Mapping[str, str] = field(default_factory=_nothing)
    #: The server's major versions, each of which the history is rehearsed on; empty: the first that is found.
    postgres: tuple[int, ...] = ()
    #: The folder of PostgreSQL's programs; None: look for them.
    bindir: Path | None = None
    #: How to reach a server that is already there, in libpq's notation; None: a throwaway server of our own.
    dsn: str | None = field(default=None, repr=False)
    #: The fixture of pytest-postgresql (or one like it) whose server is used.
    server_fixture: str | None = None
    #: Whether statements that change a whole cluster are run on a server that is not ours.
    cluster_wide: bool = False
    #: What is there before the first migration: names of built-in preludes, and SQL files; None: what the layout needs.
    prelude: tuple[str, ...] | None = None
    #: SQL files that stand in for extensions that the throwaway server lacks, by extension.
    extensions: Mapping[str, Path] = field(default_factory=_nothing)
    #: The role that migrations run as, and that owns the database; None: a superuser.
    role: str | None = None
    #: ``lock_timeout`` that the project's runner sets in its session, in PostgreSQL's notation.
    lock_timeout: str = "0"
    #: The time after which one statement is given up, in PostgreSQL's notation.
    statement_timeout: str = "1min"
    #: The time after which a file is given up, whatever timeouts it sets itself; in PostgreSQL's notation.
    file_timeout: str = "10min"
    #: The severity of single rules, by their ids.
    rules: Mapping[str, Severity] = field(default_factory=_nothing)
    #: The settings of single histories, complete in themselves; ``migrations`` is the one folder of each.
    histories: tuple["Settings", ...] = ()


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a value was written, for the message when it is wrong."""

    text: str

    @property
    def key(self) -> str:
        """The setting's name."""
        return self.text.rpartition(" ")[2]

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
    table = dict(_table(root))
    tables = table.pop("history", [])
    project = _read_table(table, "pyproject.toml, [tool.migsafe]", readers)
    from_outside = _read_outside(
        os.environ if environment is None else environment,
        flags or {},
        # What is said in a shell is meant from where it is said.
        _readers(Path.cwd(), layouts, rules),
    )
    settings = replace(Settings(root=root), **project | from_outside)
    histories = _history_tables(tables, project, readers)
    return replace(settings, histories=tuple(replace(settings, **own | from_outside) for own in histories))


def _read_table(table: Mapping[str, Any], where: str, readers: "Readers") -> dict[str, Any]:
    values = {}
    for key, value in table.items():
        if key not in readers:
            raise _Place(where).error(
                f"unknown setting {key!r}", _suggest(key, sorted({*readers, "history"}))
            )
        values[key] = readers[key](_Place(f"{where} {key}"), value)
    return values


def _read_outside(
    environment: Mapping[str, str], flags: Mapping[str, str], readers: "Readers"
) -> dict[str, Any]:
    values = {}
    for key in _FROM_OUTSIDE:
        variable = f"MIGSAFE_{key.upper()}"
        if text := environment.get(variable):
            values[key] = readers[key](_Place(variable), text)
    for key, value in flags.items():
        values[key] = readers[key](_Place(f"--migsafe-{key.replace('_', '-')}"), value)
    # Who names a server from outside does not mean the one that the project names otherwise.
    if "dsn" in values:
        values.setdefault("server_fixture", None)
    elif {"postgres", "bindir"} & values.keys():
        values |= {"dsn": None, "server_fixture": None}
    return values


def _history_tables(tables: Any, project: Mapping[str, Any], readers: "Readers") -> Iterator[dict[str, Any]]:
    """Yield the values of each ``[[tool.migsafe.history]]``: the project's own, and those that stand in it."""
    where = "pyproject.toml, [[tool.migsafe.history]]"
    if not isinstance(tables, list) or not all(isinstance(one, dict) for one in tables):
        raise _Place(where).error("expected tables", "write [[tool.migsafe.history]], in double brackets")
    if tables and "migrations" in project:
        raise _Place("pyproject.toml, [tool.migsafe] migrations").error(
            "there are [[tool.migsafe.history]] tables as well",
            "name each folder as `path` in a table of its own",
        )
    for number, table in enumerate(tables, start=1):
        own = dict(table)
        place = f"{where} number {number}"
        if not isinstance(own.get("path"), str):
            raise _Place(place).error("has no `path`", 'name its folder, for example path = "db/migrations"')
        folders = readers["migrations"](_Place(f"{place} path"), own.pop("path"))
        yield {**project, **_read_table(own, place, readers), "migrations": folders}


#: The settings that a machine rather than a project decides.
_FROM_OUTSIDE = ("postgres", "bindir", "dsn")

_Reader = Callable[[_Place, Any], Any]
Readers = Mapping[str, _Reader]


def _readers(root: Path, layouts: Sequence[str], rules: Sequence[str]) -> dict[str, _Reader]:
    """Return, for each setting, the function that checks a value and makes it the setting's type."""
    readers: dict[str, _Reader] = {
        "migrations": lambda place, value: _folders(place, value, root),
        "layout": lambda place, value: _one_of(place, value, layouts),
        "transaction_mode": lambda place, value: _one_of(place, value, _TRANSACTION_MODES),
        "placeholders": _texts,
        "postgres": _majors,
        "bindir": lambda place, value: root / _text(place, value),
        "dsn": _text,
        "server_fixture": _text,
        "cluster_wide": _boolean,
        "prelude": lambda place, value: tuple(_text(place, one) for one in _listed(value)),
        "extensions": lambda place, value: {name: root / file for name, file in _texts(place, value).items()},
        "role": _text,
        "lock_timeout": _duration,
        "statement_timeout": _duration,
        "file_timeout": _duration,
        "rules": lambda place, value: _severities(place, value, rules),
    }
    assert readers.keys() == {one.name for one in fields(Settings)} - {"root", "histories"}  # noqa: S101 - a twin list
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
    names = _listed(value)
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


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _majors(place: _Place, value: Any) -> tuple[int, ...]:
    """Read one major version, several, or their text as a flag gives it: ``15,18``."""
    texts = value.split(",") if isinstance(value, str) else [_written(one) for one in _listed(value)]
    for text in texts:
        if not _NUMBER.fullmatch(text.strip()) or not _OLDEST_MAJOR <= int(text) <= _NEWEST_MAJOR:
            raise place.error(
                f"{text!r} is no supported major version", f"{_OLDEST_MAJOR} or later, for example 18"
            )
    return tuple(dict.fromkeys(int(text) for text in texts))


def _boolean(place: _Place, value: Any) -> bool:
    if not isinstance(value, bool):
        raise place.error(f"expected true or false, got {_shown(value)}")
    return value


def _texts(place: _Place, value: Any) -> Mapping[str, str]:
    if not isinstance(value, dict):
        raise place.error("expected a table", f"write [tool.migsafe.{place.key}] and a line for each")
    return MappingProxyType({name: _text(_Place(f"{place.text}.{name}"), one) for name, one in value.items()})


#: How many seconds PostgreSQL's units of time are; a bare number of a timeout is in milliseconds.
_SECONDS = {"us": 1e-6, "ms": 1e-3, "": 1e-3, "s": 1, "min": 60, "h": 3600, "d": 86400}


def in_seconds(duration: str) -> float:
    """Return a duration in PostgreSQL's notation, such as ``5min``, in seconds."""
    number = duration.rstrip("umsinhd ")
    return float(number) * _SECONDS[duration[len(number) :].strip()]


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
