"""The stubs of extensions: each applies, and does what the migrations of a real project ask of it."""

from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

STUBS = Path(__file__).parent

Stub = Callable[[str], psycopg.Connection]


@pytest.fixture
def stub(connection: psycopg.Connection) -> Stub:
    """Run a stub as CREATE EXTENSION does: its objects go to the first schema of the search path."""

    def create(name: str) -> psycopg.Connection:
        connection.execute("CREATE SCHEMA home")
        connection.execute("SET search_path TO home")
        connection.execute((STUBS / f"{name}.sql").read_bytes())
        connection.execute("SET search_path TO public")
        return connection

    return create


def test_vectors_have_dimensions_distances_and_indexes(stub: Stub) -> None:
    connection = stub("vector")
    connection.execute("SET search_path TO public, home")
    connection.execute("CREATE TABLE documents (id int, embedding vector(1536))")
    connection.execute("CREATE INDEX ON documents USING ivfflat (embedding vector_cosine_ops)")
    connection.execute("CREATE INDEX ON documents USING hnsw (embedding vector_l2_ops)")
    # As long as a real one: longer than what a btree index takes.
    connection.execute("INSERT INTO documents VALUES (1, %s)", (str([0.123456789] * 1536),))

    row = connection.execute(
        "SELECT '[3,4]'::vector <-> '[0,0]', '[1,2]'::vector <#> '[3,4]', '[1,0]'::vector <=> '[0,2]',"
        " format_type(atttypid, atttypmod), (SELECT embedding <=> embedding < 1e-9 FROM documents)"
        " FROM pg_attribute WHERE attrelid = 'documents'::regclass AND attname = 'embedding'"
    ).fetchone()

    assert row == (5, -11, 1, "vector(1536)", True)
    connection.execute("SET search_path TO public")
    [(distance,)] = connection.execute("SELECT home.cosine_distance('[1,0]', '[1,0]')").fetchall()
    assert distance == 0


def test_requests_are_queued(stub: Stub) -> None:
    connection = stub("pg_net")

    connection.execute(
        "SELECT net.http_post('https://example.org', '{\"a\": 1}'), net.http_get(url := 'https://b.example')"
    )

    queue = connection.execute("SELECT method, url FROM net.http_request_queue ORDER BY id").fetchall()
    assert queue == [("POST", "https://example.org"), ("GET", "https://b.example")]


def test_a_token_is_verified_by_its_own_secret(stub: Stub) -> None:
    connection = stub("pgjwt")

    rows = connection.execute(
        "SELECT header ->> 'alg', payload ->> 'sub', valid FROM (VALUES ('right'), ('wrong')) AS secrets (secret),"
        " home.verify(home.sign('{\"sub\": \"anna\"}', 'right'), secret)"
    ).fetchall()

    assert rows == [("HS256", "anna", True), ("HS256", "anna", False)]


def test_secrets_are_made_and_changed(stub: Stub) -> None:
    connection = stub("supabase_vault")

    connection.execute("SELECT home.update_secret(home.create_secret('old', 'key'), 'new')")

    secrets = connection.execute("SELECT name, decrypted_secret FROM home.decrypted_secrets").fetchall()
    assert secrets == [("key", "new")]


def test_graphql_answers(stub: Stub) -> None:
    [(answer,)] = stub("pg_graphql").execute("SELECT home.resolve('{ a }')").fetchall()

    assert answer == {"data": None}
