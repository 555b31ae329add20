"""The family *lock-queue*: locks that are waited for, with everybody else waiting behind.

A lock that is held for an instant still has to be got. While the file waits for a transaction that uses the table, all who come
later wait behind the file, also those who would not disturb that transaction (manual: "Explicit Locking").
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import groupby

from pytest_migsafe.catalog import Schema
from pytest_migsafe.catalog.schema import Table
from pytest_migsafe.findings import Finding, Severity
from pytest_migsafe.migrations.lexemes import headline
from pytest_migsafe.migrations.model import TransactionMode
from pytest_migsafe.rehearsal.evidence import Evidence, StatementEvidence
from pytest_migsafe.rehearsal.holding import Hold, blocks, holding, strongest
from pytest_migsafe.rules.registry import rule
from pytest_migsafe.texts.wording import listed

FAMILY = "lock-queue"

#: Nobody waits so long for a page; who does is as good as without a timeout.
_LONGEST_USEFUL_MS = 60_000
#: Statements that may set a timeout themselves before they take a lock.
_MAY_SET_IT_THEMSELVES = frozenset({"CallStmt", "DoStmt", "SelectStmt"})


@rule(
    id="lock-without-timeout",
    family=FAMILY,
    severity=Severity.WARNING,
    title="A lock is waited for without a lock_timeout, with everybody else waiting behind.",
    why=(
        "A lock that conflicts with reads or writes is granted when the last transaction that uses the table has ended: a "
        "report, a backup, a session that somebody left open. Until then every new query of the table waits behind the "
        "migration, and the application stands still, however short the migration's own work is."
    ),
    remedy=(
        "Let the file give up soon, and have the runner try again when it fails with lock_not_available (55P03). A runner, "
        "role or database that sets the timeout does as well; of a runner's, tell [tool.migsafe] lock_timeout."
    ),
    manual="Client Connection Defaults, lock_timeout; Explicit Locking",
    peers={
        "squawk": "require-lock-timeout",
        "eugene": "E9",
        "strong_migrations": "lock_timeout_limit",
    },
)
def lock_without_timeout(evidence: Evidence) -> Iterator[Finding]:
    """Look at lock_timeout whenever a lock is taken that others wait for; one finding for a file."""
    if evidence.error is not None:
        return
    holds = [
        hold
        for one in evidence.statements
        if not _is_limited(one)
        for hold in strongest((*holds_of(one), *_implied(evidence, one)))
    ]
    if not holds:
        return
    first = holds[0].since
    yield lock_without_timeout.finding(
        evidence,
        line=first.line,
        column=first.column,
        message=f"{waiting(holds)} queue behind this file for as long as it waits for its locks: {_how_long(first)}",
        evidence=(*_taken(holds), *_useless(evidence)),
        remedy=f"{lock_without_timeout.remedy}\n{_setting(evidence)}",
        objects=tuple(dict.fromkeys(one.relation for one in holds)),
        details={
            "locks": [
                {
                    "relation": one.lock.relation,
                    "mode": one.lock.mode,
                    "line": one.since.line,
                    "lock_timeout_ms": one.since.lock_timeout_before_ms,
                }
                for one in holds
            ]
        },
    )


def _is_limited(statement: StatementEvidence) -> bool:
    """Whether a lock_timeout was in force when a statement took its locks."""
    in_force = statement.lock_timeout_before_ms
    if not in_force and statement.node in _MAY_SET_IT_THEMSELVES:
        if "lock_timeout" in statement.text.lower():
            return True
        in_force = statement.lock_timeout_ms
    return 0 < in_force <= _LONGEST_USEFUL_MS


def _how_long(statement: StatementEvidence) -> str:
    if statement.lock_timeout_before_ms:
        return f"a lock_timeout of {statement.lock_timeout_before_ms / 1000:g} s is as good as none"
    return "no lock_timeout is in force"


def _taken(holds: Iterable[Hold]) -> Iterator[str]:
    """Yield a line for each statement: what it locks."""
    for statement, some in groupby(holds, key=lambda one: one.since):
        locked = ", ".join(f"{one.lock.mode} on {one.lock.relation}" for one in some)
        yield f"line {statement.line}: {locked} ({headline(statement.text)})"


def _useless(evidence: Evidence) -> Iterator[str]:
    """Yield why timeouts that the file sets do not help."""
    sizes = Counter(one.transaction for one in evidence.statements)
    for one in evidence.statements:
        if one.node != "VariableSetStmt" or "lock_timeout" not in one.text.lower():
            continue
        # Alone in its transaction it is local to itself; PostgreSQL warns of it (25P01).
        if _LOCAL.match(one.text) and sizes[one.transaction] == 1:
            yield f"line {one.line}: {headline(one.text)} has no effect outside a transaction"
        elif 0 < one.lock_timeout_ms <= _LONGEST_USEFUL_MS:
            yield f"line {one.line}: {headline(one.text)} comes too late"


_LOCAL = re.compile(r"set\s+local\b", re.IGNORECASE)


def _setting(evidence: Evidence) -> str:
    if evidence.has_transaction_pair:
        return "SET LOCAL lock_timeout = '2s';  -- after BEGIN"
    if evidence.mode is TransactionMode.AUTOCOMMIT:
        return "SET lock_timeout = '2s';  -- first in the file, and RESET lock_timeout; last"
    return "SET LOCAL lock_timeout = '2s';  -- first in the file"


@rule(
    id="several-tables-locked",
    family=FAMILY,
    severity=Severity.WARNING,
    title="A transaction locks one table after another.",
    why=(
        "The first table stays locked while the lock on the second is waited for, so that a slow query of the second stops "
        "the users of the first. And whoever locks the two in another order ends in a deadlock with the migration: "
        "PostgreSQL ends one of both, which may be a user's."
    ),
    remedy=(
        "Divide the file: one table a file, each with its own transaction. What has to be done together should lock the "
        "tables in the order in which the application does, with a lock_timeout."
    ),
    manual="Explicit Locking, Deadlocks",
    peers={"pgfence": "wide-lock-window"},
)
def several_tables_locked(evidence: Evidence) -> Iterator[Finding]:
    """Report transactions in which different statements lock different tables."""
    if evidence.error is not None:
        return
    for transaction, some in groupby(holding(evidence.statements), key=lambda one: one[0].transaction):
        if transaction:
            yield from _judged(evidence, some)


def _judged(
    evidence: Evidence, statements: Iterable[tuple[StatementEvidence, tuple[Hold, ...]]]
) -> Iterator[Finding]:
    """Judge the statements of a transaction, each with what was held before it."""
    order: dict[str, Hold] = {}
    found: tuple[StatementEvidence, tuple[str, ...]] | None = None
    for statement, before in statements:
        earlier = _by_root(evidence.before, before)
        new = _by_root(evidence.before, holds_of(statement))
        if found is None and earlier and new.keys() - earlier.keys():
            found = statement, tuple(earlier)
        order = {**order, **{root: hold for root, hold in new.items() if root not in order}}
    if found is None:
        return
    second, held = found
    waited_for = [root for root, hold in order.items() if hold.since is second]
    yield several_tables_locked.finding(
        evidence,
        line=second.line,
        column=second.column,
        message=(
            f"{listed(held)} {'stays' if len(held) == 1 else 'stay'} locked while the lock on {listed(waited_for)} is "
            "waited for"
        ),
        evidence=(
            "whoever else locks several of these has to keep to this order, or there are deadlocks:",
            *(
                f"line {hold.since.line}: {hold.lock.mode} on {hold.lock.relation} ({headline(hold.since.text)})"
                for hold in order.values()
            ),
        ),
        remedy=several_tables_locked.remedy,
        objects=tuple(order),
        details={"order": list(order)},
    )


def holds_of(statement: StatementEvidence) -> tuple[Hold, ...]:
    """Return the locks that others wait for and that a statement took."""
    return tuple(Hold(lock, statement) for lock in statement.locks if blocks(lock))


def _implied(evidence: Evidence, statement: StatementEvidence) -> Iterator[Hold]:
    """Yield the locks that only its work tells of: those of a block that commits are gone when it is over."""
    if not statement.transaction:
        for stall in evidence.stalls:
            if stall.statement is statement:
                yield from stall.own


def _by_root(before: Schema, holds: Iterable[Hold]) -> dict[str, Hold]:
    """Return the first lock on each table, by the root of its partitions or heirs: they are locked together."""
    found: dict[str, Hold] = {}
    for hold in strongest(holds):
        if hold.lock.kind in _TABLES:
            found.setdefault(_root(before, hold.relation), hold)
    return found


_TABLES = frozenset({"table", "foreign table", "materialized view", "index"})


def _root(before: Schema, name: str) -> str:
    while isinstance(table := before.get("table", name), Table) and table.parents:
        name = table.parents[0]
    return name


def waiting(holds: Iterable[Hold]) -> str:
    """Return who waits for locks, for the subject of a sentence: "reads and writes of public.orders"."""
    grouped: dict[str, list[str]] = {}
    for hold in sorted(strongest(holds), key=lambda one: not one.blocks_reads):
        grouped.setdefault(hold.waiting, []).append(hold.relation)
    return " and ".join(f"{who} of {listed(names)}" for who, names in grouped.items())
