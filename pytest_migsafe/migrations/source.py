"""The text of a file, and positions in it.

Three kinds of position are easily mixed up, so each has its type: PostgreSQL's grammar counts *bytes*
(``RawStmt.stmt_location``), its errors count *characters*, and people count *lines and columns*.

What a runner sends is not always what stands in the file: placeholders get their values, the half of the file
that is for the way back is left out. Such a text remembers what it was made of, and gives places in the file.
"""

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NewType

from pytest_migsafe.errors import MigrationReadError

#: A 0-based offset into the UTF-8 encoded text.
ByteOffset = NewType("ByteOffset", int)
#: A 0-based offset into the text, in characters.
CharOffset = NewType("CharOffset", int)

#: The first and one after the last character of a piece of a text.
CharSpan = tuple[int, int]

BYTE_ORDER_MARK = "\ufeff"


@dataclass(frozen=True)
class Position:
    """A place in a file as an editor shows it: 1-based line and column, the column in characters."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Replacement:
    """A piece of a text for which another is put in."""

    #: Its first and one after its last character, in the text as it was.
    start: CharOffset
    end: CharOffset
    by: str


@dataclass(frozen=True)
class SourceText:
    """A file's text, as it is sent, with the means to translate positions in it to positions in the file."""

    text: str
    #: What this text was made of, and how; none for a file just as it was written.
    origin: "SourceText | None" = None
    #: In order; they do not overlap.
    replacements: tuple[Replacement, ...] = ()

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
        """Return the line and column in the file of a character; a byte order mark takes no column.

        What was put in stands where that stood for which it was put in.
        """
        if self.origin is not None:
            return self.origin.position(self._in_origin(offset))
        line = bisect_right(self._line_starts, offset)
        start = self._line_starts[line - 1]
        mark = 1 if line == 1 and self.text.startswith(BYTE_ORDER_MARK) and offset > 0 else 0
        return Position(line, offset - start - mark + 1)

    def line_of(self, at: int) -> int:
        """Return the 1-based line in the file of a character, counted from 0, such as a match's start."""
        return self.position(CharOffset(at)).line

    def _in_origin(self, offset: CharOffset) -> CharOffset:
        at = bisect_right(self._put_in_at, offset) - 1
        if at < 0:
            return offset
        one = self.replacements[at]
        inside = offset - self._put_in_at[at]
        return CharOffset(one.start if inside < len(one.by) else one.end + inside - len(one.by))

    @cached_property
    def _put_in_at(self) -> list[int]:
        """Where each replacement begins in this text."""
        starts, longer = [], 0
        for one in self.replacements:
            starts.append(one.start + longer)
            longer += len(one.by) - (one.end - one.start)
        return starts

    def replaced(self, replacements: Sequence[Replacement]) -> "SourceText":
        """Return the text with other pieces in it; the replacements are in order and do not overlap."""
        if not replacements:
            return self
        pieces, at = [], 0
        for one in replacements:
            pieces += [self.text[at : one.start], one.by]
            at = one.end
        return SourceText("".join([*pieces, self.text[at:]]), self, tuple(replacements))

    def masked(self, spans: Sequence[CharSpan]) -> "SourceText":
        """Return the text with blanks in place of some spans, in which line breaks stay.

        Every character of the result stands where it stands in the file.
        """
        pieces, at = [], 0
        for start, end in sorted(spans):
            begin = max(start, at)
            pieces += [self.text[at:begin], _LINE.sub(_blanks, self.text[begin:end])]
            at = max(end, at)
        return SourceText("".join([*pieces, self.text[at:]]), self) if pieces else self

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
        """Return the text of a 1-based line of the file, without its line ending and byte order mark."""
        if self.origin is not None:
            return self.origin.line(number)
        start = self._line_starts[number - 1]
        end = self._line_starts[number] - 1 if number < len(self._line_starts) else len(self.text)
        return self.text[start:end].rstrip("\r").removeprefix(BYTE_ORDER_MARK)


_LINE = re.compile(r"[^\r\n]+")


def _blanks(found: re.Match[str]) -> str:
    return " " * len(found.group())


def read_source(path: Path, encoding: str = "utf-8") -> SourceText:
    """Return a file's text; ``encoding`` is what the project says of the file, if it says anything.

    Raises:
        MigrationReadError: the file cannot be opened, or is not UTF-8 text, or holds a NUL byte, which
            PostgreSQL cannot store in any string (manual: "Character Types").
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise MigrationReadError(f"cannot read the file: {error.strerror or error}") from error
    return decode_source(data) if _is_utf_8(encoding) else _decoded(data, encoding)


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


def _is_utf_8(encoding: str) -> bool:
    return encoding.lower().replace("_", "-") in ("utf-8", "utf8")


def _decoded(data: bytes, encoding: str) -> SourceText:
    try:
        text = data.decode(encoding)
    except LookupError as error:
        raise MigrationReadError(
            f"{encoding} is no encoding that Python knows; name another, or save the file as UTF-8"
        ) from error
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise MigrationReadError(
            f"the file is not {encoding}: line {line} holds the byte 0x{data[error.start]:02x}; save it as UTF-8"
        ) from error
    except UnicodeError as error:  # of codecs that are none for files (idna, undefined)
        raise MigrationReadError(f"the file is not {encoding}: {error}; save it as UTF-8") from error
    return decode_source(text.encode())
