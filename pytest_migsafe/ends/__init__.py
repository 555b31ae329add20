"""The ends of a run's histories: what is checked there, and what came of it."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from pytest_migsafe.ends.end_state import END_STATE, end_state_check
from pytest_migsafe.ends.history import HISTORY, history_check
from pytest_migsafe.ends.merge import MERGE, merge_check
from pytest_migsafe.ends.schema_file import SchemaFile, schema_check, snapshot_check
from pytest_migsafe.errors import SettingsError
from pytest_migsafe.findings import Severity
from pytest_migsafe.gate.branches import Meeting, meeting
from pytest_migsafe.migrations.model import History
from pytest_migsafe.migrations.origin import Gone
from pytest_migsafe.review import EndCheck, EndReview, Outcome
from pytest_migsafe.rules import Rule
from pytest_migsafe.rules.presets import severities
from pytest_migsafe.settings import Settings


@dataclass(frozen=True, kw_only=True)
class Ends:
    """The ends of all histories, each known by its number."""

    histories: Sequence[History]
    #: What the project says of each.
    settings: Sequence[Settings]
    #: Those of the run.
    rules: Sequence[Rule]
    #: Returns the files that a history has no longer.
    gone: Callable[[int], Sequence[Gone]]
    #: Returns the labels of a history's places.
    labels: Callable[[int], Sequence[str]]
    #: Whether schema files are written rather than compared.
    is_update: bool
    #: Whether there is something else to write, a lock file.
    has_other_files: bool
    #: Whether the incremental reading of the schema is proven.
    is_snapshot_proven: bool
    #: Whether the smoke tests are asked about the whole end state.
    is_end_state_judged: bool
    #: The branches that are to be merged with this one, as the user names them.
    merged: Sequence[str] = ()
    #: What came of the checks, by their items' node ids.
    _results: dict[str, Mapping[str, Any]] = field(default_factory=dict, init=False)

    @cached_property
    def _meetings(self) -> Sequence[Sequence[Meeting]]:
        """Where each history and each of the branches went apart."""
        refs = list(dict.fromkeys(self.merged))
        return [[meeting(history.root, ref) for ref in refs] for history in self.histories]

    def refuse_unclear_branches(self) -> None:
        """See that git knows the branches that are to be merged.

        Raises:
            SettingsError: it does not.
        """
        len(self._meetings)

    def refuse_unclear_files(self) -> None:
        """See that each schema file belongs to one history, and that there is one to write when that is asked for.

        Raises:
            SettingsError: it is not so.
        """
        roots: dict[str, list[str]] = defaultdict(list)
        for at, history in enumerate(self.histories):
            if (file := self._file(at)) is not None:
                roots[file.name].append(history.relative_root)
        for name, some in roots.items():
            if len(some) > 1:
                raise SettingsError(
                    f"{name} cannot be the schema file of {len(some)} histories ({', '.join(some)}); "
                    "give each its own (`schema_file` in its [[tool.migsafe.history]] table), or name one folder beside "
                    "--migsafe-schema"
                )
        if self.is_update and self.histories and not roots and not self.has_other_files:
            raise SettingsError(
                "--migsafe-update: there is no schema file to write; name it: --migsafe-schema=schema.json, "
                'or schema_file = "schema.json" in [tool.migsafe]; a lock file is written with --migsafe-lock'
            )

    def checks(self, at: int) -> Iterator[EndCheck]:
        """Yield what is checked at the end of a history."""
        if (file := self._file(at)) is not None:
            yield schema_check(file, update_in=self.labels(at)[0] if self.is_update else None)
        if self.is_end_state_judged:
            yield end_state_check(self.histories[at].relative_root, self.rules, self._severities(at))
        for where in self._meetings[at]:
            yield merge_check(self.histories[at], self.settings[at], where, self._severities(at))
        if self.is_snapshot_proven:
            yield snapshot_check(f"snapshot of {self.histories[at].relative_root}")
        if gone := self.gone(at):
            # What is gone is gone in all places.
            yield history_check(
                self.histories[at].relative_root, gone, self._severities(at), self.labels(at)[0]
            )

    def _severities(self, at: int) -> Mapping[str, Severity]:
        return severities(self.rules, self.settings[at].preset, self.settings[at].rules)

    def _file(self, at: int) -> SchemaFile | None:
        path, root = self.settings[at].schema_file, self.settings[at].root
        return SchemaFile(path, _shown(path, root)) if path is not None else None

    def keep(self, review: Mapping[str, Any]) -> None:
        """Keep what came of a check."""
        self._results[review["item"]] = review

    def with_findings(self) -> list[Mapping[str, Any]]:
        """Return what came of the checks that have findings: end states, merges, and what is gone."""
        return [
            review
            for review in self._results.values()
            if review["check"] in (END_STATE, HISTORY, MERGE)
            and review["outcome"] in (Outcome.PASSED, Outcome.FAILED)
        ]

    @property
    def are_blocked(self) -> bool:
        """Whether anything could not be checked for a migration stands in the way."""
        return any(review["outcome"] == Outcome.BLOCKED for review in self._results.values())

    def to_json(self, at: int) -> list[Mapping[str, Any]]:
        """Return what came of the checks of a history's end; what was not run is skipped."""
        return [
            self._results.get(review.item, review.to_json())
            for label in self.labels(at)
            for check in self.checks(at)
            for review in [self._skipped(at, check, label)]
        ]

    def _skipped(self, at: int, check: EndCheck, label: str) -> EndReview:
        last = self.histories[at].migrations[-1]
        return EndReview(migration=last, check=check, place=label, outcome=Outcome.SKIPPED)

    def lines(self) -> Iterator[tuple[str, Mapping[str, bool]]]:
        """Yield what came of the end states, and of the schema files that were to be written, each line with its markup."""
        for review in self.with_findings():
            # A failure's first line stands in pytest's own summary.
            if review["outcome"] == Outcome.PASSED:
                yield review["message"], {}
        if not self.is_update:
            return
        for at in range(len(self.histories)):
            for review in self.to_json(at)[:1]:
                if review["file"] is None:
                    continue
                if review["outcome"] == Outcome.PASSED:
                    yield review["message"], {}
                else:
                    why = f"{review['item']} {_UNWRITTEN[review['outcome']]}"
                    yield f"{review['file']} was not written: {why}", {"yellow": True}


_UNWRITTEN: Mapping[str, str] = {
    Outcome.SKIPPED: "was not run",
    Outcome.BLOCKED: "is blocked",
    Outcome.FAILED: "failed",
}


def _shown(path: Path, root: Path) -> str:
    """Return a path as it is named to people: from the project's root, unless it lies elsewhere."""
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)
