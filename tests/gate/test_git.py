"""What git knows of a repository, asked of real ones."""

import os
import shutil
from pathlib import Path

import pytest

from pytest_migsafe.gate.git import Change, GitError, Repository
from tests.gate.repository import Scratch

ODD = ["a b.sql", "*.sql", "ünïcode\t.sql", "quote'\".sql", "-rf.sql", ":(top)x.sql", "line\nbreak.sql"]


def changes(repository: Repository, commit: str, *folders: str) -> dict[str, str]:
    return {change.name: change.status for change in repository.changes(commit, folders)}


def test_files_and_their_contents_at_a_commit(scratch: Scratch) -> None:
    first = scratch.commit({"db/1.sql": "select 1;\n", "db/deep/2.sql": "two", "other.txt": ""})
    scratch.commit({"db/1.sql": None})

    repository = Repository.containing(scratch.path / "db" / "deep")

    assert repository.top == scratch.path
    assert sorted(repository.files(first, "db")) == ["db/1.sql", "db/deep/2.sql"]
    assert sorted(repository.files_in(first, "db")) == ["db/1.sql"]
    assert sorted(repository.files(first)) == ["db/1.sql", "db/deep/2.sql", "other.txt"]
    assert repository.files("HEAD", "nowhere") == {}
    assert repository.content(first, "db/1.sql") == b"select 1;\n"
    assert repository.content("HEAD", "db/1.sql") is None
    assert repository.content("HEAD", "db") is None


def test_whatever_differs_in_the_working_tree_counts(scratch: Scratch) -> None:
    base = scratch.commit({f"m/{n}.sql": f"select {n};" for n in range(6)} | {".gitignore": "*.tmp\n"})
    scratch.commit({"m/0.sql": "committed", "m/1.sql": None, "m/6.sql": "committed"})
    scratch.write({"m/2.sql": "not committed", "m/7.sql": "untracked", "m/x.tmp": "ignored", "n/1.sql": ""})
    scratch.write({"m/8.sql": "added"})
    scratch.git("add", "m/8.sql")
    scratch.git("rm", "-q", "--cached", "m/3.sql")
    # Newer, and the same.
    os.utime(scratch.path / "m/4.sql", (1, 1))

    repository = Repository.containing(scratch.path)

    assert repository.changes(base, ["m"]) == tuple(
        Change(status, f"m/{n}.sql") for n, status in enumerate("MDMM") if status
    ) + tuple(Change("A", f"m/{n}.sql") for n in (6, 7, 8))
    assert changes(repository, base) == changes(repository, base, "m") | {"n/1.sql": "A"}


def test_names_are_taken_as_they_are(scratch: Scratch) -> None:
    scratch.git("config", "core.quotepath", "on")
    base = scratch.commit({f"m/{name}": "select 1;" for name in ODD})
    scratch.write({f"m/{name}": "select 2;" for name in ODD} | {"m/plain.sql": ""})

    repository = Repository.containing(scratch.path)

    assert set(repository.files(base, "m")) == {f"m/{name}" for name in ODD}
    assert changes(repository, base, "m") == {f"m/{name}": "M" for name in ODD} | {"m/plain.sql": "A"}
    # Names are no patterns.
    assert set(changes(repository, base, "m/*.sql")) == {"m/*.sql"}
    repository.export(base, ["m"], scratch.path / "exported")
    assert {path.name for path in (scratch.path / "exported/m").iterdir()} == set(ODD)


def test_line_endings_that_git_translates_are_no_change(scratch: Scratch) -> None:
    scratch.git("config", "core.autocrlf", "true")
    base = scratch.commit({"m/1.sql": "select 1;\r\nselect 2;\r\n"})
    os.utime(scratch.path / "m/1.sql", (1, 1))

    repository = Repository.containing(scratch.path)

    assert repository.changes(base, ["m"]) == ()
    assert repository.content(base, "m/1.sql") == b"select 1;\nselect 2;\n"


def test_the_users_configuration_changes_nothing(scratch: Scratch) -> None:
    base = scratch.commit({"m/1.sql": "select 1;\n", "m/2.sql": "select 2;\n"})
    for name, value in [
        ("diff.external", "false"),
        ("diff.relative", "true"),
        ("diff.renames", "copies"),
        ("diff.orderFile", os.devnull),
        ("diff.noprefix", "true"),
        ("color.ui", "always"),
        ("core.fsmonitor", "/nowhere"),
        ("status.showUntrackedFiles", "no"),
    ]:
        scratch.git("config", name, value)
    scratch.git("mv", "m/1.sql", "m/3.sql")

    assert changes(Repository.containing(scratch.path / "m"), base, "m") == {"m/1.sql": "D", "m/3.sql": "A"}


def test_commits_by_all_their_names(scratch: Scratch) -> None:
    first = scratch.commit({"a": "1"})
    scratch.git("tag", "-a", "v1", "-m", "v1")
    scratch.branch("other")
    second = scratch.commit({"a": "2"})
    scratch.switch("main")
    third = scratch.commit({"b": "3"})
    scratch.git("merge", "-q", "other")
    repository = Repository.containing(scratch.path)

    assert repository.commit("v1") == repository.commit("HEAD~2") == repository.commit(first[:10]) == first
    assert repository.parents("HEAD") == (third, second)
    assert repository.parents(first) == ()
    assert repository.merge_base(second, third) == first
    assert [repository.commit(name) for name in ("nowhere", "", "--all", "HEAD:a", "-")] == [None] * 5
    assert not repository.is_shallow


def test_a_shallow_clone_says_so(scratch: Scratch) -> None:
    scratch.commit({"a": "1"})
    scratch.branch("other", "main")
    scratch.commit({"a": "2"})
    scratch.switch("main")
    scratch.commit({"a": "3"})
    clone = scratch.path.parent / "clone"
    scratch.git("clone", "-q", "--depth=1", "--no-single-branch", f"file://{scratch.path}", str(clone))

    repository = Repository.containing(clone)

    assert repository.is_shallow
    assert repository.merge_base("origin/main", "origin/other") is None
    assert repository.parents("HEAD") == ()


def test_in_a_hook_of_another_repository(scratch: Scratch, monkeypatch: pytest.MonkeyPatch) -> None:
    scratch.commit({"a": "1"})
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    monkeypatch.setenv("GIT_INDEX_FILE", ".git/index.lock")

    assert Repository.containing(scratch.path).changes("HEAD") == ()


def test_folders_reached_by_links_and_in_other_working_trees(scratch: Scratch) -> None:
    base = scratch.commit({"db/1.sql": "1"})
    (scratch.path / "link").symlink_to("db")
    other = scratch.path.parent / "other"
    scratch.git("worktree", "add", "-q", str(other))
    (other / "db/2.sql").write_text("2")

    repository = Repository.containing(scratch.path / "link")
    assert repository.name(scratch.path / "link" / "1.sql") == "db/1.sql"
    assert repository.name(scratch.path) == ""
    assert repository.name(Path("/elsewhere/1.sql")) is None
    assert changes(Repository.containing(other), base, "db") == {"db/2.sql": "A"}


def test_a_submodules_commit(scratch: Scratch) -> None:
    inner = Scratch.at(scratch.path.parent / "inner")
    commit = inner.commit({"1.sql": "1"})
    scratch.git("-c", "protocol.file.allow=always", "submodule", "add", "-q", str(inner.path), "sub")
    scratch.commit()

    repository = Repository.containing(scratch.path / "sub")

    assert repository.top == scratch.path / "sub"
    assert repository.superproject == scratch.path
    outer = Repository.containing(scratch.path)
    assert outer.superproject is None
    assert outer.submodule_commit("HEAD", "sub") == commit
    assert outer.submodule_commit("HEAD", "nowhere") is None


def test_what_is_no_repository_is_said(
    tmp_path: Path, scratch: Scratch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    (tmp_path / "plain").mkdir()
    with pytest.raises(GitError, match="is in no git repository"):
        Repository.containing(tmp_path / "plain")
    with pytest.raises(GitError, match="without a working tree"):
        Repository.containing(scratch.path / ".git")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(GitError, match="there is no git on this machine"):
        Repository.containing(scratch.path)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder to somebody else")
def test_a_repository_of_somebody_elses_as_in_containers_of_ci(scratch: Scratch) -> None:
    scratch.commit({"a": "1"})
    for path in [scratch.path, *scratch.path.rglob("*")]:
        shutil.chown(path, "nobody")

    with pytest.raises(
        GitError, match=r"another user owns it; allow it: git config --global --add safe\.directory /"
    ):
        Repository.containing(scratch.path)
