"""The text of a file, and positions in it.

Three kinds of position are easily mixed up, so each has its type: PostgreSQL's grammar counts *bytes*
(``RawStmt.stmt_location``), its errors count *characters*, and people count *lines and columns*.
"""

from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NewType

from pytest_migsafe.errors import MigrationReadError

#: A 0-based offset into the UTF-8 encoded text.
ByteOffset = NewType("ByteOffset", int)
#: A 0-based offset into the text, in characters.
CharOffset = NewType("CharOffset", int)

BYTE_ORDER_MARK = "\ufeff"


@dataclass(frozen=True)
class Position:
    """A place in a file as an editor shows it: 1-based line and column, the column in characters."""

    line: int
    column: int


@dataclass(frozen=True)
class SourceText:
    """A file's text with the means to translate positions in it."""

    text: str

    @cached_property
    def encoded(self) -> bytes:
        """The text in UTF-8, as it goes to the grammar and to the server."""
        return self.text.encode()

    @cached_property
    def _line_starts(self) -> list[int]:
        starts = [0]
        at = self.text.find("\n")
        while at >= 0:
            starts.append(at + 1)
            at = self.text.find("\n", at + 1)
        return starts

    def position(self, offset: CharOffset) -> Position:
        """Return the line and column of a character; a byte order mark takes no column."""
        line = bisect_right(self._line_starts, offset)
        start = self._line_starts[line - 1]
        mark = 1 if line == 1 and self.text.startswith(BYTE_ORDER_MARK) and offset > 0 else 0
        return Position(line, offset - start - mark + 1)

    def characters(self, offsets: list[ByteOffset]) -> list[CharOffset]:
        """Return the character offsets of ascending byte offsets, in one pass over the text."""
        if self.text.isascii():
            return [CharOffset(offset) for offset in offsets]
        found: list[CharOffset] = []
        at_byte, at_char = 0, 0
        for offset in offsets:
            at_char += len(self.encoded[at_byte:offset].decode())
            at_byte = offset
            found.append(CharOffset(at_char))
        return found

    def line(self, number: int) -> str:
        """Return the text of a 1-based line without its line ending and without a byte order mark."""
        start = self._line_starts[number - 1]
        end = self._line_starts[number] - 1 if number < len(self._line_starts) else len(self.text)
        return self.text[start:end].rstrip("\r").removeprefix(BYTE_ORDER_MARK)


def read_source(path: Path) -> SourceText:
    """Return a file's text.

    Raises:
        MigrationReadError: the file cannot be opened, or is not UTF-8 text, or holds a NUL byte, which
            PostgreSQL cannot store in any string (manual: "Character Types").
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise MigrationReadError(f"cannot read the file: {error.strerror or error}") from error
    return decode_source(data)


def decode_source(data: bytes) -> SourceText:
    """Return a file's bytes as text.

    Raises:
        MigrationReadError: as ``read_source``.
    """
    # UTF-16 begins with its mark, or without one has a NUL byte beside every ASCII character.
    if data.startswith((b"\xff\xfe", b"\xfe\xff")) or data.count(0) * 3 > len(data):
        raise MigrationReadError("the file is UTF-16; save it as UTF-8")
    nul = data.find(0)
    if nul >= 0:
        line = data.count(b"\n", 0, nul) + 1
        raise MigrationReadError(f"line {line} holds a NUL byte, which PostgreSQL cannot take; remove it")
    try:
        return SourceText(data.decode())
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise MigrationReadError(
            f"the file is not UTF-8: line {line} holds the byte 0x{data[error.start]:02x}; save it as UTF-8"
        ) from error
