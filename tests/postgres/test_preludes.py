"""Preludes: what a Supabase project relies on is there, and a project's own file is applied or refused in words."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import LiteralString

import psycopg
import pytest
from psycopg.pq import TransactionStatus
from psycopg.types.json import Json

from pytest_migsafe.errors import ServerError, SettingsError
from pytest_migsafe.postgres.binaries import Binaries
from pytest_migsafe.postgres.database import Database, create_database
from pytest_migsafe.postgres.preludes import BUILT_IN, Prelude, apply_prelude, read_prelude
from pytest_migsafe.postgres.server import Server, start_server

ANNA = "00000000-0000-0000-0000-00000000000a"
BERT = "00000000-0000-0000-0000-00000000000b"


@pytest.fixture(scope="module")
def server(binaries: Binaries) -> Iterator[Server]:
    """A server for these tests only: roles and their settings are the whole cluster's."""
    with start_server(binaries) as running:
        yield running


@pytest.fixture
def supabase(database: Database) -> Database:
    """A database as a Supabase project's first migration finds it."""
    _apply(database)
    return database


@pytest.fixture
def migration(supabase: Database) -> Iterator[psycopg.Connection]:
    """A session of a migration, connected after the prelude."""
    with supabase.connect() as connected:
        yield connected


def _apply(database: Database) -> None:
    with database.connect() as connection:
        apply_prelude(connection, read_prelude("supabase", Path()))


@contextmanager
def _request(migration: psycopg.Connection, user: str | None = None) -> Iterator[None]:
    """Do as PostgREST does for one request: claims and role hold for a transaction."""
    role = "authenticated" if user else "anon"
    claims = {"role": role} | ({"sub": user, "email": f"{user}@example.org"} if user else {})
    with migration.transaction(force_rollback=True):
        migration.execute("SELECT set_config('request.jwt.claims', %s::text, true)", (Json(claims),))
        migration.execute("SELECT set_config('role', %s, true)", (role,))
        yield


def _rows(connection: psycopg.Connection, query: LiteralString) -> list[tuple[object, ...]]:
    return connection.execute(query).fetchall()


def _value(connection: psycopg.Connection, query: LiteralString) -> object:
    [(value,)] = _rows(connection, query)
    return value


# The built-in prelude, as migrations and policies see it ------------------------------------------------------------


def test_users_see_their_own_rows_only(migration: psycopg.Connection) -> None:
    migration.execute("CREATE TABLE notes (body text, user_id uuid DEFAULT auth.uid() REFERENCES auth.users)")
    migration.execute("ALTER TABLE notes ENABLE ROW LEVEL SECURITY")
    migration.execute("CREATE POLICY own ON notes USING (auth.uid() = user_id)")
    migration.execute("INSERT INTO auth.users (id) VALUES (%s), (%s)", (ANNA, BERT))
    migration.execute("INSERT INTO notes VALUES ('of Anna', %s), ('of Bert', %s)", (ANNA, BERT))

    with _request(migration, ANNA):
        migration.execute("INSERT INTO notes VALUES ('new')")
        assert _rows(migration, "SELECT body FROM notes ORDER BY body") == [("new",), ("of Anna",)]
    with _request(migration):
        assert _rows(migration, "SELECT body FROM notes") == []
    with migration.transaction(force_rollback=True):
        migration.execute("SET LOCAL ROLE service_role")
        assert _value(migration, "SELECT count(*) FROM notes") == 2


def test_the_functions_of_auth_read_the_requests_claims(migration: psycopg.Connection) -> None:
    with _request(migration, ANNA):
        row = migration.execute("SELECT auth.uid()::text, auth.role(), auth.email(), auth.jwt()").fetchone()

    email = f"{ANNA}@example.org"
    assert row == (ANNA, "authenticated", email, {"role": "authenticated", "sub": ANNA, "email": email})


def test_older_requests_set_each_claim_by_itself(migration: psycopg.Connection) -> None:
    with migration.transaction(force_rollback=True):
        migration.execute(
            "SELECT set_config('request.jwt.claim.sub', %s, true),"
            " set_config('request.jwt.claim.role', 'anon', true),"
            " set_config('request.jwt.claim.email', 'anna@example.org', true)",
            (ANNA,),
        )
        row = migration.execute("SELECT auth.uid()::text, auth.role(), auth.email()").fetchone()

    assert row == (ANNA, "anon", "anna@example.org")


def test_without_a_request_nobody_asks(migration: psycopg.Connection) -> None:
    nobody: LiteralString = "SELECT auth.uid(), auth.role(), auth.email(), auth.jwt()"

    assert _rows(migration, nobody) == [(None, None, None, None)]
    # What a session has after its first request: the setting is there, and empty.
    with _request(migration, ANNA):
        pass
    assert _value(migration, "SELECT current_setting('request.jwt.claims', true)") == ""
    assert _rows(migration, nobody) == [(None, None, None, None)]


def test_the_functions_of_auth_are_stable_sql(migration: psycopg.Connection) -> None:
    """As in production, where the planner may inline them and call them once a query."""
    functions = _rows(
        migration,
        "SELECT proname::text, lanname::text, provolatile::text FROM pg_proc JOIN pg_language ON prolang ="
        " pg_language.oid WHERE pronamespace = 'auth'::regnamespace ORDER BY 1",
    )

    assert functions == [(name, "sql", "s") for name in ("email", "jwt", "role", "uid")]


def test_new_objects_in_public_are_open_to_the_roles_of_the_api(migration: psycopg.Connection) -> None:
    migration.execute("CREATE TABLE things (id bigserial)")
    migration.execute("CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'")
    migration.execute("REVOKE EXECUTE ON FUNCTION f() FROM PUBLIC")

    for role in ("anon", "authenticated", "service_role"):
        row = migration.execute(
            "SELECT has_schema_privilege(%(role)s, 'public', 'USAGE'),"
            " has_table_privilege(%(role)s, 'things', 'SELECT, INSERT, UPDATE, DELETE'),"
            " has_sequence_privilege(%(role)s, 'things_id_seq', 'USAGE'),"
            " has_function_privilege(%(role)s, 'f()', 'EXECUTE')",
            {"role": role},
        ).fetchone()
        assert row == (True, True, True, True), role


def test_a_trigger_on_auth_users_makes_profiles(migration: psycopg.Connection) -> None:
    migration.execute(
        "CREATE TABLE profiles (id uuid PRIMARY KEY REFERENCES auth.users ON DELETE CASCADE, name text)"
    )
    migration.execute(
        "CREATE FUNCTION handle_new_user() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$"
        " BEGIN INSERT INTO public.profiles VALUES (new.id, new.raw_user_meta_data ->> 'name'); RETURN new; END $$"
    )
    migration.execute(
        "CREATE TRIGGER on_auth_user_created AFTER INSERT ON auth.users FOR EACH ROW EXECUTE FUNCTION handle_new_user()"
    )

    # The service makes users, and it owns the table.
    with migration.transaction():
        migration.execute("SET LOCAL ROLE supabase_auth_admin")
        migration.execute(
            "INSERT INTO auth.users (id, email, raw_user_meta_data) VALUES (%s, 'a@example.org', '{\"name\": \"Anna\"}')",
            (ANNA,),
        )

    assert _rows(migration, "SELECT id::text, name FROM profiles") == [(ANNA, "Anna")]


def test_an_identity_and_a_session_belong_to_a_user(migration: psycopg.Connection) -> None:
    migration.execute("INSERT INTO auth.users (id, email_confirmed_at) VALUES (%s, now())", (ANNA,))
    migration.execute(
        "INSERT INTO auth.sessions (id, user_id, aal) VALUES (gen_random_uuid(), %s, 'aal2')", (ANNA,)
    )
    migration.execute(
        "INSERT INTO auth.identities (provider_id, provider, user_id, identity_data)"
        " VALUES ('1', 'email', %s, '{\"email\": \"Anna@Example.org\"}')",
        (ANNA,),
    )

    assert _value(migration, "SELECT email FROM auth.identities") == "anna@example.org"
    assert _value(migration, "SELECT confirmed_at IS NOT NULL FROM auth.users") is True
    migration.execute("DELETE FROM auth.users")
    counts = "SELECT (SELECT count(*) FROM auth.identities), (SELECT count(*) FROM auth.sessions)"
    assert migration.execute(counts).fetchone() == (0, 0)


@pytest.mark.parametrize(
    ("name", "folders", "file", "extension"),
    [
        ("anna/2024/cat.png", ["anna", "2024"], "cat.png", "png"),
        ("cat.png", [], "cat.png", "png"),
        ("a/archive.tar.gz", ["a"], "archive.tar.gz", "gz"),
        ("a/README", ["a"], "README", "README"),
    ],
)
def test_the_parts_of_an_object_s_name(
    migration: psycopg.Connection, name: str, folders: list[str], file: str, extension: str
) -> None:
    row = migration.execute(
        "SELECT storage.foldername(%(name)s), storage.filename(%(name)s), storage.extension(%(name)s)",
        {"name": name},
    ).fetchone()

    assert row == (folders, file, extension)


def test_users_upload_to_their_own_folder(migration: psycopg.Connection) -> None:
    migration.execute("INSERT INTO storage.buckets (id, name, public) VALUES ('avatars', 'avatars', true)")
    migration.execute(
        "CREATE POLICY upload ON storage.objects FOR INSERT TO authenticated"
        " WITH CHECK (bucket_id = 'avatars' AND (storage.foldername(name))[1] = auth.uid()::text)"
    )
    upload: LiteralString = "INSERT INTO storage.objects (bucket_id, name) VALUES ('avatars', %s)"

    with _request(migration, ANNA):
        migration.execute(upload, (f"{ANNA}/me.png",))
    with pytest.raises(psycopg.errors.InsufficientPrivilege), _request(migration, ANNA):
        migration.execute(upload, (f"{BERT}/me.png",))


def test_objects_are_not_deleted_behind_the_service_s_back(migration: psycopg.Connection) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="Use the Storage API"):
        migration.execute("DELETE FROM storage.objects")
    migration.execute("SET storage.allow_delete_query = 'true'")
    migration.execute("DELETE FROM storage.objects")


def test_a_folder_is_listed(migration: psycopg.Connection) -> None:
    migration.execute("INSERT INTO storage.buckets (id, name) VALUES ('b', 'b')")
    migration.execute(
        "INSERT INTO storage.objects (bucket_id, name) SELECT 'b', unnest(ARRAY['z.txt', 'a/1.txt', 'a/2.txt', 'a/c/3.txt'])"
    )

    top = _rows(migration, "SELECT name, id IS NULL FROM storage.search('', 'b')")
    below = _rows(
        migration, "SELECT name, id IS NULL FROM storage.search('A/', 'b', 100, 2, 0, '', 'name', 'desc')"
    )

    assert top == [("a", True), ("z.txt", False)]
    assert below == [("c", True), ("2.txt", False), ("1.txt", False)]


def test_a_table_s_changes_are_published(migration: psycopg.Connection) -> None:
    migration.execute("CREATE TABLE messages (id int PRIMARY KEY)")
    migration.execute("ALTER PUBLICATION supabase_realtime ADD TABLE messages")

    published = (
        "SELECT schemaname || '.' || tablename FROM pg_publication_tables WHERE pubname = 'supabase_realtime'"
    )
    assert _value(migration, published) == "public.messages"


def test_a_trigger_broadcasts_changes_to_those_who_may_join(migration: psycopg.Connection) -> None:
    migration.execute("CREATE TABLE things (id int)")
    migration.execute(
        "CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM realtime.broadcast_changes("
        "'things', TG_OP, TG_OP, TG_TABLE_NAME, TG_TABLE_SCHEMA, NEW, OLD); RETURN NULL; END $$"
    )
    migration.execute("CREATE TRIGGER tell AFTER INSERT ON things FOR EACH ROW EXECUTE FUNCTION tell()")
    migration.execute(
        "CREATE POLICY listen ON realtime.messages FOR SELECT TO authenticated USING (realtime.topic() = topic)"
    )
    migration.execute("INSERT INTO things VALUES (7)")

    [(topic, event, private, payload)] = _rows(
        migration, "SELECT topic, event, private, payload FROM realtime.messages"
    )
    assert (topic, event, private) == ("things", "INSERT", True)
    assert isinstance(payload, dict)
    assert payload.pop("id")
    assert payload == {
        "record": {"id": 7},
        "old_record": None,
        "operation": "INSERT",
        "table": "things",
        "schema": "public",
    }
    for joined, seen in (("things", 1), ("others", 0)):
        with _request(migration, ANNA):
            migration.execute("SELECT set_config('realtime.topic', %s, true)", (joined,))
            assert _value(migration, "SELECT count(*) FROM realtime.messages") == seen


def test_secrets_are_kept_for_the_server_only(migration: psycopg.Connection) -> None:
    migration.execute("SELECT vault.create_secret('s3cret', 'key', 'of the shop')")

    assert _rows(migration, "SELECT name, decrypted_secret FROM vault.decrypted_secrets") == [
        ("key", "s3cret")
    ]
    with pytest.raises(psycopg.errors.InsufficientPrivilege), _request(migration, ANNA):
        migration.execute("SELECT * FROM vault.decrypted_secrets")


def test_a_webhook_is_written_down_and_not_sent(migration: psycopg.Connection) -> None:
    migration.execute("CREATE TABLE orders (id int)")
    migration.execute(
        "CREATE TRIGGER told AFTER INSERT ON orders FOR EACH ROW EXECUTE FUNCTION supabase_functions.http_request("
        "'https://example.org/hook', 'POST', '{}', '{}', '1000')"
    )
    migration.execute("INSERT INTO orders VALUES (1)")

    hooks = _rows(
        migration, "SELECT hook_table_id::regclass::text, hook_name, request_id FROM supabase_functions.hooks"
    )
    assert hooks == [("orders", "told", None)]


def test_what_is_in_extensions_needs_no_schema(migration: psycopg.Connection) -> None:
    assert _value(migration, "SHOW search_path") == '"$user", public, extensions'
    assert (
        _value(
            migration, "SELECT extnamespace::regnamespace::text FROM pg_extension WHERE extname = 'pgcrypto'"
        )
        == "extensions"
    )
    assert _value(migration, "SELECT crypt('word', gen_salt('bf', 4)) <> 'word'") is True
    migration.execute("CREATE EXTENSION IF NOT EXISTS pgcrypto WITH SCHEMA extensions")


def test_objects_belong_to_whom_they_belong_to_in_production(migration: psycopg.Connection) -> None:
    owners = _rows(
        migration,
        "SELECT nspname::text, array_agg(DISTINCT relowner::regrole::text) FROM pg_class JOIN pg_namespace"
        " ON relnamespace = pg_namespace.oid WHERE nspname IN ('auth', 'realtime', 'storage', 'supabase_functions')"
        " GROUP BY nspname ORDER BY nspname",
    )
    schemas = _rows(
        migration,
        "SELECT nspowner::regrole::text, array_agg(nspname::text ORDER BY nspname) FROM pg_namespace"
        " WHERE nspname !~ '^pg_|^public$|^information_schema$' GROUP BY nspowner ORDER BY 1",
    )

    assert owners == [
        ("auth", ["supabase_auth_admin"]),
        ("realtime", ["supabase_realtime_admin"]),
        ("storage", ["supabase_storage_admin"]),
        ("supabase_functions", ["supabase_functions_admin"]),
    ]
    assert schemas == [
        ("pgbouncer", ["pgbouncer"]),
        ("postgres", ["extensions", "supabase_migrations"]),
        (
            "supabase_admin",
            [
                "auth",
                "graphql",
                "graphql_public",
                "pgsodium",
                "realtime",
                "storage",
                "supabase_functions",
                "vault",
            ],
        ),
    ]


def test_roles_are_as_they_are_in_production(migration: psycopg.Connection) -> None:
    members = "SELECT array_agg(roleid::regrole::text ORDER BY 1) FROM pg_auth_members WHERE member = 'authenticator'::regrole"
    roles = _rows(
        migration,
        "SELECT rolname::text, rolcanlogin, rolinherit, rolbypassrls FROM pg_roles"
        " WHERE rolname IN ('anon', 'authenticated', 'authenticator', 'service_role') ORDER BY rolname",
    )

    assert _value(migration, members) == ["anon", "authenticated", "service_role"]
    assert roles == [
        ("anon", False, True, False),
        ("authenticated", False, True, False),
        ("authenticator", True, False, False),
        ("service_role", False, True, True),
    ]


def test_the_api_reads_no_passwords(migration: psycopg.Connection) -> None:
    for user in (None, ANNA):
        with pytest.raises(psycopg.errors.InsufficientPrivilege), _request(migration, user):
            migration.execute("SELECT encrypted_password FROM auth.users")


def test_two_databases_of_a_cluster_get_it_at_once(server: Server) -> None:
    with create_database(server) as one, create_database(server) as other:
        with ThreadPoolExecutor(2) as threads:
            list(threads.map(_apply, [one, other]))
        for database in (one, other):
            with database.connect() as connection:
                assert _value(connection, "SELECT to_regclass('auth.users')::text") == "auth.users"


def test_the_session_is_as_if_new(connection: psycopg.Connection) -> None:
    def session() -> tuple[dict[object, object], object]:
        settings = {name: value for name, value in _rows(connection, "SELECT name, setting FROM pg_settings")}  # noqa: C416
        return settings, _value(connection, "SELECT current_user || session_user")

    settings, user = session()
    for name in BUILT_IN:
        apply_prelude(connection, read_prelude(name, Path()))
    settings_now, user_now = session()

    # Extensions bring settings of their own.
    assert settings_now | settings == settings_now
    assert user_now == user
    assert connection.info.transaction_status is TransactionStatus.IDLE


def test_a_database_that_is_not_empty_is_refused(supabase: Database) -> None:
    with pytest.raises(ServerError) as raised:
        _apply(supabase)

    first, *_, way_out = str(raised.value).splitlines()
    assert first == 'The prelude cannot be applied: supabase: schema "auth" already exists'
    assert way_out.startswith("This prelude comes with pytest-migsafe and suits an empty database")


# A project's own file ---------------------------------------------------------------------------------------------


def test_a_file_is_found_from_the_root(tmp_path: Path, connection: psycopg.Connection) -> None:
    (tmp_path / "db").mkdir()
    # The byte order mark is no word of the first statement.
    (tmp_path / "db" / "before.sql").write_bytes("\ufeffCREATE TABLE größe (a int);".encode())

    prelude = read_prelude("db/before.sql", tmp_path)
    apply_prelude(connection, prelude)

    assert prelude == Prelude("db/before.sql", "CREATE TABLE größe (a int);")
    assert _rows(connection, "SELECT a FROM größe") == []


def test_a_file_called_like_a_built_in_prelude(tmp_path: Path) -> None:
    (tmp_path / "supabase").write_text("SELECT 1")

    assert read_prelude("./supabase", tmp_path).sql == "SELECT 1"
    assert "auth.users" in read_prelude("supabase", tmp_path).sql


@pytest.mark.parametrize(
    ("name", "first"),
    [
        (
            "supabse",
            "There is no prelude 'supabse': it is neither built in nor a file; did you mean 'supabase'?",
        ),
        ("sql/roles.sql", "There is no prelude 'sql/roles.sql': it is neither built in nor a file"),
    ],
)
def test_an_unknown_prelude(tmp_path: Path, name: str, first: str) -> None:
    with pytest.raises(SettingsError) as raised:
        read_prelude(name, tmp_path)

    assert str(raised.value).splitlines() == [
        first,
        f"Looked for: {tmp_path / name}.",
        "Built in: supabase. A file's path is relative to the project's root.",
    ]


def test_a_folder_is_no_prelude(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"^The prelude \. cannot be read: Is a directory\."):
        read_prelude(".", tmp_path)


@pytest.mark.parametrize(
    ("content", "first"),
    [
        (b"SELECT 1;\nSELECT '\xe9';", "The prelude p.sql is not UTF-8: line 2 has the byte 0xe9."),
        (b"\n\nSELECT\0 1", "The prelude p.sql has a NUL byte in line 3, which PostgreSQL takes in no text."),
    ],
)
def test_a_file_that_is_no_text(tmp_path: Path, content: bytes, first: str) -> None:
    (tmp_path / "p.sql").write_bytes(content)

    with pytest.raises(SettingsError) as raised:
        read_prelude("p.sql", tmp_path)
    assert str(raised.value).splitlines()[0] == first


@pytest.mark.parametrize(
    ("sql", "first"),
    [
        ("CREATE TABLE t ();\n-- größer\nCREATE TABEL u ();", 'p.sql:3: syntax error at or near "TABEL"'),
        ("CREATE TABLE t ();\n\nSELECT missing\nFROM t", 'p.sql:3: column "missing" does not exist'),
        ("CREATE TABLE t ();\nGRANT nobody TO postgres", 'p.sql: role "nobody" does not exist'),
        ("CREATE TABLE t ();\n\\restrict x", 'p.sql:2: syntax error at or near "\\"'),
        ("CREATE TABLE t ();\nCOPY t FROM stdin;\n\\.", 'p.sql:3: syntax error at or near "\\"'),
    ],
)
def test_what_the_server_refuses(connection: psycopg.Connection, sql: str, first: str) -> None:
    with pytest.raises(ServerError) as raised:
        apply_prelude(connection, Prelude("p.sql", sql))

    lines = str(raised.value).splitlines()
    assert lines[0] == f"The prelude cannot be applied: {first}"
    assert lines[-1].startswith("Mend the file.")
    assert _value(connection, "SELECT to_regclass('t')") is None


def test_what_the_server_adds_is_passed_on(connection: psycopg.Connection) -> None:
    sql = "DO $$ BEGIN RAISE 'no' USING DETAIL = 'why', HINT = 'do so'; END $$"

    with pytest.raises(ServerError) as raised:
        apply_prelude(connection, Prelude("p.sql", sql))

    assert str(raised.value).splitlines()[:4] == [
        "The prelude cannot be applied: p.sql: no",
        "DETAIL: why",
        "HINT: do so",
        "CONTEXT: PL/pgSQL function inline_code_block line 1 at RAISE",
    ]


def test_rows_from_stdin_cannot_come(connection: psycopg.Connection) -> None:
    with pytest.raises(ServerError, match=r"^The prelude cannot be applied: p\.sql: ") as raised:
        apply_prelude(connection, Prelude("p.sql", "CREATE TABLE t (a int);\nCOPY t FROM stdin;"))

    assert "COPY ... FROM stdin are not possible" in str(raised.value)
    assert connection.closed


def test_a_transaction_must_end(connection: psycopg.Connection) -> None:
    with pytest.raises(ServerError, match=r"^The prelude p\.sql ends in the middle of a transaction"):
        apply_prelude(connection, Prelude("p.sql", "BEGIN; CREATE TABLE t ();"))

    assert connection.info.transaction_status is TransactionStatus.IDLE
    assert _value(connection, "SELECT to_regclass('t')") is None


def test_a_file_s_own_transactions_hold(connection: psycopg.Connection) -> None:
    apply_prelude(connection, Prelude("p.sql", "BEGIN; CREATE TABLE t (); COMMIT; CREATE TABLE u ();"))

    assert _rows(connection, "SELECT to_regclass('t')::text, to_regclass('u')::text") == [("t", "u")]


def test_nothing_of_the_session_is_left(connection: psycopg.Connection) -> None:
    sql = "SET search_path TO pg_catalog; SET ROLE pg_monitor; CREATE TEMP TABLE left_over (); LISTEN c"
    session: LiteralString = (
        "SELECT current_user::text, current_setting('search_path'), to_regclass('left_over'),"
        " (SELECT count(*) FROM pg_listening_channels())"
    )
    before = _rows(connection, session)

    with pytest.raises(ServerError, match="permission denied to create role"):
        apply_prelude(connection, Prelude("p.sql", sql + "; CREATE ROLE x"))
    assert _rows(connection, session) == before
    apply_prelude(connection, Prelude("p.sql", sql))
    assert _rows(connection, session) == before


def test_a_prelude_that_ends_its_own_session(database: Database) -> None:
    with (
        database.connect() as connection,
        pytest.raises(ServerError, match=r"^The prelude cannot be applied: p\.sql: "),
    ):
        apply_prelude(connection, Prelude("p.sql", "SELECT pg_terminate_backend(pg_backend_pid())"))
