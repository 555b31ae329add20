"""What came of a run: kept as the reports come in, from this process or from workers, and told at the end."""

import os
import re
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from pytest_migsafe.artifacts.folder import STATUS, STATUS_JSON, ArtifactFolder
from pytest_migsafe.artifacts.status import Status
from pytest_migsafe.ends import Ends
from pytest_migsafe.errors import HookError
from pytest_migsafe.gate.gate import Gate
from pytest_migsafe.hooks import sections_of, show_reviews
from pytest_migsafe.items import BLOCKED_BY, item_name
from pytest_migsafe.migrations.model import History
from pytest_migsafe.places import Places
from pytest_migsafe.reports.files import ReportFile
from pytest_migsafe.reports.github import add_to_summary, annotations
from pytest_migsafe.reports.issues import issues
from pytest_migsafe.reports.json import Run, json_report
from pytest_migsafe.reports.repository import folder_in_repository
from pytest_migsafe.reports.terminal import (
    StyledLine,
    change_lines,
    summary_lines,
    waived_lines,
    warning_lines,
)
from pytest_migsafe.reports.verdict import verdict
from pytest_migsafe.rules import Rule
from pytest_migsafe.texts import seen


@dataclass(kw_only=True)
class Results:
    """The reviews of a run, each as the JSON values that travel on a test report."""

    config: pytest.Config
    #: The project's folder.
    root: Path
    histories: Sequence[History]
    #: Returns the places that are known of each history.
    places: Callable[[], Sequence[Places]]
    ends: Ends
    gate: Gate
    #: The reports that are asked for.
    files: Sequence[ReportFile] = ()
    #: Where artifacts are written, if they are asked for.
    artifacts: ArtifactFolder | None = None
    #: Whether GitHub gets annotations and a summary.
    is_github_told: bool = False
    #: The rules that are asked.
    rules: Sequence[Rule] = ()
    #: What the run ends with; known when the reports are written, and hooks have been asked.
    exit_code: int = field(default=0, init=False)
    #: Which of them could not be written, and why; empty when all were.
    unwritten: str = field(default="", init=False)
    #: Why the step's summary could not be written; that is no failure, for the run's output says it all.
    _no_summary: str = field(default="", init=False)
    #: Why a hook of the team's did not do its work; empty when all did.
    hook_problem: str = field(default="", init=False)
    #: What the team's hooks add to the reports.
    _sections: list[dict[str, str]] = field(default_factory=list, init=False)
    _reviews: dict[tuple[str, str], Mapping[str, Any]] = field(default_factory=dict, init=False)
    #: What came of writing lock files.
    _lock_lines: list[StyledLine] = field(default_factory=list, init=False)
    #: Why items of migrations failed where no review says it, by path and place's label; and what else failed.
    _problems: dict[tuple[str, str], str] = field(default_factory=dict, init=False)
    _failures: dict[str, str] = field(default_factory=dict, init=False)
    #: Whether a test of the team's asked for a migration that cannot be judged.
    _has_blocked_tests: bool = field(default=False, init=False)

    def keep(self, report: pytest.TestReport) -> None:
        """Keep the review that comes with a test report, if one does, and what failed without one."""
        review = told(report)
        if getattr(report, "migsafe_end", None) is not None:
            self.ends.keep({**review, "message": review["message"] or _first_line(report) or None})
        elif review:
            self._reviews[review["path"], review["place"]] = review
        self._has_blocked_tests |= hasattr(report, BLOCKED_BY)
        if report.failed:
            self._keep_failure(report, review)

    def keep_collected(self, report: pytest.CollectReport) -> None:
        """Keep that something could not be collected."""
        if report.failed:
            self._failures[report.nodeid] = _first_line(report)

    def _keep_failure(self, report: pytest.TestReport, review: Mapping[str, Any]) -> None:
        if "check" in review or any(_is_failing(finding) for finding in review.get("findings", ())):
            return
        # What a fixture did has no review, nor what became of a worker that died.
        item = self._items.get(report.nodeid)
        if item is not None:
            self._problems[item] = _first_line(report)
        else:
            self._failures[report.nodeid] = _first_line(report)

    @cached_property
    def _items(self) -> Mapping[str, tuple[str, str]]:
        """The migrations' items: path and place's label by node id."""
        return {
            f"{migration.relative_path}::{item_name(label)}": (migration.relative_path, label)
            for history, places in self._rehearsed()
            for label in [place.label for place in places.found] or [""]
            for migration in history.migrations
        }

    @property
    def are_blocked(self) -> bool:
        """Whether anything could not be judged, for a migration before it cannot be applied."""
        is_blocked = any(review["outcome"] == "blocked" for review in self._reviews.values())
        return is_blocked or self.ends.are_blocked or self._has_blocked_tests

    @property
    def reviews(self) -> list[Mapping[str, Any]]:
        """The reviews in the order of the histories."""
        return [
            self._reviews[migration.relative_path, label]
            for history, places in self._rehearsed()
            for label in [place.label for place in places.found] or [""]
            for migration in history.migrations
            if (migration.relative_path, label) in self._reviews
        ]

    @cached_property
    def report(self) -> Mapping[str, Any]:
        """Everything that was seen, as the JSON report has it: what all other reports are made of."""
        return {**self._seen(), "sections": self._sections}

    def _seen(self) -> dict[str, Any]:
        ends = [self.ends.to_json(at) for at in range(len(self.histories))]
        run = Run(
            exit_code=self.exit_code,
            folder=folder_in_repository(self.root, os.environ),
            problems=self._problems,
            failures=self._failures,
            judged=self.gate.judged,
            gates=[self.gate.to_json(at) for at in range(len(self.histories))],
        )
        return json_report(self._rehearsed(), self._reviews, ends, run=run, rules=self.rules)

    def _ask_hooks(self) -> None:
        """Show what came of the run to the team's hooks, and keep the sections that they add, or what is wrong with them."""
        if not self._reviews:
            return
        try:
            show_reviews(self.config, self.reviews)
            self._sections = sections_of(self.config, self._seen)
        except HookError as error:
            self.hook_problem = str(error)
            if self.exit_code == pytest.ExitCode.OK:
                self.exit_code = pytest.ExitCode.USAGE_ERROR

    def _rehearsed(self) -> list[tuple[History, Places]]:
        return list(zip(self.histories, self.places(), strict=True))

    def write_locks(self) -> None:
        """Write the lock files, if that is asked for."""
        try:
            self._lock_lines += [
                (line, {"yellow": True} if is_left else {}) for line, is_left in self.gate.write_locks()
            ]
        except OSError as error:
            self.unwritten = f"cannot write the lock file: {error.strerror or error}"

    def write(self, exit_code: int) -> None:
        """Ask the team's hooks, and write the reports that are asked for, each whole or not at all.

        They tell what the run ends with; where a hook fails, that is no longer success.
        """
        self.exit_code = exit_code
        self._ask_hooks()
        for file in self.files:
            try:
                file.write(self.report)
            except OSError as error:
                self.unwritten = f"cannot write {file.path}: {error.strerror or error}"
        if self.artifacts is not None:
            self._write_status(self.artifacts)
        if self.is_github_told:
            self._no_summary = add_to_summary(self.report, os.environ)

    def _write_status(self, folder: ArtifactFolder) -> None:
        """Write what the run comes to beside the artifacts, and remember those that could not be written."""
        told = verdict(self.report, issues(self.report))
        status = Status(
            report=self.report,
            word=told.word,
            sentence=told.sentence,
            written=datetime.now(UTC).isoformat(timespec="seconds"),
        )
        kept = [artifacts for one in self.reviews if (artifacts := one["artifacts"])]
        problems = [one["problem"] for one in kept if one["problem"]]
        try:
            folder.write_status({STATUS: status.to_markdown(), STATUS_JSON: status.to_json()})
        except OSError as error:
            problems.append(f"cannot write {folder.path / STATUS}: {error.strerror or error}")
        if problems:
            more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
            self.unwritten = f"{problems[0]}{more}"

    def tell_github(self) -> None:
        """Write GitHub's annotations, each a line of its own; also where nothing else is shown."""
        if not self.is_github_told:
            return
        reporter = self.config.pluginmanager.get_plugin("terminalreporter")
        for line in annotations(self.report):
            if reporter is not None:
                reporter.write_line(line)
            else:
                print(line)  # noqa: T201 - nobody else would

    def summarise(self, terminalreporter: pytest.TerminalReporter, nothing_found: str) -> None:
        """Write what came of it to the terminal; ``nothing_found`` is said where there are no migrations."""
        reviews = self.reviews
        ends = self.ends.with_findings()
        if reviews and self.config.get_verbosity() > 0:
            _write(terminalreporter, "migsafe schema changes", change_lines(reviews))
            if warnings := list(warning_lines([*reviews, *ends])):
                _write(terminalreporter, "migsafe warnings", warnings)
            if waived := list(waived_lines([*reviews, *ends])):
                _write(terminalreporter, "migsafe waivers", waived)
        lines = [
            *summary_lines(reviews, self._missing_versions(), ends),
            *((line, {}) for line in self.gate.lines()),
            *((line, {"yellow": True}) for line in self.gate.warnings()),
            *self._lock_lines,
            *self._blocked_lines(terminalreporter),
            *self.ends.lines(),
        ]
        if nothing_found:
            lines.append((nothing_found, {"yellow": True}))
        for section in self._sections:
            _write(terminalreporter, f"migsafe: {section['title']}", _plain(section["text"]))
        if self.hook_problem:
            lines.append((self.hook_problem, {"red": True}))
        if self.unwritten:
            lines.append((self.unwritten, {"red": True}))
        if self._no_summary:
            lines.append((self._no_summary, {"yellow": True}))
        if lines:
            _write(terminalreporter, "migsafe summary", lines)

    def _missing_versions(self) -> list[str]:
        missing = {version for places in self.places() for version in places.missing}
        return sorted(missing, key=int)

    def _blocked_lines(self, terminalreporter: pytest.TerminalReporter) -> Generator[StyledLine, None, None]:
        """Yield a line for each blocked item where ``-ra`` or ``-rs`` asks for what was not run."""
        if not set(self.config.getoption("reportchars")) & set("aAsB"):
            return
        for report in terminalreporter.getreports("blocked"):
            yield f"BLOCKED {report.nodeid} - blocked by {blocked_by(report)}", {"yellow": True}


def told(report: pytest.TestReport) -> Mapping[str, Any]:
    """Return the review that travels with a report; empty where there is none."""
    review: Mapping[str, Any] = getattr(report, "migsafe", None) or getattr(report, "migsafe_end", {})
    return review


def _is_failing(finding: Mapping[str, Any]) -> bool:
    return finding["severity"] == "error" and not finding["waived"]


def _first_line(report: pytest.TestReport | pytest.CollectReport) -> str:
    """Return what a failure says first; where there is a traceback, the error in it."""
    crash = getattr(report.longrepr, "reprcrash", None)
    said: str = crash.message if crash is not None else report.longreprtext
    return next((line.strip() for line in said.splitlines() if line.strip() and not _WORKER.match(line)), "")


#: What pytest-xdist puts before what comes from a worker, or is said of one that died.
_WORKER = re.compile(r"\[\w+\] \w+ -- Python ")


def _plain(text: str) -> Iterable[StyledLine]:
    return ((line, {}) for line in text.splitlines())


def blocked_by(report: pytest.TestReport) -> str:
    """Return the migration that stands in the way of an item of ours or a test of the team's; empty: none does."""
    return getattr(report, BLOCKED_BY, "") or told(report).get("blocked_by") or ""


def _write(terminalreporter: pytest.TerminalReporter, title: str, lines: Iterable[StyledLine]) -> None:
    terminalreporter.write_sep("=", title)
    for text, markup in lines:
        terminalreporter.write_line(seen(text), **markup)
