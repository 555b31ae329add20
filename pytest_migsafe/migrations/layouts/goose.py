"""goose, and sql-migrate, which has its way of cutting a file into statements from it.

Both read a file line by line: a statement ends with the line that ends with a semicolon (a comment may follow),
or with ``StatementEnd`` if ``StatementBegin`` stands above it; whatever the semicolon stands in. So a function
whose body is not between the two is cut to pieces, and the server says so.

Both order by the number that a name begins with, be it counted or a time. From pressly/goose's
``internal/sqlparser/parser.go`` and ``provider_collect.go`` (version 3), and rubenv/sql-migrate's
``sqlparse/sqlparse.go`` and ``migrate.go``.
"""

import os
import re
from collections.abc import Iterator
from itertools import groupby
from typing import NamedTuple

from pytest_migsafe.errors import MigrationReadError
from pytest_migsafe.migrations.layouts.base import (
    FoundFile,
    Layout,
    Listing,
    files_named,
    first_file_has,
    in_order,
    only,
)
from pytest_migsafe.migrations.model import Direction, Manner, Part, Runner, Script, TransactionMode, Unit
from pytest_migsafe.migrations.placeholders import with_environment
from pytest_migsafe.migrations.source import BYTE_ORDER_MARK, CharOffset, CharSpan, SourceText


class _Line(NamedTuple):
    """A line of a file, without what ends it."""

    number: int
    start: int
    end: int
    text: str

    @property
    def is_comment(self) -> bool:
        return self.text.lstrip().startswith("--")

    @property
    def ends_statement(self) -> bool:
        """Whether the last word before a comment ends with a semicolon."""
        last = ""
        for word in self.text.split():
            if word.startswith("--"):
                break
            last = word
        return last.endswith(";")


def _lines(text: str) -> Iterator[_Line]:
    start = 0
    for number, line in enumerate(text.split("\n"), 1):
        yield _Line(number, start, start + len(line), line.removesuffix("\r"))
        start += len(line) + 1


class _Cutter:
    """The statements of one direction, while the lines of a file go by."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._begun: _Line | None = None
        #: Whether a line between StatementBegin and StatementEnd is read.
        self.in_block = False
        self.parts: list[Part] = []

    def take(self, line: _Line) -> bool:
        """Take a line that belongs to the direction; say whether it is part of a statement."""
        if self._begun is None:
            if line.is_comment or not line.text.strip():
                return False
            self._begun = line
        if line.ends_statement and not self.in_block:
            self.cut(line.end)
        return True

    def cut(self, end: int) -> None:
        """End the statement that is being read, if one is."""
        if self._begun is not None and self._text[self._begun.start : end].strip():
            self.parts.append(Part(CharOffset(self._begun.start), CharOffset(end)))
        self._begun = None

    def refuse_unfinished(self, end: int, runner: str) -> None:
        """See that no statement is without its end."""
        if self._begun is not None and self._text[self._begun.start : end].strip():
            raise MigrationReadError(
                f"{runner} finds no end of the statement that begins in line {self._begun.number}; "
                "let its last line end with a semicolon"
            )


_ANNOTATIONS = ("Up", "Down", "StatementBegin", "StatementEnd", "NO TRANSACTION", "ENVSUB ON", "ENVSUB OFF")


def _annotation(line: _Line) -> str:
    """Return what goose makes of a comment in which its name stands; empty for any other line.

    Raises:
        MigrationReadError: goose would refuse the line.
    """
    if not line.is_comment or "+goose" not in line.text:
        return ""
    if line.text[0] in " \t":
        raise MigrationReadError(
            f"line {line.number} is indented, where goose refuses its annotations: {line.text.strip()}"
        )
    said = line.text.replace("--", "").replace("+goose", "", 1).strip()
    for known in _ANNOTATIONS:
        if said.lower() == known.lower():
            return known
    raise MigrationReadError(
        f"line {line.number} is none of goose's annotations ({', '.join(_ANNOTATIONS)}): {line.text}"
    )


class _Goose:
    """What goose makes of a file on its way through the lines."""

    def __init__(self, source: SourceText, direction: Direction) -> None:
        self._wanted = direction
        self._section: Direction | None = None
        self._is_block_open = 0
        self._has_variables = False
        self._cutter = _Cutter(source.text)
        self.no_transaction_line: int | None = None
        #: Where environment variables are put in.
        self.variable_spans: list[CharSpan] = []
        for line in _lines(source.text):
            self._take(line)
        self._finish(source)

    @property
    def parts(self) -> tuple[Part, ...]:
        return tuple(self._cutter.parts)

    @property
    def _is_wanted(self) -> bool:
        return self._section is self._wanted

    def _take(self, line: _Line) -> None:
        match _annotation(line):
            case "":
                self._take_text(line)
            case "Up":
                if self._section is not None:
                    raise MigrationReadError(
                        f"line {line.number} is a second `-- +goose Up`, which goose refuses"
                    )
                self._section = Direction.UP
            case "Down":
                self._begin_down(line)
            case "StatementBegin" | "StatementEnd" as kind:
                self._take_block(line, begins=kind == "StatementBegin")
            case "NO TRANSACTION":
                self.no_transaction_line = line.number
            case variables:
                self._has_variables = variables == "ENVSUB ON"

    def _take_text(self, line: _Line) -> None:
        if self._section is None:
            if line.text.strip() and not line.is_comment:
                raise MigrationReadError(_text_before_up(line))
        elif self._is_wanted:
            is_kept = self._cutter.take(line)
            # A comment above a statement is dropped before variables are looked for.
            if is_kept and self._has_variables:
                self.variable_spans.append((line.start, line.end))

    def _begin_down(self, line: _Line) -> None:
        if self._section is not Direction.UP or self._is_block_open:
            raise MigrationReadError(
                f"`-- +goose Down` in line {line.number} does not come after `-- +goose Up`, where goose wants it"
            )
        self._cutter.refuse_unfinished(line.start, "goose")
        self._section = Direction.DOWN

    def _take_block(self, line: _Line, *, begins: bool) -> None:
        if self._section is None or bool(self._is_block_open) is begins:
            other = "Up or Down" if begins else "StatementBegin"
            raise MigrationReadError(
                f"line {line.number} does not come after `-- +goose {other}`, where goose wants it: {line.text}"
            )
        self._is_block_open = line.number if begins else 0
        if self._is_wanted:
            self._cutter.in_block = begins
            if not begins:
                self._cutter.cut(line.start)

    def _finish(self, source: SourceText) -> None:
        if self._section is None:
            raise MigrationReadError(
                "goose refuses a file without `-- +goose Up`; write that line above the statements"
            )
        if self._is_block_open:
            raise MigrationReadError(
                f"`-- +goose StatementBegin` in line {self._is_block_open} has no `-- +goose StatementEnd`"
            )
        self._cutter.refuse_unfinished(len(source.text), "goose")


def _text_before_up(line: _Line) -> str:
    if line.text.startswith(BYTE_ORDER_MARK):
        return "the file begins with a byte order mark, which goose takes for a statement; save it as UTF-8 without one"
    return f"line {line.number} stands above `-- +goose Up`, which goose refuses; move it below"


def read_annotated(source: SourceText, runner: Runner, direction: Direction) -> Script:
    """Return the statements of one direction as goose cuts them, with environment variables where ENVSUB is on.

    Raises:
        MigrationReadError: goose would refuse the file, or a variable has no value, for which goose would put in
            nothing.
    """
    found = _Goose(source, direction)
    if found.variable_spans:
        source = with_environment(source, {**os.environ, **runner.placeholders}, found.variable_spans)
        found = _Goose(source, direction)
    manner = runner.usual
    if found.no_transaction_line is not None:
        manner = Manner(
            TransactionMode.AUTOCOMMIT, f"-- +goose NO TRANSACTION in line {found.no_transaction_line}"
        )
    return _cut(source, found.parts, manner)


def _cut(source: SourceText, parts: tuple[Part, ...], manner: Manner) -> Script:
    if not parts:
        # No statement, and not the whole text.
        return Script.whole(only(source), manner)
    if manner.mode is not TransactionMode.AUTOCOMMIT:
        return Script.whole(source, manner, parts)
    return Script(source, tuple(_units(source, parts, manner)))


def _units(source: SourceText, parts: tuple[Part, ...], manner: Manner) -> Iterator[Unit]:
    """Yield what runs as one outside a transaction: each part, and in a row those of one statement each."""
    # Between StatementBegin and StatementEnd, or in a line, may stand several.
    as_one = Manner(
        TransactionMode.SINGLE_QUERY, f"{manner.reason}; what it takes for one statement is one query"
    )
    several = {part: _has_several(Unit(source, manner, (part,)), part) for part in parts}
    for alone, these in groupby(parts, key=lambda part: part if several[part] else None):
        yield Unit(source, manner if alone is None else as_one, tuple(these))


def _has_several(unit: Unit, part: Part) -> bool:
    return ";" in unit.text(part).rstrip("; \t\r\n") and len(unit.statements) > 1


def _read_goose(listing: Listing) -> tuple[FoundFile, ...]:
    found = files_named(listing, _GOOSE_NAME, order=lambda name: (int(name["version"]),))
    return tuple(file for file in found if int(file.version) > 0)


_GOOSE_NAME = re.compile(r"(?P<version>\d+)_.*\.sql")
_GOOSE_MARK = re.compile(rf"^{BYTE_ORDER_MARK}?--\s*\+goose\s+up\s*$", re.MULTILINE | re.IGNORECASE)

GOOSE = Layout(
    name="goose",
    files="`<version>_<name>.sql`",
    order="the number",
    transactions=(
        "one a file, statement by statement as goose cuts it; with `-- +goose NO TRANSACTION` each statement alone"
    ),
    down="below `-- +goose Down`",
    detected_by="`-- +goose Up` in the first file",
    manner=Manner(TransactionMode.TRANSACTION, "goose wraps each file in a transaction"),
    read=_read_goose,
    reader=read_annotated,
    is_detected_in=first_file_has(_GOOSE_MARK),
)


_COMMAND = "-- +migrate "


class _SqlMigrate:
    """What sql-migrate makes of a file on its way through the lines."""

    def __init__(self, source: SourceText, direction: Direction) -> None:
        self._wanted = direction
        self._section: Direction | None = None
        self._block_line = 0
        self._cutter = _Cutter(source.text)
        self.no_transaction_line: int | None = None
        for line in _lines(source.text):
            if line.text.startswith(_COMMAND):
                self._obey(line)
            elif self._section is self._wanted:
                self._cutter.take(line)
        self._finish(source)

    @property
    def parts(self) -> tuple[Part, ...]:
        return tuple(self._cutter.parts)

    def _obey(self, line: _Line) -> None:
        command, *options = line.text.removeprefix(_COMMAND).split() or [""]
        match command:
            case "Up" | "Down":
                self._cutter.refuse_unfinished(line.start, "sql-migrate")
                self._section = Direction(command.lower())
                if self._section is self._wanted and "notransaction" in options:
                    self.no_transaction_line = line.number
            case "StatementBegin" if self._section is not None:
                self._block_line = line.number
                self._cutter.in_block = True
            case "StatementEnd" if self._block_line:
                self._block_line = 0
                self._cutter.in_block = False
                if self._section is self._wanted:
                    self._cutter.cut(line.start)

    def _finish(self, source: SourceText) -> None:
        if self._section is None:
            raise MigrationReadError(_no_command(source.text))
        if self._block_line:
            raise MigrationReadError(
                f"`-- +migrate StatementBegin` in line {self._block_line} has no `-- +migrate StatementEnd`"
            )
        self._cutter.refuse_unfinished(len(source.text), "sql-migrate")


def _no_command(text: str) -> str:
    if text.startswith(BYTE_ORDER_MARK + _COMMAND):
        return (
            f"the file begins with a byte order mark, behind which sql-migrate does not see `{_COMMAND}Up`; "
            "save it as UTF-8 without one"
        )
    return f"sql-migrate refuses a file without `{_COMMAND}Up`; write that line above the statements"


def read_commanded(source: SourceText, runner: Runner, direction: Direction) -> Script:
    """Return the statements of one direction as sql-migrate cuts them.

    Raises:
        MigrationReadError: sql-migrate would refuse the file.
    """
    found = _SqlMigrate(source, direction)
    manner = runner.usual
    if found.no_transaction_line is not None:
        manner = Manner(
            TransactionMode.AUTOCOMMIT, f"sql-migrate's notransaction in line {found.no_transaction_line}"
        )
    return _cut(source, found.parts, manner)


def _read_sql_migrate(listing: Listing) -> tuple[FoundFile, ...]:
    """Return all SQL files: numbered ones first, by number and then by name, others after them by name."""
    found = []
    for name in listing.files:
        if name.endswith(".sql"):
            number = re.match(r"\d+", name)
            path = listing.folder / name
            found.append(
                FoundFile(
                    order=(0, int(number.group())) if number else (1, 0),
                    version=name.removesuffix(".sql"),
                    path=path,
                    down=path,
                )
            )
    return in_order(found)


SQL_MIGRATE = Layout(
    name="sql-migrate",
    files="`<name>.sql`",
    order="the number at the beginning, then the names",
    transactions=(
        "one a file, statement by statement as sql-migrate cuts it; with `-- +migrate Up notransaction` each "
        "statement alone"
    ),
    down="below `-- +migrate Down`",
    detected_by="`-- +migrate Up` in the first file",
    manner=Manner(TransactionMode.TRANSACTION, "sql-migrate wraps each file in a transaction"),
    read=_read_sql_migrate,
    reader=read_commanded,
    is_detected_in=first_file_has(re.compile(rf"^{BYTE_ORDER_MARK}?-- \+migrate Up\b", re.MULTILINE)),
)
