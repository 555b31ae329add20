"""What a project's migrations are: files in an order, each with the way in which its runner applies it."""

from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from pathlib import Path

from pytest_migsafe.migrations.source import BYTE_ORDER_MARK, CharOffset, Position, SourceText, read_source
from pytest_migsafe.migrations.statements import Statement, TransactionControl


class TransactionMode(StrEnum):
    """How a runner sends a file to the server."""

    #: BEGIN, the whole file as one query, COMMIT.
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


@dataclass(frozen=True)
class Script:
    """A migration file's text, and the statements in it."""

    source: SourceText

    @property
    def sent(self) -> str:
        """The text as it goes to the server: without a byte order mark, as psql does it."""
        return self.source.text.removeprefix(BYTE_ORDER_MARK)

    @cached_property
    def statements(self) -> tuple[Statement, ...]:
        """The file's statements in order, each exactly as written."""
        # Listing a history needs no grammar, which costs 50 ms to import.
        from pytest_migsafe.migrations.grammar import split_statements  # noqa: PLC0415

        return split_statements(self.source)

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

    @property
    def has_transaction_pair(self) -> bool:
        """Whether the file opens with BEGIN and closes with COMMIT, with no other transaction control."""
        return len(self.body) < len(self.statements)

    def position(self, offset: CharOffset) -> Position:
        """Return the line and column of a character of the file."""
        return self.source.position(offset)

    def end_line(self, statement: Statement) -> int:
        """Return the 1-based line of a statement's last character."""
        return self.source.position(CharOffset(statement.end - 1)).line


@dataclass(frozen=True, slots=True, kw_only=True)
class Migration:
    """One migration file, the runner's mode for it, and what undoes it."""

    #: The version as the runner knows it; unique in a history.
    id: str
    #: The file, absolute.
    path: Path
    #: The file, relative to the project's root, with forward slashes.
    relative_path: str
    mode: TransactionMode
    #: Where the mode comes from, in words.
    mode_reason: str
    #: The file that undoes this one.
    down: Path | None = None

    def read(self) -> Script:
        """Return the file's text and statements.

        Raises:
            MigrationReadError: the file cannot be read as text.
        """
        return Script(read_source(self.path))


@dataclass(frozen=True, kw_only=True)
class History:
    """A directory of migrations in apply order."""

    root: Path
    #: The directory, relative to the project's root, with forward slashes.
    relative_root: str
    #: The layout's name.
    layout: str
    migrations: tuple[Migration, ...]
    #: Files that look as if they belonged to the history and do not, relative to its root.
    ignored: tuple[str, ...] = field(default=())

    @cached_property
    def positions(self) -> dict[Path, int]:
        """Each migration's place in the order, by its file."""
        return {migration.path: at for at, migration in enumerate(self.migrations)}
