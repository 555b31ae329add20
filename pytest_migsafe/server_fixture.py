"""The server of a fixture that the project names, such as pytest-postgresql's ``postgresql_proc``."""

import traceback

import pytest

from pytest_migsafe.errors import ServerError
from pytest_migsafe.postgres.given import server_of_executor
from pytest_migsafe.postgres.server import Server

#: What tells how to reach a server, in pytest-postgresql's executors.
_ATTRIBUTES = ("host", "port", "user", "password", "maintenance_dbname", "options")
#: How many of the innermost calls are shown when a fixture fails.
_CALLS = 3


def server_of_fixture(name: str, request: pytest.FixtureRequest) -> Server:
    """Return the server that a fixture runs, or knows.

    Raises:
        ServerError: there is no such fixture, it gave none, or its server cannot be used.
    """
    try:
        executor = request.getfixturevalue(name)
    except pytest.FixtureLookupError as error:
        raise ServerError(_missing(name, error)) from error
    except pytest.skip.Exception as error:
        # Skipped with it, a run would pass that has judged nothing.
        raise ServerError(
            f"The fixture {name} gives no server, it was skipped: {error.msg}\n"
            "Make its server available, or rehearse on another one: --migsafe-postgres, --migsafe-dsn."
        ) from error
    except Exception as error:
        raise ServerError(_failed(name, error)) from error
    if lacking := [attribute for attribute in _ATTRIBUTES if not hasattr(executor, attribute)]:
        raise ServerError(
            f"The fixture {name} gives no server: {type(executor).__name__} has no {', '.join(lacking)}.\n"
            "server_fixture in [tool.migsafe] names one that factories of pytest-postgresql made "
            "(postgresql_proc, postgresql_noproc); a connection string goes into `dsn`."
        )
    return server_of_executor(executor)


def _missing(name: str, error: pytest.FixtureLookupError) -> str:
    whose = "" if error.argname == name else f", which {name} asks for"
    return (
        f"There is no fixture {error.argname}{whose}.\n"
        "See server_fixture in [tool.migsafe]; `pytest --fixtures` lists those that there are, and a fixture of a "
        "conftest.py is there for the folders below it."
    )


def _failed(name: str, error: Exception) -> str:
    told = "".join(traceback.format_exception(error, limit=-_CALLS, chain=False)).rstrip()
    said = str(error).partition("\n")[0]
    return f"The fixture {name} failed: {type(error).__name__}: {said}\n{told}"
