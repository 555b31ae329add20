"""A failed migration as text: the verdict first, then place, statement, what the server said, what to do."""

from collections.abc import Iterator

from pytest_migsafe.findings import Finding, Severity
from pytest_migsafe.reports.excerpt import marked, statement_lines
from pytest_migsafe.review import Review
from pytest_migsafe.texts import seen


def verdict(review: Review) -> str:
    """Return the failure in one line: all that pytest's summary, JUnit and xdist keep beside the item's name."""
    failing = [finding for finding in review.findings if finding.fails]
    if review.evidence is not None and review.evidence.error is not None:
        error = review.evidence.error
        code = f" ({error.sqlstate})" if error.sqlstate else ""
        return f"cannot be applied: {error.message}{code}"
    more = f" (and {len(failing) - 1} more)" if len(failing) > 1 else ""
    return f"{failing[0].rule}: {failing[0].message}{more}"


def failure_text(review: Review) -> str:
    """Return everything that a person needs to act on a failed migration."""
    # What the verdict says comes first, then the other errors, then the warnings.
    first, *others = sorted(review.findings, key=_weight)
    lines = [verdict(review), *_body(review, first)]
    for finding in others:
        lines += ["", f"{_word(finding)}: {finding.rule}: {finding.message}", *_body(review, finding)]
    return seen("\n".join(lines))


def _weight(finding: Finding) -> tuple[bool, bool, bool]:
    return not finding.fails, finding.waived is not None, finding.rule != "apply-error"


def finding_text(finding: Finding) -> str:
    """Return a finding that stands in no statement: what is wrong, the proof, the safe way."""
    return "\n".join([f"{_word(finding)}: {finding.rule}: {finding.message}", *facts(finding)])


def _body(review: Review, finding: Finding) -> Iterator[str]:
    if finding.waived is not None:
        yield from _waived(finding)
        return
    yield from excerpt(review, finding)
    yield from facts(finding)


def facts(finding: Finding) -> Iterator[str]:
    """Yield the proof of a finding and the way out, below its message."""
    for fact in finding.evidence:
        yield from indented("  = ", fact)
    if done := finding.details.get("done"):
        yield from indented("  = done: ", done)
    if finding.remedy:
        yield from indented("  = help: ", finding.remedy)


def _waived(finding: Finding) -> Iterator[str]:
    """Yield what there is to say of a finding that the file itself allows."""
    if finding.line:
        yield _place(finding)
    yield f"  = because {finding.waived}"


def _place(finding: Finding) -> str:
    return f"  --> {finding.path}:{finding.line}:{finding.column}"


def _word(finding: Finding) -> str:
    return "waived" if finding.waived is not None else _WORDS[finding.severity]


_WORDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.OFF: "note"}


def excerpt(review: Review, finding: Finding) -> Iterator[str]:
    """Yield the place of a finding, and the statement with its line marked."""
    if not finding.line:
        return
    yield _place(finding)
    numbered = _numbered_lines(review, finding)
    if not numbered:
        return
    yield from marked(numbered, finding.line, finding.column)


def _numbered_lines(review: Review, finding: Finding) -> dict[int, str]:
    evidence, line = review.evidence, finding.line
    if evidence is None:
        return {}
    if "waiver" in finding.details:
        return {one.line: one.text for one in evidence.waivers if one.line == line}
    holding = [one for one in evidence.statements if one.line <= line <= one.end_line]
    # Several may stand on the line: it is the last that begins before the place.
    begun = [one for one in holding if (one.line, one.column) <= (line, finding.column)]
    if holding:
        one = (begun or holding)[-1]
        return statement_lines(one.line, one.column, one.text)
    if evidence.error is not None and evidence.error.line == line and evidence.error_line:
        return {line: evidence.error_line}
    return {}


def indented(head: str, text: str) -> Iterator[str]:
    """Yield the lines of a text: the first behind a head, the others below it."""
    first, *rest = text.split("\n")
    yield head + first
    for line in rest:
        yield " " * len(head) + line
