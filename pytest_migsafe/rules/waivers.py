"""The family *waivers*: what a file itself allows, and comments that were meant to allow something and do not."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from pytest_migsafe.findings import Finding, Severity
from pytest_migsafe.migrations.waivers import FORM, Waiver
from pytest_migsafe.rehearsal.evidence import Evidence
from pytest_migsafe.rules.registry import Rule, in_order, meant, severity_of
from pytest_migsafe.rules.smoke.check import SmokeTest

FAMILY = "waivers"


def _rule(rule_id: str, *, title: str, why: str, remedy: str) -> Rule:
    return Rule(
        id=rule_id,
        family=FAMILY,
        severity=Severity.ERROR,
        title=title,
        why=why,
        remedy=remedy,
        is_waivable=False,
        # What a waiver is worth is known only when all other rules have been asked: see `with_waivers`.
        check=lambda _: iter(()),
    )


WAIVER_MALFORMED = _rule(
    "waiver-malformed",
    title="A comment is addressed to migsafe, and is not understood.",
    why="Who wrote it believes that something is allowed, or that it will be looked at, and neither is so.",
    remedy=(
        f"Write `{FORM}`, directly above the statement, in it or behind it; for the whole file above its first statement, "
        "with an empty line between."
    ),
)
WAIVER_UNKNOWN_RULE = _rule(
    "waiver-unknown-rule",
    title="A waiver names a rule that does not exist, or that cannot be waived.",
    why=(
        "A name that is mistyped allows nothing. That PostgreSQL does not accept a file, or that a waiver is wrong, is "
        "nothing that a comment could allow."
    ),
    remedy="Name rules by their ids; `pytest --migsafe-rules` lists them.",
)
WAIVER_WITHOUT_REASON = _rule(
    "waiver-without-reason",
    title="A waiver gives no reason, and so allows nothing.",
    why="Whoever reads the file a year later has to know why this was no danger, and whether that is still so.",
    remedy=f"Say why: `{FORM}`.",
)
WAIVER_UNUSED = _rule(
    "waiver-unused",
    title="A waiver allows what was not found.",
    why=(
        "It stays behind when the statement is mended or moved, and silently allows what somebody puts there later; "
        "or it stands at the wrong statement, and was never of use."
    ),
    remedy=(
        "Take it out, or put it where the finding is: directly above that statement; for the whole file above its first "
        "statement, with an empty line between."
    ),
)

WAIVER_RULES: tuple[Rule, ...] = (
    WAIVER_MALFORMED,
    WAIVER_UNKNOWN_RULE,
    WAIVER_WITHOUT_REASON,
    WAIVER_UNUSED,
)


def with_waivers(
    evidence: Evidence,
    findings: Sequence[Finding],
    *,
    rules: Collection[Rule],
    severities: Mapping[str, Severity],
    is_one_of_several: bool = False,
) -> tuple[Finding, ...]:
    """Return findings with what the file allows of them marked, and those on its waivers, in the order of the file.

    Args:
        evidence: of the file that was judged.
        findings: what the rules found in it.
        rules: those that exist, on or off.
        severities: what is said of them by the settings, by id.
        is_one_of_several: whether the file is rehearsed on several servers: what a waiver allows may be found on another.
    """
    if not evidence.waivers:
        return tuple(findings)
    known = {rule.id: rule for rule in rules}
    allowing = {at: waiver for at, one in enumerate(findings) if (waiver := _waiver_of(one, evidence, known))}
    marked = [
        replace(one, waived=allowing[at].because) if at in allowing else one
        for at, one in enumerate(findings)
    ]
    own = [finding for waiver in evidence.waivers for finding in _judged(evidence, waiver, known)]
    if evidence.applied:
        used = {(waiver, findings[at].rule) for at, waiver in allowing.items()}
        missed = {rule.id for rule in rules if _is_missed(rule, severities)}
        own += [
            _unused(evidence, waiver, rule, marked, is_one_of_several=is_one_of_several)
            for waiver in evidence.waivers
            for rule in waiver.rules
            if waiver.allows(rule) and rule in missed and (waiver, rule) not in used
        ]
    given = [replace(one, severity=severities.get(one.rule, one.severity)) for one in own]
    return in_order([*marked, *(one for one in given if one.severity is not Severity.OFF)])


def _is_missed(rule: Rule, severities: Mapping[str, Severity]) -> bool:
    """Whether a waiver of a rule that finds nothing in the file is not needed."""
    is_asked_here = not (isinstance(rule, SmokeTest) and rule.at_end_only)
    is_asked = rule.is_lasting and is_asked_here and severity_of(rule, severities) is not Severity.OFF
    return rule.is_waivable and is_asked


def _waiver_of(finding: Finding, evidence: Evidence, known: Mapping[str, Rule]) -> Waiver | None:
    """Return what allows a finding; what stands at its statement goes before what stands on top of the file."""
    if finding.rule in known and not known[finding.rule].is_waivable:
        return None
    fitting = [
        one
        for one in evidence.waivers
        if one.allows(finding.rule) and one.covers(finding.line, finding.column)
    ]
    return min(fitting, key=lambda one: one.statement is None, default=None)


def _judged(evidence: Evidence, waiver: Waiver, known: Mapping[str, Rule]) -> Iterator[Finding]:
    """Yield what is wrong with a waiver by itself."""
    if waiver.problem:
        yield _finding(evidence, WAIVER_MALFORMED, waiver, waiver.problem)
        return
    for rule in waiver.rules:
        if rule not in known:
            yield _finding(
                evidence, WAIVER_UNKNOWN_RULE, waiver, f"there is no rule {rule!r}{meant(rule, known)}"
            )
        elif not known[rule].is_waivable:
            yield _finding(evidence, WAIVER_UNKNOWN_RULE, waiver, f"{rule} cannot be waived")
    if not waiver.because:
        listed = ", ".join(waiver.rules)
        yield _finding(
            evidence,
            WAIVER_WITHOUT_REASON,
            waiver,
            f"the waiver of {listed} gives no reason, and so allows nothing",
        )


def _unused(
    evidence: Evidence, waiver: Waiver, rule: str, findings: Iterable[Finding], *, is_one_of_several: bool
) -> Finding:
    lines = sorted({one.line for one in findings if one.rule == rule and one.waived is None})
    where = "in the file" if waiver.statement is None else "at its statement"
    message = f"the waiver of {rule} is not needed: the rule finds nothing {where}"
    if elsewhere := [f"line {line}" if line else "the file as a whole" for line in lines]:
        message += f", but something in {', '.join(elsewhere)}"
    if not is_one_of_several:
        return _finding(evidence, WAIVER_UNUSED, waiver, message)
    return replace(
        _finding(evidence, WAIVER_UNUSED, waiver, f"{message} on PostgreSQL {evidence.server_version}"),
        severity=Severity.WARNING,
    )


def _finding(evidence: Evidence, rule: Rule, waiver: Waiver, message: str) -> Finding:
    return rule.finding(
        evidence,
        line=waiver.line,
        column=waiver.column,
        message=message,
        remedy=rule.remedy,
        details={"waiver": {"rules": list(waiver.rules), "because": waiver.because or None}},
    )
