"""A server as CI has it: somebody else's, on TCP, with passwords, and with roles that may do little."""

import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from psycopg import sql

from pytest_migsafe.postgres.binaries import Binaries
from pytest_migsafe.postgres.server import Server, start_server

#: Every character that has a meaning in a connection string.
PASSWORD = "s3cret p@ss/w%rd:#?&='\\ü"  # noqa: S105  # it protects nothing

_HBA = """
local all all trust
host all all 127.0.0.0/8 scram-sha-256
"""


@dataclass(frozen=True)
class Service:
    """A running server that is not ours, in the tests' eyes."""

    #: As its owner sees it.
    owner: Server
    #: An address of this machine that nobody else listens at.
    address: str

    def uri(
        self, role: str = "ci", *, password: str | None = PASSWORD, database: str = "app", more: str = ""
    ) -> str:
        """Return the connection string that a CI's settings would have."""
        secret = "" if password is None else ":" + quote(password, safe="")
        return f"postgresql://{role}{secret}@{self.address}:{self.owner.port}/{database}{more}"

    def run(self, *statements: str) -> None:
        """Do something as the owner."""
        with self.owner.connect(user=self.owner.administrator) as connection:
            for statement in statements:
                connection.execute(statement)

    def databases(self) -> list[str]:
        """Return the names of all databases."""
        with self.owner.connect(user=self.owner.administrator) as connection:
            rows = connection.execute("SELECT datname FROM pg_database ORDER BY 1").fetchall()
        return [name for (name,) in rows]


@contextmanager
def running_service(binaries: Binaries) -> Iterator[Service]:
    """Run a server with the role ci, which may log in and make databases, and no more; boss, a superuser; and guest."""
    directory = Path(tempfile.mkdtemp(prefix="migsafe-test-"))
    directory.chmod(0o755)  # the server is run by another account
    hba = directory / "hba.conf"
    hba.write_text(_HBA)
    # Linux gives the whole of 127.0.0.0/8 to this machine: another test run has another address.
    address = "127." + ".".join(str(secrets.randbelow(250) + 2) for _ in range(3))
    settings = {"listen_addresses": address, "hba_file": str(hba), "max_prepared_transactions": "2"}
    try:
        with start_server(binaries, settings=settings) as owner:
            running = Service(owner, address)
            password = sql.Literal(PASSWORD).as_string()
            running.run(
                f"CREATE ROLE ci LOGIN CREATEDB PASSWORD {password}",
                f"CREATE ROLE boss LOGIN SUPERUSER PASSWORD {password}",
                f"CREATE ROLE guest LOGIN PASSWORD {password}",
                "CREATE ROLE app_owner",
                "CREATE DATABASE app",
            )
            yield running
    finally:
        shutil.rmtree(directory)
