"""What roles may do no more, because a file says so."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from pytest_migsafe.catalog.schema import Function, Grant
from pytest_migsafe.findings import Severity
from pytest_migsafe.rehearsal.evidence import Evidence
from pytest_migsafe.rules.compatibility.check import Breakage, compatibility_rule
from pytest_migsafe.rules.compatibility.functions import is_for_triggers
from pytest_migsafe.rules.smoke.audience import in_sql
from pytest_migsafe.rules.smoke.check import cause
from pytest_migsafe.texts.wording import listed

_REVOKES = re.compile(r"\brevoke\b", re.IGNORECASE)


@compatibility_rule(
    id="privilege-revoked",
    severity=Severity.WARNING,
    title="A role may not do any more what it could do with an object that is still there.",
    why="If the previous version of the application connects as the role, or as a member of it, it gets 'permission denied'.",
    remedy="Deploy first the version of the application that does without, and revoke in a later release.",
    manual="REVOKE",
    peers={"squawk": "ban-revoke"},
)
def privilege_revoked(evidence: Evidence) -> Iterator[Breakage]:
    """Compare the grants of what is there before and after; what is lost without a REVOKE is told as privileges-lost."""
    revoking = [one for one in evidence.statements if _REVOKES.search(one.text)]
    if not revoking:
        return
    lost: dict[tuple[int, str], list[_Lost]] = {}
    for one in _lost(evidence):
        statement = cause(revoking, (one.grant.object,)) or revoking[0]
        lost.setdefault((revoking.index(statement), one.grant.grantee), []).append(one)
    for (at, grantee), some in sorted(lost.items()):
        names = [one.grant.object for one in some]
        yield Breakage(
            subject=names[0],
            message=f"old code that runs as {in_sql(grantee)} fails on {listed(names)}: it may not {some[0]} any more",
            statement=revoking[at],
            evidence=tuple(f"{one.grant.object}: {', '.join(one.privileges)}" for one in some),
            objects=tuple(names[1:]),
        )


@dataclass(frozen=True)
class _Lost:
    """Privileges that a role had."""

    grant: Grant
    privileges: list[str]

    def __str__(self) -> str:
        return listed(self.privileges)


def _lost(evidence: Evidence) -> Iterator[_Lost]:
    """Yield what roles that are still there may not do any more; the tables first, that are used the most."""
    roles = {one.name for one in evidence.cluster_changes if one.kind == "role"}
    for home in sorted(evidence.identities.changed, key=lambda one: (one.catalog != "relation", one)):
        before, after = evidence.before.homes.get(home, {}), evidence.after.homes.get(home)
        if after is None or any(
            isinstance(one, Function) and is_for_triggers(one) for one in before.values()
        ):
            continue
        owners = {getattr(one, "owner", "") for one in (*before.values(), *after.values())}
        for key, was in sorted(before.items()):
            if isinstance(was, Grant) and was.grantee not in owners | roles and _is_there(evidence, was):
                now = after.get(key)
                has = {one.rstrip("*") for one in now.privileges} if isinstance(now, Grant) else set()
                lost = sorted({one.rstrip("*") for one in was.privileges} - has)
                if lost:
                    yield _Lost(was, lost)


def _is_there(evidence: Evidence, grant: Grant) -> bool:
    """Whether what is granted on is still there: a column can be dropped from its table."""
    return grant.object_kind != "column" or evidence.after.get("column", grant.object) is not None
