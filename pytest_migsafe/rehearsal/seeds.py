"""Rows that a team wants a migration to meet: SQL of its own, committed before the file is rehearsed or applied."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus
from psycopg.rows import tuple_row

from pytest_migsafe.errors import MigsafeError
from pytest_migsafe.postgres.database import Database
from pytest_migsafe.rehearsal.sending import send

_FED_COLUMNS = files(__package__).joinpath("fed_columns.sql").read_text(encoding="utf-8").encode()

#: How many lines of the SQL are shown around the one that the server points at.
_AROUND = 2


class SeedError(MigsafeError):
    """A team's own SQL is refused: the migration that was to meet its rows is not at fault."""


@dataclass(frozen=True, slots=True)
class Seed:
    """SQL that is run before a file."""

    sql: str
    #: Whose it is, as a message says it.
    by: str
    #: What it is, as a message says it.
    called: str = "the seed"
    #: Whether sequences are moved behind the ids that it gives.
    moves_sequences: bool = True


def run_seed(database: Database, seed: Seed, before: str, options: Mapping[str, str]) -> None:
    """Run a seed before a file, in a session of its own, as the role that migrations run as.

    It is one simple query, and so one transaction unless the text has its own BEGIN and COMMIT.

    Raises:
        SeedError: the server refused it; the message has its place, its text and what the server said.
        psycopg.OperationalError: the server is gone.
    """
    with database.connect(options=options) as connection:
        before_it = _highest(connection) if seed.moves_sequences else {}
        try:
            send(connection.cursor(), seed.sql)
        except psycopg.Error as error:
            if connection.closed:
                raise
            raise SeedError(_refused(seed, before, error)) from error
        if connection.info.transaction_status is not TransactionStatus.IDLE:
            connection.rollback()
            raise SeedError(
                f"{seed.called} before {before} ends in the middle of a transaction: it has a BEGIN without its COMMIT "
                f"({seed.by})\nNothing after that BEGIN stays. Add the COMMIT, or leave both out."
            )
        if seed.moves_sequences:
            _move_sequences(connection, before_it)


def _highest(connection: psycopg.Connection[Any]) -> dict[int, int | None]:
    """Return the highest value of each column with a sequence of its own, by the sequence's oid."""
    queries = [highest for _, highest, _ in _fed_columns(connection)]
    if not queries:
        return {}
    with connection.cursor(row_factory=tuple_row) as cursor:
        return dict(cursor.execute(" UNION ALL ".join(queries).encode()).fetchall())


def _move_sequences(connection: psycopg.Connection[Any], before: Mapping[int, int | None]) -> None:
    """Move the sequences of columns that a seed gave values of its own; else a file's next row would take one of them."""
    after = _highest(connection)
    for sequence, _, move in _fed_columns(connection):
        if after.get(sequence) != before.get(sequence):
            connection.execute(move.encode())


def _fed_columns(connection: psycopg.Connection[Any]) -> list[tuple[int, str, str]]:
    with connection.cursor(row_factory=tuple_row) as cursor:
        return cursor.execute(_FED_COLUMNS).fetchall()


def _refused(seed: Seed, before: str, error: psycopg.Error) -> str:
    said = error.diag.message_primary or " ".join(str(error).split())
    code = f" ({error.sqlstate})" if error.sqlstate else ""
    lines = [
        f"{seed.called} before {before} cannot be run: {said}{code} ({seed.by})",
        *_excerpt(seed.sql, error),
    ]
    diagnosis = {
        "detail": error.diag.message_detail,
        "hint": error.diag.message_hint,
        "context": error.diag.context,
    }
    lines += [f"  = {label}: {text}" for label, text in diagnosis.items() if text]
    return "\n".join([*lines, "The migration itself has not been run."])


def _excerpt(text: str, error: psycopg.Error) -> list[str]:
    """Return the line that the server points at with those around it; where it points at none, how the text begins."""
    lines = text.splitlines()
    position = error.diag.statement_position
    # Characters, from 1 (manual: "Error and Notice Message Fields").
    at = text.count("\n", 0, int(position) - 1) if position is not None else None
    first = max((at or 0) - _AROUND, 0)
    shown = range(first, min((at or 0) + _AROUND + 1, len(lines)))
    return [f"{'>' if number == at else ' '} {number + 1:3} | {lines[number]}".rstrip() for number in shown]
