"""Run one statement and read what it did, from inside its own transaction.

Locks come from ``pg_locks``, rewrites from ``pg_relation_filenode``, scans and writes from the counters of
the running transaction, each read after every statement as a difference to the reading before (shared
hazards, section 0). Names, and what existed before the file, are looked up once, at the end.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.resources import files
from time import perf_counter
from typing import Any

import psycopg
from psycopg.rows import tuple_row

from pytest_migsafe.catalog.composition import (
    Fragment,
    Source,
    Value,
    connection_of,
    fetch_all,
    fragment,
    oid_array,
)
from pytest_migsafe.migrations.model import Part, Script
from pytest_migsafe.migrations.source import CharOffset
from pytest_migsafe.migrations.statements import Statement
from pytest_migsafe.rehearsal.observed import (
    LOCK_MODES,
    IndexBuild,
    Kept,
    Naming,
    Notice,
    RelationLock,
    Rewrite,
    Scan,
    StatementError,
    StatementEvidence,
    Write,
    shortened,
)
from pytest_migsafe.rehearsal.sending import send
from pytest_migsafe.rehearsal.session import COUNTERS_ARE_FLUSHED_SINCE
from pytest_migsafe.rehearsal.witness import Locked, OpenSession, is_witnessed, witnessing

_TRACE = files(__package__).joinpath("trace.sql").read_text(encoding="utf-8")
_LOCKED = files(__package__).joinpath("locked.sql").read_text(encoding="utf-8")
_NEWEST = Fragment("SELECT coalesce(pg_catalog.max(oid), 0)::bigint FROM pg_catalog.pg_class")
_BASELINE = Fragment(files(__package__).joinpath("baseline.sql").read_text(encoding="utf-8"))
_AMONG = _BASELINE.template + " AND class.oid = ANY ({oids})"

#: Kinds that can be read sequentially; an index counts its own scans in the same column.
_READ_SEQUENTIALLY = frozenset({"table", "materialized view"})
#: Kinds that a statement of an application names.
_NAMED_FOR_USE = frozenset({"table", "foreign table", "materialized view", "view", "sequence"})
#: Kinds whose new file means that rows were written again. A sequence gets one with ALTER SEQUENCE.
_REWRITTEN = frozenset({"table", "materialized view", "index"})
#: TRUNCATE and REFRESH give a relation a new file without rewriting the rows that were in it.
_EMPTIED_BY = frozenset({"TruncateStmt", "RefreshMatViewStmt"})
#: After ROLLBACK TO SAVEPOINT a relation has its old file again.
_GOES_BACK = "TransactionStmt"
_CHANGES_CATALOG = frozenset(LOCK_MODES[LOCK_MODES.index("ShareUpdateExclusiveLock") :])
#: Of so many relations that the file itself creates it is read what its statements do to them: nobody else knows
#: them yet, and a file that creates thousands would take hours to read after each of its statements.
_NEW_RELATIONS_READ = 200
#: After so few statements it costs less to read all relations each time than to ask once which are new.
_FEW_STATEMENTS = 100
_NEWER_THAN_ALL = 2**32 - 1


@dataclass(frozen=True, slots=True)
class RelationReading:
    """A relation at one moment: its name and file, and what the session has done with it so far."""

    oid: int
    modes: tuple[str, ...]
    name: str | None
    kind: str | None
    filenode: int | None
    scans: int = 0
    tuples: int = 0
    inserted: int = 0
    updated: int = 0
    deleted: int = 0
    #: An index's table.
    of_table: int | None = None
    #: Whether it belongs to an extension; known of what was there before the file.
    of_extension: bool = False


@dataclass(frozen=True, slots=True)
class TransactionReading:
    """What the running transaction holds and has done at one moment."""

    wal_position: int
    #: When the transaction began: the same throughout one, another in the next.
    started: str
    lock_timeout_ms: int
    statement_timeout_ms: int
    relations: Mapping[int, RelationReading]
    #: How many relations that the file created were left out.
    unread: int = 0


#: Relations by OID: what is known of them in the state before a file.
Baseline = dict[int, RelationReading]


@dataclass(frozen=True, slots=True, kw_only=True)
class TracedStatement:
    """A statement that was run, with the readings around it; relations are still bare OIDs."""

    statement: Statement
    tag: str = ""
    duration_ms: float = 0.0
    notices: tuple[Notice, ...] = ()
    kept: tuple[Kept, ...] = ()
    before: TransactionReading | None = None
    after: TransactionReading | None = None
    #: Whether the statement ran inside a transaction block, so that its locks could be read.
    in_block: bool = True
    error: psycopg.Error | None = field(default=None, compare=False)
    #: The commands of an ALTER TABLE, each run alone before it, where they were.
    parts: tuple["TracedStatement", ...] = ()


class Tracer:
    """Runs statements on one connection and reads what each did.

    The connection is in autocommit mode, so that transactions begin and end only where the file, the runner
    or the rehearsal says so.
    """

    def __init__(self, source: Source, statements: int) -> None:
        """``statements`` says about how many there will be."""
        self._source = source
        self._are_few = statements <= _FEW_STATEMENTS
        self._connection = connection_of(source)
        self._cursor = self._connection.cursor(row_factory=tuple_row)
        self._notices: list[Notice] = []
        #: The query for a reading, once it is known which relations are new.
        self._trace: Fragment | None = None
        #: What the last reading was, and what it left out.
        self._relations: Mapping[int, RelationReading] = {}
        self._unread = 0
        self._connection.add_notice_handler(self._take_notice)

    def close(self) -> None:
        """Let go of the connection, which lives on."""
        self._connection.remove_notice_handler(self._take_notice)

    def _take_notice(self, diagnostic: psycopg.errors.Diagnostic) -> None:
        self._notices.append(
            Notice(
                severity=diagnostic.severity_nonlocalized or "NOTICE",
                sqlstate=diagnostic.sqlstate or "",
                message=diagnostic.message_primary or "",
                detail=diagnostic.message_detail or "",
                hint=diagnostic.message_hint or "",
            )
        )

    def read(self) -> TransactionReading:
        """Return what the running transaction holds and has done so far."""
        if self._trace is None:
            newest = _NEWER_THAN_ALL if self._are_few else self.newest()
            self._trace = fragment(
                _TRACE, newest=Value(str(newest), "pg_catalog.oid"), most_new=str(_NEW_RELATIONS_READ)
            )
        rows = self._ask(self._trace)
        wal_position, started, lock_timeout_ms, statement_timeout_ms, unread, *_ = rows[0]
        relations = {row[5]: _reading(row[5:]) for row in rows if row[5]}
        # Thousands of readings are kept, and most differ in nothing from the one before.
        self._relations = self._relations if self._relations == relations else relations
        self._unread = unread
        return TransactionReading(
            wal_position, started, lock_timeout_ms, statement_timeout_ms, self._relations, unread
        )

    def newest(self) -> int:
        """Return the highest OID of a relation."""
        return int(self._ask(_NEWEST)[0][0])

    def relations_changed(self) -> list[int]:
        """Return the OIDs of relations locked strongly enough to change their definition, new ones too."""
        if self._unread == 0:
            return [oid for oid, one in self._relations.items() if not _CHANGES_CATALOG.isdisjoint(one.modes)]
        modes = Value("{" + ",".join(sorted(_CHANGES_CATALOG)) + "}", "text[]")
        return [oid for (oid,) in self._ask(fragment(_LOCKED, modes=modes))]

    def run(self, statement: Statement, before: TransactionReading) -> TracedStatement:
        """Run a statement in the transaction block that is open, and read what it did.

        A server error is part of what is returned; an error of the connection itself is raised.
        """
        traced = self._run(statement, before)
        if traced.error is None and self.is_in_block:
            return replace(traced, after=self.read())
        return traced

    def run_bare(self, statement: Statement, open_session: OpenSession) -> TracedStatement:
        """Run a statement outside a transaction block, and read what can be seen while it waits and when it is over.

        Its locks are gone by then, so a witness looks at them before; new files, scans and writes still show.
        """
        before = self.read()
        locked: Locked = {}
        if is_witnessed(statement):
            with witnessing(self._connection, open_session, statement, before.lock_timeout_ms) as locked:
                traced = self._run(statement, before)
        else:
            traced = self._run(statement, before)
        traced = replace(traced, in_block=False)
        if traced.error is not None or self.is_in_block:
            return traced
        after = self.read()
        return replace(traced, after=replace(after, relations=_with_modes(self.baseline(None), locked)))

    def _ask(self, query: Fragment) -> list[tuple[Any, ...]]:
        return fetch_all(self._cursor, self._source, query)

    def counted_before(self) -> Baseline:
        """Return what the session's counters hold at the beginning of a file.

        From PostgreSQL 15 on the session hands them over between files, so they begin at zero.
        """
        is_zero = self._connection.info.server_version >= COUNTERS_ARE_FLUSHED_SINCE
        return {} if is_zero else self.baseline(None)

    @property
    def is_in_block(self) -> bool:
        """Whether a transaction block is open and sound."""
        return self._connection.info.transaction_status == psycopg.pq.TransactionStatus.INTRANS

    def _run(self, statement: Statement, before: TransactionReading) -> TracedStatement:
        self._notices.clear()
        error: psycopg.Error | None = None
        tag = ""
        started = perf_counter()
        try:
            tag = send(self._cursor, statement.text, statement.data)
        except psycopg.Error as problem:
            if self._connection.closed:
                raise
            error = problem
        return TracedStatement(
            statement=statement,
            tag=tag,
            duration_ms=(perf_counter() - started) * 1000,
            notices=tuple(self._notices),
            before=before,
            error=error,
        )

    def baseline(self, oids: Iterable[int] | None) -> Baseline:
        """Return the relations that exist now: those with the given OIDs, or all of them for None."""
        if oids is None:
            rows = self._ask(_BASELINE)
        else:
            listed = list(oids)
            rows = self._ask(fragment(_AMONG, oids=oid_array(listed))) if listed else []
        return {row[0]: _reading((row[0], (), *row[1:])) for row in rows}


def _reading(row: Sequence[Any]) -> RelationReading:
    oid, modes, *rest = row
    return RelationReading(oid, tuple(modes), *rest)


def with_counters_of(baseline: Baseline, counted: Baseline) -> Baseline:
    """Return a baseline that was read after a file's statements, with the counters from before them."""
    nothing = RelationReading(0, (), None, None, None)
    return {
        oid: replace(
            one,
            **{counter: getattr(counted.get(oid, nothing), counter) for counter in _COUNTERS},
        )
        for oid, one in baseline.items()
    }


def _with_modes(relations: Baseline, locked: Locked) -> Baseline:
    """Return relations with the locks that a statement had on them, those that it dropped among them."""
    gone = {oid: RelationReading(oid, (), None, None, None) for oid in locked.keys() - relations.keys()}
    held = {
        oid: replace((relations | gone)[oid], modes=tuple(sorted(modes))) for oid, modes in locked.items()
    }
    return {**relations, **held}


_COUNTERS = ("scans", "tuples", "inserted", "updated", "deleted")


def relations_locked(traced: Sequence[TracedStatement]) -> set[int]:
    """Return the OIDs of all relations that any of the statements locked."""
    return {oid for one in traced if one.after is not None for oid in one.after.relations}


def describe(
    script: Script, traced: Sequence[TracedStatement], baseline: Baseline
) -> tuple[StatementEvidence, ...]:
    """Turn readings into evidence: what each statement did beyond the statements before it.

    ``baseline`` are the relations that existed before the file.
    """
    telling = _Telling(script, baseline)
    return tuple(telling.of(one) for one in traced)


class _Telling:
    """Tells what one statement after the other did, and remembers what was seen of relations so far."""

    def __init__(self, script: Script, baseline: Baseline) -> None:
        self._script = script
        self._baseline = baseline
        self._seen: dict[int, RelationReading] = {
            oid: replace(one, modes=()) for oid, one in baseline.items()
        }
        #: The file of an index may be taken over by the one that takes its place.
        self._files = {one.filenode for one in baseline.values()}
        #: What was dropped, as far as that has been told.
        self._gone: set[int] = set()
        self._transaction = 0
        self._started = ""

    def of(self, one: TracedStatement) -> StatementEvidence:
        """Return what a statement did, the next of the file."""
        if one.parts and one.before is not None:
            # Where its commands were run before it, the counters have gone on.
            self._remember(one.before)
        evidence = self._told(one)
        if one.parts:
            evidence = replace(evidence, parts=self._parts(one, evidence))
        if one.after is not None:
            self._remember(one.after)
        if one.tag == "ROLLBACK" and one.before is not None and one.after is not None:
            self._take_back(one.before.relations.keys() - one.after.relations.keys())
        return evidence

    def _take_back(self, released: Iterable[int]) -> None:
        """Remember that relations which ROLLBACK let go of have their old files again; the counters go on counting."""
        for oid in released:
            if oid in self._baseline and oid in self._seen:
                self._seen[oid] = replace(self._seen[oid], filenode=self._baseline[oid].filenode)

    def _remember(self, reading: TransactionReading) -> None:
        for oid, one in reading.relations.items():
            (self._gone.discard if one.name else self._gone.add)(oid)
            # A dropped relation has no name any more; it keeps the one that it had.
            known = self._seen.get(oid)
            if one.name is None and known is not None:
                one = replace(one, name=known.name, kind=known.kind, of_table=known.of_table)  # noqa: PLW2901
            self._seen[oid] = one
            self._files.add(one.filenode)

    def _parts(self, one: TracedStatement, whole: StatementEvidence) -> tuple[StatementEvidence, ...]:
        """Return what the commands of a statement did alone; nothing where they do not explain what it did."""
        seen, files = self._seen, self._files
        # What the commands made was rolled back.
        self._seen, self._files = dict(seen), set(files)
        parts = tuple(self.of(part) for part in one.parts)
        self._seen, self._files = seen, files
        worked = _worked(whole)
        return parts if worked and worked <= set().union(*map(_worked, parts)) else ()

    def _told(self, one: TracedStatement) -> StatementEvidence:
        statement = one.statement
        place = self._script.position(statement.start)
        evidence = StatementEvidence(
            line=place.line,
            column=place.column,
            end_line=self._script.end_line(statement),
            text=statement.text,
            node=statement.node,
            tag=one.tag,
            duration_ms=one.duration_ms,
            notices=one.notices,
            kept=one.kept,
            error=error_evidence(one.error, self._script, statement) if one.error is not None else None,
            observed=one.in_block and one.after is not None,
        )
        if one.before is None or one.after is None:
            return evidence
        steps = [self._step(oid, now, one.before) for oid, now in sorted(one.after.relations.items())]
        return replace(
            evidence,
            transaction=self._transaction_of(one.after) if one.in_block else 0,
            lock_timeout_before_ms=one.before.lock_timeout_ms,
            statement_timeout_before_ms=one.before.statement_timeout_ms,
            lock_timeout_ms=one.after.lock_timeout_ms,
            locks=tuple(lock for step in steps for lock in step.locks(one.before.relations)),
            released=tuple(self._released(one.before, one.after)),
            rewrites=tuple(step.rewrite for step in steps if step.is_rewritten(statement.node)),
            index_builds=tuple(step.index_build for step in steps if self._is_built(step)),
            scans=tuple(
                step.scan for step in steps if step.is_scanned and not step.is_emptied(statement.node)
            ),
            writes=tuple(step.write for step in steps if step.is_written),
            wal_bytes=one.after.wal_position - one.before.wal_position,
            unread_relations=one.after.unread,
            namings=tuple(self._namings(one, steps)),
        )

    def _namings(self, one: TracedStatement, steps: Sequence["_Step"]) -> Iterator[Naming]:
        yield from (step.naming for step in steps if step.is_named_anew)
        if not one.in_block and one.after is not None:
            # All relations have been read, and what is not among them is gone.
            for oid in self._seen.keys() - one.after.relations.keys() - self._gone:
                self._gone.add(oid)
                gone = self._seen[oid]
                if gone.name and gone.kind in _NAMED_FOR_USE:
                    preexisting = self._is_preexisting(oid)
                    yield Naming(relation=gone.name, became="", kind=gone.kind, preexisting=preexisting)

    def _transaction_of(self, reading: TransactionReading) -> int:
        if reading.started != self._started:
            self._started = reading.started
            self._transaction += 1
        return self._transaction

    def _step(self, oid: int, now: RelationReading, before: TransactionReading) -> "_Step":
        of_table = now.of_table or (self._seen[oid].of_table if oid in self._seen else None)
        table = self._seen.get(of_table) or before.relations.get(of_table) if of_table else None
        return _Step(
            # The reading just before is the best to compare with; what was not locked then was seen earlier or not at all.
            before.relations.get(oid) or self._seen.get(oid),
            now,
            preexisting=self._is_preexisting(oid),
            table=(table.name or "") if table is not None else "",
            has_preexisting_table=of_table is not None and self._is_preexisting(of_table),
        )

    def _is_preexisting(self, oid: int) -> bool:
        known = self._baseline.get(oid)
        return known is not None and not known.of_extension

    def _is_built(self, step: "_Step") -> bool:
        """Whether a statement made an index and filled it: one that takes the place of another may have its file."""
        return step.is_new_index and step.now.filenode not in self._files

    def _released(self, before: TransactionReading, after: TransactionReading) -> Iterator[RelationLock]:
        if before.started != after.started:
            return
        for oid, held in before.relations.items():
            modes = after.relations[oid].modes if oid in after.relations else ()
            if gone := [mode for mode in held.modes if mode not in modes]:
                step = self._step(oid, held, before)
                yield from (step.lock(mode) for mode in gone)


@dataclass(frozen=True, slots=True)
class _Step:
    """One relation before and after one statement."""

    then: RelationReading | None
    now: RelationReading
    #: Whether it was there before the file, and belongs to no extension.
    preexisting: bool
    #: An index's table.
    table: str
    has_preexisting_table: bool

    @property
    def _name(self) -> str:
        # What is renamed was known by its old name to those who wait for it.
        if self.preexisting and self.then is not None and self.then.name:
            return self.then.name
        return self.now.name or (self.then and self.then.name) or "a dropped relation"

    @property
    def _kind(self) -> str:
        # Of what is gone the server says no more than "relation".
        known = self.now if self.now.name is not None else self.then
        return (known and known.kind) or self.now.kind or "relation"

    def _more(self, counter: str) -> int:
        then: int = getattr(self.then, counter) if self.then is not None else 0
        now: int = getattr(self.now, counter)
        # The session hands its counters over now and then, and begins again at zero.
        return now - then if now >= then else now

    def locks(self, held: Mapping[int, RelationReading]) -> list[RelationLock]:
        already = held[self.now.oid].modes if self.now.oid in held else ()
        return [self.lock(mode) for mode in sorted(self.now.modes, key=_strength) if mode not in already]

    def lock(self, mode: str) -> RelationLock:
        return RelationLock(
            relation=self._name, kind=self._kind, mode=mode, preexisting=self.preexisting, table=self.table
        )

    @property
    def is_new_index(self) -> bool:
        return self.then is None and self._kind == "index" and self.now.filenode is not None

    @property
    def index_build(self) -> IndexBuild:
        return IndexBuild(index=self._name, table=self.table, preexisting=self.has_preexisting_table)

    @property
    def _has_new_file(self) -> bool:
        return (
            self.then is not None
            and self.then.filenode is not None
            and self.now.filenode is not None
            and self.now.filenode != self.then.filenode
            and self._kind in _REWRITTEN
        )

    def is_rewritten(self, node: str) -> bool:
        return self._has_new_file and node not in _EMPTIED_BY and node != _GOES_BACK

    def is_emptied(self, node: str) -> bool:
        # What is then read, to build the indexes, is the new file.
        return self._has_new_file and node in _EMPTIED_BY

    @property
    def rewrite(self) -> Rewrite:
        return Rewrite(relation=self._name, kind=self._kind, preexisting=self.preexisting, table=self.table)

    @property
    def is_named_anew(self) -> bool:
        return self._kind_in_use in _NAMED_FOR_USE and (self.then and self.then.name) != self.now.name

    @property
    def _kind_in_use(self) -> str:
        # Of a dropped relation the server says no more than that it is one.
        return (self.now.kind if self.now.name else self.then and self.then.kind) or ""

    @property
    def naming(self) -> Naming:
        return Naming(
            relation=(self.then and self.then.name) or "",
            became=self.now.name or "",
            kind=self._kind_in_use,
            preexisting=self.preexisting,
        )

    @property
    def is_scanned(self) -> bool:
        return self._kind in _READ_SEQUENTIALLY and self._more("scans") > 0

    @property
    def scan(self) -> Scan:
        return Scan(
            relation=self._name,
            scans=self._more("scans"),
            tuples=self._more("tuples"),
            preexisting=self.preexisting,
        )

    @property
    def is_written(self) -> bool:
        return any(self._more(counter) > 0 for counter in _COUNTERS[2:])

    @property
    def write(self) -> Write:
        return Write(
            relation=self._name,
            inserted=self._more("inserted"),
            updated=self._more("updated"),
            deleted=self._more("deleted"),
            preexisting=self.preexisting,
        )


def _worked(statement: StatementEvidence) -> set[tuple[str, str]]:
    """Return the tables that were there before the file and that a statement read or wrote as a whole, and which of both."""
    read = {("read", scan.relation) for scan in statement.scans if scan.preexisting}
    return read | {
        ("written", rewrite.relation)
        for rewrite in statement.rewrites
        if rewrite.preexisting and rewrite.kind != "index"
    }


def _strength(mode: str) -> int:
    return LOCK_MODES.index(mode) if mode in LOCK_MODES else -1


def error_evidence(
    error: psycopg.Error, script: Script, sent: Statement | Part | None, *, during: str = ""
) -> StatementError:
    """Return a server error as evidence, with the place in the file that it points at.

    ``sent`` is what was sent: a statement, or a part of the file; None when it was no text of the file.
    """
    diagnostic = error.diag
    place = script.position(_error_offset(diagnostic, script, sent))
    return StatementError(
        sqlstate=diagnostic.sqlstate or "",
        # They may quote what they complain of, and a quote that is not closed goes on to the end of the file.
        message=shortened(diagnostic.message_primary or str(error).strip() or type(error).__name__, 500),
        detail=shortened(diagnostic.message_detail or "", 2_000),
        hint=diagnostic.message_hint or "",
        context=shortened(diagnostic.context or "", 10_000),
        schema=diagnostic.schema_name or "",
        table=diagnostic.table_name or "",
        column_name=diagnostic.column_name or "",
        constraint=diagnostic.constraint_name or "",
        line=place.line,
        column=place.column,
        during=during,
    )


def _error_offset(
    diagnostic: psycopg.errors.Diagnostic, script: Script, sent: Statement | Part | None
) -> CharOffset:
    """Return the character of the file that an error points at.

    The server counts characters from 1 in the query that it was sent (manual: "Error and Notice Message
    Fields"). Without a position the statement's own beginning is the best that is known, or the line in a DO
    block.
    """
    if sent is not None and diagnostic.statement_position:
        length = len(script.source.text)
        return CharOffset(min(sent.start + int(diagnostic.statement_position) - 1, max(length - 1, 0)))
    if isinstance(sent, Statement):
        return CharOffset(sent.start + _offset_in_do_block(sent.text, diagnostic.context or ""))
    start = sent.start if sent is not None else CharOffset(0)
    return next((one.start for one in script.statements if one.start >= start), start)


#: The call stack's outermost entry is its last: the DO block itself, when the statement is one.
_DO_BLOCK_LINE = re.compile(r"PL/pgSQL function inline_code_block line (\d+) at [^\n]*\Z")
_BODY = re.compile(r"\$\w*\$")


def _offset_in_do_block(text: str, context: str) -> int:
    """Return where in a DO statement the line begins that the server names; 0 when it names none.

    PL/pgSQL counts the line on which the body begins as the first (experiment on 15 and 18).
    """
    named, body = _DO_BLOCK_LINE.search(context), _BODY.search(text)
    if named is None or body is None:
        return 0
    at = body.end()
    for _ in range(int(named[1]) - 1):
        at = text.find("\n", at) + 1
        if at == 0:
            return 0
    return at + len(text[at:]) - len(text[at:].lstrip(" \t"))
