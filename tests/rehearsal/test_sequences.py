"""What a rehearsal draws from sequences is put back, as far as the role may."""

from collections.abc import Iterator

import psycopg
import pytest

from pytest_migsafe.postgres.database import Database
from pytest_migsafe.rehearsal.evidence import Evidence
from pytest_migsafe.rehearsal.sequences import SequenceValue, read_sequences, restore_sequences
from tests.rehearsal.conftest import Rehearse


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
        owner.execute(
            "CREATE SCHEMA shut; CREATE SEQUENCE shut.unseen; GRANT ALL ON shut.unseen TO migsafe_weak"
        )
        closed, for_use, own, unseen = (
            _oid(connection, name) for name in ("closed", "open", "own", "unseen")
        )

        drawn = SequenceValue(7, is_called=True)
        assert read_sequences(connection) == {
            own: SequenceValue(2, is_called=True),
            unseen: SequenceValue(None, is_called=False),
        }
        restore_sequences(connection, {closed: drawn, for_use: drawn, own: drawn})
        assert read_sequences(owner) == {
            closed: SequenceValue(1, is_called=False),
            for_use: SequenceValue(1, is_called=True),
            own: drawn,
            unseen: SequenceValue(1, is_called=False),
        }


def test_the_number_that_is_to_be_drawn_first_is_kept(rehearse: Rehearse) -> None:
    ground = "CREATE TABLE t (id serial PRIMARY KEY); INSERT INTO t VALUES (1), (2), (3);"
    chain = rehearse.chain(
        ground,
        "SELECT setval('t_id_seq', 4, false);",
        "INSERT INTO t DEFAULT VALUES;",
        "SELECT nextval('t_id_seq');",
    )
    for position in range(4):
        evidence = chain.rehearse(position)
        assert isinstance(evidence, Evidence)
        assert evidence.error is None
    with chain.database.connect() as connection:
        assert connection.execute("SELECT max(id) FROM t").fetchone() == (4,)
        assert connection.execute("SELECT last_value, is_called FROM t_id_seq").fetchone() == (5, True)
