"""Where a file of a history comes from: what has become of it since others may have applied it."""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Self


class Change(StrEnum):
    """What has become of a file since the base."""

    #: It is as it was.
    UNCHANGED = "unchanged"
    #: It was not there.
    NEW = "new"
    #: Statements of it are otherwise.
    EDITED = "edited"
    #: Comments of it are otherwise, and no statement; or nothing but white space.
    COMMENTS = "comments"
    WHITE_SPACE = "white-space"
    #: Only what may change is otherwise: what undoes it, what is run anew whenever it changes, changesets that were added.
    ALLOWED = "allowed"
    #: It had another name.
    RENAMED = "renamed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """What a file of a history was at the base, a commit or a lock file, and what stands beside it there."""

    #: The base, as people name it: ``1a2b3c4 (merge base with origin/main)``.
    base: str
    #: The commit to take files from; empty: a lock file, which has no contents.
    commit: str = ""
    #: The history's layout, which tells the runner.
    layout: str
    change: Change
    #: The file's name at the base, relative to the project's root, when it was another.
    was: str = ""
    #: Whether its version is another than at the base.
    has_new_version: bool = False
    #: Whether its statements are otherwise, too, when it was renamed.
    is_edited: bool = False
    #: The 1-based line of the first difference; 0: none, or not known.
    line: int = 0
    #: The lines that differ, each with ``-`` or ``+`` before it.
    differences: tuple[str, ...] = ()
    #: Files that are known at the base and that are run after this one, which is new, or was behind them; relative to the
    #: project's root.
    later: tuple[str, ...] = ()
    #: New files of the branch that this one is to be merged into which have its version or place.
    rivals: tuple[str, ...] = ()
    #: What that branch is called.
    tip: str = ""

    @property
    def has_changed(self) -> bool:
        """Whether the file, or its place among the others, is not what it was."""
        return self.change is not Change.UNCHANGED or bool(self.later)

    @property
    def since(self) -> str:
        """The base, as it follows "since"."""
        return _since(self.base, self.commit)

    def to_json(self) -> dict[str, Any]:
        """Return what a report says of it."""
        return {
            "base": self.base,
            "change": self.change.value,
            "was": self.was or None,
            "differences": list(self.differences),
            "later": list(self.later),
            "rivals": list(self.rivals),
        }

    def beside(self, *, later: tuple[str, ...], rivals: tuple[str, ...] = (), tip: str = "") -> Self:
        """Return the origin of a new file with what stands beside it."""
        return replace(self, later=later, rivals=rivals, tip=tip)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gone:
    """A file that a history had at the base and has no longer."""

    #: Relative to the project's root, as it was called.
    path: str
    base: str
    commit: str = ""
    layout: str

    @property
    def since(self) -> str:
        """The base, as it follows "since"."""
        return _since(self.base, self.commit)


def _since(base: str, commit: str) -> str:
    return base if commit else f"{base} was written"
