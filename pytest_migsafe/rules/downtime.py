"""What a file's deployment costs those who use the database: nothing, an instant, or a window of time.

The one place where that is decided, from the locks that were taken and from the work that was done under them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby
from typing import Any

from pytest_migsafe.rehearsal.evidence import Evidence
from pytest_migsafe.rehearsal.holding import Hold, Stall, WorkKind
from pytest_migsafe.rules.lock_queue import holds_of, waiting
from pytest_migsafe.rules.sizes import Sizes, stalled_for


class Downtime(StrEnum):
    """How long others wait for a file."""

    #: It takes no lock for which readers or writers of anything that was there before wait.
    NONE = "none"
    #: It takes such locks, and does no work under them that grows with a table, or only with small ones.
    SHORT = "short"
    #: It works on whole tables while others wait.
    WINDOW = "window"


@dataclass(frozen=True, slots=True, kw_only=True)
class DowntimeVerdict:
    """The verdict on a file, and its proof."""

    downtime: Downtime
    #: What waits for what, a fact a line; for ``none``, that nothing does.
    proof: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {"verdict": self.downtime.value, "proof": list(self.proof)}


def downtime(evidence: Evidence, sizes: Sizes | None = None, position: int = 0) -> DowntimeVerdict:
    """Return how long others wait for a file, as far as it came.

    Args:
        evidence: what was seen of it.
        sizes: what the project says of its tables; nothing: all are taken to be big.
        position: the file's place in its history, for the sizes of tables that get other names.
    """
    told = [_told(evidence, stall, sizes, position) for stall in evidence.stalls]
    if long := [line for line, is_small in told if not is_small]:
        return DowntimeVerdict(downtime=Downtime.WINDOW, proof=tuple(long))
    if brief := (*(line for line, _ in told), *_brief(evidence)):
        return DowntimeVerdict(downtime=Downtime.SHORT, proof=brief)
    return DowntimeVerdict(downtime=Downtime.NONE, proof=("no lock that readers or writers wait for",))


def _told(evidence: Evidence, stall: Stall, sizes: Sizes | None, position: int) -> tuple[str, bool]:
    """Return what a stall is, and whether it is with small tables only."""
    said, is_small = "", False
    if sizes is not None:
        plain = [{"kind": one.kind.value, "table": one.table} for one in stall.works]
        said, is_small = stalled_for(plain, sizes, (evidence.before, evidence.after), position)
    # What is written anew or indexed is read, too.
    busy = {one.table for one in stall.works if one.kind is not WorkKind.SCAN}
    works = [one for one in stall.works if one.kind is not WorkKind.SCAN or one.table not in busy]
    work = ", ".join(dict.fromkeys(_WORK[one.kind].format(one.table) for one in works))
    return f"line {stall.command.line}: {waiting(stall.holds)} wait while {work}{said}", is_small


_WORK = {
    WorkKind.REWRITE: "{} is written anew",
    WorkKind.INDEX_BUILD: "an index of {} is built",
    WorkKind.SCAN: "{} is read as a whole",
    WorkKind.WRITE: "rows of {} are written, as many as there are",
}


def _brief(evidence: Evidence) -> Iterator[str]:
    """Yield the locks that others wait for, a statement a line."""
    holds = (hold for one in evidence.statements for hold in holds_of(one))
    for statement, some in groupby(holds, key=lambda one: one.since):
        taken: dict[str, Hold] = {}
        for hold in some:
            if hold.relation not in taken or hold.blocks_reads:
                taken[hold.relation] = hold
        locks = ", ".join(f"{one.lock.mode} on {one.relation}" for one in taken.values())
        yield f"line {statement.line}: {waiting(taken.values())} wait for an instant ({locks})"
