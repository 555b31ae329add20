"""Questions about rows: which are worth asking after a file, and how they are asked without a trace."""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self, TypeVar

import psycopg
from psycopg.rows import tuple_row

from pytest_migsafe.catalog.composition import Fragment, Value, fragment
from pytest_migsafe.catalog.objects import Home
from pytest_migsafe.catalog.queries import Rows, send
from pytest_migsafe.rehearsal.probes.asking import Asking
from pytest_migsafe.rehearsal.probes.scripts import script

Known = TypeVar("Known")

#: How long one question may take, in milliseconds: it is given up rather than a run made slow by it.
LONGEST_MS = 2000

#: A question writes nothing, and draws from no sequence.
_OPENING = (
    b"SAVEPOINT migsafe_question;"
    b"SET LOCAL statement_timeout = %d;"
    b"SET LOCAL transaction_read_only = on;" % LONGEST_MS
)
_CLOSING = b"ROLLBACK TO SAVEPOINT migsafe_question; RELEASE SAVEPOINT migsafe_question"

#: One about rows sees all of them or none, and its constants mean what they say.
ABOUT_ROWS = (
    b"SET LOCAL row_security = off;"
    b"SET LOCAL search_path = '';"
    b"SET LOCAL standard_conforming_strings = on;"
    b"SET LOCAL jit = off;"
    # The samples are the same every time.
    b"SET LOCAL synchronize_seqscans = off;"
    b"SET LOCAL max_parallel_workers_per_gather = 0;"
    # What a constraint rules out is to be looked for.
    b"SET LOCAL constraint_exclusion = off;"
)

#: Besides what is never harmless: where an expression is not itself the question whether a domain takes a value.
_NO_DOMAINS = "|COERCETODOMAIN "


@dataclass(frozen=True, slots=True)
class Unanswered:
    """A question that ended with an error."""

    sqlstate: str
    message: str
    detail: str
    context: str


def answer(asking: Asking, query: str, settings: bytes = ABOUT_ROWS) -> Rows | Unanswered:
    """Return the rows of a query that may fail, or take too long; ``settings`` are made for it alone.

    Raises:
        psycopg.Error: the connection is gone.
    """
    with asking.connection.cursor(row_factory=tuple_row) as cursor:
        try:
            cursor.execute(_OPENING + settings + b"\n" + query.encode(), prepare=False)
            while cursor.nextset():
                pass
            return cursor.fetchall()
        except psycopg.Error as error:
            if asking.connection.closed:
                raise
            said = error.diag
            return Unanswered(
                sqlstate=error.sqlstate or "",
                message=said.message_primary or str(error),
                detail=said.message_detail or "",
                context=said.context or "",
            )
        finally:
            if not asking.connection.closed:
                cursor.execute(_CLOSING, prepare=False)


@dataclass(frozen=True, slots=True)
class Involved:
    """What is asked about after a file."""

    #: Tables, and sequences, by name.
    relations: frozenset[str]
    #: Any table and sequence: what was written to is not known.
    everything: bool = False

    @classmethod
    def of(cls, asking: Asking, relations: frozenset[str]) -> Self:
        """Return these relations and those whose rows were changed."""
        if asking.written is None:
            return cls(frozenset(), everything=True)
        return cls(relations | asking.written)

    def __bool__(self) -> bool:
        return self.everything or bool(self.relations)

    def covers(self, relation: str) -> bool:
        """Say whether a relation is asked about by itself."""
        return self.everything or relation in self.relations

    def parts(self) -> dict[str, Fragment | str]:
        """Return what the places `everything` and `involved` of a query are filled with."""
        return {
            "everything": "true" if self.everything else "false",
            "involved": piece("involved", relations=names(self.relations)),
        }


def carried(asking: Asking, known: Mapping[str, Known], involved: Involved) -> dict[str, Known]:
    """Return what stays true of relations: of those that are still there, and are not asked about."""
    return {
        relation: some
        for relation, some in known.items()
        if not involved.covers(relation) and Home("relation", relation) in asking.after.homes
    }


def renamed(asking: Asking, known: Collection[str]) -> frozenset[str]:
    """Return the relations that may be those of which something was known under another name."""
    if all(Home("relation", name) in asking.after.homes for name in known):
        return frozenset()
    return frozenset(name for name in asking.relations if Home("relation", name) not in asking.before.homes)


def piece(name: str, **parts: Fragment | Value | str) -> Fragment:
    """Return one of the files here as a query or a part of one, with its places filled."""
    return fragment(script(name), **parts)


def harmless(expression: str, *, domains: bool = False) -> Fragment:
    """Return the condition that a node tree may be evaluated; ``domains`` allows casts to domains."""
    return piece(
        "harmless",
        expression=expression,
        besides="" if domains else _NO_DOMAINS,
        is_users=is_users("function.oid"),
    )


def is_users(function: str) -> Fragment:
    """Return the condition that a function, given as its OID, is the user's own."""
    return piece("is_users", function=function)


def names(some: Iterable[str]) -> Value:
    """Return names as an array of JSON: they may hold any character."""
    return Value(json.dumps(sorted(some)), "pg_catalog.jsonb")


def planned(asking: Asking, queries: Iterable[Fragment]) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of queries about the catalog, sent in one round trip, if there are any."""
    if some := list(queries):
        for rows in send(asking.source, some):
            yield from rows
