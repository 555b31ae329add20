"""What git knows of a project: a small face of the ``git`` program.

Nothing here writes to a repository or uses the network, and no configuration of the user's changes an answer. All names
are paths relative to the repository's top, with forward slashes, whatever characters they have.

- ``Repository.containing(folder)``: the repository that a folder lies in
- ``repository.commit("origin/main")``: the id of a commit, or None
- ``repository.merge_base(one, other)``, ``repository.parents(commit)``, ``repository.is_shallow``
- ``repository.files(commit, "db/migrations")``: the files below a folder at a commit, and the ids of their contents
- ``repository.contents(ids)``, ``repository.content(commit, name)``: what stands in them, in bytes
- ``repository.changes(commit, "db/migrations")``: what differs from a commit in the working tree, committed or not
- ``repository.export(commit, ["db/migrations"], folder)``: write the files of a commit into a folder of ours
- ``repository.name(path)``: a path of the working tree as git names it
"""

import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Self

from pytest_migsafe.errors import SettingsError

#: What a hook of git's has in its environment, and what would make git look at another repository than the folder's
#: (``git rev-parse --local-env-vars``).
_LOCAL = frozenset(
    {
        "GIT_ALTERNATE_OBJECT_DIRECTORIES",
        "GIT_COMMON_DIR",
        "GIT_DIR",
        "GIT_GRAFT_FILE",
        "GIT_IMPLICIT_WORK_TREE",
        "GIT_INDEX_FILE",
        "GIT_INTERNAL_SUPER_PREFIX",
        "GIT_NO_REPLACE_OBJECTS",
        "GIT_OBJECT_DIRECTORY",
        "GIT_PREFIX",
        "GIT_QUARANTINE_PATH",
        "GIT_REPLACE_REF_BASE",
        "GIT_SHALLOW_FILE",
        "GIT_WORK_TREE",
        "GIT_EXTERNAL_DIFF",
        "GIT_DIFF_OPTS",
    }
)
#: Git takes paths as they are, asks nobody anything, fetches nothing that a partial clone lacks, and writes no index.
_OURS = {
    # No protocol is called so: what a git before 2.44 would fetch, which does not know GIT_NO_LAZY_FETCH, is refused.
    "GIT_ALLOW_PROTOCOL": "none",
    "GIT_LITERAL_PATHSPECS": "1",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C",
    "LANGUAGE": "C",
}
#: A monitor would be a program of the user's, or a server that stays behind.
_CONFIGURATION = ("-c", "core.fsmonitor=false", "-c", "diff.autoRefreshIndex=true")
#: Longer than any question here takes in a big repository.
_SECONDS = 120
_BLOB = "blob"
#: How many characters of a commit's id people are shown.
SHORT = 10


class GitError(SettingsError):
    """Git is not there, refuses, or does not know what it was asked for; the message says the way out."""


@dataclass(frozen=True, slots=True)
class Change:
    """A file of the working tree that is not as it is at a commit."""

    #: "A" (added, known to git or not), "M" (modified), "D" (deleted) or "T" (a link became a file, or the other way).
    status: str
    #: Its name, relative to the repository's top.
    name: str


@dataclass(frozen=True)
class Repository:
    """A repository with a working tree."""

    #: The working tree's top folder, without symbolic links.
    top: Path

    @classmethod
    def containing(cls, folder: Path) -> Self:
        """Return the repository whose working tree has a folder.

        Raises:
            GitError: there is none, no git, or git refuses to read it.
        """
        folder = Path(os.path.realpath(folder))
        return cls(Path(_line(_git(folder, "rev-parse", "--show-toplevel"))))

    def name(self, path: Path) -> str | None:
        """Return a file's or folder's name as git has it, with the links to its folder followed; None: it is elsewhere.

        The top itself is "".
        """
        real = Path(os.path.realpath(path.parent)) / path.name if path != self.top else path
        if not real.is_relative_to(self.top):
            return None
        name = real.relative_to(self.top).as_posix()
        return "" if name == "." else name

    # -- commits -------------------------------------------------------------------------------------------

    def commit(self, ref: str) -> str | None:
        """Return the id of the commit that a branch, tag, id or expression (``HEAD~1``) means; None: it means none."""
        if not ref or ref.startswith("-"):
            return None
        found = self._try("rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}")
        return _line(found) if found is not None else None

    def merge_base(self, one: str, other: str) -> str | None:
        """Return the best common ancestor of two commits; None: there is none, or a shallow clone lacks it."""
        found = self._try("merge-base", one, other)
        return _line(found) if found is not None else None

    def parents(self, commit: str) -> tuple[str, ...]:
        """Return the ids of a commit's parents, as far as the clone has them."""
        found = self._try("rev-parse", "--verify", "--quiet", f"{commit}^@")
        if found is None:
            found = self._try("rev-parse", f"{commit}^@")
        return tuple((found or b"").decode().split())

    @property
    def names(self) -> tuple[str, ...]:
        """The branches and tags, as people name them."""
        return tuple(_line(self._ask("for-each-ref", "--format=%(refname:short)")).split("\n"))

    @cached_property
    def is_shallow(self) -> bool:
        """Whether the clone has only the newest commits."""
        return _line(self._ask("rev-parse", "--is-shallow-repository")) == "true"

    @cached_property
    def superproject(self) -> Path | None:
        """The working tree whose submodule this is; None: it is none."""
        found = _line(self._ask("rev-parse", "--show-superproject-working-tree"))
        return Path(found) if found else None

    def submodule_commit(self, commit: str, name: str) -> str | None:
        """Return the commit of a submodule that a commit of this repository has at a path; None: it has none."""
        found = self._try("ls-tree", "-z", commit, "--", name)
        for mode, _, blob, _ in _tree(found or b""):
            if mode == "160000":
                return blob
        return None

    # -- files ---------------------------------------------------------------------------------------------

    def files(self, commit: str, folder: str = "") -> dict[str, str]:
        """Return the names of the files below a folder at a commit, each with the id of its content."""
        path = ("--", folder) if folder else ()
        listed = self._ask("ls-tree", "-r", "-z", "--full-tree", commit, *path)
        return {name: blob for _, kind, blob, name in _tree(listed) if kind == _BLOB}

    def files_in(self, commit: str, folder: str = "") -> dict[str, str]:
        """Return the names of the files right in a folder at a commit, not those below it, with their contents' ids."""
        path = ("--", f"{folder}/") if folder else ()
        listed = self._ask("ls-tree", "-z", "--full-tree", commit, *path)
        return {name: blob for _, kind, blob, name in _tree(listed) if kind == _BLOB}

    def content(self, commit: str, name: str) -> bytes | None:
        """Return what stands in a file at a commit, as git has it (LF, where git translates); None: there is none."""
        return next(iter(self.contents([f"{commit}:{name}"]).values()), None)

    def contents(self, ids: Sequence[str]) -> dict[str, bytes]:
        """Return contents by their ids (or ``commit:name``), those that there are, asking git once.

        Raises:
            GitError: an id's content is not in the clone.
        """
        asked = [one for one in dict.fromkeys(ids) if "\n" not in one]
        if not asked:
            return {}
        said = self._ask("cat-file", "--batch", given="".join(f"{one}\n" for one in asked))
        found: dict[str, bytes] = {}
        at = 0
        for one in asked:
            end = said.index(b"\n", at)
            header = said[at:end].split(b" ")
            at = end + 1
            if header[-1] in {b"missing", b"ambiguous"}:
                if ":" not in one:
                    raise GitError(_PARTIAL.format(top=self.top.name))
                continue
            size = int(header[-1])
            if header[-2] == _BLOB.encode():
                found[one] = said[at : at + size]
            at += size + 1
        return found

    def changes(self, commit: str, folders: Iterable[str] = ()) -> tuple[Change, ...]:
        """Return what differs in the working tree from a commit, below some folders; ordered by name.

        What is not committed counts, and so does what git does not track, unless it is ignored. A file that was renamed
        is a deleted one and an added one.
        """
        within = ("--", *sorted(folders))
        raw = _fields(
            self._ask(
                "diff",
                "--raw",
                "-z",
                "--no-renames",
                "--no-ext-diff",
                "--ignore-submodules",
                "--no-relative",
                commit,
                *within,
            )
        )
        changed = {
            name: Change(meta.split()[-1][:1], name) for meta, name in zip(raw[::2], raw[1::2], strict=True)
        }
        for name in _fields(self._ask("ls-files", "--others", "--exclude-standard", "-z", *within)):
            # What was taken out of the index only is "deleted" for git, and still there.
            changed[name] = Change("M" if name in changed else "A", name)
        return tuple(changed[name] for name in sorted(changed))

    def export(self, commit: str, folders: Iterable[str], into: Path) -> None:
        """Write the files below some folders at a commit, as git has them, below a folder of ours."""
        blobs = {name: blob for folder in folders for name, blob in self.files(commit, folder).items()}
        self.write(blobs, into)

    def write(self, blobs: Mapping[str, str], into: Path) -> None:
        """Write contents, given by their ids, to files of these names below a folder of ours."""
        contents = self.contents(list(blobs.values()))
        for name, blob in blobs.items():
            # Names cannot lead out of the folder: git refuses ".." in a tree when it is checked out, not before.
            if ".." in PurePosixPath(name).parts or blob not in contents:
                continue
            path = into / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(contents[blob])

    # -- asking --------------------------------------------------------------------------------------------

    def _ask(self, *arguments: str, given: str = "") -> bytes:
        return _git(self.top, *arguments, given=given)

    def _try(self, *arguments: str) -> bytes | None:
        """Return what git says; None where it fails, for what was asked for is not there."""
        done = _run(self.top, *arguments)
        return done.stdout if done.returncode == 0 else None


def _git(folder: Path, *arguments: str, given: str = "") -> bytes:
    """Return what git says in a folder.

    Raises:
        GitError: it fails.
    """
    done = _run(folder, *arguments, given=given)
    if done.returncode:
        raise GitError(_explained(folder, os.fsdecode(done.stderr).strip(), arguments))
    return done.stdout


def _run(folder: Path, *arguments: str, given: str = "") -> "subprocess.CompletedProcess[bytes]":
    git = shutil.which("git")
    if git is None:
        raise GitError("there is no git on this machine's PATH; install it (apt-get install git)")
    environment = {name: value for name, value in os.environ.items() if name not in _LOCAL}
    try:
        return subprocess.run(
            [git, "--no-pager", *_CONFIGURATION, *arguments],
            cwd=folder,
            env=environment | _OURS,
            input=os.fsencode(given),
            capture_output=True,
            check=False,
            timeout=_SECONDS,
        )
    except subprocess.TimeoutExpired as error:
        raise GitError(f"git {arguments[0]} in {folder} has not ended after {_SECONDS} s") from error
    except (OSError, ValueError) as error:
        raise GitError(f"git cannot be run in {folder}: {error}") from error


_PARTIAL = "what stood in files is not in this clone of {top}, which was made with a filter; fetch it: `git fetch --refetch --no-filter`"
_UNFETCHED = re.compile(r"transport '\w+' not allowed|could not fetch \w+ from promisor remote")
_NOT_OURS = re.compile(r"detected dubious ownership in repository at '(?P<top>.*)'")
_UNSAFE = re.compile(r"unsafe repository \('(?P<top>.*)' is owned by someone else\)")


def _explained(folder: Path, said: str, arguments: Sequence[str]) -> str:
    """Return what is wrong, and the way out, of what git says on its standard error."""
    if found := _NOT_OURS.search(said) or _UNSAFE.search(said):
        # A checkout of another user's, as in containers of CI.
        return (
            f"git does not read {found['top']}, for another user owns it; allow it: "
            f"git config --global --add safe.directory {found['top']}"
        )
    if _UNFETCHED.search(said):
        return _PARTIAL.format(top=folder.name)
    if "not a git repository" in said:
        return f"{folder} is in no git repository"
    if "must be run in a work tree" in said:
        return f"{folder} is in a git repository without a working tree"
    first = said.partition("\n")[0].removeprefix("fatal: ")
    return f"git {arguments[0]} failed in {folder}: {first or 'it does not say why'}"


def _line(said: bytes) -> str:
    return os.fsdecode(said).removesuffix("\n")


def _fields(said: bytes) -> list[str]:
    return [os.fsdecode(one) for one in said.split(b"\0") if one]


def _tree(said: bytes) -> Iterator[tuple[str, str, str, str]]:
    """Yield mode, kind, id and name of the entries that ``git ls-tree -z`` lists."""
    for entry in _fields(said):
        meta, _, name = entry.partition("\t")
        mode, kind, blob = meta.split()
        yield mode, kind, blob, name
