"""What the server of a rehearsal is made of: its versions, its role, what is there before, what ends with it."""

from pathlib import Path

import pytest

from pytest_migsafe.postgres.server import Server
from tests.plugin.conftest import SOUND, Project, settings

# -- several versions --------------------------------------------------------------------------------------


def test_a_history_is_rehearsed_on_several_majors_each_with_a_verdict(
    project: Project, majors: tuple[str, str]
) -> None:
    older, newer = majors
    refused = f"do $$ begin if version() like 'PostgreSQL {newer}%' then raise 'too new'; end if; end $$;"
    project.write(SOUND, {"migrations/0003_old.sql": refused})
    run = project.run(f"--migsafe-postgres={older},{newer}")

    assert run.counts == {"passed": 5, "failed": 1}
    assert project.selected(f"--migsafe-postgres={older},{newer}") == [
        f"migrations/{name}.sql::migsafe[{major}]"
        for major in majors
        for name in ("0001_users", "0002_email", "0003_old")
    ]
    assert [
        (one["place"], one["postgres"].split(".")[0], one["outcome"]) for one in run.report["migrations"]
    ] == [
        (older, older, "passed"),
        (older, older, "passed"),
        (older, older, "passed"),
        (newer, newer, "passed"),
        (newer, newer, "passed"),
        (newer, newer, "failed"),
    ]
    assert f"PostgreSQL {older}." in run.header[0]
    assert f"PostgreSQL {newer}." in run.header[0]
    assert f"FAILED migrations/0003_old.sql::migsafe[{newer}]" in run.text
    assert f"__ migrations/0003_old.sql [{newer}] __" in run.text


def test_one_of_several_can_be_selected_and_workers_share_them(
    project: Project, majors: tuple[str, str]
) -> None:
    project.write(SOUND)
    both = f"--migsafe-postgres={','.join(majors)}"

    assert project.run(both, "-k", majors[0]).counts["passed"] == 2
    assert project.run(both, "-n", "2", subprocess=True).counts == {"passed": 4}


def test_majors_that_are_missing_are_named_and_the_others_rehearsed(
    project: Project, majors: tuple[str, str]
) -> None:
    project.write(SOUND)
    run = project.run(f"--migsafe-postgres={majors[0]},97,98")

    assert run.counts == {"passed": 2}
    assert "migsafe: PostgreSQL 97, 98 not found on this machine: nothing is rehearsed on it" in run.header
    assert run.report["histories"][0]["missing_versions"] == ["97", "98"]
    # Where there is no header, the summary tells.
    quiet = project.run(f"--migsafe-postgres={majors[0]},97", "-q")
    assert "PostgreSQL 97 not found on this machine: nothing is rehearsed on it" in quiet.text.splitlines()


def test_no_major_that_is_there_ends_the_run(project: Project) -> None:
    project.write(SOUND)
    run = project.run("--migsafe-postgres=97,98")

    assert run.exit_code == 4
    assert "PostgreSQL 97 was not found." in run.errors


# -- the role ----------------------------------------------------------------------------------------------


def test_migrations_run_as_the_owner_who_is_no_superuser(project: Project) -> None:
    project.write(
        settings('role = "shop owner"'),
        {
            "migrations/0001_a.sql": (
                "create table t (id int primary key);\n"
                "create schema app create table u (id serial);\n"
                "do $$ begin if current_user <> 'shop owner' or session_user <> 'shop owner' or "
                "(select rolsuper from pg_roles where rolname = current_user) then raise 'who am I?'; end if; end $$;"
            ),
            "migrations/0002_b.sql": "alter table app.u add column x int; insert into app.u default values;\n",
            "migrations/0003_c.sql": "create table v ();\ncreate extension pg_stat_statements;\n",
        },
    )
    run = project.run()

    assert run.counts == {"passed": 2, "failed": 1}
    assert "migsafe: migrations run as shop owner" in run.header
    assert run.report["servers"][0]["role"] == "shop owner"
    assert "cannot be applied: permission denied to create extension" in run.text
    assert "migrations/0003_c.sql:2:1" in run.text
    assert [change["name"] for change in run.report["migrations"][0]["diff"]][:1]


def test_what_a_prelude_gave_the_role_it_keeps(project: Project) -> None:
    project.write(
        settings('role = "deployer"\nprelude = "db/prelude.sql"'),
        {
            "db/prelude.sql": "create role deployer; create schema crm; create table crm.people (id int primary key);\n"
            "grant usage on schema crm to deployer; grant references on crm.people to deployer;\n",
            "migrations/0001_a.sql": "create table t (person int references crm.people);\n",
            "migrations/0002_b.sql": "alter table crm.people add column x int;\n",
        },
    )
    run = project.run()

    assert run.verdicts == {"migrations/0001_a.sql": "passed", "migrations/0002_b.sql": "failed"}
    assert "must be owner of table people" in run.text
    assert "migsafe: before the first migration: prelude db/prelude.sql" in run.header


# -- preludes ----------------------------------------------------------------------------------------------


def test_a_prelude_that_cannot_be_read_or_applied_is_named(project: Project) -> None:
    project.write(SOUND, settings('prelude = ["supabas"]'))
    run = project.run()
    assert (run.exit_code, "supabas" in run.errors) == (4, True)

    project.write(settings('prelude = "pre.sql"'), {"pre.sql": "create role a;\ncreate tabel b ();\n"})
    run = project.run()
    assert run.exit_code == 1
    assert "pre.sql:2" in run.text
    assert "Traceback" not in run.text


# -- the whole cluster -------------------------------------------------------------------------------------


def test_what_a_file_changes_of_the_cluster_is_evidence_and_ends_with_the_run(project: Project) -> None:
    project.write(
        {
            "migrations/0001_a.sql": "create role shop;\ndo $$ begin create role hidden superuser; end $$;\n"
            "grant shop to hidden;\nalter role shop set statement_timeout = '5s';\n",
            "migrations/0002_b.sql": "-- no-transaction\nalter system set work_mem = '64MB';\n",
            "migrations/0003_c.sql": "-- no-transaction\ncreate database reports;\n",
            "migrations/0004_d.sql": "drop role hidden;\n",
        }
    )
    for _ in range(2):  # the second run meets nothing of the first
        run = project.run()
        assert run.counts == {"passed": 4}
    changes = [
        [(one["kind"], one["name"], one["after"]) for one in migration["cluster_changes"]]
        for migration in run.report["migrations"]
    ]
    assert changes == [
        [
            ("membership", "hidden in shop", ""),
            ("role", "hidden", "SUPERUSER NOLOGIN INHERIT"),
            ("role", "shop", "NOSUPERUSER NOLOGIN INHERIT"),
            ("setting", "of role shop", "statement_timeout=5s"),
        ],
        [("configuration", "work_mem", "64MB")],
        [("database", "reports", "OWNER postgres")],
        [("membership", "hidden in shop", None), ("role", "hidden", None)],
    ]


def test_a_migration_that_takes_our_superuser_away_does_not_end_the_run(project: Project) -> None:
    project.write(
        {
            "migrations/0001_a.sql": "alter role postgres nosuperuser;\n",
            "migrations/0002_b.sql": "create table t (id int primary key);\n",
            "migrations/0003_c.sql": "create view v as select id from t;\n",
            "migrations/0004_d.sql": "create role x superuser;\n",
        }
    )
    for args in ((), ("-k", "0003")):
        run = project.run(*args)
        assert "failed" not in [run.verdicts[path] for path in run.verdicts if not path.endswith("d.sql")]
        assert run.counts["passed"] == (1 if args else 3)
    assert project.run().verdicts["migrations/0004_d.sql"] == "failed"


# -- time --------------------------------------------------------------------------------------------------


def test_a_file_that_never_ends_is_given_up_whatever_timeouts_it_sets(project: Project) -> None:
    project.write(
        settings('file_timeout = "1s"'),
        {
            "migrations/0001_a.sql": "create table t ();\n",
            "migrations/0002_b.sql": "set statement_timeout = 0;\nselect pg_sleep(3600);\n",
            "migrations/0003_c.sql": "create table u ();\n",
        },
    )
    run = project.run()

    assert list(run.verdicts.values()) == ["passed", "failed", "blocked"]
    assert "cannot be applied: the file is not done after 1 s, and was given up (57014)" in run.text
    assert "migrations/0002_b.sql:2:1" in run.text


def test_a_file_without_a_transaction_is_given_up_as_well(project: Project) -> None:
    project.write(
        settings('file_timeout = "1s"'),
        {"migrations/0001_a.sql": "-- no-transaction\nset statement_timeout = 0;\nselect pg_sleep(3600);\n"},
    )
    assert "the file is not done after 1 s" in project.run().text


def test_a_statement_that_takes_longer_than_its_limit_fails(project: Project) -> None:
    project.write(
        settings('statement_timeout = "300ms"'), {"migrations/0001_a.sql": "select pg_sleep(30);\n"}
    )
    run = project.run()

    assert run.counts == {"failed": 1}
    assert "canceling statement due to statement timeout" in run.text


# -- several histories -------------------------------------------------------------------------------------

SHOP_AND_BILLING = {
    "shop/migrations/0001_a.sql": "create table users ();\n",
    "billing/sql/0001_a.up.sql": "create table users ();\ndo $$ begin if current_user <> 'biller' then raise 'who?'; end if; end $$;\n",
    "pyproject.toml": (
        "[tool.migsafe]\nlock_timeout = '3s'\n"
        "[[tool.migsafe.history]]\npath = 'shop/migrations'\n"
        "[[tool.migsafe.history]]\npath = 'billing/sql'\nrole = 'biller'\nlayout = 'golang-migrate'\n"
    ),
}


def test_each_history_has_settings_of_its_own(project: Project) -> None:
    project.write(SHOP_AND_BILLING)
    run = project.run()

    assert run.counts == {"passed": 2}
    assert [(one["root"], one["layout"]) for one in run.report["histories"]] == [
        ("shop/migrations", "flat"),
        ("billing/sql", "golang-migrate"),
    ]


@pytest.mark.parametrize("named", ["billing", "billing/sql", "billing/sql/0001_a.up.sql"])
def test_a_history_has_its_settings_however_it_is_named(project: Project, named: str) -> None:
    project.write(SHOP_AND_BILLING)

    assert project.run(named).verdicts == {"billing/sql/0001_a.up.sql": "passed"}


# -- versions ----------------------------------------------------------------------------------------------


def test_two_files_of_one_version_fail_where_the_runner_would(project: Project) -> None:
    project.write(
        {
            "migrations/0001_a.up.sql": "create table t ();",
            "migrations/0002_b.up.sql": "create table u ();",
            "migrations/0002_c.up.sql": "create table v ();",
        }
    )
    run = project.run()

    assert list(run.verdicts.values()) == ["passed", "failed", "failed"]
    assert "migrations/0002_c.up.sql has the same version: its runner ends with an error" in run.text


def test_what_lies_in_the_folder_and_is_no_migration_is_told(project: Project) -> None:
    project.write(
        {
            f"migrations/{name}": "select 1;"
            for name in (
                "0001_a.sql",
                "0002_b.sql",
                "0005_c.sql",
                "data.sql",
                "0004_gone.down.sql",
                "0003_x.py",
            )
        }
    )
    assert project.run().header[1:] == [
        "migsafe: programs, which only their runner can run, so not rehearsed: 0003_x.py",
        "migsafe: down files without their migration: 0004_gone.down.sql",
        "migsafe: not migrations in this layout: data.sql",
        "migsafe: numbers are missing in the sequence: 3, 4",
    ]


def test_a_tablespace_is_made_whatever_disks_production_has(project: Project) -> None:
    project.write(
        {
            "migrations/0001_a.sql": (
                "-- no-transaction\ncreate tablespace \"location\" location '/mnt/nvme/fast';\n"
                'create table t (id int) tablespace "location";\n'
            ),
            "migrations/0002_b.sql": "create table u (id int) tablespace nowhere;\n",
        }
    )
    run = project.run()

    assert run.counts == {"passed": 1, "failed": 1}
    assert run.report["migrations"][0]["cluster_changes"] == [
        {"kind": "tablespace", "name": "location", "before": None, "after": "OWNER postgres"}
    ]
    assert [(one["line"], one["text"]) for one in run.report["migrations"][0]["left_out"]] == [
        (2, "'/mnt/nvme/fast'")
    ]
    assert "migrations/0002_b.sql:1:1" in run.text


def test_a_collation_of_icu_is_made_whether_the_server_is_built_with_icu_or_not(
    project: Project, bindir: Path, server: Server
) -> None:
    definition = "(provider = icu, locale = 'und-u-ks-level2', deterministic = false)"
    project.write(
        {
            "migrations/0001_a.sql": f"create collation insensitive {definition};\n",
            "migrations/0002_b.sql": "create table t (name text collate insensitive unique);\n",
            "migrations/0003_c.sql": 'create table u (name text collate "qq-x-icu");\n',
        }
    )
    run = project.run(f"--migsafe-bindir={bindir}")
    left_out = run.report["migrations"][0]["left_out"]
    said = (
        "made without ICU, which the throwaway server lacks, so it compares bytes: "
        f"migrations/0001_a.sql:1: {definition}"
    )

    assert run.counts == {"passed": 2, "failed": 1}
    assert [(one["reason"], one["text"]) for one in left_out] == (
        [] if server.has_icu else [("icu", definition)]
    )
    assert (said in run.text) is not server.has_icu
    assert 'collation "qq-x-icu" for encoding "UTF8" does not exist' in run.text


# -- stubs -------------------------------------------------------------------------------------------------

USES_A_STUB = {
    "pyproject.toml": "[tool.migsafe.extensions]\nnotthere = 'stubs/notthere.sql'\nunused = 'stubs/unused.sql'\n",
    "stubs/notthere.sql": (
        "create access method shaky type index handler hashhandler;\n"
        "create operator class int_ops default for type int using shaky as function 1 hashint4(int);\n"
    ),
    "stubs/unused.sql": "create function unused() returns int language sql return 1;\n",
    "migrations/0001_a.sql": "create extension notthere;\n",
    "migrations/0002_b.sql": "create table t (a int);\ncreate index i on t using shaky (a) with (lists = 7);\n",
}


def test_what_is_only_a_stub_is_said_in_header_and_reports(project: Project) -> None:
    project.write(USES_A_STUB)
    run = project.run()

    assert run.counts == {"passed": 2}
    assert "migsafe: only stubs of extensions: notthere" in run.header
    assert "only stubs of extensions, not the extensions themselves: notthere" in run.lines
    assert "left out, for its extension is a stub: migrations/0002_b.sql:2: with (lists = 7)" in run.lines
    assert [one["stubbed"] for one in run.report["migrations"]] == [["notthere"], ["notthere"]]


USES_SUPABASE = {
    "supabase/config.toml": 'project_id = "shop"\n',
    "supabase/migrations/20250101000000_extensions.sql": (
        "create extension if not exists vector with schema extensions;\n"
        'create extension "pg_cron" with schema pg_catalog;\n'
        "create extension pg_net;\n"
        "create table chunks (id int primary key, embedding extensions.vector(384));\n"
        "alter table chunks enable row level security;\n"
        "create policy everybodys on chunks for select using (true);\n"
        "select cron.schedule('ping', '* * * * *', $$select net.http_get('https://example.org')$$);\n"
    ),
}


def test_a_supabase_project_finds_the_extensions_of_its_platform_as_stubs(project: Project) -> None:
    project.write(USES_SUPABASE)
    run = project.run()

    assert run.counts == {"passed": 1}
    [said] = [line for line in run.header if line.startswith("migsafe: only stubs of extensions: ")]
    named = said.removeprefix("migsafe: only stubs of extensions: ").split(", ")
    # `http` stands in the file, but not as an extension.
    assert {"vector", "pg_cron", "pg_net", "supabase_vault"} <= set(named)
    assert not {"http", "pgmq", "pgsodium"} & set(named)


def test_a_supabase_project_without_extensions_is_told_of_those_that_the_platform_makes(
    project: Project,
) -> None:
    project.write(
        USES_SUPABASE,
        {
            "supabase/migrations/20250101000000_extensions.sql": "create table t (a int);\nalter table t enable row level security;\n"
        },
    )
    run = project.run()

    [said] = [line for line in run.header if line.startswith("migsafe: only stubs of extensions: ")]
    named = said.removeprefix("migsafe: only stubs of extensions: ").split(", ")
    assert {"pgjwt", "supabase_vault"} <= set(named)
    # 'VECTOR', a kind of bucket in the prelude, is no extension.
    assert "vector" not in named


def test_a_projects_own_stub_goes_before_the_platforms(project: Project) -> None:
    project.write(
        USES_SUPABASE,
        {
            "pyproject.toml": "[tool.migsafe.extensions]\nvector = 'vector.sql'\n",
            "vector.sql": "create domain vector as text;\n",
        },
    )
    run = project.run()

    assert run.counts == {"failed": 1}
    assert 'type modifier is not allowed for type "extensions.vector"' in run.text


def test_a_stub_that_the_server_refuses_is_named_with_its_file(project: Project) -> None:
    project.write(USES_A_STUB, {"stubs/notthere.sql": "create type missing (input = nowhere);\n"})
    run = project.run()

    assert run.exit_code == 1
    assert "stubs/notthere.sql" in run.text
    assert "Traceback" not in run.text


def test_a_file_is_not_told_to_have_changed_what_another_had(project: Project) -> None:
    """The second file was said to have set ``work_mem``, and the third to have done nothing."""
    project.write(
        {
            "migrations/0001_a.sql": "-- no-transaction\nalter system set work_mem = '64MB';\n",
            "migrations/0002_b.sql": "-- no-transaction\nalter system set lock_timeout = '3s';\n",
            "migrations/0003_c.sql": "-- no-transaction\nalter system reset work_mem;\n",
        }
    )
    changes = [
        [(one["name"], one["before"], one["after"]) for one in migration["cluster_changes"]]
        for migration in project.run().report["migrations"]
    ]
    assert changes == [
        [("work_mem", None, "64MB")],
        [("lock_timeout", None, "3s")],
        [("work_mem", "64MB", None)],
    ]


def test_verbose_output_has_what_a_file_changes_of_the_cluster(project: Project) -> None:
    project.write(
        {
            "migrations/0001_a.sql": "create role shop;\n",
            "migrations/0002_b.sql": "alter role shop login;\n",
            "migrations/0003_c.sql": "drop role shop;\ncreate table t ();\n",
        }
    )
    lines = project.run("-v").lines
    start = lines.index("============================ migsafe schema changes ============================")

    assert lines[start + 1 : start + 8] == [
        "migrations/0001_a.sql",
        "  + role shop (NOSUPERUSER NOLOGIN INHERIT)",
        "migrations/0002_b.sql",
        "  ~ role shop: NOSUPERUSER NOLOGIN INHERIT -> NOSUPERUSER LOGIN INHERIT",
        "migrations/0003_c.sql",
        "  + table public.t",
        "  - role shop",
    ]
