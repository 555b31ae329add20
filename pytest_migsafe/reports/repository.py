"""Where a project lies in its repository: platforms name files from there."""

from collections.abc import Mapping
from pathlib import Path

#: Where CI systems checked the repository out: GitHub Actions, GitLab.
_CHECKOUTS = ("GITHUB_WORKSPACE", "CI_PROJECT_DIR")


def folder_in_repository(root: Path, environment: Mapping[str, str]) -> str:
    """Return a project's folder, relative to its repository, with forward slashes; empty when it is the repository itself.

    The repository is where ``.git`` lies - a file in worktrees and submodules -; without one, what the CI system
    checked out. Of neither: the project is taken for it.
    """
    root = root.resolve()
    for folder in (root, *root.parents):
        if (folder / ".git").exists():
            return _relative(root, folder)
    for name in _CHECKOUTS:
        if (checkout := environment.get(name)) and root.is_relative_to(folder := Path(checkout).resolve()):
            return _relative(root, folder)
    return ""


def _relative(root: Path, folder: Path) -> str:
    return "" if root == folder else root.relative_to(folder).as_posix()
