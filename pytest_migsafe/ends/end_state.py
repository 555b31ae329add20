"""The check of a history's end state: every smoke test over the whole schema, whichever file caused what it finds."""

from collections.abc import Mapping, Sequence
from functools import partial

from pytest_migsafe.findings import Finding, Severity
from pytest_migsafe.rehearsal.end import End
from pytest_migsafe.reports.failure import finding_text
from pytest_migsafe.review import EndCheck, EndVerdict, Review
from pytest_migsafe.rules import Rule
from pytest_migsafe.rules.smoke.end_state import judge_end_state
from pytest_migsafe.rules.smoke.matrix import matrix
from pytest_migsafe.rules.smoke.summary import sections
from pytest_migsafe.texts.wording import counted

#: The item's name.
END_STATE = "end-state"


def end_state_check(root: str, rules: Sequence[Rule], severities: Mapping[str, Severity]) -> EndCheck:
    """Return the check of the schema that the history in a folder makes, with the severities of the settings."""
    return EndCheck(
        name=END_STATE,
        title=f"end state of {root}",
        judge=partial(_judge, root=root, rules=rules, severities=severities),
        heeds_waivers=True,
    )


def _judge(
    end: End,
    known: Sequence[Review],
    *,
    root: str,
    rules: Sequence[Rule],
    severities: Mapping[str, Severity],
) -> EndVerdict:
    findings = judge_end_state(
        end.state_before,
        end.state_after,
        root,
        rules=rules,
        severities=severities,
        known=[finding for review in known for finding in review.findings],
        files=[review.evidence for review in known if review.evidence is not None],
    )
    failing = [one for one in findings if one.fails]
    warnings = sum(not one.fails and one.waived is None for one in findings)
    said = f"{counted(len(failing), 'error')}, {counted(warnings, 'warning')}"
    if waived := sum(one.waived is not None for one in findings):
        said += f", {waived} waived"
    return EndVerdict(
        problem=problem(failing, f"the schema that {root} makes") if failing else "",
        note=f"end state of {root}: {said}",
        findings=findings,
        sections=sections(end.state_after, findings, rules),
        row_security=matrix(end.state_after),
    )


def problem(failing: Sequence[Finding], what: str) -> str:
    """Return a failure's text: what is wrong with what in a line, then all findings."""
    more = f" (and {len(failing) - 1} more)" if len(failing) > 1 else ""
    first = f"{what}: {failing[0].rule}: {failing[0].message}{more}"
    return "\n\n".join([first, *(finding_text(one) for one in failing)])
