"""The base: the commit since which a pull request has changed files, and the newest commit of the branch it goes into."""

import difflib
from collections.abc import Iterator
from dataclasses import dataclass

from pytest_migsafe.gate.ci import PullRequest
from pytest_migsafe.gate.git import SHORT, GitError, Repository

#: Ways out that need no history of commits.
_WITHOUT_GIT = "without it: --migsafe-only FILE..., or baseline in [tool.migsafe]"
_DEEPER = "fetch it: `fetch-depth: 0` of actions/checkout, GIT_DEPTH: 0 in GitLab, `git fetch --unshallow`"


@dataclass(frozen=True, kw_only=True)
class Base:
    """What a working tree is compared with."""

    repository: Repository
    #: The ids of the commit at which this branch began, and of the newest one of the branch that it goes into.
    commit: str
    tip: str
    #: What people call the tip: ``origin/main``, an id, ``HEAD~1``.
    ref: str

    @property
    def short(self) -> str:
        """The commit as people name it."""
        return self.commit[:SHORT]

    def __str__(self) -> str:
        how = self.ref if self.commit == self.tip else f"merge base with {self.ref}"
        return self.short if how.startswith(self.short) else f"{self.short} ({how})"


def base_of(repository: Repository, ref: str) -> Base:
    """Return the base for a branch, tag or commit that somebody named.

    Raises:
        GitError: there is no such commit here, or nothing that it has in common with HEAD.
    """
    tip = repository.commit(ref)
    if tip is None:
        raise GitError(_unknown(repository, ref))
    base = _base(repository, tip, ref)
    if base is None:
        raise GitError(_apart(repository, ref))
    return base


def _base(repository: Repository, tip: str, ref: str) -> Base | None:
    commit = repository.merge_base(tip, "HEAD")
    return Base(repository=repository, commit=commit, tip=tip, ref=ref) if commit is not None else None


def base_of_pull_request(repository: Repository, request: PullRequest) -> Base:
    """Return the base of the pull request that CI builds.

    Raises:
        GitError: it cannot be told from what is fetched.
    """
    apart = ""
    for name, commit in _tips(repository, request):
        if (found := _base(repository, commit, name)) is not None:
            return found
        apart = apart or name
    if request.began_at and (began_at := repository.commit(request.began_at)) is not None:
        # All that GitLab's shallow clone of a merge request may have: how far the branch has come since is not known.
        return Base(
            repository=repository, commit=began_at, tip=began_at, ref=f"merge base with {request.branch}"
        )
    raise GitError(_apart(repository, apart) if apart else _unfetched(repository, request))


def _tips(repository: Repository, request: PullRequest) -> Iterator[tuple[str, str]]:
    """Yield what may be the newest commit of the branch that a pull request goes into, the best first, with its name."""
    for name in (f"origin/{request.branch}", request.branch):
        # A branch may be called like a tag or like something else; these are branches.
        for ref in (f"refs/remotes/{name}", f"refs/heads/{name}"):
            if (commit := repository.commit(ref)) is not None:
                yield name, commit
    if request.tip and (commit := repository.commit(request.tip)) is not None:
        yield request.branch, commit
    if request.is_merged and len(parents := repository.parents("HEAD")) > 1:
        yield request.branch, parents[0]


def _unknown(repository: Repository, ref: str) -> str:
    if repository.commit("HEAD") is None:
        return f"--migsafe-since: {ref!r} is no commit of the repository {repository.top.name}, which has none yet; commit first"
    message = (
        f"--migsafe-since: there is no branch, tag or commit {ref!r} in the repository {repository.top.name}"
    )
    if repository.is_shallow:
        return f"{message}, a shallow clone; {_DEEPER}, `git fetch origin {ref.removeprefix('origin/')}`; {_WITHOUT_GIT}"
    names = repository.names
    close = [name for name in names if name.rpartition("/")[2] == ref] or difflib.get_close_matches(
        ref, names
    )
    if close:
        return f"{message}; did you mean {close[0]!r}?"
    return f"{message}; fetch it: `git fetch origin {ref.removeprefix('origin/')}`; {_WITHOUT_GIT}"


def _apart(repository: Repository, ref: str) -> str:
    if repository.is_shallow:
        return f"where this branch left {ref} is not in this shallow clone; {_DEEPER}; {_WITHOUT_GIT}"
    return f"HEAD and {ref} in the repository {repository.top.name} have no commit in common; name another: --migsafe-since=REF"


def _unfetched(repository: Repository, request: PullRequest) -> str:
    return (
        f"the branch {request.branch} ({request.variable}) is not in this clone; {_DEEPER}, "
        f"`git fetch origin {request.branch}:refs/remotes/origin/{request.branch}`; {_WITHOUT_GIT}"
        if repository.is_shallow
        else f"the branch {request.branch} ({request.variable}) is not in the repository {repository.top.name}; fetch it: "
        f"`git fetch origin {request.branch}:refs/remotes/origin/{request.branch}`; {_WITHOUT_GIT}"
    )
