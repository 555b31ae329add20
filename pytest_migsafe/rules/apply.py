"""The family *apply*: files that PostgreSQL does not accept, with an explanation in plain words."""

from collections.abc import Iterator

from pytest_migsafe.catalog import diff
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
    peers={
        "squawk": "ban-concurrent-index-creation-in-transaction, ban-uncommitted-transaction",
        "Atlas": "PG103, TX101, TX201",
    },
    is_waivable=False,
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
    if not evidence.statements:
        # With a SQLSTATE, it was on the server, and took its session along: nobody can tell how far it came.
        is_known = evidence.error is not None and not evidence.error.sqlstate
        return "Nothing of the file was run." if is_known else ""
    ran = sum(1 for statement in evidence.statements if statement.error is None)
    count = evidence.statement_count
    before = f"{ran} of {count} statement{'s' if count != 1 else ''} had been run"
    stayed = diff(evidence.before, evidence.after)
    if stayed:
        listed = ", ".join(f"{change.kind} {change.name} {change.action}" for change in stayed[:_LISTED])
        more = f" and {len(stayed) - _LISTED} more changes" if len(stayed) > _LISTED else ""
        return (
            f"{before}, and this stayed, for the file is not one transaction: {listed}{more}. Undo it before the "
            "next try, or make the statements safe to run again."
        )
    if any(statement.rows_written for statement in evidence.statements) and evidence.lane_reason:
        return f"{before}, and the rows that they wrote may have stayed: the file is not one transaction."
    return f"{before}; nothing of it stayed."


#: How many changes of a half-applied file are named.
_LISTED = 5
