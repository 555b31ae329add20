"""What a rehearsal draws from sequences is put back, as far as the role may."""

from collections.abc import Iterator

import psycopg
import pytest

from pytest_migsafe.postgres.database import Database
from pytest_migsafe.rehearsal.sequences import read_sequences, restore_sequences


@pytest.fixture
def weak_role(database: Database) -> Iterator[str]:
    with database.connect() as connection:
        connection.execute("CREATE ROLE migsafe_weak LOGIN; GRANT CREATE ON SCHEMA public TO migsafe_weak")
        yield "migsafe_weak"
        connection.execute("DROP OWNED BY migsafe_weak; DROP ROLE migsafe_weak")


def _oid(connection: psycopg.Connection, name: str) -> int:
    row = connection.execute("SELECT oid::bigint FROM pg_class WHERE relname = %s", (name,)).fetchone()
    assert row is not None
    return int(row[0])


def test_a_role_that_is_no_superuser_reads_its_own_sequences(database: Database, weak_role: str) -> None:
    with database.connect() as owner, database.connect(user=weak_role) as connection:
        owner.execute("CREATE SEQUENCE closed; CREATE SEQUENCE open; GRANT USAGE ON open TO migsafe_weak")
        connection.execute("CREATE SEQUENCE own; SELECT nextval('own'), nextval('own'), nextval('open')")
        closed, for_use, own = (_oid(connection, name) for name in ("closed", "open", "own"))

        assert read_sequences(connection) == {own: 2}
        restore_sequences(connection, {closed: 7, for_use: 7, own: 7})
        assert read_sequences(owner) == {closed: None, for_use: 1, own: 7}
