"""The commit with which a working tree is compared, and what is said where there is none."""

from pathlib import Path

import pytest

from pytest_migsafe.gate.base import base_of, base_of_pull_request
from pytest_migsafe.gate.ci import PullRequest
from pytest_migsafe.gate.git import GitError, Repository
from tests.gate.repository import Scratch

TO_MAIN = PullRequest(variable="GITHUB_BASE_REF", branch="main")


@pytest.fixture
def forked(scratch: Scratch) -> Scratch:
    """A branch, and a main branch that has gone on."""
    scratch.commit({"a": "1"}, "begin")
    scratch.branch("feature")
    scratch.commit({"b": "1"}, "feature")
    scratch.switch("main")
    scratch.commit({"c": "1"}, "main goes on")
    scratch.switch("feature")
    return scratch


def clone(scratch: Scratch, *arguments: str) -> Scratch:
    path = scratch.path.parent / "clone"
    scratch.git("clone", "-q", *arguments, f"file://{scratch.path}", str(path))
    return Scratch(path)


def test_the_base_is_where_the_branch_left(forked: Scratch) -> None:
    repository = Repository.containing(forked.path)
    begin = forked.git("rev-parse", "main~1")

    base = base_of(repository, "main")

    assert (base.commit, base.tip) == (begin, forked.git("rev-parse", "main"))
    assert str(base) == f"{begin[:10]} (merge base with main)"
    assert str(base_of(repository, "HEAD~1")) == f"{begin[:10]} (HEAD~1)"
    assert str(base_of(repository, begin)) == begin[:10]
    assert base_of_pull_request(repository, TO_MAIN).commit == begin


def test_the_remote_branch_goes_before_one_of_the_same_name_that_is_old(forked: Scratch) -> None:
    copy = clone(forked, "--branch=feature")
    copy.git("branch", "main", "feature")

    base = base_of_pull_request(Repository.containing(copy.path), TO_MAIN)

    assert (base.ref, base.tip) == ("origin/main", forked.git("rev-parse", "main"))


def test_two_commits_of_the_merge_that_github_checks_out_are_enough(forked: Scratch) -> None:
    forked.switch("main")
    forked.git("merge", "-q", "--no-ff", "feature")
    forked.git("update-ref", "refs/pull/7/merge", "HEAD")
    main = forked.git("rev-parse", "HEAD^1")
    path = forked.path.parent / "checkout"
    checkout = Scratch.at(path)
    checkout.git("fetch", "-q", "--depth=2", f"file://{forked.path}", "refs/pull/7/merge")
    checkout.git("checkout", "-q", "FETCH_HEAD")
    repository = Repository.containing(path)

    merged = PullRequest(variable="GITHUB_BASE_REF", branch="main", is_merged=True)
    assert base_of_pull_request(repository, merged).commit == main
    with pytest.raises(
        GitError, match=r"main \(GITHUB_BASE_REF\) is not in this clone; fetch it: `fetch-depth: 0`"
    ):
        base_of_pull_request(repository, TO_MAIN)


def test_gitlab_says_where_the_merge_request_began(forked: Scratch) -> None:
    begin = forked.git("rev-parse", "main~1")
    copy = clone(forked, "--branch=feature", "--single-branch")
    request = PullRequest(variable="CI_MERGE_REQUEST_TARGET_BRANCH_NAME", branch="main", began_at=begin)

    base = base_of_pull_request(Repository.containing(copy.path), request)

    assert str(base) == f"{begin[:10]} (merge base with main)"


@pytest.mark.parametrize(
    ("ref", "message"),
    [
        ("mian", "there is no branch, tag or commit 'mian' in the repository project; did you mean 'main'?"),
        ("release", "there is no branch, tag or commit 'release' in the repository project; fetch it: `git fetch origin release`; without it: "),
        ("--all", "there is no branch, tag or commit '--all'"),
    ],
)  # fmt: skip
def test_what_is_no_commit_is_said_with_the_way_out(forked: Scratch, ref: str, message: str) -> None:
    with pytest.raises(GitError) as caught:
        base_of(Repository.containing(forked.path), ref)
    assert message in str(caught.value)


def test_only_the_remote_has_the_branch(forked: Scratch) -> None:
    copy = clone(forked, "--branch=feature")
    with pytest.raises(GitError, match="did you mean 'origin/main'"):
        base_of(Repository.containing(copy.path), "main")


def test_a_shallow_clone_that_lacks_the_place_where_the_branch_left(forked: Scratch) -> None:
    copy = clone(forked, "--branch=feature", "--depth=1", "--no-single-branch")
    repository = Repository.containing(copy.path)

    with pytest.raises(
        GitError, match=r"where this branch left origin/main is not in this shallow clone; fetch it: "
    ):
        base_of(repository, "origin/main")
    with pytest.raises(
        GitError, match=r"'v1' in .*, a shallow clone; .*`git fetch --unshallow`, `git fetch origin v1`"
    ):
        base_of(repository, "v1")


def test_nothing_in_common_and_nothing_at_all(forked: Scratch, tmp_path: Path) -> None:
    forked.git("checkout", "-q", "--orphan", "other")
    forked.commit({"z": "1"})
    with pytest.raises(GitError, match=r"HEAD and main in the repository project have no commit in common"):
        base_of(Repository.containing(forked.path), "main")
    empty = Scratch.at(tmp_path / "empty")
    with pytest.raises(GitError, match="which has none yet; commit first"):
        base_of(Repository.containing(empty.path), "main")
