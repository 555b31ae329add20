"""Being another role for a while: what it sees and may do, and that everything is back afterwards."""

from collections.abc import Iterator

import psycopg
import pytest
from psycopg.rows import dict_row

from pytest_migsafe.impersonation import as_role
from pytest_migsafe.postgres.database import create_database
from pytest_migsafe.postgres.server import Server

ROLES = """
    DROP ROLE IF EXISTS reader, "Other Role", outsider;
    CREATE ROLE reader; CREATE ROLE "Other Role"; CREATE ROLE outsider LOGIN;
"""
NOTES = """
    CREATE TABLE notes (owner text, body text);
    INSERT INTO notes VALUES ('a', 'of a'), ('b', 'of b');
    ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
    GRANT SELECT, INSERT ON notes TO reader, "Other Role";
    CREATE POLICY own ON notes USING (owner = current_setting('request.jwt.claims', true)::json ->> 'sub');
"""
SETTINGS = "role", "request.jwt.claims", "request.jwt.claim.sub", "request.jwt.claim.role"


@pytest.fixture
def notes(smoke_server: Server) -> Iterator[psycopg.Connection]:
    with create_database(smoke_server) as database, database.connect() as connection:
        connection.execute(ROLES)
        connection.execute(NOTES)
        try:
            yield connection
        finally:
            connection.execute('DROP OWNED BY reader, "Other Role"; ' + ROLES.partition("CREATE")[0])


def seen(connection: psycopg.Connection) -> list[str]:
    return [body for (body,) in connection.execute("SELECT body FROM notes ORDER BY body").fetchall()]


def settings(connection: psycopg.Connection) -> list[str]:
    return [
        connection.execute("SELECT coalesce(current_setting(%s, true), '')", [name]).fetchall()[0][0]
        for name in SETTINGS
    ]


def test_a_role_sees_what_its_claims_let_it_see(notes: psycopg.Connection) -> None:
    assert seen(notes) == ["of a", "of b"]
    with as_role(notes, "reader", {"sub": "a"}):
        assert seen(notes) == ["of a"]
        assert settings(notes) == ["reader", '{"role": "reader", "sub": "a"}', "a", "reader"]
        with as_role(notes, "Other Role"):
            # No claims of the outer block's reach the inner one.
            assert seen(notes) == []
        assert seen(notes) == ["of a"]
    assert seen(notes) == ["of a", "of b"]
    assert settings(notes) == ["none", "", "", ""]


def test_everything_is_back_inside_a_transaction(notes: psycopg.Connection) -> None:
    with notes.transaction():
        notes.execute('SET LOCAL ROLE "Other Role"; SET LOCAL request.jwt.claims = \'{"sub": "b"}\'')
        before = settings(notes)
        with as_role(notes, "reader", {"sub": "a", "role": "else", "n": 1}):
            notes.execute("INSERT INTO notes VALUES ('a', 'kept')")
        assert settings(notes) == before
        # An error takes back what was done in the block, and nothing that was done before it.
        with pytest.raises(psycopg.errors.InsufficientPrivilege), as_role(notes, "reader", {"sub": "a"}):
            notes.execute(
                "INSERT INTO notes VALUES ('a', 'lost'); INSERT INTO notes VALUES ('b', 'not mine')"
            )
        assert settings(notes) == before
        with as_role(notes, "reader", {"sub": "a"}), pytest.raises(psycopg.errors.InsufficientPrivilege):
            notes.execute("DELETE FROM notes")
        assert settings(notes) == before
    assert seen(notes) == ["kept", "of a", "of b"]


def test_a_role_that_is_not_there_or_not_ours_is_refused_and_leaves_nothing(
    notes: psycopg.Connection,
) -> None:
    with (
        notes.transaction(),
        pytest.raises(psycopg.errors.InvalidParameterValue, match="nobody"),
        as_role(notes, "nobody"),
    ):
        pytest.fail("not reached")
    notes.execute("SET SESSION AUTHORIZATION outsider")
    with pytest.raises(psycopg.errors.InsufficientPrivilege), as_role(notes, "reader"):
        pytest.fail("not reached")
    notes.execute("RESET SESSION AUTHORIZATION")
    assert settings(notes) == ["none", "", "", ""]


def test_any_kind_of_connection_will_do(notes: psycopg.Connection) -> None:
    info = notes.info
    with psycopg.connect(
        host=info.host, port=info.port, dbname=info.dbname, user=info.user, row_factory=dict_row
    ) as connection:
        connection.cursor_factory = psycopg.RawCursor
        with as_role(connection, "reader", {"sub": "b"}):
            assert connection.execute("SELECT body FROM notes").fetchall() == [{"body": "of b"}]
        assert connection.info.transaction_status is psycopg.pq.TransactionStatus.IDLE
