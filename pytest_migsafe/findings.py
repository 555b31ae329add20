"""Findings: the one currency between judging and showing.

A finding is plain data: it crosses process borders (pytest-xdist, JSON reports) as it is.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any


class Severity(StrEnum):
    """How much a finding weighs: an error fails the migration's item, a warning is only listed."""

    ERROR = "error"
    WARNING = "warning"
    OFF = "off"


@dataclass(frozen=True, slots=True, kw_only=True)
class RemedyFile:
    """One file of the safe way: a migration that can be pasted."""

    sql: str
    #: Whether the runner may wrap it in a transaction; CONCURRENTLY, for one, is refused there.
    in_transaction: bool = True
    #: What has to be so before it is run, beyond the files before it ("after the application writes both columns").
    when: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What is wrong, where, the proof, and the safe way."""

    #: The rule's id, kebab-case and stable.
    rule: str
    #: The family that the rule belongs to.
    family: str
    severity: Severity
    #: The migration file, relative to the project's root, with forward slashes.
    path: str
    #: 1-based position of the statement in the file; 0 when the finding concerns the whole file.
    line: int = 0
    column: int = 0
    #: What happens, complete in its first line.
    message: str
    #: What Postgres did or said, one fact a line.
    evidence: tuple[str, ...] = ()
    #: The safe way in words and SQL, as a person reads it.
    remedy: str = ""
    #: The SQL of the safe way, divided into the files that it needs; the remedy says the same.
    files: tuple[RemedyFile, ...] = ()
    #: The objects concerned, schema-qualified.
    objects: tuple[str, ...] = ()
    #: The waiver's reason, when a waiver in the file covers the finding.
    waived: str | None = None
    #: Whatever a report may want besides, JSON-plain.
    details: Mapping[str, Any] = field(default_factory=dict)

    @property
    def fails(self) -> bool:
        """Whether this finding fails the migration's item."""
        return self.severity is Severity.ERROR and self.waived is None

    def to_json(self) -> dict[str, Any]:
        """Return the finding as JSON values, the way that reports and xdist carry it."""
        plain = asdict(self)
        plain["severity"] = self.severity.value
        plain["waived"] = self.waived is not None
        plain["waived_because"] = self.waived
        return plain
