"""Evidence is judged by several rules; one that raises is a finding of its own, and hides no other's."""

import traceback
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from pytest_migsafe.errors import RuleError
from pytest_migsafe.findings import Finding, Severity
from pytest_migsafe.rules.registry import Rule, graded, in_order, rule

if TYPE_CHECKING:
    # It brings psycopg and PostgreSQL's grammar along, a fifth of a second.
    from pytest_migsafe.rehearsal.evidence import Evidence

#: How many of the innermost calls of a rule that raised are told.
_CALLS = 5


@rule(
    id="rule-raised",
    family="rules",
    title="A rule raised an error instead of judging, so that nobody knows what it would have found.",
    why="A file that a rule could not judge has not been judged: letting it pass would be a guess.",
    remedy=(
        "Mend the rule's function; its test can give it the same file (`rehearse_sql`). A rule that comes with "
        "pytest-migsafe: please report it. Until then the rule can be switched off in [tool.migsafe.rules]."
    ),
    is_waivable=False,
)
def rule_raised(_: "Evidence") -> Iterator[Finding]:
    """Find nothing: that a rule raises is seen when it is asked."""
    return iter(())


def judge(
    evidence: "Evidence", rules: Iterable[Rule], severities: Mapping[str, Severity] = MappingProxyType({})
) -> tuple[Finding, ...]:
    """Return what the rules find, in the order of the file; a rule that is off is not asked.

    A severity from the settings, by the rule's id, replaces the one that a rule gives its findings.
    """
    raised: list[Finding] = []

    def ask(one: Rule) -> Iterator[Finding]:
        try:
            yield from one(evidence)
        except Exception as error:  # noqa: BLE001 - whatever a rule raises, the others are asked
            raised.append(_raised(one, error, evidence))

    found = graded(rules, severities, ask)
    return in_order([*found, *graded([rule_raised], severities, lambda _: raised)])


def _raised(one: Rule, error: Exception, evidence: "Evidence") -> Finding:
    said = str(error).partition("\n")[0]
    what = said if isinstance(error, RuleError) else f"the rule {one.id} raised {_named(error, said)}"
    return rule_raised.finding(
        evidence,
        message=f"{what}, so that nobody knows what it would have found",
        evidence=tuple(_calls(error)),
        remedy=rule_raised.remedy,
        details={"raised_by": one.id},
    )


def _named(error: Exception, said: str) -> str:
    return f"{type(error).__name__}: {said}" if said else type(error).__name__


def _calls(error: Exception) -> Iterator[str]:
    """Yield where the error came up, the rule's own function first."""
    # The first two calls are those of the rule by us.
    for call in traceback.extract_tb(error.__traceback__)[2:][-_CALLS:]:
        yield f"{call.filename}:{call.lineno}, in {call.name}: {call.line}"
