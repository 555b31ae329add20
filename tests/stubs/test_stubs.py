"""The stubs of extensions: each applies, and does what the migrations of a real project ask of it."""

from collections.abc import Callable

import psycopg
import pytest

from pytest_migsafe.postgres.stub import read_stub, stubs_of_platform

Stub = Callable[[str], psycopg.Connection]


@pytest.fixture
def stub(connection: psycopg.Connection) -> Stub:
    """Run a stub as CREATE EXTENSION does: its objects go to the first schema of the search path."""

    def create(name: str) -> psycopg.Connection:
        connection.execute("CREATE SCHEMA home")
        connection.execute("SET search_path TO home")
        sql = read_stub(name, stubs_of_platform("supabase")[name]).sql
        connection.execute(sql.replace("@extschema@", "home").encode())
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
    [(distance,)] = connection.execute(
        "SELECT home.cosine_distance('[1,0]'::home.vector, '[1,0]')"
    ).fetchall()
    assert distance == 0


def test_vectors_are_compared_converted_and_summed_up(stub: Stub) -> None:
    connection = stub("vector")
    connection.execute("SET search_path TO public, home")
    connection.execute("CREATE TABLE documents (embedding vector(2), half halfvec(2))")
    connection.execute(
        "INSERT INTO documents VALUES (ARRAY[1, 2], '[1,2]'), (ARRAY[3.5, 4]::real[], '[0,0]')"
    )
    connection.execute("CREATE INDEX ON documents USING hnsw ((embedding::halfvec(2)) halfvec_cosine_ops)")
    connection.execute(
        "CREATE FUNCTION changed() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'"
    )
    connection.execute(
        "CREATE TRIGGER t BEFORE UPDATE ON documents FOR EACH ROW"
        " WHEN (OLD.embedding IS DISTINCT FROM NEW.embedding OR OLD.half IS DISTINCT FROM NEW.half)"
        " EXECUTE FUNCTION changed()"
    )

    row = connection.execute(
        "SELECT sum(embedding)::text, avg(embedding)::text, sum(half <-> '[0,0]') = sqrt(5),"
        " max(vector_dims(embedding)), count(DISTINCT embedding), inner_product('[1,2]'::vector, '[3,4]'),"
        " '[1,2]'::vector <+> '[3,5]', vector_norm('[3,4]'), l2_normalize('[3,4]')::text, '[1,2]'::vector::real[]"
        " FROM documents"
    ).fetchone()

    assert row == ("[4.5,6]", "[2.25,3]", True, 2, 2, 11, 5, 5, "[0.6,0.8]", [1, 2])


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


def test_jobs_are_written_down(stub: Stub) -> None:
    connection = stub("pg_cron")

    connection.execute("SELECT cron.schedule('nightly', '0 3 * * *', 'VACUUM')")
    connection.execute(
        "SELECT cron.schedule('nightly', '0 4 * * *', 'ANALYZE'), cron.schedule('@hourly', 'SELECT 1')"
    )
    connection.execute("SELECT cron.alter_job(jobid, active := false) FROM cron.job WHERE jobname IS NULL")

    jobs = connection.execute(
        "SELECT jobname, schedule, command, active FROM cron.job ORDER BY jobname"
    ).fetchall()
    assert jobs == [("nightly", "0 4 * * *", "ANALYZE", True), (None, "@hourly", "SELECT 1", False)]
    connection.execute("SELECT cron.unschedule('nightly')")
    with pytest.raises(psycopg.Error, match="could not find valid entry for job 'nightly'"):
        connection.execute("SELECT cron.unschedule('nightly')")


def test_nobody_is_called(stub: Stub) -> None:
    connection = stub("http")

    [(status, by_hand)] = connection.execute(
        "SELECT (home.http_get('https://example.org')).status, (home.http(('DELETE', 'https://example.org',"
        " ARRAY[home.http_header('authorization', 'x')], NULL, NULL)::home.http_request)).status"
    ).fetchall()

    assert (status, by_hand) == (503, 503)


def test_messages_are_sent_read_and_archived(stub: Stub) -> None:
    connection = stub("pgmq")
    connection.execute("SELECT home.create('Tasks')")
    connection.execute(
        "SELECT home.send('Tasks', '{\"n\": 1}'), home.send_batch('Tasks', ARRAY['2', '3']::jsonb[])"
    )

    read = connection.execute("SELECT msg_id, read_ct, message FROM home.read('Tasks', 30, 1)").fetchall()
    unseen = connection.execute("SELECT message FROM home.pop('Tasks')").fetchall()
    done = connection.execute("SELECT home.archive('Tasks', 1), home.delete('Tasks', 99)").fetchall()

    assert (read, unseen, done) == ([(1, 1, {"n": 1})], [(2,)], [(True, False)])
    assert connection.execute("SELECT msg_id FROM home.a_tasks").fetchall() == [(1,)]
    assert connection.execute("SELECT home.purge_queue('Tasks'), home.drop_queue('Tasks')").fetchall() == [
        (1, True)
    ]


def test_what_checks_schemas_and_advises_on_indexes_has_nothing_to_say(stub: Stub) -> None:
    connection = stub("pg_jsonschema")
    for name in ("hypopg", "index_advisor"):
        connection.execute("SET search_path TO home")
        connection.execute(read_stub(name, stubs_of_platform("supabase")[name]).sql.encode())

    answers = connection.execute(
        "SELECT home.jsonb_matches_schema('{}', '1'), home.jsonschema_is_valid('3'), errors"
        " FROM home.index_advisor('SELECT 1')"
    ).fetchall()

    assert answers == [(True, False, [])]


def test_keys_are_made(stub: Stub) -> None:
    connection = stub("pgsodium")

    [(name,)] = connection.execute("SELECT (home.create_key('of-columns')).name").fetchall()

    assert connection.execute("SELECT name FROM home.valid_key").fetchall() == [(name,)] == [("of-columns",)]
