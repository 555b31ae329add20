"""A server that is somebody else's is used as its owner would wish, and never tells its password."""

import dataclasses
import json
import pickle
import shutil
import subprocess
import tempfile
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from pytest_postgresql.executors import NoopExecutor

from pytest_migsafe.errors import MigsafeError, ServerError, SettingsError
from pytest_migsafe.postgres.account import server_account
from pytest_migsafe.postgres.given import given_server, server_of_executor
from pytest_migsafe.postgres.reach import check_dsn
from pytest_migsafe.postgres.server import Server
from tests.service import PASSWORD, Service

#: Nobody listens there.
_NOWHERE = "127.53.21.8"


def _told(error: BaseException) -> str:
    """Return everything that is ever shown of an error, its causes and their variables' text too."""
    text = "".join(traceback.format_exception(error))
    chain: BaseException | None = error
    while chain is not None:
        text += f"{chain!s}{chain!r}"
        chain = chain.__cause__ or chain.__context__
    return text


def _shows_no_secret(text: str) -> bool:
    pieces = [PASSWORD, "s3cret", "p@ss", "w%rd", "ss/w"]
    return not any(piece in text for piece in pieces)


def _refused(dsn: str) -> list[str]:
    with pytest.raises(ServerError) as caught:
        given_server(dsn)
    assert _shows_no_secret(_told(caught.value))
    return str(caught.value).splitlines()


def _role(server: Server, **options: str) -> object:
    with server.connect(options=options) as connection:
        row = connection.execute("SELECT session_user::text").fetchone()
    assert row is not None
    return row[0]


# -- reaching it -------------------------------------------------------------------------------------------


def test_a_given_server_is_known_by_its_dsn(service: Service) -> None:
    server = given_server(service.uri())

    assert (server.version, server.major) == (service.owner.version, service.owner.major)
    assert (server.source, server.is_ours, server.log, server.log_tail()) == ("given", False, "", "")
    assert (server.host, server.port) == (service.address, service.owner.port)
    assert (server.role, server.administrator, server.maintenance_dbname) == ("ci", "ci", "app")
    with server.connect() as connection:
        row = connection.execute(
            "SELECT session_user::text, current_database(), current_setting('application_name'),"
            " current_setting('client_encoding'), current_setting('lock_timeout')"
        ).fetchone()
    assert row == ("ci", "app", "pytest-migsafe", "UTF8", "30s")


def test_its_description_travels_and_its_password_is_not_shown(service: Service) -> None:
    server = given_server(service.uri())

    assert pickle.loads(pickle.dumps(server)) == server  # noqa: S301  # our own
    assert Server(**json.loads(json.dumps(dataclasses.asdict(server)))) == server
    assert _shows_no_secret(repr(server) + str(server) + "".join(server.limits))


def test_libpqs_environment_counts(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "PGHOST": service.address,
        "PGUSER": "ci",
        "PGPASSWORD": PASSWORD,
        "PGDATABASE": "app",
        "PGOPTIONS": "-c work_mem=7MB",
    }.items():
        monkeypatch.setenv(name, value)
    server = given_server("")

    assert (server.host, server.role, server.maintenance_dbname) == (service.address, "ci", "app")
    assert PASSWORD not in server.conninfo  # it stays where it was
    with server.connect(options={"lock_timeout": "5s"}) as connection:
        shown = [connection.execute(f"SHOW {name}").fetchone() for name in ("work_mem", "lock_timeout")]
    assert shown == [("7MB",), ("5s",)]


def test_a_password_file_and_a_service_file_count(
    service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    escaped = PASSWORD.replace("\\", "\\\\").replace(":", "\\:")
    (tmp_path / "pass").write_text(f"*:*:*:ci:{escaped}\n", encoding="utf-8")
    (tmp_path / "pass").chmod(0o600)
    (tmp_path / "services").write_text(f"[tests]\nhost={service.address}\nuser=ci\ndbname=app\n")
    monkeypatch.setenv("PGSERVICEFILE", str(tmp_path / "services"))
    server = given_server(f"service=tests passfile={tmp_path / 'pass'}")

    assert (server.host, server.maintenance_dbname, _role(server)) == (service.address, "app", "ci")


def test_a_unix_socket_will_do_and_the_database_is_postgres(service: Service) -> None:
    server = given_server(f"host='{service.owner.host}' user=ci")

    assert (server.host, server.maintenance_dbname, _role(server)) == (service.owner.host, "postgres", "ci")


def test_of_several_hosts_the_one_that_answers_is_kept(service: Service) -> None:
    dsn = f"host={_NOWHERE},{service.address} port=5432 user=ci dbname=app"
    server = given_server(psycopg.conninfo.make_conninfo(dsn, password=PASSWORD))

    assert (server.host, server.port) == (service.address, 5432)


def test_the_dsns_own_settings_stay_below_ours(service: Service) -> None:
    server = given_server(
        service.uri(more="?options=-c%20work_mem%3D7MB%20-c%20lock_timeout%3D1s&sslmode=prefer")
    )

    assert "sslmode=prefer" in server.dsn()
    with server.connect() as connection:
        shown = [connection.execute(f"SHOW {name}").fetchone() for name in ("work_mem", "lock_timeout")]
    assert shown == [("7MB",), ("30s",)]


def test_another_role_does_not_get_the_password(service: Service) -> None:
    server = given_server(service.uri())

    assert "password" not in server.dsn(user="app_owner")
    with pytest.raises(ServerError, match="no password supplied"):
        server.connect(user="app_owner")


# -- what is wrong with a connection string ----------------------------------------------------------------


@pytest.mark.parametrize(
    "dsn",
    [
        "postgresql://ci:s3cret@w%rd@host/app",
        "postgresql://ci:p@ss@host/app",
        "postgresql://ci:s3cret/x@host/app",
        "postgresql://ci:12/s3cret@host/app",
        "postgresql://ci:s3cret%zz@host/app",
        "postgresql://ci@host/app?s3cret=1",
        "postgresql://ci@host/app?pasword=s3cret",
        "host=h password=s3cret p@ss",
        "host=h password='s3cret",
        "s3cret",
        'host=h "s3cret"',
        "postgresql://ci:x@[s3cret/app",
    ],
)
def test_a_wrong_dsn_is_a_usage_error_that_quotes_nothing(dsn: str) -> None:
    with pytest.raises(SettingsError) as caught:
        check_dsn(dsn)

    assert str(caught.value).startswith(("the DSN is not a connection string: ", "the DSN's host, port"))
    assert "%40" in str(caught.value).splitlines()[1]
    assert _shows_no_secret(str(caught.value))
    assert caught.value.__context__ is None
    with pytest.raises(SettingsError):
        given_server(dsn)


@pytest.mark.parametrize(
    "dsn", ["", "postgresql://", "dbname=a@b", "postgres://a,b:5433/c?sslmode=require", "port=1,2"]
)
def test_a_right_dsn_is_let_pass(dsn: str) -> None:
    check_dsn(dsn)


# -- refusals ----------------------------------------------------------------------------------------------


def test_nobody_answers() -> None:
    first, *way_out = _refused(f"postgresql://ci:s3cret@{_NOWHERE}:5432/app")

    assert first.startswith(f"The server at {_NOWHERE}:5432 cannot be used: ")
    assert "Connection refused" in first
    assert first.endswith("(database app, role ci).")
    assert "health check" in way_out[0]


def test_a_wrong_password(service: Service) -> None:
    first, *way_out = _refused(service.uri(password=f"not {PASSWORD}"))

    assert 'password authentication failed for user "ci"' in first
    assert "PGPASSWORD" in way_out[0]


def test_no_password(service: Service) -> None:
    first, *way_out = _refused(service.uri(password=None))

    assert "no password supplied" in first
    assert way_out[0].startswith("Set PGPASSWORD")


def test_a_wrong_password_later_on(service: Service) -> None:
    server = given_server(service.uri())
    stale = dataclasses.replace(server, conninfo=server.conninfo.replace("s3cret", "s3crets"))

    with pytest.raises(ServerError, match="password authentication failed") as caught:
        stale.connect()
    assert _shows_no_secret(_told(caught.value))


def test_a_database_that_is_not_there(service: Service) -> None:
    first, *_ = _refused(service.uri(database="nowhere"))

    assert 'database "nowhere" does not exist' in first


def test_a_role_that_may_not_make_databases(service: Service) -> None:
    first, *way_out = _refused(service.uri("guest"))

    assert first == f"The server at {service.address}:5432 cannot be used: role guest may not make databases."
    assert way_out == ["ALTER ROLE guest CREATEDB, or name another role in the DSN."]


def test_a_role_that_may_only_read(service: Service) -> None:
    service.run("ALTER ROLE ci SET default_transaction_read_only = on")
    try:
        first, *way_out = _refused(service.uri())
    finally:
        service.run("ALTER ROLE ci RESET default_transaction_read_only")

    assert first.endswith("sessions of role ci are read-only.")
    assert "RESET default_transaction_read_only" in way_out[0]


def test_a_standby(service: Service) -> None:
    with _standby(service.owner) as conninfo:
        first, *way_out = _refused(conninfo)

    assert first.endswith("cannot be used: it is a standby, where nothing can be made.")
    assert "target_session_attrs=read-write" in way_out[0]


@contextmanager
def _standby(primary: Server) -> Iterator[str]:
    """Run a copy of a server's cluster as a standby that waits for more to recover."""
    account = server_account()
    directory = Path(tempfile.mkdtemp(prefix="migsafe-standby-"))
    account.own(directory)
    data = directory / "data"
    with primary.connect(user=primary.administrator) as connection:
        connection.execute("CHECKPOINT")
        row = connection.execute(
            "SELECT current_setting('data_directory'), pg_read_file('postmaster.opts')"
        ).fetchone()
    assert row is not None
    account.run(["cp", "-pR", row[0], str(data)], cwd=directory)
    (data / "postmaster.pid").unlink()
    (data / "standby.signal").touch()
    settings = {"unix_socket_directories": str(directory), "listen_addresses": "", "port": "5432"}
    settings |= {
        "max_connections": "100",
        "max_prepared_transactions": "2",
        "max_locks_per_transaction": "256",
    }
    arguments = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    process = subprocess.Popen(
        [row[1].split()[0], "-D", str(data), *arguments],
        cwd=data,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        **account.popen_arguments,
    )
    try:
        conninfo = f"host={directory} port=5432 user=boss dbname=postgres"
        _wait_for(conninfo)
        yield conninfo
    finally:
        process.kill()
        process.wait()
        shutil.rmtree(directory)


def _wait_for(conninfo: str) -> None:
    deadline = time.monotonic() + 20
    while True:
        try:
            psycopg.connect(conninfo).close()
        except psycopg.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)
        else:
            return


@pytest.mark.skipif(shutil.which("pgbouncer") is None, reason="pgbouncer is not installed")
@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ("pool_mode = transaction\nignore_startup_parameters = options", "one session to several clients"),
        ("pool_mode = transaction", "unsupported startup parameter"),
        ("pool_mode = session\nignore_startup_parameters = options", ""),
    ],
    ids=["transaction", "without options", "session"],
)
def test_a_pooler_is_refused_unless_it_pools_sessions(service: Service, settings: str, said: str) -> None:
    with _pooler(service, settings) as conninfo:
        if not said:
            assert _role(given_server(conninfo)) == "boss"
            return
        first, *way_out = _refused(conninfo)

    assert said in first
    assert "Name the server behind" in way_out[0] or "name the server behind" in way_out[0]


@contextmanager
def _pooler(service: Service, settings: str) -> Iterator[str]:
    account = server_account()
    directory = Path(tempfile.mkdtemp(prefix="migsafe-pooler-"))
    account.own(directory)
    (directory / "users.txt").write_text('"boss" ""\n')
    (directory / "pgbouncer.ini").write_text(
        f"[databases]\n* = user=boss host={service.owner.host} port={service.owner.port}\n"
        f"[pgbouncer]\nunix_socket_dir = {directory}\nlisten_port = 6432\nauth_type = any\n"
        f"auth_file = {directory}/users.txt\n{settings}\n"
    )
    program = shutil.which("pgbouncer")
    assert program is not None
    process = subprocess.Popen(
        [program, str(directory / "pgbouncer.ini")],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        **account.popen_arguments,
    )
    conninfo = f"host={directory} port=6432 user=boss dbname=postgres"
    try:
        _wait_for(conninfo)
        yield conninfo
    finally:
        process.kill()
        process.wait()
        shutil.rmtree(directory)


def test_a_server_that_goes_away_is_named(service: Service) -> None:
    server = given_server(service.uri())
    with server.connect() as connection:
        service.run(f"SELECT pg_terminate_backend({connection.info.backend_pid})")
        with pytest.raises(psycopg.OperationalError) as caught:
            connection.execute("SELECT 1")

    first, *way_out = str(server.lost(caught.value)).splitlines()
    assert first.startswith(f"The server at {service.address}:5432 went away: terminating connection due to")
    assert "Its log tells why" in way_out[0]
    assert "throwaway server" in str(service.owner.lost(caught.value))


# -- what its role cannot do -------------------------------------------------------------------------------


def test_a_restricted_role_is_told_what_it_cannot_do(service: Service) -> None:
    limits = given_server(service.uri()).limits

    assert [limit.partition(":")[0] for limit in limits] == [
        "role ci is no superuser",
        "sequences that role ci has no UPDATE privilege on are not put back after a rehearsal",
        "role ci lacks CREATEROLE",
    ]


def test_a_superuser_can_do_everything(service: Service) -> None:
    assert given_server(service.uri("boss")).limits == ()


def test_settings_that_hide_evidence_are_told(service: Service) -> None:
    service.run("ALTER ROLE boss SET track_counts = off")
    try:
        (limit,) = given_server(service.uri("boss")).limits
    finally:
        service.run("ALTER ROLE boss RESET track_counts")
    assert limit.startswith("track_counts is off: ")


# -- pytest-postgresql's fixtures --------------------------------------------------------------------------


def test_the_server_of_postgresql_noproc_is_a_given_one(service: Service) -> None:
    executor = NoopExecutor(
        host=service.address,
        port="5432",
        user="ci",
        password=PASSWORD,
        options="-c work_mem=7MB",
        dbname="tests",  # which is not there
        maintenance_dbname="app",
    )
    server = server_of_executor(executor)

    assert (server.role, server.maintenance_dbname, server.is_ours) == ("ci", "app", False)
    with server.connect() as connection:
        assert connection.execute("SHOW work_mem").fetchone() == ("7MB",)


def test_an_executors_password_is_not_shown(service: Service) -> None:
    executor = NoopExecutor(service.address, 5432, "ci", "", "tests", password="s3cret wrong")  # noqa: S106  # that is what it tests

    with pytest.raises(MigsafeError) as caught:
        server_of_executor(executor)
    assert _shows_no_secret(_told(caught.value))
