"""What no other rule of the family knows: nothing that stalls is passed over in silence."""

from collections.abc import Iterator, Sequence

from pytest_migsafe.findings import Finding, Severity
from pytest_migsafe.migrations.lexemes import headline
from pytest_migsafe.rehearsal.evidence import Evidence
from pytest_migsafe.rehearsal.holding import Stall, WorkKind
from pytest_migsafe.rules.blocking.check import FAMILY, BlockingRule, Situation, Told, described, situations
from pytest_migsafe.rules.registry import Rule
from pytest_migsafe.texts.wording import joined, listed


def work_under_lock(specific: Sequence[BlockingRule]) -> Rule:
    """Return the rule that speaks of the stalls of which none of the others does."""

    def check(evidence: Evidence) -> Iterator[Finding]:
        for situation in situations(evidence):
            if not any(rule.tell(situation) for rule in specific):
                told = Told(
                    message=f"{situation.waiting} wait while {done(situation.stall)}",
                    remedy=_moved(situation) or made.remedy,
                )
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


_DONE = {
    WorkKind.REWRITE: ("{} is written anew", "{} are written anew"),
    WorkKind.WRITE: ("the rows of {} are written", "the rows of {} are written"),
    WorkKind.INDEX_BUILD: ("index {} is built", "indexes {} are built"),
    WorkKind.SCAN: ("{} is read as a whole", "{} are read as a whole"),
}


def done(stall: Stall) -> str:
    """Return the work of a stall as a part of a sentence: "public.orders is read as a whole"."""
    # Of a table that is written anew it goes without saying that it is read, and that its indexes are built.
    rewritten = {one.table for one in stall.worked(WorkKind.REWRITE)}
    parts = []
    for kind, (one, several) in _DONE.items():
        names = list(
            dict.fromkeys(
                work.index or work.table
                for work in stall.worked(kind)
                if kind is WorkKind.REWRITE or work.table not in rewritten
            )
        )
        if names:
            parts.append((one if len(names) == 1 else several).format(listed(names)))
    return joined(parts)


def _moved(situation: Situation) -> str:
    """Say which statement is to be moved to another file; nothing where one statement does it all."""
    stall = situation.stall
    if stall.own or not stall.earlier:
        return ""
    locking = dict.fromkeys(hold.since for hold in stall.earlier)
    lines = joined(f"line {one.line} ({headline(one.text, 60)})" for one in locking)
    return (
        f"Give line {stall.statement.line} ({headline(stall.statement.text, 60)}) a file of its own, before or after that "
        f"with {lines}: each file is a transaction, and its locks are gone when it ends."
    )
