"""Flyway: ``V<version>__<description>.sql`` in a folder and those below it, then repeatables ``R__<description>.sql``.

Facts: Flyway's documentation ("Migrations", "Callbacks", "Script configuration", "Placeholders") and, for what it leaves
open, its ``ResourceNameParser``, ``MigrationVersion``, ``DbMigrate``, ``ParserSqlScript`` and ``PostgreSQLParser``. Versions
are compared part by part as numbers, and 1.0 is 1. Flyway sends the statements of a file one by one in a transaction. It
knows by their first words some that PostgreSQL refuses there; a file of such statements alone it runs without a
transaction, one in which others stand too it refuses.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from pytest_migsafe.errors import MigrationReadError
from pytest_migsafe.migrations.layouts.base import (
    OTHER_DATABASES,
    FoundFile,
    Layout,
    Listing,
    as_psql_sends,
    in_order,
)
from pytest_migsafe.migrations.layouts.flyway_configuration import (
    Configuration,
    read_configuration,
    read_properties,
)
from pytest_migsafe.migrations.lexemes import headline, tokens
from pytest_migsafe.migrations.model import Direction, Manner, Remark, Runner, Script, TransactionMode
from pytest_migsafe.migrations.placeholders import substituted
from pytest_migsafe.migrations.psql import has_copy_from_stdin, read_as_psql
from pytest_migsafe.migrations.source import SourceText
from pytest_migsafe.migrations.statements import Statement

# -- names ---------------------------------------------------------------------------------------------------

_VERSION = r"\d+(?:[._]\d+)*"
#: A versioned migration as Flyway names it when nothing is configured.
_MARK = re.compile(rf"V{_VERSION}__.+\.sql")
#: Where Flyway looks by default (``sql/``, ``db/migration``), and what people call the folder.
_CONVENTIONAL = frozenset({"migration", "migrations", "migrate", "sql"})
#: Enough for any folder of migrations; links may lead from one to another in a circle.
_DEEPEST = 8

#: The callbacks that a migration of an empty database runs once, and when: before all, between the versioned
#: migrations and the repeatables, at the end.
_CALLBACKS = {
    "beforeMigrate": 0,
    "afterVersioned": 2,
    "beforeRepeatables": 3,
    "afterMigrateApplied": 5,
    "afterMigrate": 6,
}
_VERSIONED, _REPEATABLE = 1, 4
_CALLBACK = re.compile(r"(?P<event>(?:before|after|create)[A-Z][A-Za-z]*)(?:__(?P<description>.*))?")

#: A version as it is compared.
_Version = tuple[int, ...]


def _version(text: str) -> _Version:
    parts = [int(part) for part in re.split("[._]", text)]
    while len(parts) > 1 and parts[-1] == 0:
        parts.pop()
    return tuple(parts)


@dataclass(frozen=True)
class _Names:
    """How a project calls its files."""

    configuration: Configuration

    def stem(self, name: str) -> str | None:
        """Return a file's name without the suffix that makes it a migration; None when it has none."""
        return next(
            (name.removesuffix(suffix) for suffix in self.configuration.suffixes if name.endswith(suffix)),
            None,
        )

    def is_versioned(self, name: str) -> bool:
        """Whether a file is a versioned migration or a baseline."""
        stem = self.stem(name)
        kinds = (self.configuration.prefix, self.configuration.baseline_prefix)
        return stem is not None and any(self.versioned(prefix, stem) for prefix in kinds)

    def versioned(self, prefix: str, stem: str) -> str | None:
        """Return the version in a name that begins with a prefix; None when the name is none of that kind."""
        separator = re.escape(self.configuration.separator)
        found = re.fullmatch(rf"{re.escape(prefix)}(?P<version>{_VERSION})(?:{separator}.*)?", stem)
        return found["version"] if found else None

    def repeatable(self, stem: str) -> str | None:
        """Return the description of a repeatable migration; None when the name is none."""
        prefix = self.configuration.repeatable_prefix + self.configuration.separator
        return (
            stem.removeprefix(prefix).replace("_", " ")
            if stem.startswith(prefix) and stem != prefix
            else None
        )


@dataclass(frozen=True)
class _File:
    """A file that Flyway may take for a migration."""

    listing: Listing
    name: str
    stem: str

    @property
    def path(self) -> Path:
        return self.listing.folder / self.name


def _files(listing: Listing, names: _Names, depth: int = _DEEPEST) -> Iterator[_File]:
    """Yield the files of a folder and those below it, in the order of their names."""
    for name in listing.files:
        if (stem := names.stem(name)) is not None:
            yield _File(listing, name, stem)
    if depth:
        for name in listing.folders:
            # Spring Boot's ``{vendor}`` is a folder for each database, of which it takes the one that is used.
            if name.lower() not in OTHER_DATABASES and not listing.leads_back(name):
                yield from _files(listing.below(name), names, depth - 1)


# -- which files, in which order -----------------------------------------------------------------------------


@dataclass(frozen=True)
class _Sorted:
    """The files of a folder by what Flyway takes them for."""

    versioned: dict[_Version, list[tuple[str, _File]]]
    undo: dict[_Version, _File]
    baselines: dict[_Version, _File]
    repeatable: list[tuple[str, _File]]
    callbacks: list[tuple[str, _File]]
    others: list[_File]

    @property
    def start(self) -> _Version | None:
        """The baseline that the history begins with, where the versions up to it are no longer there."""
        latest = max(self.baselines, default=None)
        if latest is None or any(version <= latest for version in self.versioned):
            return None
        return latest


def _sorted(listing: Listing, configuration: Configuration) -> _Sorted:
    names = _Names(configuration)
    found = _Sorted({}, {}, {}, [], [], [])
    for file in _files(listing, names):
        if version := names.versioned(configuration.prefix, file.stem):
            found.versioned.setdefault(_version(version), []).append((version.replace("_", "."), file))
        elif version := names.versioned(configuration.undo_prefix, file.stem):
            found.undo[_version(version)] = file
        elif version := names.versioned(configuration.baseline_prefix, file.stem):
            found.baselines[_version(version)] = file
        elif (description := names.repeatable(file.stem)) is not None:
            found.repeatable.append((description, file))
        elif callback := _CALLBACK.fullmatch(file.stem):
            found.callbacks.append((callback["event"], file))
        else:
            found.others.append(file)
    return found


def _is_conventional(listing: Listing) -> bool:
    return listing.folder.name.lower() in _CONVENTIONAL


def is_marked(listing: Listing) -> bool:
    """Whether files that only Flyway calls so lie in a folder."""
    return any(_MARK.fullmatch(name) for name in listing.files if name.startswith("V"))


def read(listing: Listing) -> tuple[FoundFile, ...]:
    """Return the files that a migration of an empty database runs, in Flyway's order."""
    # Flyway's locations are searched to the bottom; a project's root must not be, whatever lies below it.
    if not _is_conventional(listing) and not any(name.endswith(".sql") for name in listing.files):
        return ()
    configuration = read_configuration(listing.folder)
    names = _Names(configuration)
    if not _is_conventional(listing) and not any(names.is_versioned(name) for name in listing.files):
        return ()
    files = _sorted(listing, configuration)
    if not files.versioned and not files.baselines and not files.repeatable:
        return ()
    return in_order(list(_found(files, configuration)))


def _found(files: _Sorted, configuration: Configuration) -> Iterator[FoundFile]:
    if files.start is not None:
        baseline = files.baselines[files.start]
        yield _migration((_VERSIONED, files.start), baseline.stem, baseline, configuration)
    for version, ones in files.versioned.items():
        # Files of one version are one version, however each writes it: 1 and 1.0.
        called = ones[0][0]
        undo = files.undo.get(version)
        for _, file in ones:
            yield _migration((_VERSIONED, version), called, file, configuration, down=undo)
    for description, file in files.repeatable:
        yield _migration((_REPEATABLE, description), file.stem, file, configuration)
    for event, file in files.callbacks:
        if event in _CALLBACKS:
            yield _migration((_CALLBACKS[event], file.stem), file.stem, file, configuration)


def _migration(
    order: tuple[int, _Version | str],
    version: str,
    file: _File,
    configuration: Configuration,
    *,
    down: _File | None = None,
) -> FoundFile:
    beside = f"{file.name}.conf"
    has_own = beside in file.listing.file_set
    own = Configuration(read_properties(file.listing.folder / beside)) if has_own else Configuration()
    return FoundFile(
        order=order,
        version=version,
        path=file.path,
        down=down.path if down else None,
        reader=partial(
            read_script,
            name=file.name,
            project=configuration,
            own=own,
        ),
        encoding=own.encoding or configuration.encoding or "utf-8",
        # Callbacks are run every time.
        is_repeatable=order[0] != _VERSIONED,
    )


# -- what is left out ----------------------------------------------------------------------------------------


def remarks(listing: Listing, found: tuple[FoundFile, ...]) -> tuple[Remark, ...]:  # noqa: ARG001
    """Return what of a folder is not rehearsed, and why."""
    configuration = read_configuration(listing.folder)
    return tuple(_remarks(listing, configuration, _sorted(listing, configuration)))


def _remarks(listing: Listing, configuration: Configuration, files: _Sorted) -> Iterator[Remark]:
    for file, text in _left_out(files):
        yield Remark(file.path.relative_to(listing.folder).as_posix(), text)
    for name in listing.folders:
        if name.lower() in OTHER_DATABASES:
            yield Remark(f"{name}/", "folders of migrations for another database")
    if configuration.schemas:
        listed = ", ".join(configuration.schemas)
        yield Remark(
            "", f"Flyway creates its configured schemas first ({listed}); a prelude has to create them here"
        )


def _left_out(files: _Sorted) -> Iterator[tuple[_File, str]]:
    for version, file in files.baselines.items():
        if version != files.start:
            yield (
                file,
                "baselines, with which Flyway begins on an empty database; rehearsed are the versions",
            )
    for version, file in files.undo.items():
        if version not in files.versioned:
            yield file, "down files without their migration"
    for event, file in files.callbacks:
        if event not in _CALLBACKS:
            yield file, "callbacks that a rehearsal does not run"
    for file in files.others:
        yield file, "not migrations in this layout"


# -- what Flyway makes of a file -----------------------------------------------------------------------------

#: Statements that Flyway runs without a transaction, by their first words, and those alone: PostgreSQL refuses some
#: others in one, and then Flyway's file fails.
_OUTSIDE = re.compile(
    r"""
      (?: CREATE | DROP ) [ ] (?: DATABASE | TABLESPACE | SUBSCRIPTION ) \b
    | ALTER [ ] SYSTEM \b
    | (?: CREATE | DROP ) (?: [ ] UNIQUE )? [ ] INDEX [ ] CONCURRENTLY \b
    | REINDEX (?: [ ] VERBOSE )? [ ] (?: SCHEMA | DATABASE | SYSTEM ) \b
    | VACUUM \b
    | DISCARD [ ] ALL \b
    """,
    re.VERBOSE,
)
_MAY_BE_OUTSIDE = re.compile(
    r"concurrently|database|tablespace|subscription|alter\s+system|reindex|vacuum|discard", re.IGNORECASE
)
_NOTHING = Configuration()
#: As many words of a statement Flyway looks at.
_WORDS = 10


def read_script(
    source: SourceText,
    runner: Runner,
    direction: Direction,  # noqa: ARG001 - the signature is Reader's
    *,
    name: str = "",
    project: Configuration = _NOTHING,
    own: Configuration = _NOTHING,
) -> Script:
    """Read a script with what is configured for the project, and beside the script for it alone.

    Raises:
        MigrationReadError: Flyway would refuse the script.
    """
    replaced = _with_placeholders(source, name, project, own, runner)
    script = _sent(replaced, runner.usual)
    manner = _manner(script, runner.usual, project, own, f"{name}.conf")
    return script if manner == runner.usual else _sent(replaced, manner)


def _sent(source: SourceText, manner: Manner) -> Script:
    # Of psql's language Flyway knows the rows that follow COPY.
    if not has_copy_from_stdin(source):
        return Script.whole(source, manner)
    return as_psql_sends(read_as_psql(source), manner)


def _with_placeholders(
    source: SourceText, name: str, project: Configuration, own: Configuration, runner: Runner
) -> SourceText:
    if not (own if own.has("placeholderReplacement") else project).is_on(
        "placeholderReplacement", default=True
    ):
        return source
    values = {
        **_built_in(name, project),
        **project.placeholders,
        **runner.placeholders,
        **own.placeholders,
    }
    return substituted(source, values, prefix=project.placeholder_prefix, suffix=project.placeholder_suffix)


def _built_in(name: str, project: Configuration) -> Mapping[str, str]:
    """Return the values of Flyway's own placeholders; the time is the same in every run, so is a verdict."""
    own = {
        "defaultSchema": project.default_schema,
        # The role and the database of our throwaway server.
        "user": "postgres",
        "database": "postgres",
        "timestamp": "2000-01-01 00:00:00",
        "filename": name,
        "workingDirectory": ".",
        "table": project.table,
        "environment": "",
    }
    return {f"flyway{project.placeholder_separator}{key}": value for key, value in own.items()}


def _manner(script: Script, usual: Manner, project: Configuration, own: Configuration, beside: str) -> Manner:
    for configuration, place in ((own, beside), (project, project.place)):
        if configuration.has("executeInTransaction"):
            if configuration.is_on("executeInTransaction", default=True):
                return usual
            return Manner(TransactionMode.AUTOCOMMIT, f"executeInTransaction=false in {place}")
    if not usual.mode.wraps or not _MAY_BE_OUTSIDE.search(script.source.text):
        return usual
    outside = [one for one in script.statements if _OUTSIDE.match(_first_words(one))]
    if not outside:
        return usual
    first = outside[0]
    line = script.position(first.start).line
    if len(outside) < len(script.statements) and not project.is_on("mixed", default=False):
        raise MigrationReadError(
            f"Flyway refuses the file: {headline(first.text)} (line {line}) runs outside a transaction, other statements "
            "of the file run inside one; give it a file of its own, or set flyway.mixed=true"
        )
    return Manner(
        TransactionMode.AUTOCOMMIT,
        f"Flyway runs the file without a transaction, for it has {headline(first.text, 60)} in line {line}",
    )


def _first_words(statement: Statement) -> str:
    """Return the first words that stand in no parentheses, as Flyway looks at a statement."""
    words: list[str] = []
    depth = 0
    for token in tokens(statement.text):
        written = statement.text[token.start : token.end]
        depth += (written == "(") - (written == ")")
        if token.kind == "word" and depth == 0:
            words.append(written.upper())
            if len(words) == _WORDS:
                break
    return " ".join(words)


LAYOUT = Layout(
    name="flyway",
    files="`V<version>__<description>.sql`, `R__<description>.sql`, `beforeMigrate.sql`, `afterMigrate.sql` and the like, "
    "in the folder and below",
    order="the version part by part, then repeatables by description",
    transactions="one a file; none for a file of statements that cannot run in one, or with `executeInTransaction=false` "
    "in `<file>.conf`",
    down="`U<version>__<description>.sql`",
    detected_by="the names, in a folder of any name",
    manner=Manner(TransactionMode.TRANSACTION, "Flyway wraps each file in a transaction"),
    read=read,
    reader=read_script,
    is_marked=is_marked,
    remarks=remarks,
)
