"""SQL put together from files, with values in it: sent as text, or prepared once in a session and then executed.

Planning costs more than running for most of our queries: what is read after every file is prepared.
"""

from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import count
from typing import Any, TypeVar

import psycopg

from pytest_migsafe.catalog.lexical import constant

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Value:
    """A value that differs from reading to reading, as it stands in a string constant, and its type."""

    text: str
    type: str

    @property
    def constant(self) -> str:
        """The value as a string constant."""
        return constant(self.text)


@dataclass(frozen=True, slots=True)
class Fragment:
    """A piece of SQL with its places (`{name}`) filled: by values, by fragments, or by text of our own."""

    template: str
    parts: "tuple[tuple[str, Fragment | Value | str], ...]" = ()

    @property
    def key(self) -> Hashable:
        """What is the same for all fragments that differ in their values only."""
        return self.template, *(
            part.key if isinstance(part, Fragment) else None if isinstance(part, Value) else part
            for _, part in self.parts
        )

    def values(self) -> Iterator[Value]:
        """Yield the values in the order of their places."""
        for _, part in self.parts:
            if isinstance(part, Value):
                yield part
            elif isinstance(part, Fragment):
                yield from part.values()

    def text(self, place: Callable[[Value], str] | None = None) -> str:
        """Return the SQL; ``place`` says how a value is written, by default as a constant of its type."""
        write = place or (lambda value: f"{value.constant}::{value.type}")
        return self.template.format(
            **{
                name: part.text(write)
                if isinstance(part, Fragment)
                else write(part)
                if isinstance(part, Value)
                else part
                for name, part in self.parts
            }
        )


@cache
def _template(name: str) -> str:
    return files("pytest_migsafe.catalog").joinpath("sql", f"{name}.sql").read_text(encoding="utf-8")


def composed(name: str, **parts: Fragment | Value | str) -> Fragment:
    """Return one of the files as a query, with its places filled."""
    return Fragment(_template(name), tuple(parts.items()))


def fragment(template: str, **parts: Fragment | Value | str) -> Fragment:
    """Return a piece of SQL with its places filled."""
    return Fragment(template, tuple(parts.items()))


def text_array(texts: Iterable[str], type: str = "pg_catalog.text[]") -> Value:  # noqa: A002 - PostgreSQL's word
    """Return an array of texts, or of what a text is the name of."""
    quoted = ('"' + one.replace("\\", "\\\\").replace('"', '\\"') + '"' for one in texts)
    return Value("{" + ",".join(quoted) + "}", type)


def oid_array(oids: Iterable[int]) -> Value:
    """Return an array of oids."""
    return Value("{" + ",".join(map(str, oids)) + "}", "pg_catalog.oid[]")


class PreparedConnection:
    """A connection in which our queries are prepared, each when it is first sent.

    Its user knows that the session's ``DEALLOCATE ALL`` and ``DISCARD ALL`` would take them away, and that
    they begin with ``PREFIX``.
    """

    PREFIX = "migsafe_"

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self.connection = connection
        # psycopg must not prepare of its own accord: where it does, it sends DEALLOCATE ALL after a ROLLBACK.
        connection.prepare_threshold = None
        self._names: dict[Hashable, str] = {}

    def command(self, query: Fragment) -> str:
        """Return what runs a query, preceded by what prepares it where it has not been."""
        key, values = query.key, list(query.values())
        given = f" ({', '.join(value.constant for value in values)})" if values else ""
        if key in self._names:
            return f"execute {self._names[key]}{given}"
        name = self._names[key] = f"{self.PREFIX}{len(self._names)}"
        types = f" ({', '.join(value.type for value in values)})" if values else ""
        number = count(1)
        return f"prepare {name}{types} as {query.text(lambda _: f'${next(number)}')};\nexecute {name}{given}"


#: Where queries are sent: to a connection as text, or to one in which they are prepared.
Source = psycopg.Connection[Any] | PreparedConnection


def connection_of(source: Source) -> psycopg.Connection[Any]:
    """Return the connection itself."""
    return source.connection if isinstance(source, PreparedConnection) else source


def command(source: Source, query: Fragment) -> str:
    """Return what runs a query there."""
    return source.command(query) if isinstance(source, PreparedConnection) else query.text()


def has_rows(cursor: psycopg.Cursor[Any]) -> bool:
    """Say whether the cursor's current result has rows to fetch; ``description`` says it too, at a price."""
    return cursor.pgresult is not None and cursor.pgresult.status == psycopg.pq.ExecStatus.TUPLES_OK


def fetch_all(cursor: psycopg.Cursor[Row], source: Source, query: Fragment) -> list[Row]:
    """Return the rows of a query; the cursor is one of the source's connection."""
    cursor.execute(command(source, query).encode(), prepare=False)
    # What prepares the query comes first, and has no rows.
    while not has_rows(cursor) and cursor.nextset():
        pass
    return cursor.fetchall()
