"""What a migration means for others: which tables it concerns, what depends on them, who waits, which rows it touches."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from pytest_migsafe.catalog import Change, Schema
from pytest_migsafe.catalog.lexical import last_part, own_name, without_arguments
from pytest_migsafe.catalog.schema import Constraint, Function, Policy, Table, Trigger, View
from pytest_migsafe.migrations.queries import Use
from pytest_migsafe.rehearsal.evidence import Evidence, StatementEvidence
from pytest_migsafe.rehearsal.reach import Reach
from pytest_migsafe.review import Review
from pytest_migsafe.rules.compatibility.check import FAMILY as BREAKS_OLD_CODE
from pytest_migsafe.rules.downtime import Downtime
from pytest_migsafe.rules.lock_queue import holds_of
from pytest_migsafe.rules.sizes import Sizes
from pytest_migsafe.texts.markdown import code, codes, listed, plain, table

#: Kinds that application code names.
_NAMED_IN_CODE = frozenset({"table", "view", "column", "function", "type", "sequence", "schema", "extension"})
#: Above this, the WAL of a rehearsal says something of the file and not of its few rows.
_MUCH_WAL = 2**20
_VERDICTS = {
    Downtime.NONE: "**none**: no reader and no writer waits",
    Downtime.SHORT: "**short**: others wait for an instant, once it has its locks",
    Downtime.WINDOW: "**window**: others wait for work that grows with the tables",
}


@dataclass(frozen=True, kw_only=True)
class Impact:
    """What a file that was applied means for others."""

    review: Review
    evidence: Evidence
    sizes: Sizes | None = None
    position: int = 0

    @property
    def _changes(self) -> Sequence[Change]:
        return self.review.changes

    @cached_property
    def tables(self) -> Mapping[str, "Touched"]:
        """The relations that were there before and that are concerned, by their names then, sorted."""
        found: dict[str, Touched] = defaultdict(Touched)
        for hold in (hold for one in self.evidence.statements for hold in holds_of(one)):
            found[hold.relation].waiting |= dict.fromkeys(hold.waiting.split(" and "))
        for write in (write for one in self.evidence.statements for write in one.writes):
            if write.preexisting:
                found[write.relation].add((write.inserted, write.updated, write.deleted))
        for statement, reaches in zip(self.evidence.statements, self.evidence.reaches, strict=True):
            for reach in reaches.tables if reaches is not None else ():
                if reach.use in _WRITES and self._was_there(reach.table) and _runs(reach, statement):
                    found[reach.table].reach[_told(reach)] = None
        for change in self._changes:
            relation = self._relation(change)
            if relation and self._was_there(relation):
                found[relation].changes.append(change)
        return {name: found[name] for name in sorted(found) if not name.startswith("pg_toast.")}

    def _relation(self, change: Change) -> str:
        """Return the relation that an object is, or belongs to; empty for what stands on its own."""
        schemas = (self.evidence.before, self.evidence.after)
        found = next((one for schema in schemas if (one := schema.get(change.kind, change.name))), None)
        home = found.home if found is not None else None
        return home.name if home is not None and home.catalog == "relation" else ""

    def _was_there(self, relation: str) -> bool:
        return bool(self.evidence.before.belonging_to(relation))

    @cached_property
    def dependents(self) -> Mapping[str, Sequence[str]]:
        """What depends on the tables and views concerned, by their names; only those of which something does."""
        known = _Dependents(self.evidence.before)
        found = {
            relation: tuple(dict.fromkeys(known.of(relation)))
            for relation, touched in self.tables.items()
            if touched.changes or touched.is_written
        }
        return {relation: some for relation, some in found.items() if some}

    @property
    def names(self) -> Sequence[str]:
        """The names that application code would have to be searched for: they are gone, or mean something else."""
        found: set[str] = set()
        gone = {
            one.name for one in self._changes if one.action == "removed" and one.kind in {"table", "view"}
        }
        for change in self._changes:
            if change.action == "added" or change.kind not in _NAMED_IN_CODE:
                continue
            if change.kind == "column" and self._relation(change) in gone:
                # Whoever names it names its relation, too.
                continue
            if change.action == "changed" and not _matters(change):
                continue
            found.add(last_part(without_arguments(change.name)))
            for name, before, after in change.attributes:
                if name == "labels" and change.action == "changed":
                    found |= {*_texts(before)} - {*_texts(after)}
        return sorted(found)

    def lines(self) -> Iterator[str]:
        """Yield the analysis as Markdown."""
        yield f"# Impact of {plain(self.review.migration.relative_path)}"
        yield ""
        yield f"Seen on PostgreSQL {self.review.postgres}; [the way back](rollback.md) has a page of its own."
        yield from self._downtime()
        yield from self._tables()
        yield from self._rows()
        yield from self._depending()
        yield from self._old_code()

    def _downtime(self) -> Iterator[str]:
        verdict = self.review.downtime
        if verdict is None:
            return
        yield from ("", "## Downtime", "", f"{_VERDICTS[verdict.downtime]}.", "")
        yield from listed(plain(line) for line in verdict.proof)

    def _tables(self) -> Iterator[str]:
        yield from ("", "## Tables and views that were there before", "")
        if not self.tables:
            yield "None is concerned."
            return
        yield from table(
            ("Relation", "Who waits", "Its schema", "Rows in production"),
            (
                (
                    code(relation),
                    " and ".join(sorted(touched.waiting, key=_WAITING.index)) or "nobody",
                    touched.summary,
                    self._size(relation),
                )
                for relation, touched in self.tables.items()
            ),
        )

    def _size(self, relation: str) -> str:
        schemas = (self.evidence.before, self.evidence.after)
        size = self.sizes.of(relation, schemas, self.position) if self.sizes is not None else None
        if size is None:
            return "not said"
        return f"{size.rows:,}" if size.rows is not None else f"{size.bytes or 0:,} bytes"

    def _rows(self) -> Iterator[str]:
        yield from ("", "## Data", "")
        written = {relation: one for relation, one in self.tables.items() if one.is_written}
        if written:
            yield "What was counted is of the rehearsal's rows; what of production's is touched is read from the statements."
            yield ""
            yield from table(
                ("Table", "Inserted", "Updated", "Deleted", "In production"),
                (
                    (code(relation), *map(str, one.counts), "; ".join(one.reach) or "as many as code chooses")
                    for relation, one in written.items()
                ),
            )
        else:
            yield "No row of a table that was there before is written by a statement."
        wal = sum(one.wal_bytes for one in self.evidence.statements)
        if wal >= _MUCH_WAL:
            yield from ("", f"The rehearsal wrote some {wal // _MUCH_WAL} MB of WAL.")

    def _depending(self) -> Iterator[str]:
        yield from ("", "## What depends on them", "")
        if not self.dependents:
            yield "Nothing that the database knows of."
        else:
            yield from table(
                ("Relation", "On which depend"),
                (
                    (code(relation), "; ".join(plain(one) for one in some))
                    for relation, some in self.dependents.items()
                ),
            )
        yield from ("", "## Application code", "")
        if self.names:
            yield f"Search it for these names, which are gone or mean something else: {codes(self.names)}."
        else:
            yield "No name that it may use is gone or means something else."

    def _old_code(self) -> Iterator[str]:
        found = [one for one in self.review.findings if one.family == BREAKS_OLD_CODE]
        yield from ("", "## The previous version of the application", "")
        if not found:
            yield "It goes on working, as far as the database can tell."
        yield from listed(
            f"{code(one.rule)}: {plain(one.message)}{' (waived)' if one.waived is not None else ''}"
            for one in found
        )


def _runs(reach: Reach, statement: StatementEvidence) -> bool:
    """Whether a query runs in production: what stands in a function locks what it writes, if it has run here.

    A block is written to be run; in a loop over rows it comes to nothing where there are none.
    """
    if not reach.in_body or not statement.observed or statement.node == "DoStmt":
        return True
    return any(lock.relation == reach.table and lock.mode == "RowExclusiveLock" for lock in statement.locks)


def _told(reach: Reach) -> str:
    """Return how many rows of production a statement writes."""
    if reach.use is Use.INSERTED:
        return "inserted"
    if reach.is_few:
        return f"{_WRITES[reach.use]}: few, found by a key"
    return f"{_WRITES[reach.use]}: {'those that its condition finds' if reach.has_where else 'all'}"


_WRITES = {Use.INSERTED: "inserted", Use.UPDATED: "updated", Use.DELETED: "deleted"}


@dataclass
class Touched:
    """What a file does with a relation that was there before."""

    #: Who waits for it, of ``_WAITING``; a set in which the order is kept.
    waiting: dict[str, None] = field(default_factory=dict)
    #: Rows inserted, updated and deleted.
    counts: tuple[int, int, int] = (0, 0, 0)
    #: How far the statements reach, as an ordered set.
    reach: dict[str, None] = field(default_factory=dict)
    changes: list[Change] = field(default_factory=list)

    def add(self, counts: tuple[int, int, int]) -> None:
        """Count rows that were written."""
        inserted, updated, deleted = (have + more for have, more in zip(self.counts, counts, strict=True))
        self.counts = inserted, updated, deleted

    @property
    def is_written(self) -> bool:
        """Whether rows of it are."""
        return any(self.counts) or bool(self.reach)

    @property
    def summary(self) -> str:
        """What becomes of its definition: "2 added, 1 removed"."""
        actions = [one.action for one in self.changes]
        return ", ".join(f"{actions.count(one)} {one}" for one in sorted({*actions})) or "unchanged"


@dataclass(frozen=True)
class _Dependents:
    """What depends on what in a schema."""

    schema: Schema

    def of(self, relation: str) -> Iterator[str]:
        """Yield what depends on a relation, views of views, too."""
        yield from (f"view {name}" for name in self._views(relation))
        yield from self._belonging(relation)
        yield from self._naming(relation)
        for name, child in self.schema.of_kind(Table).items():
            if relation in child.parents:
                yield f"{'partition' if child.partition_bound else 'heir'} {name}"

    def _belonging(self, relation: str) -> Iterator[str]:
        for constraint in self.schema.constraints.values():
            if constraint.type == "foreign key" and _refers_to(constraint, relation):
                yield f"foreign key {constraint.qualified_name}"
        for one in self.schema.belonging_to(relation).values():
            if isinstance(one, Trigger):
                yield f"trigger {own_name(one.name)} (runs {one.function})"
            elif isinstance(one, Policy):
                yield f"policy {one.name}"

    def _naming(self, relation: str) -> Iterator[str]:
        for policy in self.schema.policies.values():
            if policy.relation != relation and _mentions(f"{policy.using} {policy.check}", relation):
                yield f"policy {policy.qualified_name}"
        for name, function in self.schema.of_kind(Function).items():
            if _mentions(function.body, relation):
                yield f"function {name}"

    def _views(self, relation: str) -> list[str]:
        found: dict[str, None] = {}
        waiting = [relation]
        while waiting:
            read = waiting.pop(0)
            new = [
                name
                for name, view in self.schema.of_kind(View).items()
                if read in view.reads and name not in found
            ]
            found |= dict.fromkeys(new)
            waiting += new
        return list(found)


def _refers_to(constraint: Constraint, relation: str) -> bool:
    return f" REFERENCES {relation}(" in constraint.definition


def _mentions(text: str, relation: str) -> bool:
    """Whether a text has a relation's own name as a word."""
    return re.search(rf"(?<!\w){re.escape(last_part(relation))}(?!\w)", text, re.IGNORECASE) is not None


_WAITING = ("reads", "writes", "nextval")
#: What may be otherwise in an object without any code noticing.
_UNSEEN = frozenset({"comment", "owner", "statistics", "storage", "compression", "options", "body", "cost"})


def _matters(change: Change) -> bool:
    return any(name not in _UNSEEN for name, _, _ in change.attributes)


def _texts(value: object) -> Iterable[str]:
    return value if isinstance(value, tuple) else ()
