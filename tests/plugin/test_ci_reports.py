"""What CI systems are told, by runs of pytest: files, annotations, a summary, properties of test cases."""

import json
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.plugin.conftest import A_TEST, SOUND, Project

#: The place of a project in its repository.
_FOLDER = "services/billing"
_INDEX: Mapping[str, str | bytes] = {
    "migrations/0001_users.sql": "create table users (id int primary key, email text);\n",
    "migrations/0002_index.sql": "set local lock_timeout = '2s';\n\ncreate index users_email on users (email);\n",
}


@pytest.fixture
def nowhere(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """No CI system, whichever these tests run in themselves."""
    for name in ("GITHUB_ACTIONS", "GITHUB_WORKSPACE", "GITHUB_STEP_SUMMARY", "CI_PROJECT_DIR"):
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


def annotations(lines: list[str]) -> list[str]:
    return [line for line in lines if line.startswith("::")]


def properties(path: Path) -> dict[str, dict[str, str]]:
    """Return our properties of each test case of a JUnit file."""
    return {
        f"{case.get('classname')}.{case.get('name')}": {
            one.get("name", ""): one.get("value", "") for one in case.iter("property")
        }
        for case in ET.parse(path).getroot().iter("testcase")  # noqa: S314 - we wrote it
    }


@pytest.mark.usefixtures("nowhere")
def test_all_files_tell_of_the_same_from_the_repository_s_root(project: Project) -> None:
    project.write(_INDEX)
    (project.path / ".git").mkdir()
    run = project.run("--migsafe-sarif=x.sarif", "--migsafe-gitlab=x.json", "--migsafe-markdown=x.md")
    (result,) = json.loads((project.path / "x.sarif").read_text("utf-8"))["runs"][0]["results"]
    (entry,) = json.loads((project.path / "x.json").read_text("utf-8"))
    comment = (project.path / "x.md").read_text("utf-8")

    assert run.exit_code == 1
    place = result["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == entry["location"]["path"] == "migrations/0002_index.sql"
    assert place["region"]["startLine"] == entry["location"]["lines"]["begin"] == 3
    assert result["ruleId"] == entry["check_name"] == "index-not-concurrent"
    assert comment.splitlines()[1] == "## ❌ Do not merge: 1 of 2 migrations fails"
    assert annotations(run.lines) == []


def test_github_is_told_at_the_end_whatever_else_is_shown(
    project: Project, nowhere: pytest.MonkeyPatch
) -> None:
    folder = project.path / _FOLDER
    project.write({f"{_FOLDER}/{path}": text for path, text in _INDEX.items()})
    project.write({f"{_FOLDER}/pyproject.toml": ""})
    (project.path / ".git").mkdir()
    nowhere.chdir(folder)
    nowhere.setenv("GITHUB_ACTIONS", "true")
    nowhere.setenv("GITHUB_STEP_SUMMARY", str(project.path / "summary.md"))
    (project.path / "summary.md").write_text("before\n", encoding="utf-8")

    quiet = project.run("-qq", "--no-summary", "--color=yes")
    parallel = project.run("-n2")

    for run in (quiet, parallel):
        (told,) = annotations(run.lines)
        assert told == run.lines[-1]
        assert told.startswith(
            f"::error file={_FOLDER}/migrations/0002_index.sql,line=3,endLine=3,col=1,title=pytest-migsafe%3A index"
        )
    summary = (project.path / "summary.md").read_text("utf-8")
    assert summary.startswith("before\n<!-- pytest-migsafe -->\n## ❌ Do not merge")
    assert summary.count("<!-- pytest-migsafe -->") == 2


def test_a_summary_that_cannot_be_written_is_no_failure(
    project: Project, nowhere: pytest.MonkeyPatch
) -> None:
    project.write(SOUND)
    nowhere.setenv("GITHUB_STEP_SUMMARY", str(project.path))
    told = project.run("--migsafe-github=always")
    untold = project.run("--migsafe-github=never")

    assert told.exit_code == untold.exit_code == 0
    assert f"cannot write the step's summary: {project.path}: Is a directory" in told.text
    assert "summary:" not in untold.text


def test_a_step_that_asks_for_no_migration_has_no_summary(
    project: Project, nowhere: pytest.MonkeyPatch
) -> None:
    project.write(SOUND, A_TEST)
    nowhere.setenv("GITHUB_STEP_SUMMARY", str(project.path / "summary.md"))

    assert project.run("--migsafe-github=always", "-m", "not migsafe").exit_code == 0
    assert not (project.path / "summary.md").exists()


def test_a_wrong_word_for_when_is_a_usage_error(project: Project) -> None:
    project.write(SOUND)
    run = project.run("--migsafe-github=sometimes")

    assert run.exit_code == 4
    assert "--migsafe-github sometimes: say one of auto, always, never" in run.errors


@pytest.mark.parametrize("workers", [(), ("-n2",)])
def test_junit_has_properties_of_each_migration(project: Project, workers: tuple[str, ...]) -> None:
    project.write(_INDEX)
    project.run("--junitxml=junit.xml", *workers)
    found = properties(project.path / "junit.xml")

    assert {
        name: value
        for name, value in found["migrations.0002_index.sql.migsafe"].items()
        if "postgres" not in name
    } == {
        "migsafe.outcome": "failed",
        "migsafe.layout": "flat",
        "migsafe.rules": "index-not-concurrent",
        "migsafe.errors": "1",
        "migsafe.warnings": "0",
        "migsafe.waived": "0",
        "migsafe.strongest_lock": "ShareLock on public.users",
        "migsafe.downtime": "window",
    }
    assert found["migrations.0001_users.sql.migsafe"]["migsafe.outcome"] == "passed"
    text = (project.path / "junit.xml").read_text("utf-8")
    assert 'message="index-not-concurrent: writes of public.users wait' in text


@pytest.mark.usefixtures("nowhere")
def test_what_is_no_text_is_written_all_the_same(project: Project) -> None:
    project.write({**_INDEX, "migrations/0003_x.sql": b'create table "\xe9<script>|`" (id int);\n'})
    run = project.run(
        "--migsafe-sarif=x.sarif",
        "--migsafe-gitlab=x.json",
        "--migsafe-markdown=x.md",
        "--junitxml=junit.xml",
        "--migsafe-github=always",
    )

    assert run.exit_code == 1
    assert len(annotations(run.lines)) == 2
    for name in ("x.sarif", "x.json", "x.md", "junit.xml"):
        assert "0003_x.sql" in (project.path / name).read_text("utf-8")


def test_what_becomes_of_a_worker_that_dies_is_told(project: Project) -> None:
    dying = "import os, pytest\n@pytest.fixture(autouse=True)\ndef dies(): os._exit(3)\n"
    project.write({"migrations/0001_users.sql": "select 1;\n", "conftest.py": dying})
    run = project.run("-n1", "--migsafe-markdown=x.md")
    (told,) = run.report["migrations"]

    assert told["problem"] == "worker 'gw0' crashed while running 'migrations/0001_users.sql::migsafe'"
    assert "## ❌ Do not merge: 1 of 1 migration fails" in (project.path / "x.md").read_text("utf-8")
