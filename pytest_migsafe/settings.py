"""The settings: ``[tool.migsafe]`` in pyproject.toml, the environment and the flags, made one frozen value.

A flag beats the environment, and the environment beats the file. Every wrong key or value is a
``SettingsError`` that names the place, the key, the value, and what was probably meant.
"""

import difflib
import os
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pytest_migsafe.errors import SettingsError
from pytest_migsafe.findings import Severity
from pytest_migsafe.table_sizes import TableName, TableSize, in_bytes, read_statistics, table_name

#: PostgreSQL's own units for a time setting (manual: "Parameter Names and Values").
_DURATION = re.compile(r"[0-9]+(?:\.[0-9]+)?\s*(?:us|ms|s|min|h|d)?")
_NUMBER = re.compile(r"[0-9]+")
_TRANSACTION_MODES = ("transaction", "single-query", "autocommit")
_OLDEST_MAJOR, _NEWEST_MAJOR = 14, 99


class Preset(StrEnum):
    """How strict the rules are as a whole; single severities go before it."""

    #: Every rule has its own severity.
    DEFAULT = "default"
    #: What endangers a running application is an error, and what may is no longer off.
    STRICT = "strict"


def _nothing() -> Mapping[Any, Any]:
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
    #: Patterns of the schemas that the smoke tests judge.
    schemas: tuple[str, ...] = ("*",)
    #: The schemas that an API serves, and the roles that strangers have there; None: as the platform has it.
    exposed_schemas: tuple[str, ...] | None = None
    exposed_roles: tuple[str, ...] | None = None
    #: The role that is to own everything; None: no matter.
    owner: str | None = None
    #: The file that declares the schema at the end of the history; None: it is compared with none.
    schema_file: Path | None = None
    #: The last file of those that are applied only, by its version or name; None: all are judged.
    baseline: str | None = None
    #: The file with the checksums of the history's files; None: there is none.
    lock_file: Path | None = None
    #: The severities of all rules of which nothing else is said.
    preset: Preset = Preset.DEFAULT
    #: How big production's tables are: those that are named one by one, and those of a file of statistics.
    tables: Mapping[TableName, TableSize] = field(default_factory=_nothing)
    table_statistics: Mapping[TableName, TableSize] = field(default_factory=_nothing)
    #: Up to so many rows, work that others wait for is done before anybody notices.
    small_table: int = 10_000
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
    rules: Mapping[str, str] | None = None,
) -> Settings:
    """Return the settings of the project at ``root``.

    ``flags`` and the environment give values by setting's name and by ``MIGSAFE_<NAME>``; ``layouts`` are the names
    that exist, and ``rules`` the families of those rules that exist, by their ids.

    Raises:
        SettingsError: a key is unknown, or a value is wrong.
    """
    readers = _readers(root, layouts, rules or {})
    table = dict(_table(root))
    tables = table.pop("history", [])
    project = _read_table(table, "pyproject.toml, [tool.migsafe]", readers, known={*readers, "history"})
    # What is said in a shell is meant from where it is said.
    said_in_shell = _readers(Path.cwd(), layouts, rules or {})
    from_outside = _beaten(
        _read_environment(os.environ if environment is None else environment, said_in_shell),
        _read_flags(flags or {}, said_in_shell),
    )
    histories = _history_tables(tables, project, readers)
    return replace(
        _made(root, _beaten(project, from_outside)),
        histories=tuple(_made(root, _beaten(own, from_outside)) for own in histories),
    )


#: What can be otherwise for a single file: how it is judged, and what its runner sets for its session.
OF_A_FILE = ("rules", "preset", "tables", "small_table", "lock_timeout", "statement_timeout")


def with_settings_of_file(
    settings: Settings, given: Any, by: str, *, rules: Mapping[str, str] | None = None
) -> Settings:
    """Return a history's settings with what is said of one of its files; ``by`` says who says it.

    Severities and tables go beside those of the history, everything else in their place.

    Raises:
        SettingsError: a key is unknown, or cannot differ from file to file, or a value is wrong.
    """
    if not isinstance(given, Mapping):
        raise _Place(by).error(
            f"expected a mapping of settings, got {_shown(given)}", 'for example {"preset": "strict"}'
        )
    readers = _readers(settings.root, (), rules or {})
    for key in given:
        if key in readers and key not in OF_A_FILE:
            raise _Place(by).error(
                f"{key!r} cannot differ from file to file", f"known: {', '.join(OF_A_FILE)}"
            )
    values = _read_table(given, f"{by}:", readers, known={*OF_A_FILE})
    if "rules" in values:
        values["rules"] = MappingProxyType({**settings.rules, **values["rules"]})
    if "tables" in values:
        own = {name: replace(size, source=by) for name, size in values["tables"].items()}
        values["tables"] = MappingProxyType({**settings.tables, **own})
    return replace(settings, **values)


def _made(root: Path, values: Mapping[str, Any]) -> Settings:
    return replace(Settings(root=root), **values)


def _read_table(
    table: Mapping[str, Any], where: str, readers: "Readers", *, known: AbstractSet[str]
) -> dict[str, Any]:
    _refuse_unknown(table, where, known)
    values = {key: readers[key](_Place(f"{where} {key}"), value) for key, value in table.items()}
    _refuse_two_servers(values, where)
    return values


def _refuse_unknown(table: Mapping[str, Any], where: str, known: AbstractSet[str]) -> None:
    for key in table:
        if key not in known:
            raise _Place(where).error(f"unknown setting {key!r}", _suggest(key, sorted(known)))


#: What says which server is meant, each in a way that leaves no room for another.
_SERVERS = (("dsn",), ("server_fixture",), ("postgres", "bindir"))


def _refuse_two_servers(values: Mapping[str, Any], where: str) -> None:
    """See that one place names one server: which of two was meant, nobody can tell."""
    named = [next(key for key in keys if key in values) for keys in _SERVERS if values.keys() & {*keys}]
    if len(named) > 1:
        listed = " and ".join(repr(key) for key in named)
        raise _Place(where).error(f"{listed} name different servers", "leave all but one out")


def _beaten(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is said in two places, the second of which goes first.

    Who names a server there does not mean the one that the first names in another way.
    """
    meant = next((keys for keys in _SERVERS if above.keys() & {*keys}), None)
    others = {key for keys in _SERVERS if meant is not None and keys != meant for key in keys}
    return {key: value for key, value in below.items() if key not in others} | dict(above)


def _read_environment(environment: Mapping[str, str], readers: "Readers") -> dict[str, Any]:
    values = {}
    for key in _FROM_OUTSIDE:
        variable = f"MIGSAFE_{key.upper()}"
        if text := environment.get(variable):
            values[key] = readers[key](_Place(variable), text)
    _refuse_two_servers(values, "the environment (MIGSAFE_...)")
    return values


#: The flags that are not called like their settings.
_FLAGS = {"schema_file": "schema"}


def _read_flags(flags: Mapping[str, str], readers: "Readers") -> dict[str, Any]:
    values = {
        key: readers[key](_Place(f"--migsafe-{_FLAGS.get(key, key)}"), value) for key, value in flags.items()
    }
    _refuse_two_servers(values, "the flags (--migsafe-...)")
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
    known = {"path", *readers} - {"migrations"}
    numbers: dict[Path, int] = {}
    for number, table in enumerate(tables, start=1):
        own = dict(table)
        place = f"{where} number {number}"
        _refuse_unknown(own, place, known)
        if not isinstance(own.get("path"), str):
            raise _Place(place).error("has no `path`", 'name its folder, for example path = "db/migrations"')
        (folder,) = readers["migrations"](_Place(f"{place} path"), own.pop("path"))
        if (first := numbers.setdefault(folder, number)) != number:
            raise _Place(f"{place} path").error(f"the folder of number {first}", "leave one of them out")
        values = _beaten(project, _read_table(own, place, readers, known=known))
        yield {**values, "migrations": (folder,)}


#: The settings that a machine rather than a project decides.
_FROM_OUTSIDE = ("postgres", "bindir", "dsn")

_Reader = Callable[[_Place, Any], Any]
Readers = Mapping[str, _Reader]


def _readers(root: Path, layouts: Sequence[str], rules: Mapping[str, str]) -> dict[str, _Reader]:
    """Return, for each setting, the function that checks a value and makes it the setting's type."""
    readers: dict[str, _Reader] = {
        "migrations": lambda place, value: _folders(place, value, root),
        "layout": lambda place, value: _one_of(place, value, layouts),
        "transaction_mode": lambda place, value: _one_of(place, value, _TRANSACTION_MODES),
        "placeholders": _values,
        "postgres": _majors,
        "bindir": lambda place, value: root / _text(place, value),
        "dsn": _text,
        "server_fixture": _text,
        "cluster_wide": _boolean,
        "prelude": _preludes,
        "extensions": lambda place, value: _stubs(place, value, root),
        "role": _text,
        "lock_timeout": _duration,
        "statement_timeout": _limit,
        "file_timeout": _limit,
        "schemas": _names,
        "exposed_schemas": _names,
        "exposed_roles": _names,
        "owner": _text,
        "schema_file": lambda place, value: _written_file(place, value, root),
        "baseline": _version,
        "lock_file": lambda place, value: _written_file(place, value, root),
        "tables": _table_sizes,
        "table_statistics": lambda place, value: _statistics(place, value, root),
        "small_table": _count,
        "preset": lambda place, value: Preset(_one_of(place, value, [one.value for one in Preset])),
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


def _version(place: _Place, value: Any) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        raise place.error(f"expected text, got {value}", f'in quotes it keeps its zeros: "{value:04}"')
    return _text(place, value)


def _one_of(place: _Place, value: Any, allowed: Sequence[str]) -> str:
    if value not in allowed:
        raise place.error(f"{_shown(value)} is none of its values", _suggest(str(value), allowed))
    return str(value)


def _folders(place: _Place, value: Any, root: Path) -> tuple[Path, ...]:
    names = _listed(value)
    if not names:
        raise place.error("the list is empty", "leave the setting out to have them looked for")
    return tuple(_folder(place, _text(place, name), root) for name in names)


def _folder(place: _Place, name: str, root: Path) -> Path:
    folder = Path(os.path.normpath(root / name))
    if folder.is_file():
        raise place.error(f"{name!r} is a file", f"name its folder, {str(Path(name).parent)!r}")
    if not folder.exists():
        raise place.error(f"there is no {name!r}", _meant(name, folder, root))
    return folder


def _meant(name: str, path: Path, root: Path) -> str:
    """Return what is said of a path that is not there: the name beside it that is like its own."""
    siblings = sorted(entry.name for entry in path.parent.iterdir()) if path.parent.is_dir() else []
    close = difflib.get_close_matches(path.name, siblings, n=1)
    return f"did you mean {str(Path(name).parent / close[0])!r}?" if close else f"it is looked for in {root}"


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


def _preludes(place: _Place, value: Any) -> tuple[str, ...]:
    names = tuple(_text(place, one) for one in _listed(value))
    for name in names:
        if names.count(name) > 1:
            raise place.error(f"{name!r} is named twice", "it is applied once, in the order of the list")
    return names


def _names(place: _Place, value: Any) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_text(place, one) for one in _listed(value)))


def _entries(place: _Place, value: Any) -> Iterator[tuple[_Place, str, Any]]:
    """Yield the entries of a table, each with its place."""
    if not isinstance(value, dict):
        raise place.error("expected a table", f"write [tool.migsafe.{place.key}] and a line for each")
    for name, one in value.items():
        yield _Place(f"{place.text}.{name}"), name, one


def _values(place: _Place, value: Any) -> Mapping[str, str]:
    """Read the values of placeholders; to put nothing in is a value, too."""
    return MappingProxyType(
        {name: one if one == "" else _text(entry, one) for entry, name, one in _entries(place, value)}
    )


def _stubs(place: _Place, value: Any, root: Path) -> Mapping[str, Path]:
    return MappingProxyType({name: _file(entry, one, root) for entry, name, one in _entries(place, value)})


def _table_sizes(place: _Place, value: Any) -> Mapping[TableName, TableSize]:
    """Read sizes by qualified names; a name without a dot is a schema, whose tables stand in a table of their own."""
    sizes: dict[TableName, TableSize] = {}
    for entry, written, one in _entries(place, value):
        if (name := table_name(written)) is not None:
            sizes[name] = _table_size(entry, one)
        elif isinstance(one, dict) and not one.keys() & _SIZES:
            # Without quotes, TOML takes public.orders for a table in a table.
            sizes |= {
                (written, table): _table_size(inner, size) for inner, table, size in _entries(entry, one)
            }
        else:
            raise entry.error(
                "a table is named with its schema", f"for example {f'public.{written}'!r} = 200_000_000"
            )
    return MappingProxyType(sizes)


_SIZES = frozenset({"rows", "bytes"})


def _table_size(place: _Place, value: Any) -> TableSize:
    if not isinstance(value, dict):
        return TableSize(rows=_count(place, value), source="pyproject.toml")
    _refuse_unknown(value, place.text, _SIZES)
    if not value:
        raise place.error("nothing is said of it", 'for example { rows = 200_000_000, bytes = "120 GB" }')
    return TableSize(
        rows=_count(_Place(f"{place.text}.rows"), value["rows"]) if "rows" in value else None,
        bytes=_bytes(_Place(f"{place.text}.bytes"), value["bytes"]) if "bytes" in value else None,
        source="pyproject.toml",
    )


def _count(place: _Place, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise place.error(f"expected a number of rows, got {_shown(value)}", "for example 200_000_000")
    return value


def _bytes(place: _Place, value: Any) -> int:
    size = in_bytes(_written(value)) if not isinstance(value, bool) else None
    if size is None:
        raise place.error(f"{_shown(value)} is no size", "write it as PostgreSQL does, for example '120 GB'")
    return size


def _statistics(place: _Place, value: Any, root: Path) -> Mapping[TableName, TableSize]:
    try:
        return read_statistics(_file(place, value, root))
    except ValueError as error:
        raise place.error(str(error), "export it as docs/settings.md says") from error


def _file(place: _Place, value: Any, root: Path) -> Path:
    path = root / _text(place, value)
    if path.is_dir():
        raise place.error(f"{value!r} is a folder", "name a file of SQL")
    if not path.exists():
        raise place.error(f"there is no {value!r}", _meant(value, path, root))
    return path


#: What files that we write are called, for examples.
_FILE_NAMES = {"lock_file": "migsafe.lock"}


def _written_file(place: _Place, value: Any, root: Path) -> Path:
    """Read the name of a file that need not be there yet, in a folder that must."""
    path = Path(os.path.normpath(root / _text(place, value)))
    if path.is_dir():
        raise place.error(
            f"{value!r} is a folder",
            f"name a file in it, {str(Path(value) / _FILE_NAMES.get(place.key, 'schema.json'))!r}",
        )
    if not path.parent.is_dir():
        raise place.error(
            f"there is no folder {str(Path(value).parent)!r}", f"make it first; it is looked for in {root}"
        )
    return path


#: What a timeout can be at most: it is kept in a signed integer of milliseconds (manual: "statement_timeout").
_LONGEST = 2**31 / 1000
#: Shorter ones would end also our own reading of what a statement did.
_SHORTEST = 0.1
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
    if in_seconds(text) >= _LONGEST:
        raise place.error(
            f"{text!r} is longer than PostgreSQL counts", "24d is possible, and '0' is no limit"
        )
    return text


def _limit(place: _Place, value: Any) -> str:
    """Read after which time something is given up; zero is no limit."""
    text = _duration(place, value)
    if 0 < in_seconds(text) < _SHORTEST:
        raise place.error(
            f"{text!r} is too short for anything to be rehearsed",
            "a number without a unit is in milliseconds; write for example '30s'",
        )
    return text


#: What stands before the name of a family, of which all rules are meant.
_FAMILY = "family:"


def _severities(place: _Place, value: Any, rules: Mapping[str, str]) -> Mapping[str, Severity]:
    """Read severities by rules and families; what is said of a rule goes before what is said of its family."""
    if not isinstance(value, dict):
        raise place.error(
            "expected a table of rule = severity", 'for example rules = {"apply-error" = "error"}'
        )
    families = sorted({f"{_FAMILY}{family}" for family in rules.values()})
    of_families: dict[str, Severity] = {}
    of_rules: dict[str, Severity] = {}
    for name, text in value.items():
        if name not in rules and name not in families:
            raise place.error(f"unknown rule {name!r}", _meant_of(name, (*rules, *families)))
        one = _one_of(_Place(f"{place.text}.{name}"), text, [one.value for one in Severity])
        if name in rules:
            of_rules[name] = Severity(one)
        else:
            of_families |= {
                rule: Severity(one) for rule, family in rules.items() if f"{_FAMILY}{family}" == name
            }
    return MappingProxyType(of_families | of_rules)


def _meant_of(name: str, rules: Sequence[str]) -> str:
    """Return which rule is meant; there are too many to list them."""
    close = difflib.get_close_matches(name, rules, n=1, cutoff=0.5)
    return f"did you mean {close[0]!r}?" if close else "`pytest --migsafe-rules` lists them"
