"""A role that is nobody in particular: what it may do, everybody may."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import sql

#: Who is no superuser becomes only a role that it is a member of (manual: "SET ROLE").
_MAKE = sql.SQL("CREATE ROLE {} ROLE SESSION_USER")


@contextmanager
def stranger(connection: psycopg.Connection[Any]) -> Iterator[str]:
    """Make such a role for a block, in a savepoint that is rolled back with all that the block does; yield its name.

    Raises:
        psycopg.errors.InsufficientPrivilege: our own role may make none, as on a server that is not ours.
    """
    # Roles are the cluster's: with a name of its own, nobody waits for another run that makes one in another database.
    name = f"migsafe_stranger_{connection.info.backend_pid}"
    with connection.transaction(force_rollback=True):
        connection.execute(_MAKE.format(sql.Identifier(name)), prepare=False)
        yield name
