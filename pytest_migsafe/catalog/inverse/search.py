"""A way back, found by trying: each round undoes what differs, and the next one what the round before took along."""

from collections.abc import Sequence
from dataclasses import dataclass

import psycopg

from pytest_migsafe.catalog.diff import Change, diff
from pytest_migsafe.catalog.inverse.inversion import inverse
from pytest_migsafe.catalog.inverse.steps import Unsaid
from pytest_migsafe.catalog.objects import Key
from pytest_migsafe.catalog.schema import Schema
from pytest_migsafe.catalog.snapshot import snapshot

#: What is made again loses its owner and privileges, which come back in the next round; a third hardly ever does anything.
_MOST_ROUNDS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What was found."""

    #: The statements, in an order in which the server took them.
    statements: tuple[str, ...]
    #: What still differs: what leads from what came of it to what was wanted.
    remaining: tuple[Change, ...]
    #: What cannot be said in SQL, of what remains.
    unsaid: tuple[Unsaid, ...] = ()
    #: The statements that the server refused, each with the error's first line.
    refused: tuple[tuple[str, str], ...] = ()


def search(connection: psycopg.Connection, now: Schema, then: Schema, *, first: Sequence[str] = ()) -> Found:
    """Return a way from one schema to another, tried in a transaction that stays open.

    Args:
        connection: in a transaction, to a database that holds ``now``.
        now: what it holds.
        then: what it is to hold.
        first: statements to begin with: what gives renamed objects their names back.

    Raises:
        SnapshotError: the catalog could not be read.
        psycopg.OperationalError: the session is lost.
    """
    major = connection.info.server_version // 10000
    done: list[str] = []
    refused: list[tuple[str, str]] = []
    unsaid: dict[Key, Unsaid] = {}
    schema = now
    for attempt in range(_MOST_ROUNDS):
        is_renaming = not attempt and bool(first)
        if not is_renaming:
            found = inverse(schema, then, major)
            statements: Sequence[str] = found.statements
            unsaid |= {Key(one.kind, one.name): one for one in found.unsaid}
        else:
            statements = first
        taken, refused = _try(connection, statements)
        done += taken
        if taken:
            schema = snapshot(connection)
        if schema == then or not (taken or is_renaming):
            break
    remaining = diff(schema, then)
    left = {Key(one.kind, one.name) for one in remaining}
    return Found(
        statements=tuple(done),
        remaining=tuple(remaining),
        unsaid=tuple(one for key, one in unsaid.items() if key in left),
        refused=tuple(refused) if remaining else (),
    )


def _try(
    connection: psycopg.Connection, statements: Sequence[str]
) -> tuple[list[str], list[tuple[str, str]]]:
    """Run statements; one that is refused is tried again after each of the others, until none of them goes any more."""
    taken: list[str] = []
    refused: dict[str, str] = {}
    for statement in statements:
        error = _run(connection, statement)
        if error is not None:
            refused[statement] = error
            continue
        taken.append(statement)
        if len(refused) <= _MOST_TRIED_AGAIN:
            taken += _again(connection, refused)
    while refused and (more := _again(connection, refused)):
        taken += more
    return taken, list(refused.items())


#: Of more than these, all are tried again at the end only.
_MOST_TRIED_AGAIN = 20


def _again(connection: psycopg.Connection, refused: dict[str, str]) -> list[str]:
    """Run what was refused, as far as it goes now; return what went, which is refused no more."""
    taken = []
    for statement in list(refused):
        error = _run(connection, statement)
        if error is None:
            taken.append(statement)
            del refused[statement]
        else:
            refused[statement] = error
    return taken


def _run(connection: psycopg.Connection, statement: str) -> str | None:
    """Run a statement in a savepoint; return the error's first line."""
    connection.execute(b"SAVEPOINT migsafe_way", prepare=False)
    try:
        connection.execute(statement.encode(), prepare=False)
    except psycopg.OperationalError as error:
        if connection.closed:
            raise
        problem: psycopg.Error = error
    except psycopg.Error as error:
        problem = error
    else:
        connection.execute(b"RELEASE SAVEPOINT migsafe_way", prepare=False)
        return None
    connection.execute(b"ROLLBACK TO SAVEPOINT migsafe_way", prepare=False)
    return (problem.diag.message_primary or str(problem)).partition("\n")[0]
