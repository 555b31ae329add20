"""A live database at a point of the history, as a test uses it."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote, urlencode

import psycopg
from psycopg.rows import TupleRow

from pytest_migsafe import catalog
from pytest_migsafe.catalog import Schema
from pytest_migsafe.errors import SelectionError
from pytest_migsafe.impersonation import as_role
from pytest_migsafe.migrations.model import History, Migration
from pytest_migsafe.migrations.selection import position_of, shown
from pytest_migsafe.testing.plan import Parameters, Plan, plan_of

if TYPE_CHECKING:
    # For annotations: a team's tests import this module without --migsafe, too, and need not pay for what rehearses.
    from pytest_migsafe.rehearsal.laboratory import LiveDatabase

#: A query, as a text or as psycopg composes it.
Query = str | bytes | psycopg.sql.SQL | psycopg.sql.Composed
_NOTHING: Mapping[str, object] = {}


class MigrationDatabase:
    """A private database to which the migrations up to a point have been applied, to do anything with.

    It is closed when the test ends, with all of its connections, whatever the test has left open.
    """

    def __init__(self, live: "LiveDatabase", resources: ExitStack) -> None:
        self._live = live
        self._resources = resources
        self._connection: psycopg.Connection[TupleRow] | None = None

    def __repr__(self) -> str:
        point = f"at {self.applied[-1].path.name}" if self.applied else "before the first migration"
        return f"<database {point}, PostgreSQL {self.postgres}>"

    # -- where it is ---------------------------------------------------------------------------------------

    @property
    def postgres(self) -> str:
        """The version of the server, such as "18.6"."""
        return self._live.database.server.version

    @property
    def history(self) -> History:
        """The history that it belongs to."""
        return self._live.history

    @property
    def applied(self) -> tuple[Migration, ...]:
        """The migrations that have been applied, in their order."""
        return self._live.applied

    @property
    def next(self) -> Migration | None:
        """The migration that comes next; None at the end of the history."""
        return next(iter(self.history.migrations[self._live.position :]), None)

    def apply(self, expected: str | Migration | None = None) -> Migration:
        """Apply the next migration, the way the project's runner does, in a session of its own; return it.

        Args:
            expected: which one that should be; None leaves it to the history.

        Raises:
            SelectionError: it is another one that comes next, or none.
            psycopg.Error: what ended the file, as psycopg's class for it; a note has the file and the line. The file does
                not count as applied, but what it had committed stays.
            MigrationReadError: the file cannot be read.
        """
        __tracebackhide__ = True
        following = self.next
        if following is None:
            raise SelectionError(f"all {len(self.applied)} migrations are applied, there is no next one")
        if expected is not None and position_of(self.history, expected) != self._live.position:
            raise SelectionError(
                f"the next migration is {following.path.name}, not {shown(expected)}; "
                f"migrate_to({shown(expected)!r}) applies those before it, too"
            )
        return self._live.apply()

    def migrate_to(self, migration: str | Migration) -> None:
        """Apply migrations until this one is applied; nothing is done where it is the last that was.

        Raises:
            SelectionError: there is no such migration, or later ones are applied already.
            psycopg.Error: as of `apply`.
        """
        __tracebackhide__ = True
        wanted = position_of(self.history, migration) + 1
        if wanted < self._live.position:
            raise SelectionError(
                f"{self.applied[-1].path.name} is applied already, which comes after {shown(migration)}; "
                f"rollback(to={shown(migration)!r}) goes back"
            )
        self._live.apply_to(wanted)

    def rollback(self, *, to: str | Migration | None = None) -> None:
        """Undo the last migration with the file or the section that its runner has for it, or all after another one.

        Args:
            to: the migration that is to be the last one applied.

        Raises:
            IrreversibleError: nothing undoes one of them.
            SelectionError: there is no such migration, or it is not applied.
            psycopg.Error: what ended the file, as psycopg's class for it; a note has the file and the line.
        """
        __tracebackhide__ = True
        if not self.applied:
            raise SelectionError("no migration is applied, there is nothing to undo")
        wanted = self._live.position - 1 if to is None else position_of(self.history, to) + 1
        if wanted > self._live.position:
            raise SelectionError(f"{shown(to or '')} is not applied; migrate_to applies it")
        self._live.undo_to(wanted)

    # -- looking and doing ---------------------------------------------------------------------------------

    @property
    def connection(self) -> psycopg.Connection[TupleRow]:
        """A connection as the role that migrations run as, in autocommit mode; always the same one."""
        if self._connection is None or self._connection.closed:
            self._connection = self.connect()
        return self._connection

    def connect(self, *, autocommit: bool = True) -> psycopg.Connection[TupleRow]:
        """Return a new connection as the role that migrations run as, which is closed with the database."""
        connection = self._live.connect(autocommit=autocommit)
        self._resources.callback(connection.close)
        return connection

    async def async_connect(self, *, autocommit: bool = True) -> psycopg.AsyncConnection[TupleRow]:
        """Return a new asynchronous connection, as of `connect`."""
        connection = await psycopg.AsyncConnection.connect(self.dsn, autocommit=autocommit)
        # The event loop may be gone when the test ends; libpq can end a connection without it.
        self._resources.callback(connection.pgconn.finish)
        return connection

    @property
    def dsn(self) -> str:
        """How libpq reaches the database as the role that migrations run as: for psycopg, psql, the application itself."""
        return self._live.dsn

    @property
    def url(self) -> str:
        """The same as a URL, for drivers and libraries that take no other form (asyncpg, SQLAlchemy)."""
        return url_of(self._live.dsn)

    @contextmanager
    def as_role(
        self,
        role: str,
        claims: Mapping[str, object] = _NOTHING,
        settings: Mapping[str, object] = _NOTHING,
    ) -> Iterator[psycopg.Connection[TupleRow]]:
        """Yield a connection of its own as another role, for a block, which is a transaction.

        An error of PostgreSQL's that the block caught ends what the transaction accepts, as ever; where the block is to go
        on, ``with connection.transaction():`` around what fails is a savepoint.

        Args:
            role: the name as it is, without quotes.
            claims: of a JSON Web Token, as PostgREST and Supabase hand them on, such as ``{"sub": "7d7…"}``.
            settings: what an application sets for a request, such as ``{"app.user_id": 42}``.

        Raises:
            psycopg.errors.InvalidParameterValue: there is no such role.
            psycopg.errors.InsufficientPrivilege: on a given server: the user there is not a member of it.
        """
        with self._live.connect_as_administrator() as connection, as_role(connection, role, claims):
            for name, value in settings.items():
                connection.execute(b"SELECT pg_catalog.set_config(%s, %s, true)", (name, str(value)))
            yield connection

    def execute(self, query: Query, parameters: Parameters = None) -> psycopg.Cursor[TupleRow]:
        """Run a query in `connection`, and return psycopg's cursor with what came of it.

        Raises:
            psycopg.Error: what the server says against it.
        """
        __tracebackhide__ = True
        connection = self.connection
        try:
            return connection.execute(_as_sent(query), parameters)
        except psycopg.Error as error:
            # A test's traceback ends in the test.
            raise error.with_traceback(None) from None

    def rows(self, query: Query, parameters: Parameters = None) -> list[TupleRow]:
        """Run a query, and return its rows.

        Raises:
            psycopg.Error: what the server says against it.
        """
        __tracebackhide__ = True
        return self.execute(query, parameters).fetchall()

    def value(self, query: Query, parameters: Parameters = None) -> Any:
        """Run a query of one row and one column, and return what stands there.

        Raises:
            psycopg.Error: what the server says against it.
            ValueError: it is not one row with one column.
        """
        __tracebackhide__ = True
        rows = self.rows(query, parameters)
        if len(rows) != 1 or len(rows[0]) != 1:
            columns = len(rows[0]) if rows else 0
            raise ValueError(f"one row with one column was asked for, there are {len(rows)} with {columns}")
        return rows[0][0]

    def schema(self) -> Schema:
        """Return everything that the database holds, to compare: ``before == after`` shows what is different."""
        with self._live.connect() as connection:
            return catalog.snapshot(connection)

    def plan(
        self,
        query: str,
        parameters: Parameters = None,
        *,
        connection: psycopg.Connection[Any] | None = None,
    ) -> Plan:
        """Return how PostgreSQL would run a query if its tables were big; it is not run.

        Args:
            query: what is to be planned.
            parameters: its values.
            connection: who asks, where that matters (`as_role`); else it is the role that migrations run as.

        Raises:
            psycopg.Error: what the server says against it.
        """
        __tracebackhide__ = True
        asker = connection or self.connection
        try:
            return plan_of(asker, query, parameters)
        except psycopg.Error as error:
            raise error.with_traceback(None) from None


def url_of(dsn: str) -> str:
    """Return a connection string as a URL; host and port stand behind it, for the host may be a socket's directory."""
    known = psycopg.conninfo.conninfo_to_dict(dsn)
    user, password = quote(str(known["user"]), safe=""), known.get("password")
    secret = f":{quote(str(password), safe='')}" if password else ""
    asked = {name: str(known[name]) for name in ("host", "port", "options") if known.get(name)}
    return f"postgresql://{user}{secret}@/{quote(str(known['dbname']), safe='')}?{urlencode(asked, quote_via=quote)}"


def _as_sent(query: Query) -> bytes | psycopg.sql.SQL | psycopg.sql.Composed:
    return query.encode() if isinstance(query, str) else query


#: Stands for the end of the history.
END = "(the last one)"


class DatabaseAt(Protocol):
    """What the fixture ``database_at`` is: it gives private databases at any point of the history."""

    def __call__(
        self,
        migration: str | Migration | None = END,
        *,
        before: str | Migration | None = None,
        history: str | None = None,
    ) -> MigrationDatabase:
        """Return a database of its own; the test's end closes it.

        Args:
            migration: the last one that has been applied; None: nothing has. Left out: all have.
            before: instead, the first that has not been applied.
            history: the folder of the migrations, from the project's root, where there are several.

        Raises:
            SelectionError: there is no such migration, or not one alone.
        """
