"""What a rule of the family *breaks-old-code* is: a function that compares what could be used before a file and after it.

While a deployment runs, the previous version of the application still works with the database that the new one needs.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from pytest_migsafe.catalog.lexical import schema_of
from pytest_migsafe.findings import Finding, RemedyFile, Severity
from pytest_migsafe.rehearsal.evidence import Evidence, StatementEvidence
from pytest_migsafe.rules.registry import Rule
from pytest_migsafe.rules.remedy import written
from pytest_migsafe.rules.smoke.check import cause

FAMILY = "breaks-old-code"
#: What has to be so before the last file of a remedy.
NO_OLD_CODE = "when no previous version of the application runs any more"


@dataclass(frozen=True, slots=True, kw_only=True)
class Breakage:
    """Something that the previous version of the application could use, and how it cannot any more."""

    #: By its qualified name.
    subject: str
    #: What fails, complete in one line.
    message: str
    #: The statement that did it, where that was seen.
    statement: StatementEvidence | None = None
    #: What that statement names, the most telling first; the subject is looked for last.
    named: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    #: The safe way in words; empty: the rule's own.
    remedy: str = ""
    files: tuple[RemedyFile, ...] = ()
    #: None: the rule's own.
    severity: Severity | None = None
    objects: tuple[str, ...] = ()


Compare = Callable[[Evidence], Iterator[Breakage]]


@dataclass(frozen=True, kw_only=True)
class CompatibilityRule(Rule):
    """A rule on one way to break the previous version of the application."""

    compare: Compare = field(compare=False)


def compatibility_rule(**metadata: Any) -> Callable[[Compare], CompatibilityRule]:
    """Make a rule of a function from evidence to breakages; ``metadata`` are the other fields of ``Rule``."""

    def decorate(compare: Compare) -> CompatibilityRule:
        def check(evidence: Evidence) -> Iterator[Finding]:
            # What a failed file left is no state that anybody goes on from.
            if evidence.applied and evidence.identities.changed:
                for one in compare(evidence):
                    if evidence.state_after.scope.includes(schema_of(one.subject)):
                        yield _described(made, evidence, one)

        made = CompatibilityRule(family=FAMILY, compare=compare, check=check, **metadata)
        return made

    return decorate


def _described(rule: Rule, evidence: Evidence, one: Breakage) -> Finding:
    statement = one.statement or cause(evidence.statements, (*one.named, one.subject))
    return rule.finding(
        evidence,
        severity=one.severity or rule.severity,
        line=statement.line if statement is not None else 0,
        column=statement.column if statement is not None else 0,
        message=one.message,
        evidence=one.evidence,
        remedy=written(one.remedy or rule.remedy, one.files),
        files=one.files,
        objects=(one.subject, *one.objects),
    )
