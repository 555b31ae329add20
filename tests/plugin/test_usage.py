"""What a user gets wrong, what is not there, and that nothing happens unless it is asked for."""

import json
from pathlib import Path

import pytest

from tests.plugin.conftest import A_TEST, SOUND, Project


def _refused(project: Project, *args: str) -> str:
    """Return the one line of a usage error."""
    result = project.pytest("--migsafe", *args)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    errors = [line for line in result.errlines if line.strip()]
    assert len(errors) == 1, errors
    assert errors[0].startswith("ERROR: ")
    return errors[0].removeprefix("ERROR: ")


@pytest.mark.parametrize(
    ("setting", "error"),
    [
        ("migration = 'migrations'", "unknown setting 'migration'; did you mean 'migrations'?"),
        ("migrations = 'migration'", "there is no 'migration'; did you mean 'migrations'?"),
        ("migrations = 'tests'", "there are no migrations in"),
        ("migrations = 5", "[tool.migsafe] migrations: expected text"),
        ("layout = 'deisel'", "'deisel' is none of its values; did you mean 'diesel'?"),
        ("postgres = 9", "'9' is no supported major version; 14 or later"),
        ("statement_timeout = 'soon'", "'soon' is no duration"),
        ("rules = {aply-error = 'warning'}", "unknown rule 'aply-error'; did you mean 'apply-error'?"),
        ("rules = {apply-error = 'warn'}", "'warn' is none of its values; did you mean 'warning'?"),
    ],
)
def test_a_wrong_setting_is_one_line_with_a_suggestion(project: Project, setting: str, error: str) -> None:
    project.write(SOUND, A_TEST, {"pyproject.toml": f"[tool.migsafe]\n{setting}\n"})
    assert error in _refused(project)


@pytest.mark.parametrize(
    ("args", "error"),
    [
        (["migratoins"], "file or directory not found: migratoins; did you mean 'migrations'?"),
        (["migrations/0001_user.sql"], "did you mean 'migrations/0001_users.sql'?"),
        (["migrations/0001_user.sql::migsafe"], "did you mean 'migrations/0001_users.sql'?"),
        (["migrations/0001_users.down.sql"], "0001_users.down.sql in "),
        (
            ["migrations/seed.sql"],
            "is not a migration of its folder's layout; name the folder to see what is",
        ),
        (["--migsafe-layout=flt"], "--migsafe-layout: 'flt' is none of its values; did you mean 'flat'?"),
        (["--migsafe-postgres=nine"], "--migsafe-postgres: 'nine' is no supported major version"),
        (["--migsafe-json=out/report.json"], "--migsafe-json out/report.json: there is no folder"),
        (["--migsafe-json=migrations"], "--migsafe-json migrations: that is a folder"),
    ],
)
def test_a_wrong_argument_is_one_line_with_a_suggestion(
    project: Project, args: list[str], error: str
) -> None:
    project.write(SOUND, {"migrations/0001_users.down.sql": "", "migrations/seed.sql": ""})
    assert error in _refused(project, *args)


@pytest.mark.parametrize("workers", [[], ["-n", "2"]], ids=["alone", "workers"])
def test_without_a_server_the_run_ends_before_it_begins(project: Project, workers: list[str]) -> None:
    if workers:
        pytest.importorskip("xdist")
    project.write(SOUND)
    result = project.pytest("--migsafe", "--migsafe-bindir=/nope", *workers, subprocess=bool(workers))
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert result.stderr.str().count("The directory /nope has no PostgreSQL server to use") == 1
    # What needs no server does not ask for one.
    assert project.pytest("--migsafe", "--migsafe-bindir=/nope", "--collect-only").ret == 0


def test_no_migrations_are_told_and_fail_a_run_whose_tests_pass(project: Project) -> None:
    project.write(A_TEST)
    run = project.run()
    assert run.counts == {"passed": 1}
    assert run.exit_code == pytest.ExitCode.NO_TESTS_COLLECTED
    assert f"migsafe: no migrations found in {project.path}" in run.text
    quiet = project.run("-q", "tests")
    assert quiet.exit_code == pytest.ExitCode.NO_TESTS_COLLECTED
    assert "no migrations found in tests; name their folder: `pytest --migsafe DIR`" in quiet.text
    assert quiet.report["migrations"] == []


def test_an_empty_project_has_no_migrations(project: Project) -> None:
    run = project.run()
    assert run.exit_code == pytest.ExitCode.NO_TESTS_COLLECTED
    assert "no migrations found in" in run.text


def test_sql_files_that_fit_no_layout_are_named(project: Project) -> None:
    project.write({"db/migrations/0001_a.down.sql": "", "db/migrations/data.sql": ""})
    nothing = project.run()
    assert nothing.exit_code == pytest.ExitCode.NO_TESTS_COLLECTED
    named = "fit no layout: db/migrations/0001_a.down.sql, db/migrations/data.sql"
    assert f"migsafe: not rehearsed, for they {named}" in nothing.text
    assert f"SQL files that {named}; layouts: sqitch," in nothing.text

    project.write(SOUND)
    beside = project.run()
    assert beside.counts == {"passed": 2}
    assert f"migsafe: not rehearsed, for they {named}" in beside.text

    wrong = project.run("--migsafe-layout=flyway", "migrations")
    assert (
        "(SQL files that fit no layout: migrations/0001_users.sql, migrations/0002_email.sql; layout: flyway, as it is "
        "set)"
    ) in wrong.text


def test_with_the_flag_in_addopts_a_test_can_still_be_run_alone(project: Project) -> None:
    project.write(SOUND, A_TEST, {"pytest.ini": "[pytest]\naddopts = --migsafe\n"})
    alone = project.pytest("tests/test_app.py")
    assert alone.ret == 0
    assert alone.parseoutcomes() == {"passed": 1}
    assert project.pytest().parseoutcomes() == {"passed": 3}


def test_a_report_that_cannot_be_written_fails_the_run(project: Project) -> None:
    project.write(SOUND, {"conftest.py": "def pytest_collection_finish():\n    import os; os.rmdir('out')\n"})
    (project.path / "out").mkdir()
    result = project.pytest("--migsafe", "--migsafe-json=out/report.json")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "cannot write" in result.stdout.str()
    assert "INTERNALERROR" not in result.stdout.str()


_WRITE_MODULES = (
    "import json, sys\n"
    "def pytest_unconfigure():\n"
    "    open('modules.json', 'w').write(json.dumps(sorted(sys.modules)))\n"
)


#: What every run of pytest imports of ours; none of it imports more than pytest.
LIGHT = ["pytest_migsafe", "pytest_migsafe.hookspecs", "pytest_migsafe.plugin"]


def test_without_the_flag_nothing_happens(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.write(SOUND, A_TEST, {"conftest.py": _WRITE_MODULES})
    monkeypatch.setenv("MIGSAFE_CACHE_DIR", str(tmp_path / "cache"))
    result = project.pytest(subprocess=True)
    assert result.parseoutcomes() == {"passed": 1}
    assert "migsafe:" not in result.stdout.str()
    assert not (tmp_path / "cache").exists()
    modules = json.loads((project.path / "modules.json").read_text())
    assert [name for name in modules if name.partition(".")[0] == "pytest_migsafe"] == sorted(
        [*LIGHT, "pytest_migsafe.fixtures"]
    )


@pytest.mark.parametrize(
    "args", [["--migsafe-since=main"], ["--migsafe-merge", "other"], ["--migsafe-html=a.html"]]
)
def test_a_gate_without_the_flag_is_refused_not_green(project: Project, args: list[str]) -> None:
    project.write(SOUND, A_TEST)
    result = project.pytest(*args)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    flag = args[0].partition("=")[0]
    assert f"ERROR: {flag}: nothing is rehearsed without --migsafe; give both" in result.stderr.str()


def test_flags_of_all_runs_and_of_servers_are_fine_without_it(project: Project) -> None:
    project.write(A_TEST, {"pytest.ini": "[pytest]\naddopts = --migsafe-since=main --migsafe-json=a.json\n"})
    assert project.pytest("--migsafe-postgres=18", "--migsafe-layout=flat").ret == pytest.ExitCode.OK


def test_the_plugin_imports_nothing_but_pytest(project: Project) -> None:
    """In an interpreter that has imported pytest, the plugin adds itself and its like, and nothing else.

    The parsers and Hypothesis are dear to import: what lists a history, as `--collect-only` does, needs none.
    """
    project.write(
        {
            "imports.py": (
                "import sys, pytest\n"
                "before = set(sys.modules)\n"
                "import pytest_migsafe.plugin\n"
                "print(sorted(set(sys.modules) - before))\n"
                "import pytest_migsafe.session\n"
                "print(sorted({'postgast', 'google.protobuf', 'sqlglot', 'hypothesis'} & set(sys.modules)))\n"
            )
        }
    )
    result = project.pytester.runpython(project.path / "imports.py")
    assert result.outlines == [str(LIGHT), "[]"]


def test_the_plugin_can_be_switched_off(project: Project) -> None:
    project.write(SOUND, A_TEST)
    assert project.pytest("-p", "no:migsafe", subprocess=True).parseoutcomes() == {"passed": 1}
    refused = project.pytest("-p", "no:migsafe", "--migsafe", subprocess=True)
    assert refused.ret == pytest.ExitCode.USAGE_ERROR


def test_the_marker_and_the_flags_are_documented(project: Project) -> None:
    assert "@pytest.mark.migsafe(at=None, since=None, " in project.pytest("--markers").stdout.str()
    described = project.pytest("--help").stdout.str()
    for flag in (
        "--migsafe ",
        "--migsafe-postgres=",
        "--migsafe-bindir=",
        "--migsafe-layout=",
        "--migsafe-json=",
    ):
        assert flag in described
