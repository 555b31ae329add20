"""What a rule of the family *blocking-work* is: a function that says whose doing a stall is, and the safe way."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from pytest_migsafe.catalog import Schema
from pytest_migsafe.catalog.lexical import last_part
from pytest_migsafe.catalog.schema import Constraint, Index, Table
from pytest_migsafe.findings import Finding, RemedyFile, Severity
from pytest_migsafe.migrations.operations import Operation, operations
from pytest_migsafe.rehearsal.evidence import Evidence
from pytest_migsafe.rehearsal.holding import Stall, Work, WorkKind
from pytest_migsafe.rules.registry import Rule
from pytest_migsafe.rules.remedy import written

FAMILY = "blocking-work"


@dataclass(frozen=True, kw_only=True)
class Situation:
    """A stall, and what is known of the database around it."""

    evidence: Evidence
    stall: Stall

    @property
    def text(self) -> str:
        """The statement, or the one command of it that did the work."""
        return self.stall.command.text

    @cached_property
    def operations(self) -> tuple[Operation, ...]:
        """What the statement asks for; nothing where its text does not show it (DO, functions)."""
        return operations(self.text)

    def asks_for(self, node: str, *actions: str) -> tuple[Operation, ...]:
        """Return the operations of a kind, or of an ALTER TABLE those of some actions."""
        return tuple(
            one for one in self.operations if one.node == node and (not actions or one.action in actions)
        )

    @property
    def before(self) -> Schema:
        """The schema before the file."""
        return self.evidence.before

    @property
    def after(self) -> Schema:
        """The schema after the file."""
        return self.evidence.after

    @property
    def major(self) -> int:
        """The server's major version."""
        return int(self.evidence.server_version.partition(".")[0])

    def worked(self, kind: WorkKind) -> tuple[Work, ...]:
        """Return the stall's work of a kind."""
        return self.stall.worked(kind)

    @property
    def tables(self) -> tuple[str, ...]:
        """The tables that were worked on, by their qualified names."""
        return tuple(dict.fromkeys(work.table for work in self.stall.works))

    def table(self, name: str) -> str:
        """Return the qualified name of a table that a statement names, as far as locks and work tell; else the name."""
        known = (*self.tables, *(hold.relation for hold in self.stall.holds))
        return next((one for one in known if last_part(one) == name), name)

    def is_partitioned(self, table: str) -> bool:
        """Whether a table is divided into partitions."""
        found = self.before.get("table", table) or self.after.get("table", table)
        return isinstance(found, Table) and found.kind == "partitioned table"

    def index(self, name: str) -> Index | None:
        """Return an index by its qualified name, as it is after the file, or was before."""
        found = self.after.get("index", name) or self.before.get("index", name)
        return found if isinstance(found, Index) else None

    def constraints(self, table: str) -> tuple[Constraint, ...]:
        """Return a table's constraints after the file."""
        found = self.after.belonging_to(table).values()
        return tuple(one for one in found if isinstance(one, Constraint))

    @property
    def waiting(self) -> str:
        """Who waits, for the subject of a sentence: "reads and writes of public.orders"."""
        return _joined(f"{waiting} of {_listed(names)}" for waiting, names in self._waiting().items())

    def _waiting(self) -> dict[str, list[str]]:
        """Return the relations by who waits for them, those where even reads wait first."""
        grouped: dict[str, list[str]] = {}
        for hold in sorted(self.stall.holds, key=lambda one: not one.blocks_reads):
            grouped.setdefault(hold.waiting, []).append(hold.relation)
        return grouped

    def facts(self) -> Iterator[str]:
        """Yield what PostgreSQL did, a fact a line: the locks, since when, and the work."""
        for hold in self.stall.holds:
            since = (
                "taken by this statement"
                if hold.since is self.stall.statement
                else f"held since line {hold.since.line}: {_headline(hold.since.text)}"
            )
            yield f"{hold.lock.mode} on {hold.lock.relation}, {since}"
        for work in self.stall.works:
            yield _WORK[work.kind].format(table=work.table, index=work.index)


_WORK = {
    WorkKind.REWRITE: "{table} was written anew as a whole (it has a new file)",
    WorkKind.INDEX_BUILD: "index {index} was built from {table}",
    WorkKind.SCAN: "{table} was read as a whole",
}


def _headline(text: str, longest: int = 80) -> str:
    line = " ".join(text.split())
    return line if len(line) <= longest else f"{line[:longest]}…"


def _listed(names: list[str], most: int = 4) -> str:
    shown = names if len(names) <= most else [*names[:most], f"{len(names) - most} more"]
    return _joined(shown)


def _joined(some: Iterable[str]) -> str:
    *first, last = some
    return f"{', '.join(first)} and {last}" if first else last


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a rule says of a situation that is its own."""

    #: What happens in production, complete in one line.
    message: str
    #: The safe way in words; empty: the rule's own.
    remedy: str = ""
    #: The safe way as SQL for these very objects.
    files: tuple[RemedyFile, ...] = ()
    #: Facts beside the locks and the work.
    evidence: tuple[str, ...] = ()
    #: None: the rule's own.
    severity: Severity | None = None


#: Returns what is to be said of a situation; None when it is not this rule's.
Tell = Callable[[Situation], Told | None]


@dataclass(frozen=True, kw_only=True)
class BlockingRule(Rule):
    """A rule on one cause of stalls."""

    tell: Tell = field(compare=False)


def situations(evidence: Evidence) -> Iterator[Situation]:
    """Yield the stalls of a file that was applied or not: what was done before an error would have been done."""
    return (Situation(evidence=evidence, stall=stall) for stall in evidence.stalls)


def blocking_rule(*, severity: Severity = Severity.ERROR, **metadata: Any) -> Callable[[Tell], BlockingRule]:
    """Make a rule of a function from a situation to what is said of it; ``metadata`` are the other fields of ``Rule``."""

    def decorate(tell: Tell) -> BlockingRule:
        def check(evidence: Evidence) -> Iterator[Finding]:
            for situation in situations(evidence):
                if told := tell(situation):
                    yield described(made, situation, told)

        made = BlockingRule(family=FAMILY, severity=severity, tell=tell, check=check, **metadata)
        return made

    return decorate


def described(rule: Rule, situation: Situation, told: Told) -> Finding:
    """Return what a rule says of a situation as a finding."""
    statement = situation.stall.statement
    return rule.finding(
        situation.evidence,
        severity=told.severity or rule.severity,
        line=statement.line,
        column=statement.column,
        message=told.message,
        evidence=(*situation.facts(), *told.evidence),
        remedy=written(told.remedy or rule.remedy, told.files),
        files=told.files,
        objects=tuple(dict.fromkeys([*situation.tables, *(hold.relation for hold in situation.stall.holds)])),
        details={
            "waiting": {hold.relation: hold.waiting for hold in situation.stall.holds},
            "work": [
                {"kind": work.kind.value, "table": work.table, "index": work.index}
                for work in situation.stall.works
            ],
        },
    )
