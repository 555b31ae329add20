"""dbmate: ``<version>_<name>.sql`` with ``-- migrate:up`` and ``-- migrate:down`` in one file.

The order is that of the names, as text. The up half goes to the server as one query, in a transaction or, with
``-- migrate:up transaction:false``, without: PostgreSQL makes several statements in one query a transaction all
the same (amacneil/dbmate, issues 126 and 285). From its ``pkg/dbmate/db.go`` and ``migration.go``, version 2.
"""

import re

from pytest_migsafe.errors import MigrationReadError
from pytest_migsafe.migrations.layouts.base import (
    FoundFile,
    Layout,
    Listing,
    files_named,
    first_file_has,
    only,
)
from pytest_migsafe.migrations.model import Direction, Manner, Runner, Script, TransactionMode
from pytest_migsafe.migrations.source import BYTE_ORDER_MARK, SourceText

_NAME = re.compile(r"(?P<version>\d+).*\.sql")
_UP = re.compile(r"^--\s*migrate:up(\s*$|\s+\S+)", re.MULTILINE)
_DOWN = re.compile(r"^--\s*migrate:down(\s*$|\s+\S+)", re.MULTILINE)
#: A byte order mark hides the marker from dbmate, not from us.
_MARK = re.compile(rf"^{BYTE_ORDER_MARK}?--\s*migrate:up\b", re.MULTILINE)


def read(listing: Listing) -> tuple[FoundFile, ...]:
    """Return the files whose name begins with a digit, by name."""
    return files_named(listing, _NAME, order=lambda name: (name.string,))


def read_half(source: SourceText, runner: Runner, direction: Direction) -> Script:
    """Return the half of a file for one direction.

    Raises:
        MigrationReadError: dbmate would refuse the file.
    """
    up, down = _halves(source)
    start, end = (up, down) if direction is Direction.UP else (down, len(source.text))
    return Script.whole(only(source, (start, end)), _manner(source, start, runner.usual))


def _halves(source: SourceText) -> tuple[int, int]:
    """Return where ``-- migrate:up`` and ``-- migrate:down`` stand, which dbmate demands to be once, in this order."""
    text = source.text
    ups = [match.start() for match in _UP.finditer(text)]
    downs = [match.start() for match in _DOWN.finditer(text)]
    if not ups:
        raise MigrationReadError(_no_up(text))
    if not downs:
        raise MigrationReadError(
            "dbmate refuses a file without `-- migrate:down`; add that line, with nothing below it if there is no way back"
        )
    if len(ups) > 1:
        raise MigrationReadError(
            f"line {source.line_of(ups[1])} begins a second `-- migrate:up`: dbmate runs the first, records the "
            "version, and ends with a duplicate key at the second (its issue 820); put it into a file of its own"
        )
    if ups[0] > downs[0]:
        raise MigrationReadError(
            f"`-- migrate:down` in line {source.line_of(downs[0])} stands above `-- migrate:up`, which dbmate refuses; "
            "write the way up first"
        )
    _refuse_statements_before(source, ups[0])
    return ups[0], downs[0]


def _no_up(text: str) -> str:
    if _MARK.match(text):
        return (
            "the file begins with a byte order mark, behind which dbmate does not see `-- migrate:up`; "
            "save it as UTF-8 without one"
        )
    return "dbmate refuses a file without `-- migrate:up`; write that line above the statements"


def _refuse_statements_before(source: SourceText, up: int) -> None:
    # Line by line, as dbmate looks: a block comment counts as a statement.
    at = 0
    for line in source.text[:up].split("\n"):
        if line.strip() and not line.lstrip().startswith("--"):
            raise MigrationReadError(
                f"line {source.line_of(at)} stands above `-- migrate:up`, where dbmate allows comments with -- only; "
                "move it below"
            )
        at += len(line) + 1


def _manner(source: SourceText, start: int, usual: Manner) -> Manner:
    marker = source.text[start:].partition("\n")[0]
    if "transaction:false" not in marker.split():
        return usual
    return Manner(
        TransactionMode.SINGLE_QUERY,
        f"transaction:false in line {source.line_of(start)}; dbmate sends what follows as one query",
    )


LAYOUT = Layout(
    name="dbmate",
    files="`<version>_<name>.sql`",
    order="the names, as text",
    transactions="one a file; with `-- migrate:up transaction:false` the file is one simple query",
    down="below `-- migrate:down`",
    detected_by="`-- migrate:up` in the first file",
    manner=Manner(TransactionMode.TRANSACTION, "dbmate wraps each file in a transaction"),
    read=read,
    reader=read_half,
    is_detected_in=first_file_has(_MARK),
)
