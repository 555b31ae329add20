"""``--migsafe-merge`` as people meet it: items, reports, and what is wrong with what they asked for."""

import pytest

from tests.gate.repository import Scratch
from tests.plugin.conftest import Project
from tests.service import Service

BASE = "CREATE TABLE accounts (id bigint PRIMARY KEY, kind text);"


@pytest.fixture
def project(pytester: pytest.Pytester) -> Project:
    """A project in a repository with four branches; what is checked out is `ours`."""
    scratch = Scratch.at(pytester.path)
    scratch.commit({"migrations/0001_base.sql": BASE})
    for name, number, text in (
        ("ours", 2, "ALTER TABLE accounts ADD COLUMN email text"),
        ("fine", 3, "ALTER TABLE accounts ADD COLUMN phone text"),
        ("same", 4, "ALTER TABLE accounts ADD COLUMN email text"),
        ("broken", 5, "ALTER TABLE nowhere ADD COLUMN email text"),
    ):
        scratch.branch(name, "main")
        # A rule's word on lock_timeout is not what these tests are about.
        scratch.commit({f"migrations/000{number}_{name}.sql": f"SET LOCAL lock_timeout = '1s'; {text};"})
    scratch.switch("ours")
    return Project(pytester)


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "xdist"])
def test_each_branch_is_an_item(project: Project, workers: tuple[str, ...]) -> None:
    if workers:
        pytest.importorskip("xdist")
    run = project.run(*workers, "--migsafe-merge", "fine", "same", "broken", "main")

    assert run.counts == {"passed": 4, "failed": 1, "blocked": 1}
    assert run.exit_code == 1
    ends = {one["about"]: one for one in run.report["histories"][0]["ends"]}
    assert [(name, one["item"], one["outcome"]) for name, one in ends.items()] == [
        (name, f"migrations/0002_ours.sql::merge[{name}]", outcome)
        for name, outcome in (
            ("fine", "passed"),
            ("same", "failed"),
            ("broken", "blocked"),
            ("main", "passed"),
        )
    ]
    assert ends["broken"]["blocked_by"] == "migrations/0005_broken.sql of broken"
    assert [one["rule"] for one in ends["same"]["findings"]] == ["branches-conflict"]
    assert "fails at migrations/0002_ours.sql, line 1" in run.text
    base = Scratch(project.path).git("rev-parse", "main")[:10]
    assert (
        f"1 new file here and 1 of fine since {base}: the same schema in both orders, but for the order of columns of "
        "public.accounts, which no query by name can tell"
    ) in run.lines
    assert f"main has no new files since {base}: nothing to try" in run.lines


def test_one_is_selected_by_its_node_id_and_a_severity_by_the_settings(project: Project) -> None:
    project.write({"pyproject.toml": '[tool.migsafe.rules]\nbranches-conflict = "warning"\n'})
    run = project.run("--migsafe-merge=same", "migrations/0002_ours.sql::merge[same]")
    assert run.counts == {"passed": 1}
    assert run.report["histories"][0]["ends"][0]["outcome"] == "passed"
    assert (
        "warning migrations/0002_ours.sql:1:32: branches-conflict: migrations/0002_ours.sql cannot be"
        in run.text
    )
    assert run.lines[-2].endswith(": not both can be applied; 1 warning")


@pytest.mark.parametrize(
    ("ref", "said"),
    [
        ("nothing", "there is no branch, tag or commit 'nothing' in"),
        ("migrations", "a path stands before the flag, or write --migsafe-merge=REF"),
    ],
)
def test_a_branch_that_git_does_not_know(project: Project, ref: str, said: str) -> None:
    run = project.run("--migsafe-merge", ref)
    assert run.exit_code == pytest.ExitCode.USAGE_ERROR
    assert f"ERROR: --migsafe-merge: there is no branch, tag or commit '{ref}' in" in run.errors
    assert said in run.errors


def test_without_git(pytester: pytest.Pytester) -> None:
    project = Project(pytester)
    project.write({"migrations/0001_base.sql": BASE})
    run = project.run("--migsafe-merge", "main")
    assert run.exit_code == pytest.ExitCode.USAGE_ERROR
    assert f"--migsafe-merge: {project.path / 'migrations'} is in no git repository" in run.errors


def test_a_shallow_clone(pytester: pytest.Pytester, project: Project) -> None:
    clone = project.path / "clone"
    scratch = Scratch(project.path)
    scratch.git("clone", "-q", "--depth", "1", "-b", "ours", f"file://{project.path}", str(clone))
    pytester.chdir()
    run = project.run(str(clone), "--migsafe-merge=origin/fine")
    assert "a shallow clone; fetch it: `git fetch origin fine:refs/remotes/origin/fine`" in run.errors

    Scratch(clone).git("fetch", "-q", "--depth", "1", "origin", "fine:refs/remotes/origin/fine")
    run = project.run(str(clone), "--migsafe-merge=origin/fine")
    assert (
        "where HEAD and origin/fine went apart is not in this shallow clone; fetch more of it:" in run.errors
    )

    Scratch(clone).git("fetch", "-q", "--unshallow")
    assert project.run(str(clone), "--migsafe-merge=origin/fine", "-k", "merge").counts["passed"] == 1


def test_a_server_that_is_there(project: Project, service: Service) -> None:
    """The databases of both orders come and go; a role is made by neither, for the other would find it."""
    project.write({"migrations/0002_role.sql": "CREATE ROLE somebody;"})
    before = service.databases()
    run = project.run(f"--migsafe-dsn={service.uri()}", "--migsafe-merge", "fine", "same", "-k", "merge")
    ends = [(one["about"], one["outcome"]) for one in run.report["histories"][0]["ends"]]
    assert ends == [("fine", "passed"), ("same", "failed")]
    assert 'column "email" of relation "accounts" already exists (42701)' in run.text
    assert service.databases() == before
