"""The family *history*, between branches: whether the new files of two of them can be merged in either order."""

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from pytest_migsafe.catalog import Change, render
from pytest_migsafe.catalog.render import grouped
from pytest_migsafe.findings import Finding, Severity
from pytest_migsafe.rules.history import duplicate_version
from pytest_migsafe.rules.registry import Rule, graded, rule

if TYPE_CHECKING:
    from pytest_migsafe.migrations.model import Migration
    from pytest_migsafe.rehearsal.branches import Conflict, Fork, Trial
    from pytest_migsafe.rehearsal.evidence import Evidence

#: How many lines of a difference a finding has, and how many objects a finding each.
_MOST_LINES = 40
_MOST_OBJECTS = 20


@rule(
    id="branches-conflict",
    family="history",
    severity=Severity.ERROR,
    title="The new files of this branch and of another one cannot both be applied.",
    why=(
        "Each branch is green by itself. Whichever is merged second fails, after the merge: in the next deployment, "
        "or on a machine that has applied the first already. Git sees no conflict, for they are different files."
    ),
    remedy=(
        "Merge one of the two, rebase the other on it, and write its files for the schema that there is then."
    ),
    is_waivable=False,
)
def branches_conflict(_: "Evidence") -> Iterator[Finding]:
    """Find nothing in a file alone: see ``judge_branches``."""
    return iter(())


@rule(
    id="branches-differ",
    family="history",
    severity=Severity.ERROR,
    title="The schema depends on which of two branches is applied first.",
    why=(
        "Production applies files in the order of deployments, a new machine in the order of versions. If the two orders "
        "make different schemas, no test has seen the one that production has, and later files fail on one of them."
    ),
    remedy=(
        "Merge one of the two and rebase the other on it; then have the later file say what the object is to be, with the "
        "changes of both in it."
    ),
    is_waivable=False,
)
def branches_differ(_: "Evidence") -> Iterator[Finding]:
    """Find nothing in a file alone: see ``judge_branches``."""
    return iter(())


BRANCH_RULES = (branches_conflict, branches_differ)


def judge_branches(trial: "Trial", path: str, severities: Mapping[str, Severity]) -> tuple[Finding, ...]:
    """Return what is wrong between two branches; ``path`` is the file of findings that concern none of ours."""
    found = {
        branches_conflict.id: [*_conflicts(trial, path), *_edits(trial.fork)],
        branches_differ.id: [*_differences(trial, path)],
        duplicate_version.id: [*_duplicates(trial.fork)],
    }
    rules = (branches_conflict, branches_differ, duplicate_version)
    return graded(rules, severities, lambda one: found[one.id])


def _conflicts(trial: "Trial", path: str) -> Iterator[Finding]:
    """Yield one finding, whether one order fails or both: the branches do not go together."""
    if not trial.conflicts:
        return
    fork = trial.fork
    # The one in a file here can be shown at its line.
    conflict = next((one for one in trial.conflicts if fork.is_ours(one.file)), trial.conflicts[0])
    is_ours = fork.is_ours(conflict.file)
    ours = conflict.file if is_ours else conflict.after
    files = [one for one in (conflict.file, conflict.after) if one is not None]
    yield _finding(
        branches_conflict,
        path=ours.relative_path if ours is not None else path,
        line=conflict.error.line if is_ours else 0,
        column=conflict.error.column if is_ours else 0,
        message=_failure(fork, conflict),
        evidence=tuple(_facts(trial, conflict)),
        remedy=_way_out(trial, conflict),
        objects=tuple(one.name for one in conflict.objects),
        details={
            "ref": fork.theirs.name,
            "files": [_called(fork, file) for file in files],
            "sqlstate": conflict.error.sqlstate,
        },
    )


def _failure(fork: "Fork", conflict: "Conflict") -> str:
    error = conflict.error
    code = f" ({error.sqlstate})" if error.sqlstate else ""
    return f"{_called(fork, conflict.file)} cannot be applied after {_before(fork, conflict)}: {error.message}{code}"


def _called(fork: "Fork", file: "Migration") -> str:
    """Return a file as a message has it: with its branch, where that is another one."""
    return file.relative_path if fork.is_ours(file) else f"{file.relative_path} of {fork.theirs.name}"


def _before(fork: "Fork", conflict: "Conflict") -> str:
    if conflict.after is not None:
        return _called(fork, conflict.after)
    other = fork.theirs if fork.is_ours(conflict.file) else fork.ours
    return f"the new files of {other.name}"


def _facts(trial: "Trial", conflict: "Conflict") -> Iterator[str]:
    fork, error = trial.fork, conflict.error
    yield f"fails at {_called(fork, conflict.file)}, line {error.line}"
    if error.detail:
        yield f"detail: {error.detail}"
    if error.hint:
        yield f"hint: {error.hint}"
    if conflict.objects:
        yield f"it is about {', '.join(f'{one.kind} {one.name}' for one in conflict.objects)}"
    others = [one for one in trial.conflicts if one is not conflict]
    for other in others:
        yield f"the other order fails, too: {_failure(fork, other)}, line {other.error.line}"
    if others:
        return
    yield "in the other order both can be applied"
    if conflict.is_merged_order:
        yield "by their versions, this is the order in which they are applied after a merge"


def _way_out(trial: "Trial", conflict: "Conflict") -> str:
    """Say what to do; where only one order works, that is the way."""
    ref = trial.fork.theirs.name
    if len(trial.conflicts) > 1:
        return branches_conflict.remedy
    if trial.fork.is_ours(conflict.file):
        return (
            f"Merge this branch before {ref}, whose files have to have later versions than the ones here; or wait until it "
            "is merged, rebase on it, and write the file for the schema that there is then."
        )
    return (
        f"Merge {ref} first, then rebase this branch on it and give its files later versions: after the other's they can "
        "be applied."
    )


def _edits(fork: "Fork") -> Iterator[Finding]:
    for what, paths in (("edit", fork.edited_by_both), ("add", fork.added_by_both)):
        for path in paths:
            yield _finding(
                branches_conflict,
                path=path,
                message=f"this branch and {fork.theirs.name} both {what} {path}, each in its own way",
                remedy=(
                    "Leave a file as it is that may have been applied, and write another; one that is run whenever it has "
                    "changed gets the second edit when the first is merged."
                    if what == "edit"
                    else "Give one of the two another name and version, or make them the same."
                ),
                details={"ref": fork.theirs.name},
            )


def _duplicates(fork: "Fork") -> Iterator[Finding]:
    consequence = (
        "their runner ends with an error"
        if fork.refuses_duplicates
        else "which of them comes first is left to their names"
    )
    for ours, theirs in fork.same_version:
        yield _finding(
            duplicate_version,
            severity=Severity.ERROR if fork.refuses_duplicates else Severity.WARNING,
            path=ours,
            message=f"{theirs} of {fork.theirs.name} has the same version: once both are merged, {consequence}",
            remedy="Give the file of the branch that is merged second the next free version.",
            details={"ref": fork.theirs.name},
        )


def _differences(trial: "Trial", path: str) -> Iterator[Finding]:
    objects = grouped(trial.changes)
    for one, parts in objects[:_MOST_OBJECTS]:
        yield _difference(trial, path, one, [one, *parts])
    if rest := objects[_MOST_OBJECTS:]:
        yield _finding(
            branches_differ,
            path=path,
            message=f"{len(rest)} more objects depend on which branch is applied first",
            evidence=tuple(f"{one.kind} {one.name}" for one, _ in rest),
            remedy=branches_differ.remedy,
            details={"ref": trial.fork.theirs.name},
        )


def _difference(trial: "Trial", path: str, one: Change, changes: Sequence[Change]) -> Finding:
    fork = trial.fork
    files = trial.files_behind(one)
    ours = next((file for file in files if fork.is_ours(file)), None)
    # A name that PostgreSQL chose (t_check1) is what it is only because the other one was taken.
    is_name = not trial.changes_but_names
    lines = [line.text for line in render(changes)]
    shown = [*lines[:_MOST_LINES], *(["..."] if len(lines) > _MOST_LINES else [])]
    return _finding(
        branches_differ,
        severity=Severity.WARNING if is_name else branches_differ.severity,
        path=ours.relative_path if ours is not None else path,
        message=f"{one.kind} {one.name} depends on which branch is applied first, this one or {fork.theirs.name}"
        + (": PostgreSQL chooses names by what is there" if is_name else ""),
        evidence=(
            *([f"changed by {', '.join(_called(fork, file) for file in files)}"] if files else []),
            "\n".join([f"with {fork.theirs.name} applied last -> with this branch applied last:", *shown]),
        ),
        remedy="Give constraints and indexes names in the files." if is_name else branches_differ.remedy,
        objects=(one.name,),
        details={"ref": fork.theirs.name, "files": [file.relative_path for file in files]},
    )


def _finding(
    of: Rule,
    *,
    path: str,
    message: str,
    remedy: str,
    line: int = 0,
    column: int = 0,
    severity: Severity | None = None,
    evidence: tuple[str, ...] = (),
    objects: tuple[str, ...] = (),
    details: Mapping[str, Any] = MappingProxyType({}),
) -> Finding:
    return Finding(
        rule=of.id,
        family=of.family,
        severity=of.severity if severity is None else severity,
        path=path,
        line=line,
        column=column,
        message=message,
        evidence=evidence,
        remedy=remedy,
        objects=objects,
        details=dict(details),
    )
