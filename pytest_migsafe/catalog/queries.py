"""The queries of the catalog: a `.sql` file a kind, in full or restricted to some objects, and their sending.

A file has one place, `{restriction}`, which is `true` when everything is read. All of a reading goes to the
server as one simple query (manual: "Multiple Statements in a Simple Query"), in a transaction or savepoint of
its own that is rolled back: so nothing of it, and none of the settings that it needs, remains in the session.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from functools import cache
from importlib.resources import files
from typing import Any

import psycopg
from psycopg import sql
from psycopg.pq import TransactionStatus
from psycopg.rows import tuple_row

from pytest_migsafe.catalog import schema
from pytest_migsafe.catalog.schema import CatalogObject
from pytest_migsafe.errors import SnapshotError

Rows = list[tuple[Any, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """How the objects of a kind are read."""

    #: The file's name, without its suffix.
    name: str
    cls: type[CatalogObject]
    #: The catalog of the homes, as `Home.catalog` says it.
    catalog: str
    #: The column with the oid of the home.
    oid: sql.Identifier

    def in_full(self) -> sql.Composed:
        """Return the query for all objects."""
        return _template(self.name).format(restriction=sql.SQL("true"))

    def restricted(self, oids: Iterable[int]) -> sql.Composed:
        """Return the query for what belongs to these objects."""
        restriction = sql.SQL("{} = any({})").format(self.oid, oid_array(oids))
        return _template(self.name).format(restriction=restriction)

    def build(self, rows: Rows) -> Iterator[CatalogObject]:
        """Return the objects that the rows describe."""
        names = _FIELDS[self.cls.KIND]
        for row in rows:
            values = [tuple(value) if type(value) is list else value for value in row]
            yield self.cls(**dict(zip(names, values, strict=True)))


def _query(name: str, cls: type[CatalogObject], catalog: str, *oid: str) -> Query:
    return Query(name=name, cls=cls, catalog=catalog, oid=sql.Identifier(*oid))


#: The load order on one screen.
QUERIES: tuple[Query, ...] = (
    _query("schema", schema.Namespace, "schema", "n", "oid"),
    _query("grant_schema", schema.Grant, "schema", "n", "oid"),
    _query("extension", schema.Extension, "extension", "x", "oid"),
    _query("default_privileges", schema.DefaultPrivileges, "default privileges", "p", "oid"),
    _query("type", schema.Type, "type", "t", "oid"),
    _query("domain_constraint", schema.Constraint, "type", "t", "oid"),
    _query("grant_type", schema.Grant, "type", "t", "oid"),
    _query("function", schema.Function, "function", "p", "oid"),
    _query("grant_function", schema.Grant, "function", "p", "oid"),
    _query("sequence", schema.Sequence, "relation", "c", "oid"),
    _query("table", schema.Table, "relation", "c", "oid"),
    _query("view", schema.View, "relation", "c", "oid"),
    _query("column", schema.Column, "relation", "a", "attrelid"),
    _query("constraint", schema.Constraint, "relation", "c", "conrelid"),
    _query("index", schema.Index, "relation", "x", "indrelid"),
    _query("trigger", schema.Trigger, "relation", "t", "tgrelid"),
    _query("rule", schema.Rule, "relation", "w", "ev_class"),
    _query("policy", schema.Policy, "relation", "p", "polrelid"),
    _query("grant_relation", schema.Grant, "relation", "r", "oid"),
    _query("grant_column", schema.Grant, "relation", "a", "attrelid"),
)


@cache
def _template(name: str) -> sql.SQL:
    text = files("pytest_migsafe.catalog").joinpath("sql", f"{name}.sql").read_text(encoding="utf-8")
    # The text is our own file: as literal as if it stood here.
    return sql.SQL(text)


def oid_array(oids: Iterable[int]) -> sql.Composed:
    """Return an array of oids as a literal: the planner sees how many they are."""
    return sql.SQL("array[{}]::pg_catalog.oid[]").format(sql.SQL(", ").join(map(sql.Literal, oids)))


def composed(name: str, **parts: sql.Composable) -> sql.Composed:
    """Return one of the files as a query, with its places filled."""
    return _template(name).format(**parts)


#: The fields that each kind's rows fill, in their order.
_FIELDS = {one.KIND: tuple(part.name for part in fields(one)) for one in schema.KINDS}


#: What the text of definitions depends on, and what could stop or slow our reading.
#: search_path: names are qualified; quote_all_identifiers: names are quoted; DateStyle, IntervalStyle, TimeZone,
#: bytea_output, extra_float_digits, lc_monetary, xmlbinary: constants in defaults, checks, predicates.
_SETTINGS = b"""select
    pg_catalog.set_config('search_path', '', true),
    pg_catalog.set_config('quote_all_identifiers', 'off', true),
    pg_catalog.set_config('DateStyle', 'ISO, YMD', true),
    pg_catalog.set_config('IntervalStyle', 'postgres', true),
    pg_catalog.set_config('TimeZone', 'UTC', true),
    pg_catalog.set_config('bytea_output', 'hex', true),
    pg_catalog.set_config('extra_float_digits', '1', true),
    pg_catalog.set_config('lc_monetary', 'C', true),
    pg_catalog.set_config('xmlbinary', 'base64', true),
    pg_catalog.set_config('statement_timeout', '0', true),
    pg_catalog.set_config('jit', 'off', true),
    pg_catalog.set_config('max_parallel_workers_per_gather', '0', true)"""

_TO_UTF8 = b"select pg_catalog.set_config('client_encoding', 'UTF8', true)"


def send(connection: psycopg.Connection[Any], queries: Sequence[sql.Composed]) -> list[Rows]:
    """Return the rows of each query, read under our own settings, of which nothing remains.

    Raises:
        SnapshotError: the connection is busy or its transaction has failed, or the server refuses a query.
    """
    opening, closing = _frame(connection)
    body = b";\n".join(one.as_bytes() for one in queries)
    cursor = psycopg.Cursor(connection, row_factory=tuple_row)
    try:
        # The client learns of a changed encoding only when the server waits for the next query, so a session
        # that does not speak UTF-8 is turned first.
        if connection.info.encoding == "utf-8":
            cursor.execute(b";\n".join((opening, _SETTINGS, body, closing)), prepare=False)
            return list(_results(cursor))[1:]
        for one in (opening, _TO_UTF8, _SETTINGS):
            cursor.execute(one, prepare=False)
        found = list(_results(cursor.execute(body, prepare=False)))
        cursor.execute(closing, prepare=False)
    except psycopg.Error as error:
        if not connection.closed:
            cursor.execute(closing, prepare=False)
        raise SnapshotError(f"the catalog could not be read: {error}") from error
    return found


def ask(connection: psycopg.Connection[Any], query: sql.Composed) -> tuple[Any, ...]:
    """Return the one row of a query that depends on no setting."""
    cursor = psycopg.Cursor(connection, row_factory=tuple_row)
    try:
        row: tuple[Any, ...] | None = cursor.execute(query, prepare=False).fetchone()
    except psycopg.Error as error:
        raise SnapshotError(f"the catalog could not be read: {error}") from error
    if row is None:
        raise SnapshotError("the catalog could not be read: the server answered with no row")
    return row


def _frame(connection: psycopg.Connection[Any]) -> tuple[bytes, bytes]:
    """Return what opens and what closes a reading: nothing of it stays."""
    status = connection.info.transaction_status
    if status == TransactionStatus.IDLE:
        return b"begin transaction isolation level repeatable read read only", b"rollback"
    if status == TransactionStatus.INTRANS:
        return (
            b"savepoint migsafe_catalog",
            b"rollback to savepoint migsafe_catalog; release savepoint migsafe_catalog",
        )
    raise SnapshotError(
        f"the catalog cannot be read now: the connection's transaction is {status.name}.\n"
        "Roll a failed transaction back first."
    )


def _results(cursor: psycopg.Cursor[tuple[Any, ...]]) -> Iterator[Rows]:
    while True:
        if cursor.description is not None:
            yield cursor.fetchall()
        if not cursor.nextset():
            return
