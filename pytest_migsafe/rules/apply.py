"""The family *apply*: files that PostgreSQL does not accept, with an explanation in plain words."""

from collections.abc import Iterator

from pytest_migsafe.findings import Finding, Severity
from pytest_migsafe.rehearsal.evidence import Evidence, StatementError
from pytest_migsafe.rules.explain import explain
from pytest_migsafe.rules.registry import rule


@rule(
    id="apply-error",
    family="apply",
    severity=Severity.ERROR,
    title="PostgreSQL does not accept the file.",
    why="The deployment stops at this file; the ones after it cannot be applied.",
    remedy="Mend the statement that the server rejects; the explanation names the usual cause.",
    manual="PostgreSQL Error Codes",
)
def apply_error(evidence: Evidence) -> Iterator[Finding]:
    """Report the error that ended the file."""
    error = evidence.error
    if error is None:
        return
    code = f" ({error.sqlstate})" if error.sqlstate else ""
    yield apply_error.finding(
        evidence,
        line=error.line,
        column=error.column,
        message=f"{error.message}{code}",
        evidence=tuple(_facts(error)),
        remedy="\n".join(explain(evidence)),
        details={"sqlstate": error.sqlstate, "done": _done(evidence)},
    )


def _facts(error: StatementError) -> Iterator[str]:
    if error.during:
        yield f"during {error.during}"
    if error.detail:
        yield f"detail: {error.detail}"
    if error.hint:
        yield f"hint: {error.hint}"
    for line in error.context.splitlines():
        yield f"context: {line}"


def _done(evidence: Evidence) -> str:
    """Say what of the file was done before the error, and what of it stays."""
    ran = sum(1 for statement in evidence.statements if statement.error is None)
    count = evidence.statement_count
    if not evidence.statements:
        return "Nothing of the file was run."
    before = f"{ran} of {count} statement{'s' if count != 1 else ''} had been run"
    if _is_all_or_nothing(evidence):
        return f"{before}; all of it was rolled back, so the database is as it was before the file."
    stays = [statement for statement in evidence.statements if statement.error is None]
    if not stays:
        return f"{before}, so the database is as it was before the file."
    last = stays[-1]
    return (
        f"{before} and may stay applied (outside one transaction): the last was in line {last.line}. "
        "Before the next try, undo what stayed, or make the statements safe to run again."
    )


def _is_all_or_nothing(evidence: Evidence) -> bool:
    return not evidence.lane_reason or (evidence.mode.wraps and not evidence.transaction_control)
