"""The gate as a team meets it: the example project in a repository, with a pull request of each kind."""

import json
import os
import shutil
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from pytest_migsafe.postgres.binaries import Binaries
from tests.gate.repository import Scratch
from tests.plugin.conftest import Project

_EXAMPLE = Path(__file__).parents[2] / "example_project"
#: The example project says that it needs this version.
_OLDEST_MAJOR = 15

_NOTE = "SET LOCAL lock_timeout = '2s';\nALTER TABLE app.invoices ADD COLUMN note {};\n"
_TABLE = "CREATE TABLE app.{} (id bigint PRIMARY KEY);\n"


@dataclass(frozen=True, kw_only=True)
class PullRequest:
    """A branch, how it is gated, and what is to come of it."""

    files: Mapping[str, str | None]
    start: str = "main"
    arguments: tuple[str, ...] = ("--migsafe-since=main",)
    environment: Mapping[str, str] | None = None
    #: The errors, each by its rule and file; and the warnings.
    errors: frozenset[tuple[str, str]] = frozenset()
    warnings: frozenset[tuple[str, str]] = frozenset()
    #: What is told of the run rather than of a migration, in the reports only.
    remarks: frozenset[tuple[str, str]] = frozenset()
    #: The files that are judged.
    judged: tuple[str, ...] = ()
    #: A line of the summary.
    says: str = ""


def _edited(name: str, old: str, new: str) -> dict[str, str | None]:
    text = (_EXAMPLE / "migrations" / name).read_text("utf-8")
    assert old in text
    return {f"migrations/{name}": text.replace(old, new, 1)}


PULL_REQUESTS = {
    "clean": PullRequest(
        files={"migrations/0021_note.sql": _NOTE.format("text")}, judged=("migrations/0021_note.sql",)
    ),
    "dangerous": PullRequest(
        files={
            "migrations/0021_index.sql": "SET LOCAL lock_timeout = '2s';\nCREATE INDEX invoices_issued_on_idx ON app.invoices (issued_on);\n"
        },
        errors=frozenset({("index-not-concurrent", "migrations/0021_index.sql")}),
        judged=("migrations/0021_index.sql",),
    ),
    "edited": PullRequest(
        files=_edited("0003_accounts.sql", "CREATE TABLE", "CREATE TABLE IF NOT EXISTS"),
        errors=frozenset({("history-edited", "migrations/0003_accounts.sql")}),
        judged=("migrations/0003_accounts.sql",),
    ),
    "comment": PullRequest(
        files=_edited("0003_accounts.sql", "CREATE TABLE", "-- A word more.\nCREATE TABLE"),
        warnings=frozenset({("history-comment-edited", "migrations/0003_accounts.sql")}),
        judged=("migrations/0003_accounts.sql",),
    ),
    "renamed": PullRequest(
        files={
            "migrations/0020_monthly_revenue.sql": None,
            "migrations/0020_revenue.sql": (_EXAMPLE / "migrations/0020_monthly_revenue.sql").read_text(
                "utf-8"
            ),
        },
        errors=frozenset({("history-renamed", "migrations/0020_revenue.sql")}),
        judged=("migrations/0020_revenue.sql",),
    ),
    "deleted": PullRequest(
        files={"migrations/0020_monthly_revenue.sql": None},
        errors=frozenset({("history-deleted", "migrations/0020_monthly_revenue.sql")}),
    ),
    "out-of-order": PullRequest(
        files={"migrations/0000_early.sql": "CREATE TABLE early (id bigint PRIMARY KEY);\n"},
        errors=frozenset({("history-out-of-order", "migrations/0000_early.sql")}),
        judged=("migrations/0000_early.sql",),
    ),
    # Main has gone on since the branch began.
    "two-heads": PullRequest(
        files={"migrations/0021_first.sql": _TABLE.format("first")},
        arguments=("--migsafe-since=later",),
        errors=frozenset({("history-two-heads", "migrations/0021_first.sql")}),
        judged=("migrations/0021_first.sql",),
    ),
    # The same after main was merged into it, as CI checks it out.
    "duplicate": PullRequest(
        start="later",
        files={"migrations/0021_second.sql": _TABLE.format("second")},
        arguments=("--migsafe-since=later",),
        errors=frozenset({("duplicate-version", "migrations/0021_second.sql")}),
        judged=("migrations/0021_second.sql",),
    ),
    "conflict": PullRequest(
        files={"migrations/0022_note_too.sql": _NOTE.format("varchar(200)")},
        arguments=("--migsafe-since=main", "--migsafe-merge", "clean", "dangerous"),
        errors=frozenset({("branches-conflict", "migrations/0022_note_too.sql")}),
        judged=("migrations/0022_note_too.sql",),
    ),
    # No gate passes what it does not know without a word.
    "misspelt": PullRequest(
        files={"migrations/0021a_note.sql": _NOTE.format("text"), "migrations/README.md": "Numbers."},
        remarks=frozenset({("file-not-read", "migrations/0021a_note.sql")}),
        says="new, and not judged: migrations/0021a_note.sql (not migrations in this layout)",
    ),
    "on-github": PullRequest(
        files={"migrations/0021_note.sql": _NOTE.format("text")},
        arguments=(),
        environment={
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "GITHUB_BASE_REF": "main",
            "GITHUB_REF": "refs/pull/1/merge",
        },
        judged=("migrations/0021_note.sql",),
    ),
    "on-gitlab": PullRequest(
        files={"migrations/0021_note.sql": _NOTE.format("text")},
        arguments=(),
        environment={"CI": "true", "GITLAB_CI": "true", "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main"},
        judged=("migrations/0021_note.sql",),
    ),
}

_REPORTS = {
    "html": "out/page.html",
    "markdown": "out/comment.md",
    "sarif": "out/results.sarif",
    "gitlab": "out/quality.json",
}


@pytest.fixture
def project(pytester: pytest.Pytester, binaries: Binaries, monkeypatch: pytest.MonkeyPatch) -> Project:
    """The example project in a repository with the branches of all pull requests."""
    if binaries.major < _OLDEST_MAJOR:
        pytest.skip(f"the example project needs PostgreSQL {_OLDEST_MAJOR}, this is {binaries.version}")
    for name in os.environ:
        if name == "CI" or name.startswith(("CI_", "GITHUB_", "GITLAB_")):
            monkeypatch.delenv(name)
    scratch = Scratch.at(pytester.path)
    for name in ("conftest.py", "pyproject.toml"):
        shutil.copy(_EXAMPLE / name, pytester.path)
    shutil.copytree(_EXAMPLE / "migrations", pytester.path / "migrations")
    scratch.commit({".gitignore": "out\nreport.json\n__pycache__\n.pytest_cache\n"})
    scratch.branch("later", "main")
    scratch.commit({"migrations/0021_meanwhile.sql": _TABLE.format("meanwhile")})
    for name, one in PULL_REQUESTS.items():
        scratch.branch(name, one.start)
        scratch.commit(one.files)
    (pytester.path / "out").mkdir()
    return Project(pytester)


def test_a_pull_request_of_each_kind(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, one in PULL_REQUESTS.items():
        Scratch(project.path).switch(name)
        with monkeypatch.context() as patch:
            for variable, value in (one.environment or {}).items():
                patch.setenv(variable, value)
            run = project.run(
                "-q",
                *one.arguments,
                *(f"--migsafe-{format_}={path}" for format_, path in _REPORTS.items()),
                "--migsafe-github=always",
                "--junitxml=out/junit.xml",
            )
        said = f"{name}:\n{run.text}\n{run.errors}"

        found = _findings(run.report)
        assert found["error"] == one.errors, said
        assert found["warning"] == one.warnings, said
        assert tuple(run.verdicts) == one.judged, said
        assert not one.says or one.says in run.lines, said
        assert run.exit_code == (1 if one.errors else 0), said
        _check_reports(project.path, one, run.text, said)


def _findings(report: Mapping[str, object]) -> Mapping[str, frozenset[tuple[str, str]]]:
    """Return the rules that found something, with their files, by severity."""
    ends = [end for history in report["histories"] for end in history["ends"]]  # type: ignore[attr-defined]
    reviews = [*report["migrations"], *ends]  # type: ignore[misc]
    found = [finding for review in reviews for finding in review["findings"]]
    return {
        severity: frozenset((one["rule"], one["path"]) for one in found if one["severity"] == severity)
        for severity in ("error", "warning")
    }


def _check_reports(folder: Path, one: PullRequest, text: str, said: str) -> None:
    """See that each report tells of the same errors and warnings."""
    expected = one.errors | one.warnings | one.remarks
    sarif = json.loads((folder / _REPORTS["sarif"]).read_text("utf-8"))["runs"][0]
    assert {
        (result["ruleId"], result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"])
        for result in sarif["results"]
    } == one.errors | one.warnings, said
    notified = json.dumps(sarif["invocations"])
    assert all(path in notified for _, path in one.remarks), said
    quality = json.loads((folder / _REPORTS["gitlab"]).read_text("utf-8"))
    assert {(issue["check_name"], issue["location"]["path"]) for issue in quality} == expected, said
    annotated = {line for line in text.splitlines() if line.startswith(("::error", "::warning"))}
    assert len(annotated) >= len(expected), said
    for rule, path in expected:
        assert any(f"file={path}," in line and f" {rule}::" in line for line in annotated), said
    comment = (folder / _REPORTS["markdown"]).read_text("utf-8")
    verdict = next(line for line in comment.splitlines() if line.startswith("## "))
    assert ("Do not merge" in verdict) is bool(one.errors), said
    page = (folder / _REPORTS["html"]).read_text("utf-8")
    assert all(rule in page and rule in comment for rule, _ in one.errors | one.warnings), said
    assert all(path in page and path in comment for _, path in one.remarks), said
    junit = ET.parse(folder / "out/junit.xml").getroot()  # noqa: S314 - pytest's own
    failures = [case for case in junit.iter("testcase") if case.find("failure") is not None]
    assert bool(failures) is bool(one.errors), said
