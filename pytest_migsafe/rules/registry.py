"""What a rule is, and how evidence is judged by several."""

import difflib
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
    #: Whether a comment in the file can allow what the rule finds.
    is_waivable: bool = True
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


def severity_of(rule: Rule, severities: Mapping[str, Severity]) -> Severity:
    """Return a rule's severity, given those of the settings by id."""
    return severities.get(rule.id, rule.severity)


def meant(name: str, known: Iterable[str]) -> str:
    """Return what is said behind the name of a rule that there is not: which is meant, or how to find out."""
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f"; did you mean {close[0]!r}?" if close else "; `pytest --migsafe-rules` lists them"


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
        if severity_of(one, severities) is not Severity.OFF:
            found += (finding if given is None else replace(finding, severity=given) for finding in ask(one))
    return tuple(sorted(found, key=lambda finding: (finding.line, finding.column, finding.rule)))
