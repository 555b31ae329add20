"""The check of what a history has lost: files that are gone have no item of their own."""

from collections.abc import Mapping, Sequence

from pytest_migsafe.ends.end_state import problem
from pytest_migsafe.findings import Severity
from pytest_migsafe.migrations.origin import Gone
from pytest_migsafe.review import EndCheck, EndVerdict
from pytest_migsafe.rules.immutability import HISTORY_DELETED, deleted
from pytest_migsafe.rules.registry import severity_of
from pytest_migsafe.texts.wording import counted

#: The item's name.
HISTORY = "history"


def history_check(
    root: str, gone: Sequence[Gone], severities: Mapping[str, Severity], place: str
) -> EndCheck:
    """Return the check of the history in a folder, with the severities of the settings; it is made in one place."""
    severity = severity_of(HISTORY_DELETED, severities)
    findings = deleted(gone, severity) if severity is not Severity.OFF else ()
    failing = [one for one in findings if one.fails]
    verdict = EndVerdict(
        problem=problem(failing, f"the history in {root}") if failing else "",
        note=f"{counted(len(gone), 'file')} of {root} deleted",
        findings=findings,
    )
    return EndCheck(
        name=HISTORY,
        title=f"history of {root}",
        experiment=lambda *_: verdict,
        only_in=place,
        only_because=f"it is the same in all places: see {HISTORY}[{place}]",
    )
