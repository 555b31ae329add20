"""The absolute mode: what is wrong with the whole schema that a history makes, whichever file caused it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from pytest_migsafe.findings import Finding, Severity
from pytest_migsafe.rehearsal.evidence import Evidence
from pytest_migsafe.rehearsal.state import State
from pytest_migsafe.rules.registry import Rule, graded
from pytest_migsafe.rules.smoke.check import SmokeTest, new_defects, speaks_of


def judge_end_state(
    before: State,
    after: State,
    path: str,
    *,
    rules: Iterable[Rule],
    severities: Mapping[str, Severity],
    known: Sequence[Finding] = (),
    files: Sequence[Evidence] = (),
) -> tuple[Finding, ...]:
    """Return what is wrong with the state at the end of a history, and was not before its first file.

    Args:
        before: the state before the first file.
        after: the state after the last.
        path: the history's folder.
        rules: of which the smoke tests are asked.
        severities: what the settings say of them, by id.
        known: the findings in the files; where one of them is the same, the file is named.
        files: what happened in them; what is looked at here alone may be allowed where they name it.
    """
    origins = {(one.rule, one.objects): one for one in known}

    def ask(test: SmokeTest) -> Iterable[Finding]:
        for defect in new_defects(test, before, after):
            finding = test.describe(defect, path)
            if test.at_end_only:
                yield replace(finding, waived=_reason_in_files(finding, files))
            else:
                yield _with_origin(finding, origins.get((finding.rule, finding.objects)))

    return graded([one for one in rules if isinstance(one, SmokeTest)], severities, ask)


def _with_origin(finding: Finding, origin: Finding | None) -> Finding:
    if origin is None:
        return finding
    place = f"{origin.path}:{origin.line}" if origin.line else origin.path
    return replace(
        finding,
        evidence=(*finding.evidence, f"since {place}"),
        # What the file allows itself is allowed at the end, too.
        waived=origin.waived,
        details={**finding.details, "since": place},
    )


def _reason_in_files(finding: Finding, files: Iterable[Evidence]) -> str | None:
    """Return why a file allows what is found at the end only: its waiver covers a statement that names the object."""
    for evidence in files:
        for waiver in evidence.waivers:
            if waiver.allows(finding.rule) and any(
                waiver.covers(one.line, one.column) and speaks_of(one, finding.objects[0])
                for one in evidence.statements
            ):
                return waiver.because
    return None
