"""How a server that is already there is named, and what is not done on it: a flag, a variable, a setting, a fixture."""

import pytest
from psycopg import sql

from tests.plugin.conftest import SOUND, Project, settings
from tests.service import PASSWORD, Service

ROLES = {
    "migrations/0001_roles.sql": (
        "create table notes (id int primary key, title text);\n"
        "create role shop_reader;\n"
        "alter role shop_reader set statement_timeout = '5s';\n"
        "create index on notes (title);\n"
    ),
    "migrations/0002_more.sql": "alter table notes add column body text;\n",
}


def roles(service: Service) -> list[str]:
    with service.owner.connect(user=service.owner.administrator) as connection:
        rows = connection.execute(
            "SELECT rolname FROM pg_roles WHERE rolname LIKE 'shop%' ORDER BY 1"
        ).fetchall()
    return [name for (name,) in rows]


def test_a_flag_names_a_server_on_which_only_a_database_of_ours_comes_and_goes(
    project: Project, service: Service
) -> None:
    project.write(SOUND)
    before = service.databases()
    run = project.run(f"--migsafe-dsn={service.uri()}")

    assert (run.exit_code, run.counts) == (0, {"passed": 2})
    assert service.databases() == before
    assert run.report["server"]["source"] == "given"
    assert "2 migrations in migrations (flat layout)" in run.header[0]


def test_the_variable_and_the_setting_name_one_too(
    project: Project, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.write(SOUND, settings(f"dsn = '{service.uri()}'"))
    assert project.run().report["server"]["source"] == "given"
    # A flag that asks for programs asks for a server of our own.
    assert project.run(f"--migsafe-postgres={service.owner.major}").report["server"]["source"] != "given"

    project.write(settings(""))
    monkeypatch.setenv("MIGSAFE_DSN", service.uri())
    assert project.run().report["server"]["source"] == "given"


def test_a_server_that_cannot_be_reached_ends_the_run_before_it_begins(project: Project) -> None:
    project.write(SOUND)
    run = project.run("--migsafe-dsn=postgresql://ci:secret@127.0.0.1:1/app")

    assert run.exit_code == 4
    assert "127.0.0.1:1" in run.errors
    assert "secret" not in run.text + run.errors
    assert "Traceback" not in run.errors


def test_cluster_wide_statements_are_left_out_and_reported(project: Project, service: Service) -> None:
    project.write(ROLES)
    run = project.run(f"--migsafe-dsn={service.uri('boss')}")

    assert (run.exit_code, run.counts) == (0, {"passed": 2})
    assert roles(service) == []
    first = run.report["migrations"][0]
    assert [(one["line"], one["changes"]) for one in first["left_out"]] == [
        (2, "roles"),
        (3, "roles' settings"),
    ]
    assert [one["rule"] for one in first["findings"]] == ["cluster-wide-not-run"] * 2
    assert [one["text"] for one in first["statements"]] == [
        "create table notes (id int primary key, title text)",
        "create index on notes (title)",
    ]
    assert "not run, for it changes roles of a server that is not ours" in run.text
    # What needs the role is told why it is not there.
    project.write({"migrations/0003_grant.sql": "grant select on notes to shop_reader;\n"})
    run = project.run(f"--migsafe-dsn={service.uri('boss')}")
    assert run.counts == {"passed": 2, "failed": 1}
    assert "What creates roles is left out, for the server is not ours." in run.text
    assert "A throwaway server has no roles" not in run.text


def test_what_a_do_block_hides_is_found_before_it_is_applied(project: Project, service: Service) -> None:
    project.write({"migrations/0001_a.sql": "do $$ begin create role shop_hidden; end $$;\n"})
    run = project.run(f"--migsafe-dsn={service.uri('boss')}")

    assert run.exit_code == 1
    assert roles(service) == []
    assert (
        "changes more than its database (role shop_hidden), on a server that is not ours: not applied"
        in run.text
    )
    assert "cluster_wide = true" in run.text


def test_cluster_wide_statements_run_where_that_is_allowed(project: Project, service: Service) -> None:
    project.write(ROLES, settings("cluster_wide = true"))
    try:
        run = project.run(f"--migsafe-dsn={service.uri('boss')}")
        assert (run.exit_code, roles(service)) == (0, ["shop_reader"])
        assert run.report["migrations"][0]["left_out"] == []
    finally:
        service.run("DROP ROLE IF EXISTS shop_reader")


def test_a_role_that_may_little_says_what_it_cannot(project: Project, service: Service) -> None:
    project.write(SOUND, {"migrations/0003_ext.sql": "create extension pg_stat_statements;\n"})
    run = project.run(f"--migsafe-dsn={service.uri()}")

    assert run.counts == {"passed": 2, "failed": 1}
    assert any("superuser" in line for line in run.header)
    assert "permission denied to create extension" in run.text


@pytest.mark.parametrize("fixture", ["postgresql_noproc", "theirs"])
def test_a_fixture_of_pytest_postgresql_can_name_the_server(
    project: Project, service: Service, fixture: str
) -> None:
    project.write(
        SOUND,
        settings(f"server_fixture = '{fixture}'"),
        {
            "conftest.py": (
                "from pytest_postgresql import factories\n"
                f"{fixture} = factories.postgresql_noproc(host={service.address!r}, port={service.owner.port}, "
                f"user='ci', password={PASSWORD!r}, dbname='app')\n"
            )
        },
    )
    before = service.databases()
    run = project.run()

    assert (run.exit_code, run.counts) == (0, {"passed": 2}), run.text
    assert f"the server of the fixture {fixture}, 2 migrations" in run.header[0]
    assert {one["postgres"] for one in run.report["migrations"]} == {service.owner.version}
    assert service.databases() == before


@pytest.mark.parametrize(
    ("conftest", "said"),
    [
        ("", "There is no fixture my_server."),
        ("def my_server(nowhere): pass", "There is no fixture nowhere, which my_server asks for."),
        (
            "def my_server(): return 'host=db'",
            "The fixture my_server gives no server: str has no host, port, user, password, maintenance_dbname, options.",
        ),
        (
            "def my_server(): pytest.skip('no docker here')",
            "The fixture my_server gives no server, it was skipped: no docker here",
        ),
        ("def my_server(): raise OSError('no disk')", "The fixture my_server failed: OSError: no disk"),
    ],
)
@pytest.mark.parametrize("workers", [[], ["-n1"]], ids=["alone", "xdist"])
def test_a_fixture_that_gives_no_server_fails_the_run_and_says_why(
    project: Project, conftest: str, said: str, workers: list[str]
) -> None:
    fixture = f'import pytest\n\n@pytest.fixture(scope="session")\n{conftest}\n' if conftest else ""
    project.write(SOUND, settings("server_fixture = 'my_server'"), {"conftest.py": fixture})

    run = project.run(*workers)

    assert (run.exit_code, run.counts) == (1, {"failed": 2})
    assert said in run.text.splitlines()
    assert f"no server to rehearse on: {said}" in run.text.splitlines()
    assert "pytest_migsafe/session.py" not in run.text


def test_statements_for_another_database_by_name_do_not_reach_it(project: Project, service: Service) -> None:
    service.run("CREATE DATABASE app_production")
    try:
        project.write(
            {
                "migrations/0001_a.sql": "alter database app_production set timezone = 'Asia/Tokyo';\nselect 1;\n"
            }
        )
        run = project.run(f"--migsafe-dsn={service.uri('boss')}")
        with service.owner.connect(user=service.owner.administrator) as connection:
            query = sql.SQL(
                "SELECT count(*) FROM pg_db_role_setting JOIN pg_database d ON d.oid = setdatabase "
                "WHERE datname = 'app_production'"
            )
            assert connection.execute(query).fetchone() == (0,)
        assert run.counts == {"passed": 1}
    finally:
        service.run("DROP DATABASE app_production")


def test_migrations_run_as_a_role_that_ours_is_a_member_of(project: Project, service: Service) -> None:
    service.run("GRANT app_owner TO ci")
    try:
        project.write(
            settings("role = 'app_owner'"),
            {
                "migrations/0001_a.sql": (
                    "create table notes (id int primary key, title text);\n"
                    "do $$ begin if current_user <> 'app_owner' then raise 'who am I?'; end if; end $$;\n"
                ),
                "migrations/0002_b.sql": "alter table notes add column body text;\n",
            },
        )
        before = service.databases()
        run = project.run(f"--migsafe-dsn={service.uri()}")

        assert run.counts == {"passed": 2}
        assert service.databases() == before
    finally:
        service.run("REVOKE app_owner FROM ci")
