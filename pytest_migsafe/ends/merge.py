"""The check whether another branch and this one can be merged: their new files are applied in both orders."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pytest_migsafe.findings import Finding, Severity
from pytest_migsafe.gate.branches import Meeting, read_branches
from pytest_migsafe.migrations.model import History
from pytest_migsafe.places import Place
from pytest_migsafe.rehearsal.branches import Fork, Refused, Trial, try_both_orders
from pytest_migsafe.rehearsal.rehearsal_database import Conditions
from pytest_migsafe.reports.failure import finding_text
from pytest_migsafe.review import EndCheck, EndVerdict, Obstacle
from pytest_migsafe.rules.branches import judge_branches
from pytest_migsafe.settings import Settings
from pytest_migsafe.texts.wording import counted

#: The item's name.
MERGE = "merge"


def merge_check(
    history: History, settings: Settings, where: Meeting, severities: Mapping[str, Severity]
) -> EndCheck:
    """Return the check of a history and another branch, with the severities of the settings."""
    return EndCheck(
        name=MERGE,
        about=where.ref,
        title=f"merge of {where.ref} and {history.relative_root}",
        experiment=_Merge(history, settings, where, severities).attempted,
    )


@dataclass(frozen=True)
class _Merge:
    history: History
    settings: Settings
    where: Meeting
    severities: Mapping[str, Severity]

    def attempted(self, place: Place, conditions: Conditions) -> EndVerdict | Obstacle:
        """Return what comes of it in a place."""
        with read_branches(self.history, self.settings, self.where) as fork:
            trial = Trial(fork=fork)
            if fork.ours.files and fork.theirs.files:
                trial = try_both_orders(
                    fork, open_database=place.open, copy=place.copy, conditions=conditions
                )
            if trial.in_the_way is not None:
                return _obstacle(trial.in_the_way, fork)
            return self._verdict(trial)

    def _verdict(self, trial: Trial) -> EndVerdict:
        findings = judge_branches(trial, self.history.migrations[-1].relative_path, self.severities)
        failing = [one for one in findings if one.fails]
        return EndVerdict(
            problem=_problem(failing, self.where, trial) if failing else "",
            note=_note(trial, self.where, findings),
            changes=trial.changes,
            findings=findings,
        )


def _obstacle(refused: Refused, fork: Fork) -> Obstacle:
    path = refused.file.relative_path
    return Obstacle(
        path=f"{path} of {fork.theirs.name}" if fork.is_theirs(refused.file) else path,
        because=refused.error.message,
    )


def _problem(failing: Sequence[Finding], where: Meeting, trial: Trial) -> str:
    return "\n\n".join(
        [_first(failing), *(finding_text(one) for one in failing), _compared(trial.fork, where)]
    )


def _first(findings: Sequence[Finding]) -> str:
    more = f" (and {len(findings) - 1} more)" if len(findings) > 1 else ""
    return f"{findings[0].rule}: {findings[0].message}{more}"


def _note(trial: Trial, where: Meeting, findings: Sequence[Finding]) -> str:
    """Say in a line what was done."""
    fork = trial.fork
    if not fork.theirs.files:
        return f"{where.ref} has no new files since {where.short}: nothing to try"
    if not fork.ours.files:
        return f"there are no new files here since {where.short}, where {where.ref} began: nothing to try"
    result = "another schema" if trial.changes else "the same schema in both orders"
    if trial.conflicts:
        result = "not both can be applied"
    if trial.column_orders:
        tables = ", ".join(one.name for one in trial.column_orders)
        result += f", but for the order of columns of {tables}, which no query by name can tell"
    warned = f"; {counted(len(findings), 'warning')}" if findings else ""
    return f"{_compared(fork, where)}: {result}{warned}"


def _compared(fork: Fork, where: Meeting) -> str:
    return f"{counted(len(fork.ours.files), 'new file')} here and {len(fork.theirs.files)} of {where.ref} since {where.short}"
