"""PostgreSQL's parse tree of a text, however deeply its expressions are nested.

Protobuf, in which ``postgast`` hands the tree over, decodes a hundred levels and no more. Fifty terms joined
with ``||``, or a hundred with ``UNION ALL``, as seeds and views have them, are deeper. Such a tree is cut
where nobody looks: far inside an expression.

And libpg_query writes a tree down by recursion, without a look at its stack: thirty thousand terms joined with
``+`` end the process (tried with libpg_query 18 on a stack of 8 MB). So it is not asked for such a tree.
"""

import ctypes
import re
from collections.abc import Iterator
from itertools import islice
from typing import Any

import postgast
from google.protobuf.message import DecodeError
from postgast.errors import check_error

# postgast's own parse() decodes at once; its door to the library is public, though made for itself.
from postgast.native import lib

from pytest_migsafe.migrations.lexemes import tokens

#: Protobuf's limit is a hundred.
_DEEPEST = 90
#: Protobuf's wire type of strings and nested messages (its documentation, "Encoding").
_WITH_LENGTH = 2


#: A text of so many characters has no tree that is too deep: a level takes two at least.
SHORT = 10_000
#: Nor has one of so many tokens.
_FEW_TOKENS = 5_000
_OPERATOR_CHARACTERS = re.compile(r"[~!@#^&|`?+\-*/%<>=]{1000,}")
_MANY_COMMENTS = 300


def can_be_parsed(text: str) -> bool:
    """Whether a text is harmless for the parser: not too deep, and read in linear time."""
    if len(text) <= SHORT:
        return True
    # At every /* in a run of such characters, PostgreSQL's scanner looks through the rest of the run.
    if any(run.group().count("/*") > _MANY_COMMENTS for run in _OPERATOR_CHARACTERS.finditer(text)):
        return False
    return sum(1 for _ in islice(tokens(text), _FEW_TOKENS + 1)) <= _FEW_TOKENS


def parse(text: str) -> Any:
    """Return the parse tree of a text that can be parsed, cut where protobuf cannot follow; only for looking at.

    Raises:
        PgQueryError: the grammar rejects the text.
    """
    try:
        return postgast.parse(text)
    except DecodeError:
        descriptor = postgast.ParseResult.DESCRIPTOR
        return postgast.ParseResult.FromString(_cut(_encoded_tree(text), descriptor, _DEEPEST))


def parse_if_possible(text: str) -> Any | None:
    """Return the parse tree of what a server wrote; None where it is too big, or of a grammar later than ours."""
    try:
        return parse(text) if can_be_parsed(text) else None
    except postgast.PgQueryError:
        return None


def node_of(statement: str) -> Any:
    """Return the node of a text that is one statement (``IndexStmt``, ...); only for looking at.

    Raises:
        PgQueryError: the grammar rejects the text.
    """
    return postgast.unwrap_node(parse(statement).stmts[0].stmt)


def parse_whole(text: str) -> Any | None:
    """Return the parse tree of a text, fit for ``deparse``; None for one that would have to be cut or is too big.

    Deparsing a tree with a piece cut out ends the process (tried with libpg_query 18).

    Raises:
        PgQueryError: the grammar rejects the text.
    """
    if not can_be_parsed(text):
        return None
    try:
        return postgast.parse(text)
    except DecodeError:
        return None


def _encoded_tree(text: str) -> bytes:
    result = lib.pg_query_parse_protobuf(text.encode())
    try:
        check_error(result)
        return ctypes.string_at(result.parse_tree.data, result.parse_tree.len)
    finally:
        lib.pg_query_free_protobuf_parse_result(result)


def _cut(data: bytes, descriptor: Any, levels: int) -> bytes:
    """Return an encoded message without what is nested deeper than some levels."""
    kept = bytearray()
    for number, start, value, end in _fields(data):
        nested = descriptor.fields_by_number[number].message_type if value is not None else None
        if nested is None:
            kept += data[start:end]
        elif levels:
            content = _cut(data[value:end], nested, levels - 1)
            kept += _varint(number << 3 | _WITH_LENGTH) + _varint(len(content)) + content
    return bytes(kept)


def _fields(data: bytes) -> Iterator[tuple[int, int, int | None, int]]:
    """Yield each field's number, its start, its content's start if that has a length, and its end."""
    at = 0
    while at < len(data):
        start = at
        key, at = _read_varint(data, at)
        value = None
        if key & 7 == _WITH_LENGTH:
            length, value = _read_varint(data, at)
            at = value + length
        else:
            # Trees hold no other numbers than integers, booleans and enums.
            _, at = _read_varint(data, at)
        yield key >> 3, start, value, at


def _read_varint(data: bytes, at: int) -> tuple[int, int]:
    result = shift = 0
    while True:
        byte = data[at]
        at += 1
        result |= (byte & 0x7F) << shift
        if byte < 0x80:
            return result, at
        shift += 7


def _varint(value: int) -> bytes:
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)
