"""Be another role for a while, as an API is that serves strangers: row-level security tried as they meet it.

For the smoke tests, and for the tests of whoever uses the plugin: ``from pytest_migsafe.impersonation import as_role``.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus
from psycopg.rows import TupleRow, tuple_row

_NO_CLAIMS: Mapping[str, object] = MappingProxyType({})

#: Where PostgREST puts the claims of a request's token (its documentation, "Transaction settings"), and where it put
#: single ones until version 9: functions of that time, and Supabase's auth.uid() first of all, look there.
_CLAIMS = "request.jwt.claims"
_LEGACY_CLAIMS = MappingProxyType({f"request.jwt.claim.{claim}": claim for claim in ("sub", "role", "email")})

_READ = """
SELECT name, pg_catalog.current_setting(name, true)
FROM pg_catalog.unnest(%s::pg_catalog.text[]) AS asked (name)
"""
_WRITE = """
SELECT pg_catalog.set_config(name, value, true)
FROM ROWS FROM (pg_catalog.unnest(%s::pg_catalog.text[]), pg_catalog.unnest(%s::pg_catalog.text[])) AS given (name, value)
"""


@contextmanager
def as_role(
    connection: psycopg.Connection[Any], role: str, claims: Mapping[str, object] = _NO_CLAIMS
) -> Iterator[None]:
    """Run a block as a role, with the claims of a JSON Web Token, as PostgREST and Supabase run a request.

    The role is set for the transaction only (``SET LOCAL ROLE``), and so are the claims (``request.jwt.claims``), of which
    ``role`` is the role unless it is given. Afterwards both are what they were, also after an error, and blocks may be
    nested: the inner one has its own claims only. As with ``connection.transaction()``, a block is a savepoint, or a
    transaction where none is open; an error that leaves it takes back what was done in it. So does an
    error of PostgreSQL's that the block caught: after it the transaction accepts nothing else.

    Args:
        connection: its user must be a member of the role, or a superuser.
        role: the name as it is, without quotes.
        claims: of the token, such as ``{"sub": "7d7…"}``; what JSON can hold.

    Raises:
        psycopg.errors.InvalidParameterValue: there is no such role.
        psycopg.errors.InsufficientPrivilege: the connection's user is not a member of it.
    """
    whole: dict[str, object] = {"role": role, **claims}
    settings = {
        **{name: _as_text(whole.get(claim)) for name, claim in _LEGACY_CLAIMS.items()},
        _CLAIMS: json.dumps(whole),
        "role": role,
    }
    with connection.transaction():
        before = _read(connection, settings)
        _write(connection, settings)
        yield
        if connection.info.transaction_status is TransactionStatus.INERROR:
            # The block caught an error. What is rolled back has its settings from before.
            raise psycopg.Rollback
        _write(connection, before)


def _as_text(claim: object) -> str:
    return claim if isinstance(claim, str) else "" if claim is None else json.dumps(claim)


def _cursor(connection: psycopg.Connection[Any]) -> psycopg.Cursor[TupleRow]:
    # Not the connection's own kind, which may give dictionaries, or want parameters as $1.
    return psycopg.Cursor(connection, row_factory=tuple_row)


def _read(connection: psycopg.Connection[Any], names: Iterable[str]) -> dict[str, str]:
    with _cursor(connection) as cursor:
        # A setting that nobody has made is empty from the first time on: PostgreSQL cannot forget one.
        return {name: value or "" for name, value in cursor.execute(_READ, [list(names)]).fetchall()}


def _write(connection: psycopg.Connection[Any], settings: Mapping[str, str]) -> None:
    with _cursor(connection) as cursor:
        cursor.execute(_WRITE, [list(settings), list(settings.values())])
