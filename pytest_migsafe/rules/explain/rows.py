"""Rows that a constraint does not allow."""

import re
from collections.abc import Iterator

from pytest_migsafe.catalog.lexical import quoted
from pytest_migsafe.rehearsal.evidence import Evidence, StatementError
from pytest_migsafe.rules.explain.names import table_of


def not_null(evidence: Evidence, error: StatementError) -> Iterator[str]:  # noqa: ARG001 - Explain's signature
    """Explain 23502: a row lacks a value."""
    named = error.column_name or "the column"
    column = quoted(error.column_name) if error.column_name else "..."
    yield f"Rows that are there already have no value for {named}. Give them one before it is required:"
    yield f"UPDATE {table_of(error)} SET {column} = ... WHERE {column} IS NULL;"  # noqa: S608 - advice, never run


def unique(evidence: Evidence, error: StatementError) -> Iterator[str]:  # noqa: ARG001 - Explain's signature
    """Explain 23505: two rows have the same key."""
    yield "Rows that earlier migrations inserted are equal in these columns; find them before making them unique:"
    # The server writes the columns as SQL has them (BuildIndexValueDescription).
    match = re.match(r"Key \((.+?)\)=", error.detail)
    columns = match[1] if match else "..."
    yield f"SELECT {columns}, count(*) FROM {table_of(error)} GROUP BY {columns} HAVING count(*) > 1;"  # noqa: S608 - advice, never run
