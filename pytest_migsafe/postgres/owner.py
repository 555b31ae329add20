"""The role that migrations run as in production, where it is no superuser: it owns the database and nothing else."""

from dataclasses import replace

import psycopg
from psycopg import sql

from pytest_migsafe.errors import ServerError
from pytest_migsafe.postgres.database import Database
from pytest_migsafe.postgres.reach import one_line

#: From 15 on the schema belongs to pg_database_owner, that is to the database's owner (release notes of 15).
_PUBLIC_BELONGS_TO_OWNER_SINCE = 15


def owned_by(database: Database, role: str) -> Database:
    """Return a database of our own server as one in which everybody of ours is ``role``, its owner, no superuser.

    The role is made where it is missing; what it had been granted, by a prelude say, it keeps.

    Raises:
        ServerError: the role cannot be made, such as one that is PostgreSQL's own.
    """
    name = sql.Identifier(role)
    with database.connect(user=database.server.administrator) as connection:
        try:
            if not _exists(connection, role):
                connection.execute(sql.SQL("CREATE ROLE {}").format(name))
            connection.execute(sql.SQL("ALTER ROLE {} LOGIN NOSUPERUSER").format(name))
            connection.execute(
                sql.SQL("ALTER DATABASE {} OWNER TO {}").format(sql.Identifier(database.name), name)
            )
            if database.server.major < _PUBLIC_BELONGS_TO_OWNER_SINCE:
                connection.execute(sql.SQL("ALTER SCHEMA public OWNER TO {}").format(name))
        except psycopg.Error as error:
            raise ServerError(
                f"The role {role} cannot be made the owner of the throwaway database: {one_line(error)}\n"
                "See [tool.migsafe] role."
            ) from error
    return replace(database, server=replace(database.server, role=role))


def _exists(connection: psycopg.Connection, role: str) -> bool:
    query = b"SELECT FROM pg_catalog.pg_roles WHERE rolname = %s"
    return connection.execute(query, (role,)).fetchone() is not None
