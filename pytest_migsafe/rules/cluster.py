"""The family *cluster*: statements that change more than the database that they run in."""

from collections.abc import Iterator

from pytest_migsafe.findings import Finding, Severity
from pytest_migsafe.migrations.lexemes import headline
from pytest_migsafe.rehearsal.evidence import Evidence, LeftOutFor
from pytest_migsafe.rules.registry import rule


@rule(
    id="cluster-wide-not-run",
    family="cluster",
    severity=Severity.WARNING,
    title="A statement that changes the whole cluster was not run, for the server is not ours.",
    why=(
        "Roles, databases, tablespaces, subscriptions and the server's configuration belong to all databases of a "
        "server. On one that was given by a DSN others would meet what the rehearsal leaves there, so such statements "
        "are left out. What the file does after them is rehearsed without them, and may fail for want of them."
    ),
    remedy=(
        "Rehearse on a throwaway server (leave the DSN out), or, where the given server is thrown away after the run, "
        "allow it: `cluster_wide = true` in `[tool.migsafe]`."
    ),
    manual="Database Roles; Managing Databases; Tablespaces; ALTER SYSTEM",
)
def cluster_wide_not_run(evidence: Evidence) -> Iterator[Finding]:
    """Report each statement that was left out."""
    for one in evidence.left_out:
        if one.reason is not LeftOutFor.CLUSTER:
            continue
        yield cluster_wide_not_run.finding(
            evidence,
            line=one.line,
            column=one.column,
            message=f"not run, for it changes {one.changes} of a server that is not ours: {headline(one.text)}",
            remedy=cluster_wide_not_run.remedy,
        )
