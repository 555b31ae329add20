"""Connection strings of servers that are given to us: understood, named without secrets, and what to do when they fail."""

import re

import psycopg
from psycopg.conninfo import conninfo_to_dict

from pytest_migsafe.errors import SettingsError

_FORMS = (
    "It is either postgresql://role@host:5432/database or host=... port=5432 user=... dbname=...; in the first form "
    "special characters of a name or a password are percent-encoded: @ as %40, / as %2F, % as %25"
)


def parts(conninfo: str) -> dict[str, str]:
    """Return what a connection string says, by libpq's keywords; nothing that it leaves to the environment."""
    return {keyword: str(value) for keyword, value in conninfo_to_dict(conninfo).items()}


def check_dsn(dsn: str) -> None:
    """See that libpq understands a connection string, and that none of its parts is a piece of another.

    What is wrong with it is told without quoting it: the piece that does not fit may be one of the password.

    Raises:
        SettingsError: it does not.
    """
    if problem := _problem(dsn):
        raise SettingsError(f"{problem}\n{_FORMS}")


def _problem(dsn: str) -> str:
    try:
        known = parts(dsn)
    except psycopg.ProgrammingError as error:
        cause = re.sub(r'\s*:?\s*".*"', " ...", one_line(error))
        return f"the DSN is not a connection string: {cause}"
    # An @ or a / in a URI's password ends it early, and libpq takes the rest for host, port or database.
    is_uri = dsn.startswith(("postgresql://", "postgres://"))
    has_rest = is_uri and "@" in known.get("host", "") + known.get("dbname", "")
    if has_rest or not re.fullmatch(r"[\d,]*", known.get("port", "")):
        return "the DSN's host, port and database cannot be told apart"
    return ""


def place(conninfo: str) -> str:
    """Return host and port, as people write them."""
    known = parts(conninfo)
    host = known.get("host") or known.get("hostaddr") or "libpq's default host"
    return f"{host}:{known['port']}" if known.get("port") else host


def cannot_reach(conninfo: str, error: psycopg.Error) -> str:
    """Return the message when a given server does not let us in: all that helps, and no password."""
    known = parts(conninfo)
    # With several addresses psycopg lists all attempts after the last one's message.
    last = str(error).partition("\nMultiple connection attempts failed")[0]
    cause = _QUESTION.sub("", " ".join(last.split()).removeprefix("connection failed: "))
    return (
        f"The server at {place(conninfo)} cannot be used: {cause} "
        f"(database {known.get('dbname', 'not named')}, role {known.get('user', 'not named')}).\n"
        + next((way_out for sign, way_out in _WAYS_IN if sign in cause), _IS_IT_UP)
    )


def one_line(error: BaseException) -> str:
    """Return what an exception says, in one line."""
    return " ".join(str(error).split())


#: libpq asks this after every refusal; we say it among the ways out.
_QUESTION = re.compile(r" Is the server running .*?\?")

_MORE_CONNECTIONS = "Run fewer workers (-n), or raise the server's max_connections."

#: What to do about a refusal, by what is said in it. A server that speaks another language gets the general advice.
_WAYS_IN = (
    (
        "password authentication failed",
        "Set the right password, in PGPASSWORD, in a password file (~/.pgpass) or in the DSN (a URI's @ is %40).",
    ),
    (
        "no password supplied",
        "Set PGPASSWORD, have a password file (~/.pgpass), or put the password into the DSN.",
    ),
    (
        "no pg_hba.conf entry",
        "Let the role in by the server's pg_hba.conf, or set sslmode as that file demands it.",
    ),
    ("is not permitted to log in", "ALTER ROLE ... LOGIN, or name another role in the DSN."),
    ("too many c", _MORE_CONNECTIONS),
    ("remaining connection slots", _MORE_CONNECTIONS),
    ("startup parameter", "This is a connection pooler, such as pgbouncer: name the server behind it."),
)
_IS_IT_UP = (
    "See that the server is up before the tests begin (a service container needs a health check), and that "
    "--migsafe-dsn or MIGSAFE_DSN names it rightly; without a DSN, a throwaway server is started."
)
