"""What a block of ours tells by notices, of many things asked in one round trip."""

from dataclasses import dataclass
from typing import Any

import psycopg

#: What marks our notices, in the field for a data type.
MARK = "migsafe"


_BEFORE = b"SAVEPOINT migsafe_probe; SET LOCAL client_min_messages = notice"
_AFTER = b"ROLLBACK TO SAVEPOINT migsafe_probe; RELEASE SAVEPOINT migsafe_probe"


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """An error that a block caught and reported."""

    sqlstate: str
    message: str
    detail: str
    hint: str
    #: The number of what was asked; None: the block itself ended with this error.
    number: int | None
    context: str


def reports_of(
    connection: psycopg.Connection[Any], block: bytes, *, longest_ms: int | None = None
) -> tuple[Report, ...]:
    """Run a block in a savepoint that is rolled back, and return what it reported.

    Of a block that ended with an error that is the only report; so it is of one that took longer than ``longest_ms``.

    Raises:
        psycopg.OperationalError: the session is gone.
    """
    heard: list[Report] = []

    def hear(diagnostic: psycopg.errors.Diagnostic) -> None:
        if diagnostic.datatype_name == MARK:
            number = int(diagnostic.column_name or 0)
            heard.append(_report(diagnostic, number, diagnostic.constraint_name or ""))

    connection.add_notice_handler(hear)
    try:
        # On its own: of a message that the grammar rejects, nothing is executed.
        limit = b"; SET LOCAL statement_timeout = %d" % longest_ms if longest_ms is not None else b""
        connection.execute(_BEFORE + limit)
        try:
            connection.execute(b";\n".join((block, _AFTER)), prepare=False)
        except psycopg.Error as error:
            if isinstance(error, psycopg.OperationalError) and not (limit and _took_too_long(error)):
                raise
            heard[:] = [_report(error.diag, None, error.diag.context or "")]
            connection.execute(_AFTER)
    finally:
        connection.remove_notice_handler(hear)
    return tuple(heard)


def _took_too_long(error: psycopg.Error) -> bool:
    """Whether a statement met its own time limit: the file's ends with a request to cancel, which has the same SQLSTATE."""
    return isinstance(error, psycopg.errors.QueryCanceled) and "statement timeout" in str(error)


def _report(diagnostic: psycopg.errors.Diagnostic, number: int | None, context: str) -> Report:
    return Report(
        sqlstate=diagnostic.sqlstate or "",
        message=diagnostic.message_primary or "",
        detail=diagnostic.message_detail or "",
        hint=diagnostic.message_hint or "",
        number=number,
        context=context,
    )
