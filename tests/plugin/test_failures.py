"""What a failed item shows: the verdict, the place, and nothing of our own traceback."""

import os
from xml.etree import ElementTree as ET

import pytest

from tests.plugin.conftest import BROKEN_IN_THE_MIDDLE, SOUND, Project

VERDICT = 'cannot be applied: relation "accounts" does not exist (42P01)'


def _shows_nothing_of_ours(text: str) -> bool:
    return not any(word in text for word in ("Traceback", "pytest_migsafe", "items.py", "INTERNALERROR"))


@pytest.mark.parametrize("style", ["auto", "long", "short", "line", "native"])
def test_the_verdict_the_place_and_no_traceback(project: Project, style: str) -> None:
    project.write(BROKEN_IN_THE_MIDDLE)
    run = project.run(f"--tb={style}", "--showlocals", "-k", "broken")
    assert VERDICT in run.lines
    assert "  --> migrations/0003_broken.sql:2:1" in run.lines
    assert "> 2 | alter table accounts add column plan text" in run.lines
    assert _shows_nothing_of_ours(run.text)
    if style == "line":
        assert f"{project.path}/migrations/0003_broken.sql:2: {VERDICT}" in run.lines


def test_the_short_summary_begins_with_the_verdict(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    project.write(BROKEN_IN_THE_MIDDLE)
    assert any(
        line.startswith("FAILED migrations/0003_broken.sql::migsafe - cannot be applied: relation")
        for line in project.run().lines
    )
    # In CI, pytest does not cut the line: the whole verdict, and not the whole failure once more.
    monkeypatch.setenv("CI", "true")
    run = project.run()
    assert f"FAILED migrations/0003_broken.sql::migsafe - {VERDICT}" in run.lines
    assert sum("-->" in line for line in run.lines) == 1


def test_junit_has_the_verdict_as_the_message_and_the_rest_as_the_text(project: Project) -> None:
    project.write(BROKEN_IN_THE_MIDDLE)
    project.run("--junitxml=junit.xml")
    cases = ET.parse(project.path / "junit.xml").findall(".//testcase")  # noqa: S314 - pytest's own file
    assert [(case.get("classname"), case.get("name")) for case in cases[:1]] == [
        ("migrations.0001_users.sql", "migsafe")
    ]
    (failure,) = [one for case in cases for one in case.findall("failure")]
    assert failure.get("message") == VERDICT
    assert "--> migrations/0003_broken.sql:2:1" in (failure.text or "")
    assert _shows_nothing_of_ours(failure.text or "")


def test_a_file_that_cannot_be_parsed_is_an_item_and_fails_when_run(project: Project) -> None:
    project.write({"migrations/0001_nonsense.sql": "select 1;\nthis is no SQL;\n"})
    assert project.selected() == ["migrations/0001_nonsense.sql::migsafe"]
    run = project.run()
    assert run.counts == {"failed": 1}
    assert 'syntax error at or near "this"' in run.text
    assert "  --> migrations/0001_nonsense.sql:2:1" in run.lines
    assert _shows_nothing_of_ours(run.text)


def test_a_file_that_is_not_utf8_fails_when_run(project: Project) -> None:
    project.write(
        {"migrations/0001_latin.sql": "select 'é';".encode("latin-1")}, {"migrations/0002_x.sql": ""}
    )
    assert len(project.selected()) == 2
    run = project.run()
    assert run.counts == {"failed": 1, "blocked": 1}
    assert "UTF-8" in run.text
    assert _shows_nothing_of_ours(run.text)


def test_a_file_deleted_after_collection_fails(project: Project) -> None:
    project.write(
        SOUND,
        {
            "conftest.py": (
                "import pathlib\n"
                "def pytest_collection_finish(session):\n"
                "    pathlib.Path('migrations/0002_email.sql').unlink()\n"
            )
        },
    )
    run = project.run()
    assert run.counts == {"passed": 1, "failed": 1}
    assert "0002_email.sql" in run.lines[-2]
    assert _shows_nothing_of_ours(run.text)


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_that_may_not_be_read_fails(project: Project) -> None:
    project.write(SOUND)
    (project.path / "migrations/0001_users.sql").chmod(0)
    run = project.run()
    assert run.counts == {"failed": 1, "blocked": 1}
    assert _shows_nothing_of_ours(run.text)


def test_a_broken_link_is_no_migration(project: Project) -> None:
    project.write(SOUND)
    (project.path / "migrations/0003_gone.sql").symlink_to("nowhere.sql")
    assert project.run().counts == {"passed": 2}


def test_a_file_that_ends_its_session_fails_by_itself(project: Project) -> None:
    project.write({"migrations/0001_end.sql": "select pg_terminate_backend(pg_backend_pid());"})
    run = project.run()
    assert run.counts == {"failed": 1}
    assert _shows_nothing_of_ours(run.text)


def test_a_defect_of_a_rule_shows_its_traceback_and_blocks_nothing(project: Project) -> None:
    project.write(
        SOUND,
        {
            "conftest.py": (
                "import pytest_migsafe.review as review\n"
                "def judge(evidence, rules, severities, judge=review.judge):\n"
                "    if '0001' in evidence.path:\n"
                "        raise ZeroDivisionError('a rule of mine')\n"
                "    return judge(evidence, rules, severities)\n"
                "def pytest_collection_finish():\n"
                "    review.judge = judge\n"
            )
        },
    )
    run = project.run(subprocess=True)
    assert run.counts == {"passed": 1, "failed": 1}
    assert "ZeroDivisionError: a rule of mine" in run.text
    assert "raise ZeroDivisionError" in run.text
    assert run.verdicts == {"migrations/0001_users.sql": "failed", "migrations/0002_email.sql": "passed"}


def test_a_server_that_does_not_start_is_told_once_in_full(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.write(SOUND)
    monkeypatch.setenv("MIGSAFE_CACHE_DIR", "/proc/none")
    run = project.run()
    assert run.counts == {"failed": 2}
    assert run.text.count("Looked at:") == 1
    assert any(
        line.startswith(
            "no server to rehearse on: No directory can serve as pytest-migsafe's cache; /proc/none"
        )
        for line in run.lines
    )
    assert _shows_nothing_of_ours(run.text.replace("pytest-migsafe", ""))


def test_a_file_for_another_database_is_said_to_be_one(project: Project) -> None:
    project.write(
        {
            "migrations/0001_a.sql": (
                "CREATE TABLE `users` (\n  `id` INT UNSIGNED NOT NULL AUTO_INCREMENT,\n  PRIMARY KEY (`id`)\n"
                ") ENGINE=InnoDB;\n"
            )
        }
    )
    run = project.run()

    assert run.counts == {"failed": 1}
    assert "The file is written for MySQL" in run.text


def test_a_seed_with_one_long_line_fails_in_a_few_lines(project: Project) -> None:
    """The whole line was shown: eight megabytes of rows, and as many blanks before the caret."""
    rows = ",".join(f"({number})" for number in range(100_000))
    project.write(
        {"migrations/0001_seed.sql": f"CREATE TABLE t (a int);\nINSERT INTO t VALUES {rows}, (no), {rows};\n"}
    )
    run = project.run("--migsafe-json=migsafe.json")

    assert max(map(len, run.lines)) < 500
    (shown,) = [at for at, line in enumerate(run.lines) if line.startswith("> 2 | …")]
    caret = run.lines[shown + 1].index("^")
    assert run.lines[shown][caret : caret + 2] == "no"
    assert (project.path / "migsafe.json").stat().st_size < 50_000


def test_a_quote_that_is_not_closed_is_not_shown_to_its_end(project: Project) -> None:
    project.write({"migrations/0001_open.sql": f"SELECT 1;\nSELECT '{'x' * 300_000}"})

    assert max(map(len, project.run().lines)) < 600


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        ("create table t (i int);\ncopy t from stdin;\n", "failed"),
        ("copy (select 1) to stdout;\ncreate table t ();\n", "passed"),
    ],
)
def test_a_copy_for_which_the_runner_has_no_rows(project: Project, text: str, outcome: str) -> None:
    """``psycopg`` refuses both, and the second was said to end its own session."""
    project.write({"migrations/0001_a.up.sql": text})
    run = project.run()

    assert run.counts == {outcome: 1}
    if outcome == "failed":
        assert "COPY from stdin failed" in run.text
        assert "it has no rows to send" in run.text


def test_migrations_that_are_programs_are_recognised(project: Project) -> None:
    project.write(
        {
            "shop/migrations/0001_initial.py": (
                "from django.db import migrations\n\nclass Migration(migrations.Migration):\n    operations = []\n"
            )
        }
    )
    run = project.run()

    assert run.exit_code == 5
    assert "Django's migrations, which are Python" in run.text
