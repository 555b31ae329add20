"""The family *left-behind*: what a file leaves in the database that it did not mean to."""

from collections.abc import Iterator

from pytest_migsafe.findings import Finding, Severity
from pytest_migsafe.rehearsal.evidence import Evidence, Kept, StatementEvidence
from pytest_migsafe.rules.registry import rule


@rule(
    id="already-exists-skipped",
    family="left-behind",
    severity=Severity.ERROR,
    title="IF NOT EXISTS silently kept a different object.",
    why=(
        "PostgreSQL looks at the name only: it says 'already exists, skipping' and goes on, whatever the existing "
        "object looks like. The migration counts as applied, and the database lacks what it describes."
    ),
    remedy="Change the existing object to what is wanted, or give the new one a name of its own.",
    manual="CREATE TABLE, IF NOT EXISTS",
)
def already_exists_skipped(evidence: Evidence) -> Iterator[Finding]:
    """Compare what was kept with what the statement describes."""
    for statement in evidence.statements:
        for kept in statement.kept:
            if kept.differs:
                yield _finding(evidence, statement, kept)


def _finding(evidence: Evidence, statement: StatementEvidence, kept: Kept) -> Finding:
    missing = [line for line in kept.wanted if line not in kept.existing]
    other = [line for line in kept.existing if line not in kept.wanted]
    return already_exists_skipped.finding(
        evidence,
        # Everything that the statement describes is there, and something besides: worth a look, not a defect.
        severity=Severity.ERROR if missing else Severity.WARNING,
        line=statement.line,
        column=statement.column,
        message=(
            f"IF NOT EXISTS kept the existing {kept.kind} {kept.name}, which is "
            + ("not the one described here" if missing else "more than what is described here")
        ),
        evidence=(
            *(f"described, not there: {line}" for line in missing),
            *(f"there, not described: {line}" for line in other),
        ),
        remedy=already_exists_skipped.remedy,
        objects=(kept.name,),
    )
