"""What a project's migrations are: files in an order, each with the way in which its runner applies it."""

import os
import posixpath
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from types import MappingProxyType

from pytest_migsafe.migrations.source import BYTE_ORDER_MARK, CharOffset, Position, SourceText, read_source
from pytest_migsafe.migrations.statements import Statement, TransactionControl


class TransactionMode(StrEnum):
    """How a runner sends a file to the server."""

    #: BEGIN, the file, COMMIT.
    TRANSACTION = "transaction"
    #: The whole file as one simple query: PostgreSQL makes it one implicit transaction, unless the file
    #: has its own BEGIN or COMMIT (manual: "Multiple Statements in a Simple Query").
    SINGLE_QUERY = "single-query"
    #: Statement by statement, each in its own transaction, as ``psql -f`` does.
    AUTOCOMMIT = "autocommit"

    @property
    def wraps(self) -> bool:
        """Whether the runner itself opens a transaction around the file."""
        return self is TransactionMode.TRANSACTION


class Direction(StrEnum):
    """Which half of a migration is read."""

    UP = "up"
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class Manner:
    """How a runner sends a file, and how that is known."""

    mode: TransactionMode
    #: Where the mode comes from, in words.
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Runner:
    """What a reader must know of the project's runner besides the file."""

    #: How a file is sent that says nothing of it itself.
    usual: Manner
    #: The values of ``${name}`` in files, where the runner puts some in.
    placeholders: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    #: The variables that psql sets when it connects: ``DBNAME`` and ``USER`` (manual: "psql", "Variables").
    connected: Mapping[str, str] = field(
        default_factory=lambda: MappingProxyType({"DBNAME": "postgres", "USER": "postgres"})
    )
    #: Whether each file has a session of its own, so that none finds what another left behind.
    session_per_file: bool = False


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a file that a runner sends to the server in one message."""

    #: Its first and one after its last character, in the text.
    start: CharOffset
    end: CharOffset
    #: The rows that follow a ``COPY ... FROM STDIN``, which this part then consists of.
    data: str | None = None


@dataclass(frozen=True)
class Unit:
    """What a runner runs as one: in one transaction, or each part in its own. Mostly the whole file."""

    source: SourceText
    manner: Manner
    #: The pieces in which the runner cuts the text itself; empty: it sends it whole, or by statements.
    cut: tuple[Part, ...] = ()
    #: What the runner calls it, when there are several in a file ("changeset ann:2").
    name: str = ""
    #: Whether the runner runs it again whenever it has changed.
    is_repeatable: bool = False

    @property
    def mode(self) -> TransactionMode:
        """How it is sent."""
        return self.manner.mode

    @cached_property
    def parts(self) -> tuple[Part, ...]:
        """The pieces in which it goes to the server, each one message."""
        if self.cut:
            return self.cut
        if self.mode is TransactionMode.AUTOCOMMIT:
            return tuple(Part(one.start, one.end) for one in self.statements)
        return (self._whole,) if self.text(self._whole).strip() else ()

    @property
    def _whole(self) -> Part:
        # Without a byte order mark, as psql sends it.
        start = 1 if self.source.text.startswith(BYTE_ORDER_MARK) else 0
        return Part(CharOffset(start), CharOffset(len(self.source.text)))

    def text(self, part: Part) -> str:
        """Return what is sent of a part, without the rows that follow it."""
        return self.source.text[part.start : part.end]

    @cached_property
    def statements(self) -> tuple[Statement, ...]:
        """The statements in order, each exactly as written."""
        # Listing a history needs no grammar, which costs 50 ms to import.
        from pytest_migsafe.migrations.grammar import split_statements  # noqa: PLC0415

        if not self.cut:
            return split_statements(self.source)
        return tuple(
            statement
            for part in self.cut
            for statement in _shifted(split_statements(self._alone(part)), part)
        )

    def _alone(self, part: Part) -> SourceText:
        return SourceText(self.text(part))

    @cached_property
    def body(self) -> tuple[Statement, ...]:
        """The statements without a BEGIN that comes first and the COMMIT that comes last, if that is all.

        Such a pair only says that the file is one transaction, and so is a rehearsal. When there is any other
        transaction control in the file, every statement stays.
        """
        match self.statements:
            case [first, *middle, last] if (
                first.transaction_control is TransactionControl.BEGIN
                and last.transaction_control is TransactionControl.COMMIT
                and not any(statement.transaction_control for statement in middle)
            ):
                return tuple(middle)
        return self.statements


def _shifted(statements: tuple[Statement, ...], part: Part) -> Iterator[Statement]:
    for one in statements:
        at = one.syntax_error_at
        yield replace(
            one,
            start=CharOffset(one.start + part.start),
            end=CharOffset(one.end + part.start),
            syntax_error_at=CharOffset(at + part.start) if at is not None else None,
            data=part.data,
        )


@dataclass(frozen=True)
class Script:
    """A migration file's text, and what its runner makes of it."""

    source: SourceText
    units: tuple[Unit, ...]

    @classmethod
    def whole(cls, source: SourceText, manner: Manner, cut: tuple[Part, ...] = ()) -> "Script":
        """Return a text that its runner runs as one."""
        return cls(source, (Unit(source, manner, cut),))

    def made_of(self, source: SourceText) -> "Script":
        """Return the script with another text in which everything stands where it stands in its own."""
        return Script(source, tuple(replace(unit, source=source) for unit in self.units))

    @property
    def manner(self) -> Manner:
        """How the file is sent; of several units, what they have in common."""
        modes = {unit.mode for unit in self.units}
        reason = "; ".join(dict.fromkeys(unit.manner.reason for unit in self.units))
        return Manner(modes.pop() if len(modes) == 1 else TransactionMode.AUTOCOMMIT, reason)

    @cached_property
    def statements(self) -> tuple[Statement, ...]:
        """The file's statements in order, each exactly as written."""
        return tuple(statement for unit in self.units for statement in unit.statements)

    @property
    def body(self) -> tuple[Statement, ...]:
        """The statements without the BEGIN and COMMIT that enclose them all; see ``Unit.body``."""
        return self.units[0].body if len(self.units) == 1 else self.statements

    @property
    def has_transaction_pair(self) -> bool:
        """Whether the file opens with BEGIN and closes with COMMIT, with no other transaction control."""
        return len(self.body) < len(self.statements)

    def position(self, offset: CharOffset) -> Position:
        """Return the line and column of a character of the file."""
        return self.source.position(offset)

    def end_line(self, statement: Statement) -> int:
        """Return the 1-based line of a statement's last character."""
        return self.source.line_of(statement.end - 1)


#: Makes of a file's text what a runner would run of it, in one direction.
Reader = Callable[[SourceText, Runner, Direction], Script]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Migration:
    """One migration file, how its runner reads it, and what undoes it."""

    #: The version as the runner knows it; unique in a history.
    id: str
    #: The file, absolute.
    path: Path
    #: The file, relative to the project's root, with forward slashes.
    relative_path: str
    runner: Runner
    reader: Reader
    #: The file that undoes this one; the file itself where both directions stand in one.
    down: Path | None = None
    #: What the project says that the files are encoded in.
    encoding: str = "utf-8"
    #: Other files of the same version, relative to the project's root.
    same_version: tuple[str, ...] = ()
    #: Whether the runner runs it again whenever it has changed, or every time; such a file is meant to be edited.
    is_repeatable: bool = False

    def __repr__(self) -> str:
        return f"<migration {self.relative_path}>"

    @property
    def relative_down(self) -> str | None:
        """The file that undoes this one, relative to the project's root, with forward slashes."""
        if self.down is None:
            return None
        beside = Path(os.path.relpath(self.down, self.path.parent)).as_posix()
        return posixpath.normpath(posixpath.join(posixpath.dirname(self.relative_path), beside))

    def read(
        self,
        *,
        database: str | None = None,
        role: str | None = None,
        direction: Direction = Direction.UP,
    ) -> Script:
        """Return the file's text and what its runner makes of it, as who applies it to which database.

        On the way down it is that of the file that undoes this one, which there has to be.

        Raises:
            MigrationReadError: the file cannot be read as text, or its runner could make nothing of it.
        """
        known = {name: value for name, value in (("DBNAME", database), ("USER", role)) if value is not None}
        runner = replace(self.runner, connected={**self.runner.connected, **known}) if known else self.runner
        path = self.path if direction is Direction.UP or self.down is None else self.down
        return self.reader(read_source(path, self.encoding), runner, direction)


@dataclass(frozen=True, slots=True)
class Remark:
    """Something about a folder of migrations that its owner should know."""

    #: Relative to the history's root; empty when it concerns the whole history.
    path: str
    #: What files like this one are ("not migrations in this layout"), or a sentence when there is no file.
    text: str


@dataclass(frozen=True, kw_only=True)
class History:
    """A directory of migrations in apply order."""

    root: Path
    #: The directory, relative to the project's root, with forward slashes.
    relative_root: str
    #: The layout's name.
    layout: str
    migrations: tuple[Migration, ...]
    #: Whether the layout's runner ends when two files have one version.
    refuses_duplicates: bool = False
    #: Files that look as if they belonged to the history and do not, gaps, ...
    remarks: tuple[Remark, ...] = field(default=())

    @property
    def outside(self) -> tuple[Path, ...]:
        """The migrations that do not stand in the directory, as Supabase's seeds do."""
        inside = f"{self.root}{os.sep}"
        return tuple(one.path for one in self.migrations if not str(one.path).startswith(inside))

    @cached_property
    def positions(self) -> dict[Path, int]:
        """Each migration's place in the order, by its file."""
        return {migration.path: at for at, migration in enumerate(self.migrations)}
