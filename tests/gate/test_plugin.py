"""The gate as its users meet it: pytest in a repository."""

import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.gate.repository import Scratch
from tests.plugin.conftest import A_TEST, Project, Run, settings

FILES = {
    "migrations/0001_users.sql": "create table users (id int primary key);\n",
    "migrations/0002_email.sql": "create table emails (id int primary key);\n",
    "migrations/0003_plans.sql": "create table plans (id int primary key);\n",
}
NEW = {"migrations/0004_prices.sql": "create table prices (id int primary key);\n"}


@pytest.fixture
def project(pytester: pytest.Pytester) -> Project:
    return Project(pytester)


@pytest.fixture
def scratch(project: Project) -> Scratch:
    """The project's repository, on a branch that goes into main."""
    scratch = Scratch.at(project.path)
    scratch.write({".gitignore": "report.json\n*.pyc\n.pytest_cache\n"})
    scratch.commit(FILES, "begin")
    scratch.branch("feature")
    return scratch


def findings(run: Run) -> dict[str, list[str]]:
    """Return the rules of the family history that found something, by file."""
    return {
        one["path"]: rules
        for one in run.report["migrations"]
        if (rules := [finding["rule"] for finding in one["findings"] if finding["family"] == "history"])
    }


def judged(run: Run) -> list[str]:
    return [line for line in run.lines if "judged: " in line]


def test_only_what_is_new_is_judged_and_the_rest_applied(project: Project, scratch: Scratch) -> None:
    scratch.commit(NEW)
    base = scratch.git("rev-parse", "main")[:10]

    run = project.run("--migsafe-since=main")

    said = f"judged: 1 file new or changed since {base} (main); the other 3 are not judged"
    assert judged(run) == [f"migsafe: {said}", said]
    assert run.counts == {"passed": 1, "deselected": 3}
    assert run.verdicts == {"migrations/0004_prices.sql": "passed"}
    assert [one["judged"] for one in run.report["migrations"]] == [False, False, False, True]
    assert run.report["migrations"][3]["origin"]["change"] == "new"
    assert run.report["histories"][0]["gate"] == {
        "judged": 1,
        "because": f"new or changed since {base} (main)",
        "base": {
            "commit": scratch.git("rev-parse", "main"),
            "ref": "main",
            "tip": scratch.git("rev-parse", "main"),
        },
        "problem": None,
        "unread": [],
        "lock": None,
    }


@pytest.mark.usefixtures("scratch")
def test_nothing_new_is_green(project: Project) -> None:
    project.write(A_TEST)
    for args in (["-q"], ["-q", "-m", "migsafe"], ["-q", "-n2"]):
        run = project.run("--migsafe-since=main", "migrations", *args, subprocess="-n2" in args)
        assert run.exit_code == 0, args
        assert run.text.count("judged: nothing, for no file is new or changed since") == 1
    assert project.run("--migsafe-since=main").counts == {"passed": 1, "deselected": 3}
    # That nothing is selected which would be judged is no success.
    project.write(NEW)
    assert project.run("--migsafe-since=main", "migrations", "-k", "users").exit_code == 5


def test_the_same_under_xdist(project: Project, scratch: Scratch) -> None:
    scratch.commit({**NEW, "migrations/0002_email.sql": "create table emails (id bigint primary key);\n"})

    run = project.run("--migsafe-since=main", "-n2", subprocess=True)

    assert run.verdicts == {"migrations/0002_email.sql": "failed", "migrations/0004_prices.sql": "passed"}
    assert findings(run) == {"migrations/0002_email.sql": ["history-edited"]}


def test_ci_says_what_a_pull_request_changes(
    project: Project, scratch: Scratch, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch.commit(NEW)
    monkeypatch.setenv("GITHUB_BASE_REF", "main")
    assert list(project.run().verdicts) == ["migrations/0004_prices.sql"]
    assert len(project.run("--migsafe-since=all").verdicts) == 4
    # A file that is named is meant.
    assert list(project.run("migrations/0001_users.sql").verdicts) == ["migrations/0001_users.sql"]
    assert list(project.run("--migsafe-only", "migrations/0001_users.sql").verdicts) == [
        "migrations/0001_users.sql"
    ]

    monkeypatch.setenv("GITHUB_BASE_REF", "elsewhere")
    run = project.run()

    assert len(run.verdicts) == 4
    assert run.exit_code == 0
    said = "all files are judged, for what this pull request changes cannot be told: the branch elsewhere (GITHUB_BASE_REF)"
    assert [said in line for line in judged(run)] == [] or run.text.count(said) == 2
    assert run.text.count("git fetch origin elsewhere:refs/remotes/origin/elsewhere") == 2
    assert run.report["histories"][0]["gate"]["problem"].startswith("the branch elsewhere")


def test_history_is_immutable(project: Project, scratch: Scratch) -> None:
    scratch.write(
        {
            "migrations/0001_users.sql": "-- the users\n" + FILES["migrations/0001_users.sql"],
            "migrations/0002_email.sql": "create table emails (id bigint primary key);\n",
            "migrations/0003_plans.sql": None,
            "migrations/0002_aside.sql": "create table aside (id int primary key);\n",
        }
    )

    run = project.run("--migsafe-since=main")

    assert findings(run) == {
        "migrations/0001_users.sql": ["history-comment-edited"],
        "migrations/0002_aside.sql": ["duplicate-version", "history-out-of-order"],
        "migrations/0002_email.sql": ["duplicate-version", "history-edited"],
    }
    assert run.counts == {"failed": 3, "passed": 1}
    (end,) = run.report["histories"][0]["ends"]
    assert (end["check"], end["outcome"]) == ("history", "failed")
    assert [(one["rule"], one["path"]) for one in end["findings"]] == [
        ("history-deleted", "migrations/0003_plans.sql")
    ]
    assert "git checkout" in run.text
    assert "-create table emails (id int primary key);" in run.text


def test_a_comment_in_the_file_or_a_severity_allows_it(project: Project, scratch: Scratch) -> None:
    project.write(settings('rules = {"history-deleted" = "warning"}'))
    scratch.write(
        {
            "migrations/0002_email.sql": (
                "-- migsafe: allow history-edited because it has never been deployed\n\n"
                "create table emails (id bigint primary key);\n"
            ),
            "migrations/0003_plans.sql": None,
        }
    )

    run = project.run("--migsafe-since=main")

    assert run.exit_code == 0
    assert run.counts == {"passed": 2, "deselected": 1}
    assert "warning migrations/0003_plans.sql: history-deleted: " in run.text
    assert "1 finding waived" in run.text
    # Once it is merged there is nothing to allow, and the comment has to stay.
    scratch.commit()
    assert project.run().exit_code == 0


def test_a_checksum_stops_deployment(project: Project, scratch: Scratch) -> None:
    scratch.commit({"db/migration/V1__a.sql": "create table a (id int primary key);\n"})
    scratch.write({"db/migration/V1__a.sql": "-- a\ncreate table a (id int primary key);\n"})
    run = project.run("db/migration", "--migsafe-since=HEAD")
    assert run.exit_code == 1
    assert "Flyway ends with a checksum mismatch" in run.text


@pytest.mark.usefixtures("scratch")
def test_files_that_are_named(project: Project) -> None:
    project.write({"readme.sql": "", "migrations/0003_plans.down.sql": "drop table plans;"}, A_TEST)
    only = ["--migsafe-only", "migrations/0002_email.sql", "readme.sql", "migrations/0003_plans.down.sql"]

    run = project.run("tests", "migrations", *only)

    assert list(run.verdicts) == ["migrations/0002_email.sql", "migrations/0003_plans.sql"]
    assert run.counts == {"passed": 3, "deselected": 1}
    assert "judged: 2 files named by --migsafe-only; the other one is not judged" in run.text
    nothing = project.run("-q", "migrations", "--migsafe-only", "readme.sql")
    assert nothing.exit_code == 0
    assert "no file is named by --migsafe-only" in nothing.text
    assert "--migsafe-only: not a migration, and passed over: readme.sql" in nothing.text


@pytest.mark.usefixtures("scratch")
def test_what_was_there_before_is_a_baseline(project: Project) -> None:
    project.write(settings('baseline = "0002"'), NEW)
    run = project.run()
    assert list(run.verdicts) == ["migrations/0003_plans.sql", "migrations/0004_prices.sql"]
    assert "judged: 2 files after the baseline 0002; the other 2 are not judged" in run.text
    # All of them combine.
    assert list(project.run("--migsafe-since=main").verdicts) == ["migrations/0004_prices.sql"]
    only = project.run("--migsafe-since=main", "--migsafe-only", "migrations/0003_plans.sql", "-q")
    assert (only.verdicts, only.exit_code) == ({}, 0)


@pytest.mark.parametrize(
    ("table", "args", "message"),
    [
        ('baseline = "0005"', [], "*baseline: there is no migration '0005' in migrations; did you mean '000?'?"),
        ('baseline = "ninety"', [], "*baseline: there is no migration 'ninety' in migrations; there are 0001, 0002, 0003"),
        ("baseline = 39", [], '*baseline: expected text, got 39; in quotes it keeps its zeros: "0039"'),
        ("", ["--migsafe-since=mian"], "*there is no branch, tag or commit 'mian' in the repository *; did you mean 'main'?"),
        ("", ["--migsafe-only", "migrations/0002_mail.sql", "x.sql"], "*--migsafe-only: there is no file x.sql"),
        ("", ["--migsafe-only", "migrations"], "*--migsafe-only: migrations is a folder; name files, and put paths *"),
    ],
)  # fmt: skip
@pytest.mark.usefixtures("scratch")
def test_what_is_wrong_is_said_with_the_way_out(
    project: Project, table: str, args: list[str], message: str
) -> None:
    project.write(settings(table))
    result = project.pytest("--migsafe", *args)
    assert result.ret == 4
    result.stderr.fnmatch_lines([f"ERROR: {message}"])


def test_without_a_repository(project: Project, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    project.write(FILES)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(project.path.parent))
    result = project.pytest("--migsafe", "--migsafe-since=main")
    assert result.ret == 4
    result.stderr.fnmatch_lines(
        ["ERROR: --migsafe-since: * is in no git repository; without git: --migsafe-only FILE..."]
    )
    # In CI it is told, and everything is judged.
    monkeypatch.setenv("CHANGE_TARGET", "main")
    run = project.run("-q")
    assert (len(run.verdicts), run.exit_code) == (3, 0)
    assert "cannot be told: " in run.text
    _hide_git(monkeypatch, tmp_path)
    assert "there is no git on this machine" in project.run("-q").text


def _hide_git(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    which: Mapping[str, str | None] = {
        name: shutil.which(name) for name in ("sh", "rm", "sleep", "cat", "kill")
    }
    programs = folder / "bin"
    programs.mkdir()
    for name, path in which.items():
        if path is not None:
            (programs / name).symlink_to(path)
    monkeypatch.setenv("PATH", str(programs))


def test_several_histories_in_a_folder_of_the_repository(project: Project, scratch: Scratch) -> None:
    tables = '[[tool.migsafe.history]]\npath = "a/migrations"\nbaseline = "0001"\n[[tool.migsafe.history]]\npath = "b/migrations"\n'
    scratch.commit(
        {
            "sub/pyproject.toml": tables,
            "sub/a/migrations/0001_a.sql": "select 1;\n",
            "sub/b/migrations/0001_b.sql": "select 1;\n",
        }
    )
    scratch.write(
        {"sub/a/migrations/0002_a.sql": "select 2;\n", "sub/b/migrations/0002_b.sql": "select 2;\n"}
    )
    result = project.pytest(
        "--migsafe", "--migsafe-since=HEAD", "--rootdir=sub", "sub", "-v", "-p", "no:cacheprovider"
    )
    result.assert_outcomes(passed=2, deselected=2)
    assert result.stdout.str().count("not judged") == 4


LOCK = ["--migsafe-lock", "-q"]
UPDATE = [*LOCK, "--migsafe-update"]


def test_a_lock_file_does_without_git(project: Project) -> None:
    project.write(FILES)
    result = project.pytest("--migsafe", *LOCK)
    assert result.ret == 4
    result.stderr.fnmatch_lines(
        [
            "ERROR: there is no lock file migsafe.lock in * yet; write it: pytest --migsafe --migsafe-lock --migsafe-update; *"
        ]
    )
    assert "wrote migsafe.lock: 3 files added" in project.run(*UPDATE).text
    written = (project.path / "migsafe.lock").read_bytes()
    assert "migsafe.lock is up to date" in project.run(*UPDATE).text
    assert (project.path / "migsafe.lock").read_bytes() == written
    assert _sha256sum(project) == 0

    project.write(
        {
            "migrations/0001_users.sql": "-- the users\n" + FILES["migrations/0001_users.sql"],
            "migrations/0002_email.sql": "create table emails (id bigint primary key);\n",
            "migrations/0002_aside.sql": "create table aside (id int primary key);\n",
            **NEW,
        }
    )
    (project.path / "migrations/0003_plans.sql").unlink()
    assert _sha256sum(project) == 1
    run = project.run(*LOCK)

    assert findings(run) == {
        "migrations/0001_users.sql": ["history-comment-edited"],
        "migrations/0002_aside.sql": ["duplicate-version", "history-out-of-order"],
        "migrations/0002_email.sql": ["duplicate-version", "history-edited"],
    }
    assert [one["path"] for one in run.report["histories"][0]["ends"][0]["findings"]] == [
        "migrations/0003_plans.sql"
    ]
    assert len(run.verdicts) == 4  # what is recorded is judged all the same
    assert (
        "not in migsafe.lock yet: migrations/0002_aside.sql, migrations/0004_prices.sql; record them"
        in run.text
    )

    updated = project.run(*UPDATE)
    assert "wrote migsafe.lock: 1 file added" in updated.text
    assert (
        "migsafe.lock is left as it was for migrations/0001_users.sql (history-comment-edited), "
        "migrations/0002_aside.sql (history-out-of-order), migrations/0002_email.sql (history-edited), "
        "migrations/0003_plans.sql (history-deleted)" in updated.text
    )


def _sha256sum(project: Project) -> int:
    return project.pytester.run("sha256sum", "--check", "migsafe.lock").ret


def test_the_lock_file_takes_what_is_allowed_and_what_is_new_to_git(
    project: Project, scratch: Scratch
) -> None:
    project.run(*UPDATE)
    scratch.commit(NEW)
    project.run(*UPDATE)
    scratch.commit()
    # Not merged yet: who made the file may still change it.
    project.write({"migrations/0004_prices.sql": "create table prices (id bigint primary key);\n"})
    assert project.run(*LOCK).exit_code == 1
    assert project.run(*LOCK, "--migsafe-since=main").exit_code == 0
    assert "recorded anew: migrations/0004_prices.sql" in project.run(*UPDATE, "--migsafe-since=main").text

    # Nor is a file missed that nobody has got.
    project.write({"migrations/0005_idea.sql": "select 1;\n"})
    project.run(*UPDATE, "--migsafe-since=main")
    (project.path / "migrations/0005_idea.sql").unlink()
    assert project.run(*LOCK, "--migsafe-since=main").exit_code == 0
    project.run(*UPDATE, "--migsafe-since=main")
    assert "0005" not in (project.path / "migsafe.lock").read_text()

    waived = "-- migsafe: allow history-edited because nobody has it\n\ncreate table users (id bigint primary key);\n"
    project.write({"migrations/0001_users.sql": waived})
    assert project.run(*LOCK).exit_code == 0
    assert "recorded anew: migrations/0001_users.sql" in project.run(*UPDATE).text
    assert "up to date" in project.run(*UPDATE).text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<<<<<<< HEAD\n", "migsafe.lock, line 1 is no checksum of a file; a merge was not finished: keep the files *"),
        ("hello\n", "migsafe.lock, line 1 is no checksum of a file; write it anew: delete it, then pytest --migsafe *"),
        (f"{'0' * 64}  a\n\n{'1' * 64}  a\n", "migsafe.lock, line 3: a is there twice, with other checksums; *"),
    ],
    ids=["conflict", "other", "twice"],
)  # fmt: skip
def test_a_lock_file_that_is_none(project: Project, text: str, message: str) -> None:
    project.write(FILES, settings('lock_file = "migsafe.lock"'), {"migsafe.lock": text})
    result = project.pytest("--migsafe")
    assert result.ret == 4
    result.stderr.fnmatch_lines([f"ERROR: {message}"])
