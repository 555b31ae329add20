"""What a rule of the family *blocking-work* is: a function that says whose doing a stall is, and the safe way."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

from pytest_migsafe.catalog import Schema
from pytest_migsafe.catalog.lexical import (
    last_part,
    parent_of,
    quoted,
    schema_of,
    unquoted,
    without_arguments,
)
from pytest_migsafe.catalog.schema import Constraint, Function, Index, Table
from pytest_migsafe.findings import Finding, RemedyFile, Severity
from pytest_migsafe.migrations.lexemes import headline
from pytest_migsafe.migrations.operations import Operation, operations
from pytest_migsafe.migrations.queries import queries
from pytest_migsafe.rehearsal.evidence import Evidence, once
from pytest_migsafe.rehearsal.holding import Stall, Work, WorkKind
from pytest_migsafe.rules.registry import Rule
from pytest_migsafe.rules.remedy import written
from pytest_migsafe.rules.safe_ways import column_of, constraint_of, constraints_of, index_of, is_partitioned
from pytest_migsafe.texts.wording import joined, listed

FAMILY = "blocking-work"

_Made = TypeVar("_Made", Constraint, Index)

#: Statements whose text does not show what they do: they run code.
_RUN_CODE = frozenset(
    {"CallStmt", "DeleteStmt", "DoStmt", "ExecuteStmt", "InsertStmt", "MergeStmt", "SelectStmt", "UpdateStmt"}
)
#: Of those, the ones whose own work is told by their text.
_QUERIES = frozenset({"DeleteStmt", "InsertStmt", "MergeStmt", "SelectStmt", "UpdateStmt"})


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
    def is_opaque(self) -> bool:
        """Whether the statement runs code, so that only the evidence tells what was done."""
        nodes = {one.node for one in self.operations}
        if not nodes <= _RUN_CODE:
            return False
        return not nodes or not nodes <= _QUERIES or self._calls_functions

    @property
    def _calls_functions(self) -> bool:
        """Whether the statement's queries call functions that are not PostgreSQL's own."""
        called = {name for query in queries(self.text) for one in query.every() for _, name in one.calls}
        return any(
            last_part(without_arguments(signature)) in called
            for schema in (self.before, self.after)
            for signature in schema.of_kind(Function)
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
        return self.evidence.major

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
        return is_partitioned(self.before, table) or is_partitioned(self.after, table)

    def index(self, name: str) -> Index | None:
        """Return an index by its qualified name, as it is after the file, or was before."""
        found = self.after.get("index", name) or self.before.get("index", name)
        return found if isinstance(found, Index) else None

    def constraints(self, table: str) -> tuple[Constraint, ...]:
        """Return a table's constraints after the file."""
        return tuple(constraints_of(self.after, table))

    @cached_property
    def concerned(self) -> tuple[str, ...]:
        """The tables that were worked on, and those that they are partitions of or inherit from."""
        found = dict.fromkeys(self.tables)
        waiting = list(found)
        while waiting:
            table = self.after.get("table", waiting.pop())
            parents = (
                [] if not isinstance(table, Table) else [one for one in table.parents if one not in found]
            )
            found |= dict.fromkeys(parents)
            waiting += parents
        return tuple(found)

    @cached_property
    def new_constraints(self) -> tuple[Constraint, ...]:
        """The constraints that the file gives to the tables that were worked on, but for those that these inherit.

        One that takes the place of another is new, too; one that has been validated is not.
        """
        return tuple(
            one
            for one in self.constraints_concerned
            if not one.inherited and _says(constraint_of(self.before, one.relation, one.name)) != _says(one)
        )

    def adds(self, contype: str, kind: str) -> bool:
        """Whether an ALTER TABLE asks for a constraint of a kind that holds for all rows.

        Of code it is told by what it has made, of columns that were there.
        """
        if self.is_opaque:
            return any(
                all(column_of(self.before, one.relation, column) for column in one.columns)
                for one in self.made(kind)
            )
        return any(
            one.adds_constraint == contype and not one.definition.skip_validation for one in self.operations
        )

    @property
    def constraints_concerned(self) -> Iterator[Constraint]:
        """The constraints of the tables concerned, after the file."""
        return (one for table in self.concerned for one in constraints_of(self.after, table))

    @cached_property
    def new_indexes(self) -> tuple[Index, ...]:
        """The indexes that were built and that were not there before the file; not those of a new index's parts."""
        of_tables = [
            one
            for table in self.concerned
            for one in self.after.belonging_to(table).values()
            if isinstance(one, Index) and _says(index_of(self.before, table, one.name)) != _says(one)
        ]
        made = {one.name for one in of_tables}
        built = {work.index for work in self.worked(WorkKind.INDEX_BUILD)}
        tops = (one for one in of_tables if one.parent not in made)
        return tuple(one for one in tops if one.name in built or self.is_partitioned(one.relation))

    def made(self, *types: str) -> tuple[Constraint, ...]:
        """Return the constraints of some types that the statement adds and checks, as far as text and evidence tell.

        Code may name them in its text. If it names none, all are its own that no other statement of the file names.
        """
        found = [one for one in self.new_constraints if one.type in types and one.validated]
        return self._spoken_of(found) or tuple(
            # Made anew as it was.
            one
            for one in self.constraints_concerned
            if one.type in types and one.validated and not one.inherited and one.name in self._named
        )

    @cached_property
    def _named(self) -> frozenset[str]:
        """The names of the constraints and the index that the statement asks for, as SQL writes them."""
        return frozenset(map(quoted, _named_by(self.operations)))

    def speaks_of(self, made: Constraint | Index) -> bool:
        """Whether the statement's text has the name of something that the file makes, or, unless named, its columns."""
        return _name(made) in self.text or all(unquoted(one) in self.text for one in made.columns)

    def made_indexes(self) -> tuple[Index, ...]:
        """Return the indexes that the statement makes and that are no constraint's, as far as text and evidence tell."""
        of_constraints = {f"{parent_of(one.relation)}.{one.name}" for one in self.new_constraints}
        found = [one for one in self.new_indexes if one.name not in of_constraints]
        return self._spoken_of(found) or tuple(
            # Made anew as it was.
            index
            for work in self.worked(WorkKind.INDEX_BUILD)
            if quoted(last_part(work.index)) in self._named
            and (index := index_of(self.after, work.table, work.index)) is not None
        )

    def _spoken_of(self, candidates: list[_Made]) -> tuple[_Made, ...]:
        if named := [one for one in candidates if _name(one) in self.text]:
            return tuple(named)
        others = [one.text for one in self.evidence.statements if one is not self.stall.statement]
        unnamed = [one for one in candidates if not any(_makes(text, _name(one)) for text in others)]
        of_columns = [one for one in unnamed if all(unquoted(column) in self.text for column in one.columns)]
        return tuple(of_columns or unnamed)

    @property
    def waiting(self) -> str:
        """Who waits, for the subject of a sentence: "reads and writes of public.orders"."""
        return joined(f"{waiting} of {listed(names)}" for waiting, names in self._waiting().items())

    def _waiting(self) -> dict[str, list[str]]:
        """Return the relations by who waits for them, those where even reads wait first."""
        grouped: dict[str, list[str]] = {}
        # A TOAST table is a part of its table, which stands there as well.
        named = [one for one in self.stall.holds if schema_of(one.relation) != "pg_toast"] or self.stall.holds
        for hold in sorted(named, key=lambda one: not one.blocks_reads):
            grouped.setdefault(hold.waiting, []).append(hold.relation)
        return grouped

    def facts(self) -> Iterator[str]:
        """Yield what PostgreSQL did, a fact a line: the locks, since when, and the work."""
        for hold in self.stall.holds:
            since = (
                "taken by this statement"
                if hold.since is self.stall.statement
                else f"held since line {hold.since.line}: {headline(hold.since.text, 80)}"
            )
            yield f"{hold.lock.mode} on {hold.lock.relation}, {since}"
        for work in self.stall.works:
            yield _WORK[work.kind].format(table=work.table, index=work.index)


_WORK = {
    WorkKind.REWRITE: "{table} was written anew as a whole (it has a new file)",
    WorkKind.INDEX_BUILD: "index {index} was built from {table}",
    WorkKind.SCAN: "{table} was read as a whole",
    WorkKind.WRITE: "as many rows of {table} as there are were written, or very many",
}


def _is_opaque(some: tuple[Operation, ...]) -> bool:
    return all(one.node in _RUN_CODE for one in some)


def _named_by(some: tuple[Operation, ...]) -> set[str]:
    """Return the names of the constraints and indexes that are asked for."""
    return {one.name for one in some if one.name and (one.node == "IndexStmt" or one.adds_constraint)}


def _makes(text: str, name: str) -> bool:
    """Whether a statement asks for something of a name, or is code in which the name stands."""
    asked = operations(text)
    return name in text if _is_opaque(asked) else name in _named_by(asked)


def _says(one: Constraint | Index | None) -> str:
    """Return what a constraint or an index says, whether it has been validated or not."""
    return one.definition.removesuffix(" NOT VALID").removesuffix(" NOT ENFORCED") if one is not None else ""


def _name(made: Constraint | Index) -> str:
    return last_part(made.name)


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


@once
def situations(evidence: Evidence) -> tuple[Situation, ...]:
    """Return the stalls of a file that was applied or not: what was done before an error would have been done."""
    return tuple(Situation(evidence=evidence, stall=stall) for stall in evidence.stalls)


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


def _words(rule: Rule, situation: Situation, told: Told) -> str:
    words = told.remedy or rule.remedy
    if told.files and situation.stall.command is not situation.stall.statement:
        return f"{words} The files stand for this command; the others of the statement stay in it."
    return words


def described(rule: Rule, situation: Situation, told: Told) -> Finding:
    """Return what a rule says of a situation as a finding."""
    command = situation.stall.command
    return rule.finding(
        situation.evidence,
        severity=told.severity or rule.severity,
        line=command.line,
        column=command.column,
        message=told.message,
        evidence=(*situation.facts(), *told.evidence),
        remedy=written(_words(rule, situation, told), told.files),
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
