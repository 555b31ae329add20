"""What no other rule of the family knows: nothing that stalls is passed over in silence."""

from collections.abc import Iterator, Sequence

from pytest_migsafe.findings import Finding, Severity
from pytest_migsafe.rehearsal.evidence import Evidence
from pytest_migsafe.rules.blocking.check import FAMILY, BlockingRule, Told, described, situations
from pytest_migsafe.rules.registry import Rule


def work_under_lock(specific: Sequence[BlockingRule]) -> Rule:
    """Return the rule that speaks of the stalls of which none of the others does."""

    def check(evidence: Evidence) -> Iterator[Finding]:
        for situation in situations(evidence):
            if not any(rule.tell(situation) for rule in specific):
                worked = ", ".join(situation.tables)
                told = Told(message=f"{situation.waiting} wait while {worked} is read or written as a whole")
                yield described(made, situation, told)

    made = Rule(
        id="work-under-lock",
        family=FAMILY,
        severity=Severity.ERROR,
        title="Work that grows with a table is done while others wait for a lock.",
        why=(
            "What takes a moment on an empty table takes minutes on a big one, and for so long everybody waits "
            "who needs what the transaction has locked."
        ),
        remedy=(
            "Take the lock in one file and do the work in another, before it or after it, so that the lock is held "
            "for a moment only."
        ),
        manual="Explicit Locking, Table-Level Locks",
        check=check,
    )
    return made
