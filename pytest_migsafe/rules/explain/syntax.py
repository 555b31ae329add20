"""What PostgreSQL's grammar does not accept."""

import difflib
import re
from collections.abc import Iterator

from pytest_migsafe.rehearsal.evidence import Evidence, StatementError
from pytest_migsafe.rules.explain.names import failing_text, named_in


def syntax(evidence: Evidence, error: StatementError) -> Iterator[str]:
    """Explain 42601: the grammar does not accept the statement."""
    text = failing_text(evidence)
    if error.message == 'syntax error at or near "\\"':
        yield (
            "A backslash begins a command of psql, which is not SQL: only psql knows it, and this project's runner sends "
            "the file to the server as it is. Leave the command out, or say it in SQL."
        )
        return
    if any(_COPY_FROM_STDIN.match(one.text) for one in evidence.statements if one.line <= error.line):
        yield (
            "Only psql sends the rows that stand below COPY ... FROM STDIN as rows; this project's runner sends them as "
            "SQL. Write them as INSERT."
        )
        return
    if "unterminated" in error.message and (cut := named_in(evidence.mode_reason, _CUTS)):
        yield f"The runner ends a statement {cut}."
        return
    if "unterminated" in error.message:
        yield "A quotation mark, dollar quote or comment that begins here is not closed before the file ends."
        return
    before = text[: max(_offset_in(text, evidence, error), 0)].rstrip()
    if before.endswith(",") and error.message.endswith(('near ")"', 'near ";"', "end of input")):
        yield "There is a comma too many just before."
    elif match := re.match(r'syntax error at or near "(\w+)"', error.message):
        close = difflib.get_close_matches(match[1].upper(), _KEYWORDS, n=1, cutoff=0.7)
        if close and close[0] != match[1].upper():
            yield f"Did you mean {close[0]}?"
        elif match[1].upper() in _STARTS and before and not before.endswith(";"):
            yield "A semicolon may be missing before this line."


_COPY_FROM_STDIN = re.compile(r"copy\b[^;]{1,10000}\bfrom\s+stdin\b", re.IGNORECASE)


#: Where runners cut files that know no quotes, by what stands in the reason for a file's mode.
_CUTS = {
    "Liquibase": (
        "at its first semicolon outside of quotes, of which Liquibase does not know dollar quotes: add splitStatements:false to "
        "the --changeset line, or endDelimiter:// with // below each statement"
    ),
    "goose": (
        "with the first line that ends with a semicolon, in a function's body too: put the whole between "
        "`-- +goose StatementBegin` and `-- +goose StatementEnd`"
    ),
    "sql-migrate": (
        "with the first line that ends with a semicolon, in a function's body too: put the whole between "
        "`-- +migrate StatementBegin` and `-- +migrate StatementEnd`"
    ),
    "Play": "at every semicolon, in a function's body too: write two (;;) where one is meant",
}


_STARTS = ("CREATE", "ALTER", "DROP", "INSERT", "UPDATE", "DELETE", "COMMENT", "GRANT", "REVOKE", "TRUNCATE")


_KEYWORDS = (
    *_STARTS,
    *(
        "SELECT",
        "TABLE",
        "COLUMN",
        "CONSTRAINT",
        "PRIMARY",
        "FOREIGN",
        "REFERENCES",
        "DEFAULT",
        "UNIQUE",
        "INDEX",
    ),
    *(
        "VALUES",
        "WHERE",
        "FUNCTION",
        "RETURNS",
        "LANGUAGE",
        "TRIGGER",
        "POLICY",
        "EXISTS",
        "CONCURRENTLY",
        "USING",
    ),
)


def _offset_in(text: str, evidence: Evidence, error: StatementError) -> int:
    """Return where in the failing statement's text the error points."""
    failed = [statement for statement in evidence.statements if statement.error is not None]
    if not failed:
        return error.column - 1
    lines = text.split("\n")
    down = error.line - failed[-1].line
    if down == 0:
        return error.column - failed[-1].column
    return sum(len(line) + 1 for line in lines[:down]) + error.column - 1
