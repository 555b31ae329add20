"""The family *history*: what a file is among the others of its history."""

from collections.abc import Iterator

from pytest_migsafe.findings import Finding, Severity
from pytest_migsafe.migrations.origin import Change
from pytest_migsafe.rehearsal.evidence import Evidence
from pytest_migsafe.rules.registry import rule


@rule(
    id="duplicate-version",
    family="history",
    severity=Severity.ERROR,
    title="Two files of a history have the same version.",
    why=(
        "A runner records versions. Most end with an error when two files have the same one; others take whichever "
        "comes first by its name and believe that the second has been applied. It happens when two branches, each "
        "with the next number, are merged."
    ),
    remedy="Give the newer file the next free version, before it is applied anywhere.",
    peers={
        "golang-migrate": "duplicate migration file",
        "Flyway": "Found more than one migration with version",
    },
)
def duplicate_version(evidence: Evidence) -> Iterator[Finding]:
    """Judge a file's version among those of the others."""
    if not evidence.same_version:
        return
    others = ", ".join(evidence.same_version)
    consequence = (
        "its runner ends with an error"
        if evidence.refuses_duplicates
        else "which of them comes first is left to their names"
    )
    # A file that nobody has applied yet can have another version for the asking.
    is_new = evidence.origin is not None and evidence.origin.change is Change.NEW
    yield duplicate_version.finding(
        evidence,
        severity=Severity.ERROR if evidence.refuses_duplicates or is_new else Severity.WARNING,
        message=f"{others} has the same version: {consequence}",
        evidence=(f"{evidence.path} and {others}",),
        remedy=duplicate_version.remedy,
    )
