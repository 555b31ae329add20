"""What IF NOT EXISTS kept: the existing object beside the one that the statement would have created.

PostgreSQL says "already exists, skipping" whatever the existing object looks like. So the statement's object
is created once more under a free name, in a savepoint that is rolled back, and the two are compared.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.resources import files
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import tuple_row

from pytest_migsafe.migrations.statements import Statement, Twin
from pytest_migsafe.rehearsal.evidence import Kept, Notice

_DEFINITION = files(__package__).joinpath("kept.sql").read_bytes()
_SCRATCH = "migsafe_scratch"
_PREFIX = "migsafe_twin_"
#: duplicate_table and duplicate_column: what comes with a notice "already exists, skipping".
_SKIPPED = frozenset({"42P07", "42701"})


def compare_kept(
    connection: psycopg.Connection[Any], statement: Statement, notices: Sequence[Notice]
) -> tuple[Kept, ...]:
    """Return the objects that a statement left as they were, each compared with what was asked for.

    Nothing of the comparison remains. It is made in the statement's own transaction where one is open.
    """
    skipped = [notice for notice in notices if notice.sqlstate in _SKIPPED]
    if not skipped or not statement.if_not_exists:
        return ()
    # The grammar costs 70 ms to import, and most runs meet no such notice.
    from pytest_migsafe.migrations.grammar import twins  # noqa: PLC0415

    return tuple(
        _compare(connection, twin)
        for twin in twins(statement.text, _SCRATCH, _PREFIX)
        if twin.kind != "column" or any(f'column "{twin.name}" ' in notice.message for notice in skipped)
    )


def _compare(connection: psycopg.Connection[Any], twin: Twin) -> Kept:
    name = ".".join(part for part in (twin.schema, twin.relation, twin.name) if part)
    if twin.kind == "index":
        name = ".".join(part for part in (twin.schema, twin.name) if part)
    try:
        with _rolled_back(connection), connection.cursor(row_factory=tuple_row) as cursor:
            existing, wanted = _definitions(cursor, twin)
    except psycopg.Error as error:
        if connection.closed:
            raise
        reason = error.diag.message_primary or str(error)
        return Kept(kind=twin.kind, name=name, existing=(), wanted=(), not_compared=reason)
    return Kept(kind=twin.kind, name=name, existing=existing, wanted=wanted)


@contextmanager
def _rolled_back(connection: psycopg.Connection[Any]) -> Iterator[None]:
    is_idle = connection.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
    if is_idle:
        connection.execute(b"BEGIN")
    connection.execute(b"SAVEPOINT migsafe_twin")
    try:
        yield
    finally:
        if not connection.closed:
            connection.execute(b"ROLLBACK TO SAVEPOINT migsafe_twin; RELEASE SAVEPOINT migsafe_twin")
            if is_idle:
                connection.execute(b"ROLLBACK")


def _definitions(
    cursor: psycopg.Cursor[tuple[Any, ...]], twin: Twin
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    schema = twin.schema or _one(cursor, sql.SQL("SELECT pg_catalog.current_schema()"))
    if twin.kind == "column":
        relation = _oid(cursor, schema, twin.relation)
        cursor.execute(twin.create.encode())
        return _column_lines(cursor, relation, twin.name, twin.twin_name)
    if twin.kind == "index":
        cursor.execute(twin.create.encode())
        return tuple(_lines(cursor, _oid(cursor, schema, name)) for name in (twin.name, twin.twin_name))  # type: ignore[return-value]
    existing = _lines(cursor, _oid(cursor, schema, twin.relation))
    cursor.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(_SCRATCH)))
    cursor.execute(twin.create.encode())
    wanted = _lines(cursor, _oid(cursor, _SCRATCH, twin.twin_name))
    return existing, tuple(line.replace(f"{_SCRATCH}.", "") for line in wanted)


def _column_lines(
    cursor: psycopg.Cursor[tuple[Any, ...]], relation: int, name: str, twin_name: str
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    lines = _lines(cursor, relation)
    own = tuple(line for line in lines if line.startswith((f"column {name} ", f'column "{name}" ')))
    twin = [line for line in lines if line.startswith((f"column {twin_name} ", f'column "{twin_name}" '))]
    return own, tuple(line.replace(_PREFIX, "", 1) for line in twin)


def _lines(cursor: psycopg.Cursor[tuple[Any, ...]], relation: int) -> tuple[str, ...]:
    return tuple(row[0] for row in cursor.execute(_DEFINITION, {"relation": relation}, prepare=False))


def _oid(cursor: psycopg.Cursor[tuple[Any, ...]], schema: str, relation: str) -> int:
    name = sql.Literal(f"{sql.Identifier(schema, relation).as_string(cursor)}")
    return int(_one(cursor, sql.SQL("SELECT {}::pg_catalog.regclass::pg_catalog.oid::bigint").format(name)))


def _one(cursor: psycopg.Cursor[tuple[Any, ...]], query: sql.SQL | sql.Composed) -> Any:
    row = cursor.execute(query).fetchone()
    assert row is not None  # noqa: S101 - a query without FROM has one row
    return row[0]
