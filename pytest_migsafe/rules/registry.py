"""What a rule is, and how evidence is judged by several."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, TypeVar

from pytest_migsafe.findings import Finding, Severity
from pytest_migsafe.rehearsal.evidence import Evidence

Check = Callable[[Evidence], Iterator[Finding]]


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A judgement on one migration's evidence, and what people need to know about it."""

    #: Kebab-case and stable: settings, waivers and reports name the rule by it.
    id: str
    family: str
    severity: Severity
    #: One sentence.
    title: str
    #: What happens in production.
    why: str
    #: The safe way.
    remedy: str
    #: The chapter of PostgreSQL's manual that the rule rests on.
    manual: str = ""
    #: What other tools call it, by the tool's name.
    peers: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    check: Check

    def __call__(self, evidence: Evidence) -> Iterator[Finding]:
        """Judge one migration's evidence."""
        return self.check(evidence)

    def finding(self, evidence: Evidence, /, **given: Any) -> Finding:
        """Return a finding of this rule; ``given`` are its message and what else a finding has.

        The severity is the rule's own unless another is given.
        """
        own = {"rule": self.id, "family": self.family, "severity": self.severity, "path": evidence.path}
        return Finding(**(own | given))


def rule(**metadata: Any) -> Callable[[Check], Rule]:
    """Make a rule of a function from evidence to findings; ``metadata`` are the other fields of ``Rule``."""

    def decorate(check: Check) -> Rule:
        return Rule(check=check, **metadata)

    return decorate


_Rule = TypeVar("_Rule", bound=Rule)


def judge(
    evidence: Evidence, rules: Iterable[Rule], severities: Mapping[str, Severity]
) -> tuple[Finding, ...]:
    """Return what the rules find, in the order of the file; a rule that is off is not asked.

    A severity from the settings replaces the one that a rule gives its findings.
    """
    return graded(rules, severities, lambda one: one(evidence))


def graded(
    rules: Iterable[_Rule], severities: Mapping[str, Severity], ask: Callable[[_Rule], Iterable[Finding]]
) -> tuple[Finding, ...]:
    """Return what rules find when they are asked, with the severities that the settings give; those that are off are not."""
    found: list[Finding] = []
    for one in rules:
        given = severities.get(one.id)
        if (given or one.severity) is not Severity.OFF:
            found += (finding if given is None else replace(finding, severity=given) for finding in ask(one))
    return tuple(sorted(found, key=lambda finding: (finding.line, finding.column, finding.rule)))
