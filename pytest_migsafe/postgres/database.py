"""Databases on the throwaway server: made empty or as a clone, dropped in the end."""

import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
from psycopg import Connection, Cursor, sql
from pytest_postgresql.janitor import DatabaseJanitor

from pytest_migsafe.postgres.cluster import MIGRATION_ROLE, SUPERUSER
from pytest_migsafe.postgres.server import Server


@dataclass(frozen=True, slots=True)
class Database:
    """A database on a server; plain values, like `Server`."""

    server: Server
    name: str

    def dsn(
        self,
        *,
        user: str = MIGRATION_ROLE,
        options: Mapping[str, str] | None = None,
        application_name: str = "pytest-migsafe",
    ) -> str:
        """Return a libpq connection string to this database; see `Server.dsn`."""
        return self.server.dsn(self.name, user=user, options=options, application_name=application_name)

    def connect(
        self,
        *,
        user: str = MIGRATION_ROLE,
        autocommit: bool = True,
        options: Mapping[str, str] | None = None,
        application_name: str = "pytest-migsafe",
    ) -> Connection:
        """Return a new connection to this database, which the caller closes; see `Server.connect`."""
        return self.server.connect(
            self.name, user=user, autocommit=autocommit, options=options, application_name=application_name
        )


@contextmanager
def create_database(server: Server, *, template: str | None = None) -> Iterator[Database]:
    """Make a database that belongs to the migrations' role, and drop it in the end with whoever is connected to it.

    Args:
        server: where.
        template: the name of a database to clone; sessions in it are ended, for PostgreSQL copies no database
            that is in use (manual, "Template Databases"). None makes an empty one.

    Raises:
        ServerError: the server does not answer.
    """
    name = f"migsafe_{secrets.token_hex(6)}"
    with _Janitor(server, name, template):
        yield Database(server, name)


class _Janitor(DatabaseJanitor):
    """pytest-postgresql's janitor, with our connections: named, with timeouts, not retried for a minute."""

    def __init__(self, server: Server, name: str, template: str | None) -> None:
        self._server = server
        super().__init__(
            user=SUPERUSER,
            host=server.socket_dir,
            port=server.port,
            dbname=name,
            template_dbname=template,
        )

    @contextmanager
    def cursor(self, dbname: str | None = None) -> Iterator[Cursor]:
        """Yield a cursor of the bootstrap superuser, who may drop whatever a migration has done to a database."""
        connection = self._server.connect(
            dbname or self.maintenance_dbname, user=SUPERUSER, application_name="pytest-migsafe janitor"
        )
        with connection, connection.cursor() as cursor:
            yield cursor

    def init(self) -> None:
        """Create the database, as the migrations' role's own."""
        super().init()
        with self.cursor() as cursor:
            cursor.execute(
                sql.SQL("ALTER DATABASE {} OWNER TO {}").format(
                    sql.Identifier(self.dbname), sql.Identifier(MIGRATION_ROLE)
                )
            )

    def drop(self) -> None:
        """Drop the database with its sessions, also when it was made a template.

        A database that a subscription or a prepared transaction holds on to cannot be dropped: it stays until the
        server goes, which is soon, and nobody else knows its name.
        """
        with self.cursor() as cursor:
            name = sql.Identifier(self.dbname)
            if not self._database_exists(cursor, self.dbname):
                return
            cursor.execute(sql.SQL("ALTER DATABASE {} IS_TEMPLATE false").format(name))
            try:
                cursor.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))
            except psycopg.errors.ObjectInUse:
                return
