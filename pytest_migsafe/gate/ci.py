"""What CI says of the pull request that it builds: into which branch it is to be merged.

The names are those of each service's own list of variables; where a service sets a name on other builds, too, another
variable tells that it is a pull request. CircleCI, for one, has none: there the branch is named by ``--migsafe-since``.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class PullRequest:
    """A pull request, or merge request, as CI describes it."""

    #: The variable that told of it, for messages.
    variable: str
    #: The branch that it is to be merged into; empty: not told.
    branch: str = ""
    #: The id of that branch's newest commit, and of the commit that the pull request began at; empty: not told.
    tip: str = ""
    began_at: str = ""
    #: Whether what is checked out is a merge into that branch, so that its first parent is the branch's newest commit.
    is_merged: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Service:
    """The variables of a service."""

    branch: str
    tip: str = ""
    began_at: str = ""
    #: What is set on pull requests only, where the branch is always; "false" counts as not set.
    when: str = ""
    #: The variable that says what is checked out, and the values with which it is a merge.
    checked_out: str = ""
    merged: str = r"refs/pull/\d+/merge"


_SERVICES = (
    # GitHub, Gitea and Forgejo: "Variables reference", GITHUB_BASE_REF.
    _Service(branch="GITHUB_BASE_REF", checked_out="GITHUB_REF"),
    # GitLab: "Predefined CI/CD variables reference", for merge request pipelines.
    _Service(
        branch="CI_MERGE_REQUEST_TARGET_BRANCH_NAME",
        tip="CI_MERGE_REQUEST_TARGET_BRANCH_SHA",
        began_at="CI_MERGE_REQUEST_DIFF_BASE_SHA",
        checked_out="CI_MERGE_REQUEST_EVENT_TYPE",
        merged="merged_result|merge_train",
    ),
    # Bitbucket Pipelines: "Variables and secrets".
    _Service(branch="BITBUCKET_PR_DESTINATION_BRANCH", tip="BITBUCKET_PR_DESTINATION_COMMIT"),
    # Azure Pipelines: "Use predefined variables".
    _Service(branch="SYSTEM_PULLREQUEST_TARGETBRANCH", checked_out="BUILD_SOURCEBRANCH"),
    # Jenkins, multibranch projects ("Branch API": CHANGE_TARGET).
    _Service(branch="CHANGE_TARGET"),
    # Buildkite: "Environment variables".
    _Service(branch="BUILDKITE_PULL_REQUEST_BASE_BRANCH", when="BUILDKITE_PULL_REQUEST"),
    # Woodpecker: "Environment variables"; Drone: "Reference", DRONE_TARGET_BRANCH.
    _Service(branch="CI_COMMIT_TARGET_BRANCH", when="CI_COMMIT_PULL_REQUEST"),
    _Service(branch="DRONE_TARGET_BRANCH", when="DRONE_PULL_REQUEST"),
    # Travis CI: "Environment Variables"; what is checked out is the merge.
    _Service(branch="TRAVIS_BRANCH", when="TRAVIS_PULL_REQUEST"),
    # AppVeyor: "Environment variables".
    _Service(branch="APPVEYOR_REPO_BRANCH", when="APPVEYOR_PULL_REQUEST_NUMBER"),
    # Semaphore: "Environment variables".
    _Service(branch="SEMAPHORE_GIT_BRANCH", when="SEMAPHORE_GIT_PR_NUMBER"),
    # Cirrus CI: "Writing tasks".
    _Service(branch="CIRRUS_BASE_BRANCH", tip="CIRRUS_BASE_SHA", when="CIRRUS_PR"),
    # AWS CodeBuild: "Environment variables in build environments".
    _Service(branch="CODEBUILD_WEBHOOK_BASE_REF"),
    # Bitrise: "Available environment variables".
    _Service(branch="BITRISEIO_GIT_BRANCH_DEST", when="BITRISE_PULL_REQUEST"),
    # Prow: "Job environment variables".
    _Service(branch="PULL_BASE_REF", tip="PULL_BASE_SHA", when="PULL_NUMBER"),
)
#: The variables that tell of a pull request.
VARIABLES = frozenset({"GITHUB_REF", *(service.branch for service in _SERVICES)})
#: GitHub's merge queue tells the branch only in the name of the one that it makes.
_QUEUE = re.compile(r"refs/heads/gh-readonly-queue/(?P<branch>.+)/pr-\d+-(?P<tip>[0-9a-f]{40})")


def pull_request(environment: Mapping[str, str]) -> PullRequest | None:
    """Return the pull request that CI builds; None: it builds none, or this is no CI that we know."""
    return next(_found(environment), None)


def _found(environment: Mapping[str, str]) -> Iterator[PullRequest]:
    for service in _SERVICES:
        branch = environment.get(service.branch, "").removeprefix("refs/heads/")
        if not branch or (service.when and environment.get(service.when, "") in {"", "false"}):
            continue
        yield PullRequest(
            variable=service.branch,
            branch=branch,
            tip=environment.get(service.tip, ""),
            began_at=environment.get(service.began_at, ""),
            is_merged=re.fullmatch(service.merged, environment.get(service.checked_out, "")) is not None,
        )
    if queued := _QUEUE.fullmatch(environment.get("GITHUB_REF", "")):
        yield PullRequest(variable="GITHUB_REF", branch=queued["branch"], tip=queued["tip"])
