"""Databases made for a rehearsal: empty or as a clone, marked as ours, dropped in the end.

On a server that was given to us there are others' databases too. So ours have a name that nobody else thinks of, the
comment says who made them, and the one function that drops looks at the name first.
"""

import os
import re
import secrets
import socket
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.resources import files

import psycopg
from psycopg import Connection, Cursor, sql
from pytest_postgresql.janitor import DatabaseJanitor

from pytest_migsafe.errors import LeftoverWarning, ServerError
from pytest_migsafe.postgres.reach import one_line, place
from pytest_migsafe.postgres.server import Server

#: When by the server's clock, in UTC, and something that two runs do not both think of.
_NAME = re.compile(r"migsafe_(?P<made>\d{8}t\d{6})_[0-9a-f]{12}")
_MADE = "%Y%m%dt%H%M%S"
#: What the comment on each of our databases begins with.
_MARK = "pytest-migsafe: "
#: No run takes as long.
_LEFT_BEHIND_AFTER = timedelta(days=1)

_MARKED = files(__package__).joinpath("marked_databases.sql").read_text(encoding="utf-8").encode()
_PREPARED = b"SELECT gid FROM pg_catalog.pg_prepared_xacts WHERE database = %(database)s ORDER BY gid"
_END_SESSIONS = files(__package__).joinpath("end_sessions.sql").read_text(encoding="utf-8").encode()


@dataclass(frozen=True, slots=True)
class Database:
    """A database on a server; plain values, like `Server`."""

    server: Server
    name: str

    def dsn(
        self,
        *,
        user: str | None = None,
        options: Mapping[str, str] | None = None,
        application_name: str = "pytest-migsafe",
    ) -> str:
        """Return a libpq connection string to this database; see `Server.dsn`."""
        return self.server.dsn(self.name, user=user, options=options, application_name=application_name)

    def connect(
        self,
        *,
        user: str | None = None,
        autocommit: bool = True,
        options: Mapping[str, str] | None = None,
        application_name: str = "pytest-migsafe",
    ) -> Connection:
        """Return a new connection to this database, which the caller closes; see `Server.connect`."""
        return self.server.connect(
            self.name, user=user, autocommit=autocommit, options=options, application_name=application_name
        )


def _warn(problem: str) -> None:
    with warnings.catch_warnings():
        # Made an error it would end the run before the reports are written.
        warnings.simplefilter("always", LeftoverWarning)
        warnings.warn(problem, LeftoverWarning, stacklevel=1)


@contextmanager
def create_database(
    server: Server,
    *,
    template: str | None = None,
    owner: str | None = None,
    tell: Callable[[str], None] = _warn,
) -> Iterator[Database]:
    """Make a database, and drop it in the end with whoever is connected to it.

    On a given server this takes the CREATEDB privilege, and no more.

    Args:
        server: where.
        template: the name of a database to clone; our sessions in it are ended, for PostgreSQL copies no database
            that is in use (manual, "Template Databases"). None makes an empty one.
        owner: the role that it belongs to; None is the one that migrations run as. The server's administrator has to
            be a member of it, and to inherit its privileges, or it may make the database and not drop it.
        tell: is told in a sentence when the database could not be dropped from a given server. On ours that does
            not matter: it goes with the server, which is soon.

    Raises:
        ServerError: the server does not answer, or does not let us make one.
    """
    janitor = _Janitor(server, template, owner or server.role)
    try:
        janitor.init()
        yield Database(server, janitor.dbname)
    finally:
        try:
            janitor.drop()
        except (psycopg.Error, ServerError) as error:
            if not server.is_ours:
                tell(_left(server, janitor.dbname, error))


def sweep_leftovers(server: Server) -> tuple[str, ...]:
    """Drop the databases that killed runs have left on a server; return their names.

    Only what is certainly ours and in nobody's way: the name has our exact form, the comment is ours, the server's
    clock says that it was made more than a day ago, our role may drop it, and nobody is connected to it. Whatever
    cannot be dropped stays, silently: another run may be sweeping too.

    Raises:
        ServerError: the server does not answer.
    """
    dropped = []
    with _administrator(server) as cursor:
        marked = cursor.execute(_MARKED, {"mark": _MARK}).fetchall()
        for name, now in marked:
            made = _made(name)
            if made is None or now - made < _LEFT_BEHIND_AFTER:
                continue
            try:
                _drop(cursor, name, with_sessions=False)
            except psycopg.Error:
                continue
            dropped.append(name)
    return tuple(dropped)


def _made(name: str) -> datetime | None:
    """Return when a database was made, by its name; None when the name is not of our making."""
    found = _NAME.fullmatch(name)
    try:
        return datetime.strptime(found["made"], _MADE).replace(tzinfo=UTC) if found else None
    except ValueError:
        return None


def _drop(cursor: Cursor, name: str, *, with_sessions: bool) -> None:
    """Drop a database of ours; nothing else in this package drops one."""
    if _made(name) is None:
        raise AssertionError(f"{name} is not a database that pytest-migsafe has made")
    database = sql.Identifier(name)
    # A migration may have made it a template.
    cursor.execute(sql.SQL("ALTER DATABASE {} IS_TEMPLATE false").format(database))
    cursor.execute(
        sql.SQL("DROP DATABASE {} {}").format(database, sql.SQL("WITH (FORCE)" if with_sessions else ""))
    )


@contextmanager
def _administrator(server: Server, dbname: str | None = None) -> Iterator[Cursor]:
    """Yield a cursor of the role that makes and drops databases.

    On our own server that is the bootstrap superuser, who may drop whatever a migration has done to a database.
    """
    connection = server.connect(dbname, user=server.administrator, application_name="pytest-migsafe janitor")
    with connection, connection.cursor() as cursor:
        yield cursor


class _Janitor(DatabaseJanitor):
    """pytest-postgresql's janitor, with our connections: named, with timeouts, not retried for a minute."""

    def __init__(self, server: Server, template: str | None, owner: str) -> None:
        self._server = server
        self._owner = owner
        super().__init__(
            user=server.administrator,
            host=server.host,
            port=server.port,
            dbname="",  # the server's clock is in it
            template_dbname=template,
            maintenance_dbname=server.maintenance_dbname,
        )

    @contextmanager
    def cursor(self, dbname: str | None = None) -> Iterator[Cursor]:
        """Yield a cursor of the server's administrator."""
        with _administrator(self._server, dbname) as cursor:
            yield cursor

    @staticmethod
    def _terminate_connection(cur: Cursor, dbname: str) -> None:
        # Only whom we may end: autovacuum, for one, belongs to nobody, and CREATE DATABASE sends it away itself.
        cur.execute(_END_SESSIONS, {"database": dbname})

    def init(self) -> None:
        """Create the database, marked as ours and as the migrations' role's own."""
        try:
            self._create()
        except psycopg.Error as error:
            raise ServerError(_cannot_create(self._server, self._owner, error)) from error

    def _create(self) -> None:
        with self.cursor() as cursor:
            (now,) = cursor.execute(b"SELECT pg_catalog.now()").fetchone() or ()
            self.dbname = f"migsafe_{now.astimezone(UTC):{_MADE}}_{secrets.token_hex(6)}"
            if self.template_dbname:
                self._terminate_connection(cursor, self.template_dbname)
            cursor.execute(self._build_create_database_sql())
            name = sql.Identifier(self.dbname)
            cursor.execute(sql.SQL("COMMENT ON DATABASE {} IS {}").format(name, sql.Literal(_mark(now))))

    def _build_create_database_sql(self) -> sql.Composed:
        return super()._build_create_database_sql() + sql.SQL(" OWNER {}").format(sql.Identifier(self._owner))

    def drop(self) -> None:
        """Drop the database with its sessions, if it was made and is still there."""
        if not self.dbname:
            return
        with self.cursor() as cursor:
            if self._database_exists(cursor, self.dbname):
                self._end_prepared_transactions(cursor)
                _drop(cursor, self.dbname, with_sessions=True)

    def _end_prepared_transactions(self, cursor: Cursor) -> None:
        """Roll back what a migration prepared: it outlives its session, and no database is dropped that has any."""
        prepared = cursor.execute(_PREPARED, {"database": self.dbname}).fetchall()
        if prepared:
            with self.cursor(self.dbname) as inside:
                for (gid,) in prepared:
                    inside.execute(sql.SQL("ROLLBACK PREPARED {}").format(sql.Literal(gid)))


def _mark(now: datetime) -> str:
    return (
        f"{_MARK}made on {socket.gethostname()} by process {os.getpid()} at {now.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ} "
        "for one rehearsal; it may be dropped"
    )


def _cannot_create(server: Server, owner: str, error: psycopg.Error) -> str:
    role = server.administrator
    privilege = f"ALTER ROLE {role} CREATEDB" if owner == role else f"GRANT {owner} TO {role}"
    way_out = {
        "42501": f"Give it the privilege, {privilege}, or name another role in the DSN.",
        "42704": f"Make the role, CREATE ROLE {owner}, before the tests begin.",
        "55006": "Let nobody be connected to the database that it is to be a copy of.",
        "53100": "Make room on the server's disk.",
    }.get(error.sqlstate or "", "Its log may tell more.")
    return (
        f"No database can be made on the server at {place(server.conninfo)}: {one_line(error)} "
        f"(role {role}).\n{way_out}"
    )


def _left(server: Server, name: str, error: Exception) -> str:
    return (
        f"the database {name} stays on the server at {place(server.conninfo)}, for it could not be dropped: "
        f"{one_line(error)}. See to it by hand: DROP DATABASE {name} WITH (FORCE)"
    )
