"""The verdict on a run in a sentence: whether what was judged can be merged."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pytest_migsafe.reports.issues import Issue, incomplete, issues
from pytest_migsafe.texts.wording import counted

#: Of the outcomes of one file on several servers, the worst counts.
_WORST = ("failed", "blocked", "passed", "skipped")


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether what was judged can be merged."""

    #: "safe"; "unsafe"; "unknown": not everything could be judged; "nothing": there was nothing to judge.
    word: Literal["safe", "unsafe", "unknown", "nothing"]
    #: In one sentence, without a full stop.
    sentence: str

    @property
    def is_green(self) -> bool:
        """Whether nothing stands against merging."""
        return self.word in ("safe", "nothing")


def outcomes(report: Mapping[str, Any]) -> dict[str, str]:
    """Return the outcome of each migration by path, the worst of its places; what failed with a problem has failed."""
    found: dict[str, str] = {}
    for entry in report["migrations"]:
        here = "failed" if entry["problem"] is not None else entry["outcome"]
        found[entry["path"]] = min(found.get(entry["path"], here), here, key=_WORST.index)
    return found


def verdict(report: Mapping[str, Any], found: Sequence[Issue]) -> Verdict:
    """Return the verdict on a run, given its issues."""
    counts = Counter(outcomes(report).values())
    failed, blocked = counts["failed"], counts["blocked"]
    judged = failed + blocked + counts["passed"]
    if failed:
        more = f", {blocked} blocked" if blocked else ""
        fail = "fails" if failed == 1 else "fail"
        return Verdict("unsafe", f"Do not merge: {failed} of {counted(judged, 'migration')} {fail}{more}")
    if blocked:
        return Verdict(
            "unsafe", f"Do not merge: {blocked} of {counted(judged, 'migration')} cannot be judged"
        )
    if why := incomplete(report):
        return Verdict("unknown", f"Not judged: {why}")
    if failing := [one for one in found if one.fails]:
        return Verdict("unsafe", f"Do not merge: {failing[0].message}")
    return _of_unharmed(report, judged, sum(one.waived is None for one in found))


def _of_unharmed(report: Mapping[str, Any], judged: int, warnings: int) -> Verdict:
    """Return the verdict on a run in which nothing of ours failed."""
    if report["exit_code"] == 1:
        return Verdict(
            "unknown", f"The run failed, though none of {counted(judged, 'migration')} does: other tests did"
        )
    if not judged:
        return Verdict("nothing", f"Nothing to judge: no migration {_asked_for(report)}")
    warned = f", {counted(warnings, 'warning')}" if warnings else ""
    return Verdict("safe", f"Safe to merge: {counted(judged, 'migration')} judged, none fails{warned}")


def is_worth_telling(report: Mapping[str, Any]) -> bool:
    """Return whether a run had to do with migrations: something was judged, or should have been, or would if it were new."""
    return verdict(report, issues(report)).word != "nothing" or bool(reasons(report))


def reasons(report: Mapping[str, Any]) -> list[str]:
    """Return what the migrations have in common that are judged, by histories; empty when all are."""
    gates = [gate for history in report["histories"] if (gate := history.get("gate"))]
    return list(dict.fromkeys(gate["because"] for gate in gates if gate["because"]))


def _asked_for(report: Mapping[str, Any]) -> str:
    said = reasons(report)
    return f"is {' or '.join(said)}" if said else "was asked for"
