"""The gate: which files of a run's histories are judged, why these, and what is known of where all of them come from."""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from pytest_migsafe.errors import SettingsError
from pytest_migsafe.findings import Severity
from pytest_migsafe.gate.base import Base, base_of, base_of_pull_request
from pytest_migsafe.gate.ci import PullRequest, pull_request
from pytest_migsafe.gate.git import GitError, Repository
from pytest_migsafe.gate.lock import DEFAULT, UPDATE, Lock, past_by_lock, read_lock, update, waives
from pytest_migsafe.gate.named import Named, after_baselines, named_files
from pytest_migsafe.gate.past import Past, past_of
from pytest_migsafe.migrations.model import History
from pytest_migsafe.migrations.origin import Change, Gone, Origin
from pytest_migsafe.settings import Settings
from pytest_migsafe.texts.wording import enumerated

#: Judge all files, whatever CI says.
ALL = "all"
_NOTHING = Past({})


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What the command line says of which files are judged."""

    #: ``--migsafe-since``; None: what CI says.
    since: str | None = None
    #: ``--migsafe-only``, as given, and the folder that it is relative to.
    only: Sequence[str] = ()
    directory: Path
    #: Whether files are named as pytest's own arguments: these are meant, whatever CI says.
    has_named_files: bool = False
    #: ``--migsafe-lock``, and whether what it is about is written.
    has_lock: bool = False
    is_update: bool = False
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)


@dataclass(frozen=True, kw_only=True)
class Gate:
    """Which files of the histories are judged."""

    histories: Sequence[History]
    #: What the project says of each history.
    settings: Sequence[Settings]
    asked: Asked

    def check(self) -> None:
        """See that everything that was asked for can be found out.

        Raises:
            SettingsError: it cannot.
        """
        _ = self._compared, self._only, self._after, self._locked

    # -- the base ------------------------------------------------------------------------------------------

    @cached_property
    def _request(self) -> PullRequest | None:
        return pull_request(self.asked.environment) if self.asked.since is None else None

    @cached_property
    def _compared(self) -> tuple[tuple[Base | GitError | None, Past], ...]:
        """The base of each history, why there is none, or None where none is asked for; and what is otherwise since then."""
        known: dict[Path, Base | GitError] = {}
        return tuple(self._compare(history, self._base(history, known)) for history in self.histories)

    def _compare(self, history: History, base: Base | GitError | None) -> tuple[Base | GitError | None, Past]:
        if not isinstance(base, Base):
            return base, _NOTHING
        try:
            return base, past_of(history, base)
        except GitError as error:
            if self.asked.since is not None:
                raise GitError(f"--migsafe-since: {error}") from error
            return error, _NOTHING

    @cached_property
    def _bases(self) -> tuple[Base | GitError | None, ...]:
        return tuple(base for base, _ in self._compared)

    def _base(self, history: History, known: dict[Path, Base | GitError]) -> Base | GitError | None:
        if self.asked.since == ALL or (self.asked.since is None and self._request is None):
            return None
        try:
            repository = Repository.containing(history.root)
        except GitError as error:
            if self.asked.since is not None:
                raise GitError(f"--migsafe-since: {error}; without git: --migsafe-only FILE...") from error
            return error
        if repository.top not in known:
            known[repository.top] = self._base_in(repository)
        return known[repository.top]

    def _base_in(self, repository: Repository) -> Base | GitError:
        if self.asked.since is not None:
            return self._base_in_submodule(repository) or base_of(repository, self.asked.since)
        assert self._request is not None  # noqa: S101 - asked before
        try:
            return self._base_in_submodule(repository) or base_of_pull_request(repository, self._request)
        except GitError as error:
            return error

    def _base_in_submodule(self, repository: Repository) -> Base | None:
        """Return the base in a submodule: the commit of it that the project around it has at its own base."""
        around = repository.superproject
        if around is None or self.asked.directory.resolve().is_relative_to(repository.top):
            return None
        outer = self._base_in(Repository.containing(around))
        name = outer.repository.name(repository.top) if isinstance(outer, Base) else None
        if not isinstance(outer, Base) or name is None:
            return None
        commit = outer.repository.submodule_commit(outer.commit, name)
        if commit is None or (found := repository.commit(commit)) is None:
            return None
        return Base(repository=repository, commit=found, tip=found, ref=f"{name} at {outer}")

    @property
    def problems(self) -> tuple[str, ...]:
        """Why everything is judged where CI builds a pull request, each with the way out."""
        return tuple(dict.fromkeys(str(one) for one in self._bases if isinstance(one, GitError)))

    # -- what has changed ----------------------------------------------------------------------------------

    @cached_property
    def _pasts(self) -> tuple[Past, ...]:
        return tuple(past for _, past in self._compared)

    def origins(self, at: int) -> Mapping[int, Origin]:
        """Return where the files of a history come from, by their positions; what is not known is left out.

        What git says goes before what the lock file says, but for files that have changed before the base.
        """
        by_git, by_lock = self._pasts[at].origins, self._locked[at].origins
        return {
            position: by_lock[position]
            if position not in by_git
            or (position in by_lock and _has_changed_before(by_git[position], by_lock[position]))
            else by_git[position]
            for position in sorted({*by_git, *by_lock})
        }

    def gone(self, at: int) -> tuple[Gone, ...]:
        """Return the files that a history has no longer."""
        by_git = self._pasts[at].gone
        known = {one.path for one in by_git}
        by_lock = (one for one in self._locked[at].gone if one.path not in known)
        return (*by_git, *(one for one in by_lock if self._was_merged(at, one)))

    def _was_merged(self, at: int, gone: Gone) -> bool:
        """Whether a file that is recorded was there at the base; where none is known, it is taken to have been."""
        base = self._bases[at]
        if not isinstance(base, Base):
            return True
        name = base.repository.name(self.settings[at].root / gone.path)
        return name is None or base.repository.content(base.commit, name) is not None

    # -- the lock file -------------------------------------------------------------------------------------

    def _lock_path(self, at: int) -> Path | None:
        path = self.settings[at].lock_file
        return self.settings[at].root / DEFAULT if path is None and self.asked.has_lock else path

    @cached_property
    def _locks(self) -> Mapping[Path, Lock]:
        """The lock files, by their paths; one that is to be written for the first time has no entries."""
        paths = (self._lock_path(at) for at in range(len(self.histories)))
        return {path: self._lock(path) for path in dict.fromkeys(paths) if path is not None}

    def _lock(self, path: Path) -> Lock:
        lock = read_lock(path)
        if lock is None and not self.is_lock_written:
            raise SettingsError(
                f"there is no lock file {path.name} in {path.parent} yet; write it: pytest --migsafe {UPDATE}; then commit "
                "it with the migrations"
            )
        return lock or Lock(path)

    @property
    def is_lock_written(self) -> bool:
        """Whether the lock file is written rather than compared with."""
        return self.asked.has_lock and self.asked.is_update

    @cached_property
    def _locked(self) -> tuple[Past, ...]:
        """What has become of the histories since their files were recorded."""
        pasts = []
        for at, history in enumerate(self.histories):
            path = self._lock_path(at)
            pasts.append(past_by_lock(history, self._locks[path]) if path is not None else _NOTHING)
        return tuple(pasts)

    def write_locks(self) -> Iterator[tuple[str, bool]]:
        """Write the lock files, if that is asked for; yield what was done, and whether it leaves something to do.

        Raises:
            OSError: one cannot be written.
        """
        for path, lock in self._locks.items() if self.is_lock_written else ():
            those = [at for at in range(len(self.histories)) if self._lock_path(at) == path]
            came = update(
                lock.without(
                    self.settings[at].root / one.path
                    for at in those
                    for one in self._locked[at].gone
                    if not self._was_merged(at, one)
                ),
                [(self.histories[at], self.origins(at), self.gone(at)) for at in those],
                lambda migration, rule: waives(migration, rule) or self._is_off(rule),
            )
            yield came.done, False
            if came.refused:
                yield (
                    (
                        f"{lock.name} is left as it was for {enumerated(came.refused)}: mend these files; or allow it in them "
                        f"(-- migsafe: allow ... because ...); or, where nobody has applied them, take their lines out of {lock.name}"
                    ),
                    True,
                )

    def _is_off(self, rule: str) -> bool:
        return any(one.rules.get(rule) is Severity.OFF for one in self.settings)

    def _unrecorded(self) -> Iterator[str]:
        """Yield what is not in the lock files yet."""
        for path, lock in self._locks.items() if not self.is_lock_written else ():
            names = [
                self.histories[at].migrations[position].relative_path
                for at in range(len(self.histories))
                if self._lock_path(at) == path
                for position, origin in self._locked[at].origins.items()
                if origin.change is Change.NEW and not self.histories[at].migrations[position].is_repeatable
            ]
            if names:
                yield f"not in {lock.name} yet: {enumerated(names)}; record them: {UPDATE}"

    # -- which are judged ----------------------------------------------------------------------------------

    @cached_property
    def _narrows(self) -> bool:
        """Whether files that have not changed are left out; files that somebody names are meant, whatever CI says."""
        return self.asked.since is not None or not (self.asked.only or self.asked.has_named_files)

    @cached_property
    def _only(self) -> Named | None:
        """The files that are named; None: none was asked for."""
        return named_files(self.histories, self.asked.only, self.asked.directory) if self.asked.only else None

    @cached_property
    def _after(self) -> tuple[int, ...]:
        """The position after each history's baseline."""
        return after_baselines(self.histories, self.settings)

    @cached_property
    def judged(self) -> tuple[frozenset[int], ...]:
        """The positions that are judged, of each history."""
        return tuple(self._judged(at) for at in range(len(self.histories)))

    def _judged(self, at: int) -> frozenset[int]:
        positions = frozenset(range(self._after[at], len(self.histories[at].migrations)))
        if self._only is not None:
            positions &= self._only.positions[at]
        if self._narrows and isinstance(self._bases[at], Base):
            origins = self._pasts[at].origins
            positions &= {one for one in positions if origins[one].has_changed}
        return positions

    @cached_property
    def is_narrowed(self) -> bool:
        """Whether any file is left out."""
        return any(
            len(judged) < len(history.migrations)
            for judged, history in zip(self.judged, self.histories, strict=True)
        )

    @property
    def is_empty(self) -> bool:
        """Whether there are files, and none is judged."""
        return bool(self.histories) and not any(self.judged)

    # -- what is said --------------------------------------------------------------------------------------

    def lines(self) -> Iterator[str]:
        """Yield what is judged, and why no more."""
        for reason in dict.fromkeys(map(self._because, range(len(self.histories)))):
            if reason:
                those = [at for at in range(len(self.histories)) if self._because(at) == reason]
                yield _said(
                    sum(len(self.judged[at]) for at in those),
                    sum(len(self.histories[at].migrations) for at in those),
                    reason,
                )
        if self._only is not None and self._only.others:
            yield f"--migsafe-only: not a migration, and passed over: {enumerated(self._only.others)}"

    def warnings(self) -> Iterator[str]:
        """Yield what could not be found out, and with it the way out."""
        yield from self._unread()
        yield from self._unrecorded()
        for problem in self.problems:
            yield f"all files are judged, for what this pull request changes cannot be told: {problem}"

    def _unread(self) -> Iterator[str]:
        """Yield what is new and judged by nobody: a misspelt name would pass every gate."""
        by_text: dict[str, list[str]] = {}
        for past in self._pasts:
            for remark in past.unread:
                by_text.setdefault(remark.text, []).append(remark.path)
        for text, names in by_text.items():
            yield f"new, and not judged: {enumerated(names)} ({text})"

    def _because(self, at: int) -> str:
        """Return what the files of a history have in common that are judged; empty: all are."""
        base = self._bases[at]
        reasons = []
        if self._narrows and isinstance(base, Base):
            reasons.append(f"new or changed since {base}")
        if self._only is not None:
            reasons.append("named by --migsafe-only")
        if self._after[at]:
            reasons.append(f"after the baseline {self.settings[at].baseline}")
        return " and ".join(reasons)

    def to_json(self, at: int) -> dict[str, Any]:
        """Return what a report says of a history."""
        base = self._bases[at]
        return {
            "judged": len(self.judged[at]),
            "because": self._because(at) or None,
            "base": {"commit": base.commit, "ref": base.ref, "tip": base.tip}
            if isinstance(base, Base)
            else None,
            "problem": str(base) if isinstance(base, GitError) else None,
            "unread": [{"path": one.path, "text": one.text} for one in self._pasts[at].unread],
            "lock": path.name if (path := self._lock_path(at)) is not None else None,
        }


def _has_changed_before(by_git: Origin, by_lock: Origin) -> bool:
    """Whether a file that is as it was at the base is not as it was recorded."""
    return by_git.change is Change.UNCHANGED and by_lock.change not in {Change.UNCHANGED, Change.NEW}


def _said(judged: int, count: int, reason: str) -> str:
    noun = "file" if judged == 1 else "files"
    others = count - judged
    if not judged:
        return f"judged: nothing, for no file is {reason}"
    rest = f"; the other {'one is' if others == 1 else f'{others} are'} not judged" if others else ""
    return f"judged: {judged} {noun} {reason}{rest}"
