"""Which branch a pull request goes into, by the variables of CI."""

import pytest

from pytest_migsafe.gate.ci import PullRequest, pull_request


@pytest.mark.parametrize(
    ("variables", "branch"),
    [
        ({"GITHUB_BASE_REF": "main"}, "main"),
        ({"GITHUB_BASE_REF": "", "GITHUB_REF": "refs/heads/main"}, None),
        ({"GITHUB_REF": f"refs/heads/gh-readonly-queue/release/2/pr-7-{'a' * 40}"}, "release/2"),
        ({"CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main"}, "main"),
        ({"BITBUCKET_PR_DESTINATION_BRANCH": "main", "BITBUCKET_BRANCH": "x"}, "main"),
        ({"SYSTEM_PULLREQUEST_TARGETBRANCH": "refs/heads/release/2"}, "release/2"),
        ({"CHANGE_TARGET": "main"}, "main"),
        ({"BUILDKITE_PULL_REQUEST": "7", "BUILDKITE_PULL_REQUEST_BASE_BRANCH": "main"}, "main"),
        ({"BUILDKITE_PULL_REQUEST": "false", "BUILDKITE_PULL_REQUEST_BASE_BRANCH": ""}, None),
        ({"CI_COMMIT_TARGET_BRANCH": "main", "CI_COMMIT_PULL_REQUEST": "7"}, "main"),
        ({"DRONE_TARGET_BRANCH": "main", "DRONE_PULL_REQUEST": "7"}, "main"),
        ({"DRONE_TARGET_BRANCH": "main"}, None),
        ({"TRAVIS_BRANCH": "main", "TRAVIS_PULL_REQUEST": "7"}, "main"),
        ({"TRAVIS_BRANCH": "main", "TRAVIS_PULL_REQUEST": "false"}, None),
        ({"APPVEYOR_REPO_BRANCH": "main", "APPVEYOR_PULL_REQUEST_NUMBER": "7"}, "main"),
        ({"APPVEYOR_REPO_BRANCH": "main"}, None),
        ({"SEMAPHORE_GIT_BRANCH": "main", "SEMAPHORE_GIT_PR_NUMBER": "7"}, "main"),
        ({"CIRRUS_BASE_BRANCH": "main", "CIRRUS_PR": "7"}, "main"),
        ({"CODEBUILD_WEBHOOK_BASE_REF": "refs/heads/main"}, "main"),
        ({"BITRISEIO_GIT_BRANCH_DEST": "main", "BITRISE_PULL_REQUEST": "7"}, "main"),
        ({"PULL_BASE_REF": "main", "PULL_NUMBER": "7"}, "main"),
        ({"CIRCLE_PULL_REQUEST": "https://github.com/a/b/pull/7", "CI": "true"}, None),
        ({}, None),
    ],
    ids=lambda value: next(iter(value), "nowhere") if isinstance(value, dict) else "",
)
def test_the_branch_that_a_pull_request_goes_into(variables: dict[str, str], branch: str | None) -> None:
    found = pull_request(variables)
    assert (found.branch if found is not None else None) == branch


def test_a_merge_that_is_checked_out_is_known() -> None:
    github = {"GITHUB_BASE_REF": "main", "GITHUB_REF": "refs/pull/7/merge"}
    assert pull_request(github) == PullRequest(variable="GITHUB_BASE_REF", branch="main", is_merged=True)
    # pull_request_target checks out the branch itself.
    of_target = pull_request(github | {"GITHUB_REF": "refs/heads/main"})
    assert of_target is not None
    assert not of_target.is_merged
    gitlab = {
        "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main",
        "CI_MERGE_REQUEST_DIFF_BASE_SHA": "abc",
        "CI_MERGE_REQUEST_EVENT_TYPE": "merged_result",
    }
    assert pull_request(gitlab) == PullRequest(
        variable="CI_MERGE_REQUEST_TARGET_BRANCH_NAME", branch="main", began_at="abc", is_merged=True
    )
