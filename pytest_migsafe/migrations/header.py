"""What a migration file says of itself in the comment on its top."""

import re
from itertools import takewhile

from pytest_migsafe.migrations.lexemes import lexemes

#: ``-- no-transaction`` (sqlx's, and ours), alone on a line of the comment that a file begins with.
_NO_TRANSACTION = re.compile(r"\s*--\s*(?:migsafe:\s*)?no[-_ ]transaction\s*", re.IGNORECASE)
_HEADER_LENGTH = 4096


def no_transaction_line(text: str) -> int | None:
    """Return the 1-based line of ``-- no-transaction`` in the comment on top of a text, if it is there."""
    head = text[:_HEADER_LENGTH]
    if "transaction" not in head.lower():
        return None
    for lexeme in takewhile(lambda one: one.kind in ("blank", "comment"), lexemes(head)):
        # A line of a block comment that looks like it is commented out.
        if lexeme.kind == "blank":
            first = head.count("\n", 0, lexeme.start) + 1
            for number, line in enumerate(head[lexeme.start : lexeme.end].split("\n"), first):
                if _NO_TRANSACTION.fullmatch(line.removeprefix("\ufeff")):
                    return number
    return None
