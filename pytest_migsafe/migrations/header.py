"""What a migration file says of itself in the comment on its top."""

import os
import re
from itertools import takewhile
from pathlib import Path

from pytest_migsafe.migrations.lexemes import lexemes

#: ``-- no-transaction`` (sqlx's, and ours), alone on a line of the comment that a file begins with.
_NO_TRANSACTION = re.compile(r"\s*--\s*(?:migsafe:\s*)?no[-_ ]transaction\s*", re.IGNORECASE)
_HEADER_BYTES = 4096


def no_transaction_line(path: Path) -> int | None:
    """Return the 1-based line of ``-- no-transaction`` in the comment on top of a file, if it is there.

    A file that cannot be read asks for nothing; that it cannot be read is said when it is rehearsed.
    """
    try:
        # Not Path.open, which costs ten times as much as reading: histories have thousands of files.
        file = os.open(path, os.O_RDONLY)
        try:
            head = os.read(file, _HEADER_BYTES)
        finally:
            os.close(file)
    except OSError:
        return None
    if b"transaction" not in head.lower():
        return None
    text = head.decode("utf-8-sig", "replace")
    for lexeme in takewhile(lambda one: one.kind in ("blank", "comment"), lexemes(text)):
        # A line of a block comment that looks like it is commented out.
        if lexeme.kind == "blank":
            first = text.count("\n", 0, lexeme.start) + 1
            for number, line in enumerate(text[lexeme.start : lexeme.end].split("\n"), first):
                if _NO_TRANSACTION.fullmatch(line):
                    return number
    return None
