"""A server that was there before: a service container in CI, or what pytest-postgresql's fixtures yield.

It is somebody else's. We ask it who we are there, refuse what cannot work with the way out, and say what a restricted
role cannot do; we make databases of our own there and touch no other.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files

import psycopg
from psycopg.conninfo import make_conninfo
from psycopg.rows import class_row
from pytest_postgresql.executors import NoopExecutor, PostgreSQLExecutor

from pytest_migsafe.errors import ServerError
from pytest_migsafe.postgres.database import sweep_leftovers
from pytest_migsafe.postgres.reach import cannot_reach, check_dsn, parts, place
from pytest_migsafe.postgres.server import Server

#: `Server.source` of a given server.
GIVEN = "given"

_OLDEST = 140000
_STANDING = files(__package__).joinpath("given.sql").read_text(encoding="utf-8").encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Standing:
    """A row of given.sql: who we are on a server."""

    pid: int
    role: str
    is_superuser: bool
    may_create_databases: bool
    may_create_roles: bool
    is_standby: bool
    is_read_only: bool
    counts_rows: bool
    encoding: str


def given_server(dsn: str) -> Server:
    """Return the server that a connection string names, after a look at it; what killed runs left there is dropped.

    libpq's environment variables, service file and password file count, as for psql: CI sets PGPASSWORD. Of several
    hosts the one that answered is kept.

    Raises:
        SettingsError: libpq does not understand the connection string.
        ServerError: the server cannot be reached, or not be used; the message has the way out and no password.
    """
    check_dsn(dsn)
    conninfo = _completed(dsn)
    try:
        with psycopg.connect(conninfo, autocommit=True) as connection:
            _refuse_old(connection)
            standing = _standing(connection)
            server = _server(dsn, connection, standing)
            # While the first session lasts: a pooler gives both the same.
            second = _standing_in_second(server)
        problem = next(_problems(standing, second), "")
        if problem:
            raise ServerError(f"The server at {place(server.conninfo)} cannot be used: {problem}")
        sweep_leftovers(server)
    except psycopg.Error as error:
        # Not chained: a traceback that shows psycopg's variables would show the password.
        raise ServerError(cannot_reach(conninfo, error)) from None
    return server


def server_of_executor(executor: PostgreSQLExecutor | NoopExecutor) -> Server:
    """Return the server of pytest-postgresql's fixtures `postgresql_proc` and `postgresql_noproc`.

    Raises:
        ServerError: as `given_server`.
    """
    return given_server(dsn_of_executor(executor))


def dsn_of_executor(executor: PostgreSQLExecutor | NoopExecutor) -> str:
    """Return the connection string to the maintenance database of an executor's server."""
    return make_conninfo(
        host=executor.host,
        port=executor.port,
        user=executor.user,
        password=executor.password or None,
        dbname=executor.maintenance_dbname,
        options=executor.options or None,
    )


def _completed(dsn: str) -> str:
    """Return the connection string with what we want where it, and the environment, say nothing."""
    known = parts(dsn)
    ours = {"application_name": "pytest-migsafe", "client_encoding": "UTF8"}
    if "connect_timeout" not in known and "PGCONNECT_TIMEOUT" not in os.environ:
        ours["connect_timeout"] = "10"
    # libpq would take the database that is called like the role; a service may name another.
    if not {"dbname", "service"} & known.keys() and not {"PGDATABASE", "PGSERVICE"} & os.environ.keys():
        ours["dbname"] = "postgres"
    return make_conninfo(**known | ours)


def _server(dsn: str, connection: psycopg.Connection, standing: _Standing) -> Server:
    """Return the server of a first connection, by which everything is known that libpq took from elsewhere."""
    info = connection.info
    found = info.get_parameters()
    kept = {keyword: found[keyword] for keyword in ("options", "connect_timeout") if found.get(keyword)}
    known = parts(dsn)
    if "hostaddr" in known:
        kept["hostaddr"] = info.hostaddr
    return Server(
        version=(info.parameter_status("server_version") or "").split()[0],
        source=GIVEN,
        conninfo=make_conninfo(**known | kept | {"host": info.host, "port": str(info.port)}),
        role=info.user,
        administrator=info.user,
        maintenance_dbname=info.dbname,
        is_ours=False,
        limits=tuple(_limits(standing)),
    )


def _refuse_old(connection: psycopg.Connection) -> None:
    info = connection.info
    if info.server_version < _OLDEST:
        raise ServerError(
            f"The server at {info.host}:{info.port} cannot be used: it is PostgreSQL "
            f"{info.parameter_status('server_version')}.\nName one of version 14 or later in the DSN."
        )


def _standing(connection: psycopg.Connection) -> _Standing:
    with connection.cursor(row_factory=class_row(_Standing)) as cursor:
        found = cursor.execute(_STANDING).fetchone()
    assert found is not None  # noqa: S101 - who has logged in is in pg_roles
    return found


def _standing_in_second(server: Server) -> _Standing:
    with server.connect() as connection:
        return _standing(connection)


def _problems(standing: _Standing, second: _Standing) -> Iterator[str]:
    """Yield, for each reason not to use a server, what it is and the way out."""
    if second.pid == standing.pid:
        yield (
            "between it and us is a connection pooler that gives one session to several clients.\n"
            "Name the server behind pgbouncer in the DSN, or set pool_mode = session."
        )
    if standing.is_standby:
        yield "it is a standby, where nothing can be made.\nName its primary in the DSN, or have libpq choose it: target_session_attrs=read-write."
    if standing.is_read_only:
        yield f"sessions of role {standing.role} are read-only.\nALTER ROLE {standing.role} RESET default_transaction_read_only, or name another role in the DSN."
    if not standing.may_create_databases:
        yield f"role {standing.role} may not make databases.\nALTER ROLE {standing.role} CREATEDB, or name another role in the DSN."


def _limits(standing: _Standing) -> Iterator[str]:
    """Yield, for each thing that cannot be done or seen, a sentence."""
    if not standing.is_superuser:
        yield (
            f"role {standing.role} is no superuser: extensions that are not trusted, event triggers, publications "
            "of all tables, LEAKPROOF and C functions, and COPY with the server's files fail"
        )
        yield (
            f"sequences that role {standing.role} has no UPDATE privilege on are not put back after a rehearsal"
        )
    if not standing.may_create_roles:
        yield f"role {standing.role} lacks CREATEROLE: roles that migrations name have to be there before"
    if not standing.counts_rows:
        yield "track_counts is off: which tables a statement reads or writes is not counted"
    if standing.encoding != "UTF8":
        yield f"new databases have the encoding {standing.encoding}, not UTF8: letters in migrations may not fit"
