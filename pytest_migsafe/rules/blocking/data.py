"""Rows that are read or written in numbers that nobody knows: while a lock is held, or until the one big commit."""

from collections.abc import Iterator, Sequence

from pytest_migsafe.catalog import Schema
from pytest_migsafe.catalog.lexical import unquoted
from pytest_migsafe.catalog.schema import Column, Index
from pytest_migsafe.findings import Finding, RemedyFile, Severity
from pytest_migsafe.migrations.lexemes import headline
from pytest_migsafe.migrations.queries import Use, key_columns, limited_to
from pytest_migsafe.rehearsal.evidence import Evidence
from pytest_migsafe.rehearsal.holding import Stall, WorkKind
from pytest_migsafe.rehearsal.observed import StatementEvidence
from pytest_migsafe.rehearsal.reach import Reach
from pytest_migsafe.rules import safe_ways
from pytest_migsafe.rules.blocking.check import FAMILY, Situation, Told, blocking_rule
from pytest_migsafe.rules.blocking.general import done
from pytest_migsafe.rules.registry import rule
from pytest_migsafe.rules.remedy import written
from pytest_migsafe.texts.wording import joined, listed

#: Statements that read and write rows, and lock tables for nobody.
_OF_ROWS = frozenset(
    {
        "CopyStmt",
        "CreateTableAsStmt",
        "DeleteStmt",
        "ExecuteStmt",
        "ExplainStmt",
        "FetchStmt",
        "InsertStmt",
        "MergeStmt",
        "SelectStmt",
        "UpdateStmt",
    }
)
_RUNS_CODE = frozenset({"CallStmt", "DoStmt"})


@blocking_rule(
    id="backfill-under-lock",
    title="Rows are read or written, as many as there are, while a lock is held that others wait for.",
    why=(
        "A statement before it in the same transaction has locked a table, and the lock is held until the transaction ends. "
        "So the reading or writing of all the rows, which takes the longer the more there are, is time in which others wait."
    ),
    remedy=(
        "Give the statement a file of its own, so that the lock is gone before it begins; rows are then best written in "
        "batches, each of which is committed."
    ),
    manual="Explicit Locking; ALTER TABLE, Notes",
    peers={
        "eugene": "E4",
        "strong_migrations": "backfilling data",
        "pgfence": "backfill-in-ddl-transaction",
        "django-migration-linter": "DATA_MIGRATION",
    },
)
def backfill_under_lock(situation: Situation) -> Told | None:
    """Judge what reads and writes rows while a lock of an earlier statement is held."""
    stall = situation.stall
    if not stall.earlier or not _is_of_rows(situation):
        return None
    files = _own_file(situation)
    return Told(
        message=f"{situation.waiting} wait while {done(stall)}: {_held(stall)}",
        remedy=_remedy(situation, files),
        files=files,
    )


def _is_of_rows(situation: Situation) -> bool:
    """Whether queries did the work, and nothing else."""
    stall = situation.stall
    if {one.kind for one in stall.works} - {WorkKind.SCAN, WorkKind.WRITE}:
        return False
    node = stall.statement.node
    if node in _RUNS_CODE or (node == "SelectStmt" and stall.own):
        return any(one.table in situation.tables for one in _wide(situation.evidence, stall.statement))
    return node in _OF_ROWS


def _wide(evidence: Evidence, statement: StatementEvidence) -> tuple[Reach, ...]:
    """Return what a statement's queries do with more than a few rows of tables."""
    found = evidence.reaches[_place(evidence, statement)]
    return tuple(one for one in found.tables if not one.is_few) if found is not None else ()


def _place(evidence: Evidence, statement: StatementEvidence) -> int:
    return next(at for at, one in enumerate(evidence.statements) if one is statement)


def _held(stall: Stall) -> str:
    takers = dict.fromkeys(hold.since for hold in stall.earlier)
    return joined(f"line {one.line} holds its lock ({headline(one.text, 60)})" for one in takers)


def _remedy(situation: Situation, files: Sequence[RemedyFile]) -> str:
    stall = situation.stall
    if _replaces_view(stall):
        return _BESIDE
    statements = situation.evidence.statements
    at = _place(situation.evidence, stall.statement)
    follows = [one for one in statements[at + 1 :] if not _is_control(one)]
    place = f"line {stall.statement.line} ({headline(stall.statement.text, 60)})"
    if files:
        return f"Leave {place} out of this file, and give it one of its own, to be run after it:"
    rest = f", and what follows from line {follows[0].line} on a third one" if follows else ""
    return (
        f"Give {place} a file of its own{rest}: each file is a transaction, and its locks are gone when it ends. "
        "What writes all rows is best divided into batches, each of which is committed."
    )


def _replaces_view(stall: Stall) -> bool:
    """Whether a materialized view is created where another was dropped, so that its readers wait for its query."""
    return stall.statement.node == "CreateTableAsStmt" and any(
        hold.lock.kind == "materialized view" for hold in stall.earlier
    )


_BESIDE = (
    "Create the new materialized view under another name in a file of its own, with its indexes. In the next file drop the old "
    "one and rename the new one: that takes a moment."
)


def _is_control(statement: StatementEvidence) -> bool:
    return statement.node in ("TransactionStmt", "VariableSetStmt")


def _own_file(situation: Situation) -> tuple[RemedyFile, ...]:
    """Return the statement as a file after the rest of its own; nothing where it cannot simply be moved behind it."""
    statement = situation.stall.statement
    statements = situation.evidence.statements
    at = _place(situation.evidence, statement)
    others = [*statements[:at], *statements[at + 1 :]]
    if _replaces_view(situation.stall):
        return ()
    is_last = all(_is_control(one) or one.node in _OF_ROWS for one in statements[at + 1 :])
    if not is_last or statement.node not in _OF_ROWS or situation.stall.own or _needs(statement, others):
        return ()
    targets = [one.table for one in situation.worked(WorkKind.WRITE)]
    if targets and statement.node in ("UpdateStmt", "DeleteStmt"):
        return in_batches(situation.after, statement.text, targets[0])
    return () if targets else (RemedyFile(sql=f"{statement.text.rstrip().removesuffix(';')};"),)


def _needs(statement: StatementEvidence, others: Sequence[StatementEvidence]) -> bool:
    """Whether a statement relies on what only its own transaction has: a temporary table, or its BEGIN and COMMIT."""
    touched = [lock.relation for one in (statement, *others) for lock in one.locks]
    return any(one.startswith("pg_temp") for one in touched) or any(
        one.node == "TransactionStmt" for one in others
    )


#: So many rows are written in one transaction.
_BATCH = 1_000

_IN_BATCHES = """\
DO $migsafe$
DECLARE
    {keys} {type}[] := ARRAY(SELECT {key} FROM {table} ORDER BY {key} LIMIT {batch});
BEGIN
    WHILE cardinality({keys}) > 0 LOOP
        {statement};
        COMMIT;
        {keys} := ARRAY(
            SELECT {key} FROM {table} WHERE {key} > {keys}[cardinality({keys})] ORDER BY {key} LIMIT {batch}
        );
    END LOOP;
END
$migsafe$;"""


def in_batches(schema: Schema, text: str, table: str) -> tuple[RemedyFile, ...]:
    """Return an UPDATE or DELETE in batches that are committed; nothing for a table without a key of one column."""
    key = _key(schema, table)
    if key is None:
        return ()
    columns = {unquoted(one.name) for one in schema.belonging_to(table).values() if isinstance(one, Column)}
    keys = "batch" if "batch" not in columns else "batch_of_keys"
    limited = limited_to(text, unquoted(key.name), keys)
    if limited is None:
        return ()
    sql = _IN_BATCHES.format(
        keys=keys, type=key.type, key=key.name, table=table, batch=_BATCH, statement=limited
    )
    return (RemedyFile(sql=sql, in_transaction=False),)


def _key(schema: Schema, table: str) -> Column | None:
    """Return the column by which a table's rows can be taken one after the other: its primary key, or one like it."""
    unique = [
        one
        for one in schema.belonging_to(table).values()
        if isinstance(one, Index) and one.unique and one.valid
    ]
    for index in sorted(unique, key=lambda one: not one.primary):
        names = key_columns(index.definition)
        if len(names) != 1 or not names[0] or " WHERE " in index.definition:
            continue
        column = safe_ways.column_of(schema, table, index.columns[0])
        if column is not None and column.not_null:
            return column
    return None


@rule(
    id="whole-table-write",
    family=FAMILY,
    severity=Severity.ERROR,
    title="All rows of a table, or as many as a condition finds, are written in one transaction.",
    why=(
        "Each row that is updated, deleted or locked stays locked until the transaction ends: whoever wants to change one of "
        "them waits for all of the rest. And the more rows there are, the more is written to the WAL at once, which standbys "
        "have to follow."
    ),
    remedy=(
        "Write the rows in batches, each in a transaction of its own: by ranges of the key, in a file that runs outside a "
        "transaction, or by a job of the application."
    ),
    manual="Explicit Locking, Row-Level Locks",
    peers={
        "pgfence": "update-without-where",
        "Bytebase": "statement.where.require",
        "strong_migrations": "backfilling data",
    },
)
def whole_table_write(evidence: Evidence) -> Iterator[Finding]:
    """Judge UPDATE, DELETE, MERGE and FOR UPDATE of more than a few rows; where tables are locked, others do."""
    stalled = {id(stall.statement) for stall in evidence.stalls}
    for statement, reached in zip(evidence.statements, evidence.reaches, strict=True):
        if reached is None or id(statement) in stalled or not _may_write(statement):
            continue
        wide = [
            one
            for one in reached.tables
            if one.use in _LOCKS_ROWS and not one.is_few and _is_preexisting(evidence, statement, one)
        ]
        if wide:
            yield _told(evidence, statement, wide)


_LOCKS_ROWS = {Use.UPDATED: "updated", Use.DELETED: "deleted", Use.LOCKED: "locked"}
_MAY_WRITE = frozenset(
    {"UpdateStmt", "DeleteStmt", "MergeStmt", "InsertStmt", "SelectStmt", "DoStmt", "CallStmt"}
)


def _may_write(statement: StatementEvidence) -> bool:
    # What commits in between cannot run in a transaction block, and holds no lock for long.
    return statement.node in _MAY_WRITE and statement.observed and statement.error is None


def _is_preexisting(evidence: Evidence, statement: StatementEvidence, reach: Reach) -> bool:
    """Whether the table was there before the file, and, of what stands in code, whether it was touched at all."""
    touched = [
        lock
        for one in evidence.statements
        if one.transaction == statement.transaction
        for lock in one.locks
        if lock.relation == reach.table
    ]
    if any(not lock.preexisting for lock in touched):
        return False
    if reach.in_body and not any(lock.mode in ("RowExclusiveLock", "RowShareLock") for lock in touched):
        return False
    emptied = any(
        one.node == "TruncateStmt" and one.transaction == statement.transaction for one in evidence.statements
    ) and any(lock.mode == "AccessExclusiveLock" for lock in touched)
    return not emptied and bool(evidence.before.belonging_to(reach.table))


def _told(evidence: Evidence, statement: StatementEvidence, wide: Sequence[Reach]) -> Finding:
    tables = list(dict.fromkeys(one.table for one in wide))
    verbs = list(dict.fromkeys(_LOCKS_ROWS[one.use] for one in wide))
    is_whole = any(not one.has_where for one in wide)
    files = in_batches(evidence.after, statement.text, tables[0]) if len(tables) == 1 else ()
    which = "all rows" if is_whole else "as many rows as the condition finds"
    return whole_table_write.finding(
        evidence,
        severity=Severity.ERROR if is_whole else Severity.WARNING,
        line=statement.line,
        column=statement.column,
        message=(
            f"{which} of {listed(tables)} are {' or '.join(verbs)} in one transaction: UPDATE and DELETE of each of them wait "
            "until it ends"
        ),
        evidence=tuple(
            f"{write.relation}: {write.inserted} rows inserted, {write.updated} updated, {write.deleted} deleted here"
            for write in statement.writes
        ),
        remedy=written(whole_table_write.remedy, files),
        files=files,
        objects=tuple(tables),
        # How many rows a condition finds is not known from how many there are.
        details={
            "work": [{"kind": WorkKind.WRITE.value, "table": one, "index": ""} for one in tables]
            if is_whole
            else []
        },
    )
