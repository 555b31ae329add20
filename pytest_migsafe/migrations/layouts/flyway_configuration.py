"""What a project configures for Flyway: ``flyway.toml`` or ``flyway.conf``, and ``<script>.sql.conf`` beside a script.

Facts: Flyway's documentation, "Configuration files" and "Script configuration". The classic files are Java properties with
``flyway.`` before each name, which may be missing beside a script; the TOML files say the same in tables.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pytest_migsafe.migrations.layouts.project_files import text_of, toml_of

#: From ``src/main/resources/db/migration`` to the project's root.
_UP = 6
_FILES = ("flyway.toml", "flyway.conf", "conf/flyway.conf")
_PREFIX = "flyway."


@dataclass(frozen=True)
class Configuration:
    """Settings by their names without ``flyway.``, as text; a list is separated by commas."""

    values: Mapping[str, str] = field(default_factory=dict)
    #: The file that they stand in.
    place: str = ""

    def has(self, name: str) -> bool:
        """Whether a setting is given."""
        return name in self.values

    def is_on(self, name: str, *, default: bool) -> bool:
        """Return a setting that is true or false."""
        return self.values.get(name, str(default)).strip().lower() == "true"

    @property
    def encoding(self) -> str:
        """What scripts are encoded in; empty when nothing is said."""
        return self.values.get("encoding", "")

    @property
    def prefix(self) -> str:
        """What a versioned migration's name begins with."""
        return self.values.get("sqlMigrationPrefix", "V")

    @property
    def undo_prefix(self) -> str:
        """What the name of a script begins with that undoes one."""
        return self.values.get("undoSqlMigrationPrefix", "U")

    @property
    def baseline_prefix(self) -> str:
        """What the name of a baseline begins with."""
        return self.values.get("baselineMigrationPrefix", "B")

    @property
    def repeatable_prefix(self) -> str:
        """What a repeatable migration's name begins with."""
        return self.values.get("repeatableSqlMigrationPrefix", "R")

    @property
    def separator(self) -> str:
        """What stands between version and description."""
        return self.values.get("sqlMigrationSeparator", "__")

    @property
    def suffixes(self) -> tuple[str, ...]:
        """What a migration's name ends with."""
        return self._list("sqlMigrationSuffixes") or (".sql",)

    @property
    def placeholders(self) -> Mapping[str, str]:
        """The project's placeholders."""
        start = "placeholders."
        return {
            name.removeprefix(start): value for name, value in self.values.items() if name.startswith(start)
        }

    @property
    def placeholder_prefix(self) -> str:
        """What a placeholder begins with."""
        return self.values.get("placeholderPrefix", "${")

    @property
    def placeholder_suffix(self) -> str:
        """What a placeholder ends with."""
        return self.values.get("placeholderSuffix", "}")

    @property
    def placeholder_separator(self) -> str:
        """What stands after ``flyway`` in the names of Flyway's own placeholders."""
        return self.values.get("placeholderSeparator", ":")

    @property
    def schemas(self) -> tuple[str, ...]:
        """The schemas that Flyway creates before the first migration, if they are configured."""
        default = self.values.get("defaultSchema")
        named = self._list("schemas")
        return named if default is None or default in named else (default, *named)

    @property
    def default_schema(self) -> str:
        """The schema that Flyway puts first on the search path."""
        return next(
            iter([self.values["defaultSchema"]] if self.has("defaultSchema") else self.schemas), "public"
        )

    @property
    def table(self) -> str:
        """The table in which Flyway keeps its records."""
        return self.values.get("table", "flyway_schema_history")

    def _list(self, name: str) -> tuple[str, ...]:
        return tuple(part.strip() for part in self.values.get(name, "").split(",") if part.strip())


def read_configuration(folder: Path) -> Configuration:
    """Return what is configured in a folder of migrations or above it, up to the project's root."""
    for above in (folder, *folder.parents[:_UP]):
        for name in _FILES:
            path = above / name
            if path.is_file():
                values = _toml(path) if path.suffix == ".toml" else read_properties(path)
                return Configuration(values, name)
        if (above / ".git").exists():
            break
    return Configuration()


def read_properties(path: Path) -> Mapping[str, str]:
    """Return the settings of a classic configuration file; of one that cannot be read, none."""
    # A backslash at the end of a line goes on on the next (Java: ``Properties.load``).
    lines = re.sub(r"\\\r?\n[ \t]*", "", text_of(path)).splitlines()
    pairs = (line.partition("=") for line in lines if not line.lstrip().startswith(("#", "!")))
    return {name.strip().removeprefix(_PREFIX): value.strip() for name, sign, value in pairs if sign}


def _toml(path: Path) -> Mapping[str, str]:
    flyway = toml_of(path).get("flyway")
    return dict(_flat(flyway)) if isinstance(flyway, dict) else {}


def _flat(table: Mapping[str, object], above: str = "") -> Iterator[tuple[str, str]]:
    for name, value in table.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{above}{name}.")
        elif isinstance(value, list):
            yield above + name, ",".join(str(one) for one in value)
        else:
            yield above + name, str(value).lower() if isinstance(value, bool) else str(value)
