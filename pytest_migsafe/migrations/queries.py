"""Which tables a query names, what for, and by what its conditions hold their rows down to few.

Only what the text says; whether a column that is equal to a constant is a key, the catalog knows.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from types import ModuleType
from typing import TypeAlias

#: So many rows are a batch: they are written within the second.
SMALL = 10_000


class Use(StrEnum):
    """What a query does with a table."""

    READ = "read"
    #: FOR UPDATE, FOR SHARE and their relatives.
    LOCKED = "locked"
    INSERTED = "inserted"
    UPDATED = "updated"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True)
class ColumnName:
    """A column as a query names it."""

    #: The table's name or alias in the query; empty where the column stands alone.
    alias: str
    #: Without quotes; or a function of one column: ``lower(name)``.
    name: str

    @property
    def of(self) -> str:
        """The column itself, without the functions."""
        return self.name.rpartition("(")[2].rstrip(")") if self.name.endswith(")") else self.name


@dataclass(frozen=True, slots=True)
class Equality:
    """A column that has one of few values, if those that the values are made of have."""

    column: ColumnName
    #: Columns and subqueries; nothing for constants.
    made_of: tuple["ColumnName | Query", ...] = ()


@dataclass(frozen=True, slots=True)
class Range:
    """An end of the range that a column's values lie in."""

    column: ColumnName
    is_lower: bool
    #: The integer; None for another value that is known before the query runs.
    end: int | None


Condition: TypeAlias = Equality | Range


@dataclass(frozen=True, slots=True)
class Mention:
    """A table that a query names."""

    #: As written; empty where it is not.
    schema: str
    name: str
    alias: str
    use: Use = Use.READ
    #: What stands in the table's place: a subquery, or what WITH gives the name to.
    query: "Query | None" = None
    #: A function's rows, or VALUES.
    is_given: bool = False

    @property
    def called(self) -> str:
        """The name that the query's columns are qualified with."""
        return self.alias or self.name


@dataclass(frozen=True, slots=True)
class Query:
    """A SELECT, INSERT, UPDATE, DELETE or MERGE."""

    mentions: tuple[Mention, ...] = ()
    conditions: tuple[Condition, ...] = ()
    #: Whether there are conditions at all.
    has_where: bool = False
    #: Whether LIMIT lets a small number of rows pass.
    has_small_limit: bool = False
    #: The column that the rows are sorted by in the first place, without a name if it is none; None: they are not sorted.
    ordered_by: ColumnName | None = None
    #: Whether only the existence of a row is asked for.
    is_existence: bool = False
    #: The columns of which only the least or the greatest value is asked for.
    extremes: tuple[ColumnName, ...] = ()
    #: Queries in expressions, and in WITH.
    subqueries: tuple["Query", ...] = ()
    #: The functions that are called, as written.
    calls: tuple[tuple[str, str], ...] = ()
    #: Whether the condition can never be true, or is true of one row only (CURRENT OF).
    is_empty: bool = False
    #: What an INSERT takes its rows from; and whether they take the place of those that are there (ON CONFLICT).
    source: "Query | None" = None
    overwrites: bool = False

    def every(self) -> Iterator["Query"]:
        """Yield the query and all that stand in it."""
        yield self
        for one in (*self.subqueries, *([self.source] if self.source is not None else [])):
            yield from one.every()
        for mention in self.mentions:
            if mention.query is not None:
                yield from mention.query.every()


@lru_cache(maxsize=256)
def queries(text: str) -> tuple[Query, ...]:
    """Return the queries of a text, also those that CREATE TABLE AS, COPY, EXPLAIN and the like run; none of other statements."""
    return tuple(_trees().queries(text))


@lru_cache(maxsize=256)
def body_of_do(text: str) -> str:
    """Return the PL/pgSQL body of a DO statement; empty for another language or statement."""
    return str(_trees().body_of_do(text))


@lru_cache(maxsize=256)
def constant_text(text: str) -> str | None:
    """Return the string that a ``SELECT 'string'`` is; None where it is made when it runs."""
    found: str | None = _trees().constant_text(text)
    return found


@lru_cache(maxsize=4096)
def key_columns(definition: str) -> tuple[str, ...]:
    """Return the key columns of an index by its definition, as a `ColumnName` says them; an empty name for other expressions."""
    return tuple(_trees().key_columns(definition))


def limited_to(text: str, key: str, keys: str) -> str | None:
    """Return an UPDATE or DELETE that only writes the rows whose key is one of a variable's, in an array.

    None where it cannot be: it is no such statement, or it changes the key.
    """
    found: str | None = _trees().limited_to(text, key, keys)
    return found


def _trees() -> ModuleType:
    # It takes the grammar with it, for which whoever only lists the rules need not wait (0.1 s).
    from pytest_migsafe.migrations import query_trees  # noqa: PLC0415

    return query_trees
