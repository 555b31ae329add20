"""The check whether another branch and this one can be merged: their new files are applied in both orders."""

from collections.abc import Mapping, Sequence
from functools import partial

from pytest_migsafe.findings import Finding, Severity
from pytest_migsafe.gate.branches import Meeting, read_branches
from pytest_migsafe.migrations.model import History
from pytest_migsafe.places import Place
from pytest_migsafe.rehearsal.branches import Fork, Trial, try_both_orders
from pytest_migsafe.reports.failure import finding_text
from pytest_migsafe.review import EndCheck, EndVerdict, Obstacle, conditions
from pytest_migsafe.rules.branches import judge_branches
from pytest_migsafe.settings import Settings

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
        experiment=partial(_try, history, settings, where, severities),
    )


def _try(
    history: History, settings: Settings, where: Meeting, severities: Mapping[str, Severity], place: Place
) -> EndVerdict | Obstacle:
    with read_branches(history, settings, where) as fork:
        trial = Trial(fork=fork)
        if fork.ours.files and fork.theirs.files:
            trial = try_both_orders(
                fork,
                open_database=place.open,
                copy=place.copy,
                conditions=conditions(settings, place.preludes),
            )
        if (refused := trial.in_the_way) is not None:
            path = refused.file.relative_path
            return Obstacle(
                path=f"{path} of {where.ref}" if fork.is_theirs(refused.file) else path,
                because=refused.error.message,
            )
        findings = judge_branches(trial, history.migrations[-1].relative_path, severities)
        failing = [one for one in findings if one.fails]
        return EndVerdict(
            problem=_problem(failing, where, trial) if failing else "",
            note=_note(trial, where, findings),
            changes=trial.changes,
            findings=findings,
        )


def _problem(failing: Sequence[Finding], where: Meeting, trial: Trial) -> str:
    more = f" (and {len(failing) - 1} more)" if len(failing) > 1 else ""
    first = f"{failing[0].rule}: {failing[0].message}{more}"
    return "\n\n".join([first, *(finding_text(one) for one in failing), _compared(trial.fork, where)])


def _note(trial: Trial, where: Meeting, findings: Sequence[Finding]) -> str:
    """Say in a line what was done."""
    fork = trial.fork
    if not fork.theirs.files:
        return f"{where.ref} has no new files since {where.short}: nothing to try"
    if not fork.ours.files:
        return f"there are no new files here since {where.short}, where {where.ref} began: nothing to try"
    result = f"{len(findings)} findings" if findings else "the same schema in both orders"
    if trial.column_orders:
        tables = ", ".join(one.name for one in trial.column_orders)
        result += f", but for the order of columns of {tables}, which no query by name can tell"
    return f"{_compared(fork, where)}: {result}"


def _compared(fork: Fork, where: Meeting) -> str:
    return (
        f"{_count(len(fork.ours.files))} here and {len(fork.theirs.files)} of {where.ref} since {where.short}"
    )


def _count(number: int) -> str:
    return "1 new file" if number == 1 else f"{number} new files"
