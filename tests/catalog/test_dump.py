"""A schema that pg_dump has written, restored into an empty database, is the same schema."""

import re
import subprocess

import psycopg

from pytest_migsafe import catalog
from pytest_migsafe.catalog import Schema, rarer
from pytest_migsafe.postgres.binaries import Binaries
from pytest_migsafe.postgres.database import Database, create_database
from pytest_migsafe.postgres.server import Server
from tests.catalog.conftest import PORTABLE
from tests.test_histories import program

#: A subscription would keep the database from being dropped; a label needs its provider's library.
_LEFT_OUT = (rarer.Subscription, rarer.SecurityLabel)


def _without_what_is_left_out(schema: Schema) -> Schema:
    return Schema.of(one for one in schema if not isinstance(one, _LEFT_OUT))


def test_a_dump_restored_is_the_same_schema(
    server: Server, binaries: Binaries, database: Database, connection: psycopg.Connection
) -> None:
    connection.execute(b"drop role if exists migsafe_reader; create role migsafe_reader")
    connection.execute(PORTABLE.encode(), prepare=False)
    try:
        before = _without_what_is_left_out(catalog.snapshot(connection))
        command = [
            program(binaries, "pg_dump"),
            "--schema-only",
            "--no-subscriptions",
            "--no-security-labels",
        ]
        done = subprocess.run([*command, "-d", database.dsn()], check=True, capture_output=True, text=True)
        # Since August 2025 every dump carries a random key, for psql.
        text = re.sub(r"^\\.*\n", "", done.stdout, flags=re.MULTILINE)
        with create_database(server) as restored, restored.connect() as other:
            other.execute(text.encode(), prepare=False)
            # That it is populated is data to pg_dump.
            other.execute(b"refresh materialized view app.sums")
            after = catalog.snapshot(other)
            other.execute(b"drop owned by migsafe_reader cascade")
    finally:
        connection.execute(
            b"drop subscription paper; drop owned by migsafe_reader cascade; drop role migsafe_reader"
        )
    assert [line.text for line in catalog.render(catalog.diff(before, after))] == []
    assert before == after
