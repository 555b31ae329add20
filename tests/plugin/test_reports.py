"""What a run says: header, summary, schema changes, and the JSON report."""

import pytest

from tests.plugin.conftest import A_TEST, BROKEN_IN_THE_MIDDLE, SOUND, Project


def test_the_header_names_the_server_and_the_migrations(project: Project) -> None:
    project.write(SOUND)
    run = project.run()
    server = run.report["server"]
    line = f"migsafe: PostgreSQL {server['version']} ({server['source']}), 2 migrations in migrations (flat layout)"
    assert line in run.lines


def test_the_summary_counts(project: Project) -> None:
    project.write(BROKEN_IN_THE_MIDDLE)
    run = project.run()
    at = next(at for at, line in enumerate(run.lines) if "migsafe summary" in line)
    assert run.lines[at + 1].startswith("5 migrations: 2 passed, 1 failed, 2 blocked (")
    assert run.lines[at + 3] == '  migrations/0003_broken.sql: relation "accounts" does not exist'


def test_the_slowest_files_are_named(project: Project) -> None:
    project.write(SOUND, {"migrations/0003_slow.sql": "select pg_sleep(0.1);"})
    assert any("slowest" in line and "migrations/0003_slow.sql 0." in line for line in project.run().lines)


def test_a_run_without_our_items_has_no_summary(project: Project) -> None:
    project.write(SOUND, A_TEST)
    assert "migsafe summary" not in project.run("-m", "not migsafe").text


def test_verbose_runs_show_each_files_schema_changes_in_colour(project: Project) -> None:
    project.write(SOUND, {"migrations/0003_nothing.sql": "select 1;"})
    assert "migsafe schema changes" not in project.run().text
    run = project.run("-v", "--color=yes")
    at = next(at for at, line in enumerate(run.lines) if "migsafe schema changes" in line)
    shown = "\n".join(run.lines[at:])
    assert "users" in shown
    assert "email" in shown
    assert "\x1b[32m" in shown.partition("migsafe summary")[0]
    assert "no schema change" in shown
    assert "\x1b" not in project.run("-v", "--color=no").text


def test_the_json_report_has_the_documented_names(project: Project) -> None:
    project.write(BROKEN_IN_THE_MIDDLE)
    report = project.run("--deselect=migrations/0005_prices.sql::migsafe").report
    assert report["format"] == 1
    assert set(report) >= {"format", "server", "layout", "migrations"}
    assert set(report["server"]) >= {"version", "source"}
    assert report["layout"] == "flat"
    assert [(one["id"], one["path"], one["applied"], one["outcome"]) for one in report["migrations"]] == [
        ("0001", "migrations/0001_users.sql", True, "passed"),
        ("0002", "migrations/0002_email.sql", True, "passed"),
        ("0003", "migrations/0003_broken.sql", False, "failed"),
        ("0004", "migrations/0004_plans.sql", None, "blocked"),
        ("0005", "migrations/0005_prices.sql", None, "skipped"),
    ]
    for one in report["migrations"]:
        assert set(one) >= {"id", "path", "applied", "outcome", "findings", "statements", "diff"}
    (finding,) = report["migrations"][2]["findings"]
    assert set(finding) >= {"rule", "family", "severity", "path", "line", "column", "message", "waived"}
    assert (finding["rule"], finding["line"], finding["column"], finding["waived"]) == (
        "apply-error",
        2,
        1,
        False,
    )
    (statement,) = report["migrations"][1]["statements"]
    assert set(statement) >= {
        *("line", "end_line", "locks", "rewrites", "scans"),
        *("rows_written", "wal_bytes", "duration_ms", "notices", "error"),
    }
    assert {"relation": "public.users", "mode": "AccessExclusiveLock", "preexisting": True}.items() <= (
        statement["locks"][0].items()
    )
    assert report["migrations"][1]["diff"]


@pytest.mark.parametrize("args", [["-x"], ["--co"], ["tests"], ["-k", "nothing"]], ids=" ".join)
def test_the_json_report_is_written_however_the_run_ends(project: Project, args: list[str]) -> None:
    project.write(BROKEN_IN_THE_MIDDLE, A_TEST, {"tests/test_bad.py": "import nothing_like_that\n"})
    report = project.run(*args).report
    assert report["format"] == 1
    assert len(report["migrations"]) == (0 if args == ["tests"] else 5)


def test_a_fixture_that_fails_is_not_the_migrations_fault(project: Project) -> None:
    project.write(
        SOUND,
        {
            "conftest.py": "import pytest\n@pytest.fixture(autouse=True)\ndef broken(): raise OSError('mine')\n"
        },
    )
    run = project.run()
    assert run.counts == {"errors": 2}
    assert run.verdicts == {}
    assert [one["problem"] for one in run.report["migrations"]] == ["OSError: mine"] * 2
    assert run.exit_code == run.report["exit_code"] == 1


def test_warnings_are_no_trouble(project: Project) -> None:
    project.write(BROKEN_IN_THE_MIDDLE)
    assert project.run("-W", "error", subprocess=True).counts == {"passed": 2, "failed": 1, "blocked": 2}


def test_many_warnings_of_a_kind_are_told_in_few_lines_and_whole_with_v(project: Project) -> None:
    leaks = {f"migrations/000{number}_a.sql": f"SET work_mem = '1{number}MB';\n" for number in range(1, 6)}
    project.write(leaks)
    short, long = project.run(), project.run("-v")

    assert short.counts == {"passed": 5}
    listed = [line for line in short.lines if line.startswith("warning ")]
    assert [line.partition(": ")[0] for line in listed] == [
        "warning migrations/0001_a.sql:1:1",
        "warning session-state-leaked",
    ]
    assert listed[-1] == "warning session-state-leaked: 5 in 5 files, which -v lists"
    # What mends all of them.
    at = short.lines.index(listed[-1]) + 1
    assert short.lines[at] == "  = help: SET LOCAL work_mem = ...;  -- ends with the transaction"
    assert short.text.count("  = help: ") == 1
    # Each with the way out.
    whole = long.lines[long.lines.index(next(one for one in long.lines if "migsafe warnings" in one)) :]
    whole = whole[: next(at for at, line in enumerate(whole) if "migsafe summary" in line)]
    assert sum(line.startswith("  = help: ") for line in whole) == 5
