"""The family *loses-data*: rows and values that are gone after a file, and what CASCADE took besides."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

from pytest_migsafe.catalog.lexical import last_part, parent_of, schema_of, without_arguments
from pytest_migsafe.catalog.objects import Home
from pytest_migsafe.catalog.schema import (
    Column,
    Constraint,
    Function,
    Policy,
    Table,
    Trigger,
    Type,
    View,
)
from pytest_migsafe.catalog.schema import (
    Sequence as Sequence_,
)
from pytest_migsafe.findings import Finding, Severity
from pytest_migsafe.migrations.definitions import deletes, loss, truncates
from pytest_migsafe.migrations.operations import operations
from pytest_migsafe.rehearsal.evidence import Evidence, StatementEvidence
from pytest_migsafe.rules.registry import Rule, rule
from pytest_migsafe.rules.smoke.check import cause

FAMILY = "loses-data"

_ROW_EXCLUSIVE = "RowExclusiveLock"
#: Statements whose text is run, or says what is run.
_CODE = frozenset({"DoStmt", "CallStmt", "SelectStmt"})
_WRITES = frozenset(
    {"InsertStmt", "UpdateStmt", "MergeStmt", "CreateTableAsStmt", "SelectStmt", "DoStmt", "CallStmt"}
)


def _listed(some: Iterable[str], most: int = 5) -> str:
    words = list(some)
    if len(words) > most:
        words = [*words[:most], f"{len(words) - most} more"]
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last


def _found(
    rule_: Rule, evidence: Evidence, at: StatementEvidence | None, proof: tuple[str, ...] = (), **given: Any
) -> Finding:
    place = {"line": at.line, "column": at.column} if at is not None else {}
    return rule_.finding(evidence, **({"remedy": rule_.remedy, "evidence": proof} | place | given))


def _is_judged(evidence: Evidence, name: str) -> bool:
    return evidence.state_after.scope.includes(schema_of(name))


# What was copied before it went.


def _names_of(evidence: Evidence, relation: str) -> set[str]:
    """Return all names that a relation had while the file ran."""
    names = {relation}
    for statement in evidence.statements:
        names |= {
            one.became
            for one in statement.namings
            if one.preexisting and one.relation in names and one.became
        }
    return names


def _is_copied(evidence: Evidence, relation: str, before: StatementEvidence | None, word: str = "") -> bool:
    """Whether a statement of the file reads a relation and writes rows somewhere, before another statement takes it.

    With a word, only a statement that says it counts: of the table's columns it may have copied others.
    """
    names = _names_of(evidence, relation)
    until = [*takewhile(lambda one: one is not before, evidence.statements)]
    return any(
        one.node in _WRITES
        and _reads(one, names)
        and _writes(one, names, itself=bool(word))
        and re.search(rf"(?<!\w){re.escape(word)}(?!\w)" if word else "", one.text, re.IGNORECASE)
        for one in until
    )


def _reads(statement: StatementEvidence, names: set[str]) -> bool:
    return any(one.relation in names for one in statement.scans) or any(
        one.relation in names and one.mode == "AccessShareLock" for one in statement.locks
    )


def _writes(statement: StatementEvidence, names: set[str], *, itself: bool) -> bool:
    """Whether a statement writes to another relation, or makes one; to the same one counts where a column is moved."""
    if any(not one.relation and one.kind in {"table", "materialized view"} for one in statement.namings):
        return True
    if statement.node in {"InsertStmt", "MergeStmt"} or (itself and statement.node == "UpdateStmt"):
        return True
    return any(
        one.mode == _ROW_EXCLUSIVE and one.kind == "table" and (itself or one.relation not in names)
        for one in statement.locks
    )


# Tables.


@dataclass(frozen=True)
class _Dropped:
    table: Table
    statement: StatementEvidence | None


def _dropped_tables(evidence: Evidence) -> Iterator[_Dropped]:
    """Yield the tables that are gone with their rows, without those that were parts of another."""
    found = evidence.identities
    gone = {name for name in found.gone_or_renamed if not found.fate(name).became}
    for name in sorted(gone):
        table = evidence.before.get(Table.KIND, name)
        if not isinstance(table, Table) or table.kind == "foreign table" or not _is_judged(evidence, name):
            continue
        if table.partition_bound is not None and not gone.isdisjoint(table.parents):
            continue
        statement = found.fate(name).statement or cause(evidence.statements, (name,))
        if not _is_copied(evidence, name, statement):
            yield _Dropped(table, statement)


def _by_statement(dropped: Iterable[_Dropped]) -> list[list[_Dropped]]:
    together: dict[int, list[_Dropped]] = {}
    for one in dropped:
        together.setdefault(id(one.statement), []).append(one)
    return list(together.values())


@rule(
    id="table-dropped",
    family=FAMILY,
    severity=Severity.WARNING,
    title="A table is dropped with its rows.",
    why="No way back has the rows: if the decision was wrong, or a table that is still needed was named, only a backup does.",
    remedy=(
        "Keep a copy (pg_dump --table), or give the table another name first and drop it some releases later, when nobody has "
        "missed it."
    ),
    manual="DROP TABLE; pg_dump",
    peers={"squawk": "ban-drop-table", "Atlas": "DS102"},
)
def table_dropped(evidence: Evidence) -> Iterator[Finding]:
    """Look for tables that were there before the file, that are gone, and whose rows no statement has copied."""
    if not evidence.applied:
        return
    dropped = [one for one in _dropped_tables(evidence) if not _is_there(evidence, one.table.name)]
    for together in _by_statement(dropped):
        names = [one.table.name for one in together]
        yield _found(
            table_dropped,
            evidence,
            together[0].statement,
            message=f"the rows of {_listed(names)} are gone for good",
            remedy=f"{table_dropped.remedy}\n{_kept_aside(names)}",
            objects=tuple(names),
        )


def _is_there(evidence: Evidence, name: str) -> bool:
    return isinstance(evidence.after.get(Table.KIND, name), Table)


def _kept_aside(names: Sequence[str]) -> str:
    lines = []
    for name in names[:_SHOWN]:
        shown = "'" + name.replace("'", "'\\''") + "'"
        lines.append(
            f"pg_dump --table={shown} --file={re.sub(r'[^a-z0-9_]', '_', last_part(name).lower())}.sql ..."
        )
    return "\n".join(lines)


_SHOWN = 3


@rule(
    id="table-remade",
    family=FAMILY,
    severity=Severity.ERROR,
    title="A table is dropped and made anew under the same name, without its rows.",
    why="After the file everything looks as it should, and the table is empty.",
    remedy=(
        "Change the table by ALTER TABLE; or fill the new one from the old one before that is dropped (INSERT INTO ... SELECT), "
        "and rename it."
    ),
    manual="DROP TABLE; ALTER TABLE",
    peers={"strong_migrations": "create_table"},
)
def table_remade(evidence: Evidence) -> Iterator[Finding]:
    """Look for names that mean a new table, of which the old one is gone."""
    if not evidence.applied:
        return
    for one in _dropped_tables(evidence):
        if _is_there(evidence, one.table.name):
            yield _found(
                table_remade,
                evidence,
                one.statement,
                message=f"the rows of {one.table.name} are gone: it is dropped, and made anew without them",
                objects=(one.table.name,),
            )


# Columns.


@dataclass(frozen=True)
class _Lost:
    column: Column
    statement: StatementEvidence | None
    is_remade: bool


def _dropped_columns(evidence: Evidence) -> Iterator[_Lost]:
    """Yield the columns that are gone from tables that are there, under whatever name, and that no statement has copied."""
    found = evidence.identities
    relations = {*found.kept("relation"), *found.gone_or_renamed}
    for relation in sorted(relations):
        table, became = evidence.before.get(Table.KIND, relation), found.fate(relation).became
        if not isinstance(table, Table) or not became or table.kind == "foreign table":
            continue
        if not _is_judged(evidence, relation):
            continue
        for one in evidence.before.belonging_to(relation).values():
            if not isinstance(one, Column) or one.generated or one.inherited or found.column(one) is not None:
                continue
            statement = cause(evidence.statements, (one.name, relation))
            if not _is_copied(evidence, relation, statement, last_part(one.qualified_name)):
                now = evidence.after.get(Column.KIND, f"{became}.{one.name}")
                is_new = isinstance(now, Column) and found.former(now) is None and not now.generated
                yield _Lost(one, statement, is_remade=is_new)


@rule(
    id="column-dropped",
    family=FAMILY,
    severity=Severity.WARNING,
    title="A column is dropped with its values.",
    why="No way back has the values: adding the column again brings an empty one.",
    remedy=(
        "Keep a copy, if anybody could want the values back: CREATE TABLE ... AS SELECT of the key and the column, in the same "
        "file; or drop it some releases after it was used last."
    ),
    manual="Modifying Tables, Removing a Column",
    peers={"squawk": "ban-drop-column", "Atlas": "DS103"},
)
def column_dropped(evidence: Evidence) -> Iterator[Finding]:
    """Look for columns that are gone from tables that were there before the file."""
    if not evidence.applied:
        return
    together: dict[tuple[int, str], list[_Lost]] = {}
    for one in _dropped_columns(evidence):
        if not one.is_remade:
            together.setdefault((id(one.statement), one.column.relation), []).append(one)
    for (_, table), some in together.items():
        names = [one.column.name for one in some]
        yield _found(
            column_dropped,
            evidence,
            some[0].statement,
            message=f"the values of {_listed(names)} in {table} are gone for good",
            objects=tuple(one.column.qualified_name for one in some),
        )


@rule(
    id="column-remade",
    family=FAMILY,
    severity=Severity.ERROR,
    title="A column is dropped and added again under the same name, without its values.",
    why="After the file everything looks as it should, and the column is empty, or has its default in every row.",
    remedy="ALTER COLUMN ... TYPE ... USING keeps the values; or add a column of another name, copy, drop and rename.",
    manual="ALTER TABLE, SET DATA TYPE",
)
def column_remade(evidence: Evidence) -> Iterator[Finding]:
    """Look for names that mean a new column of the same table."""
    if not evidence.applied:
        return
    for one in _dropped_columns(evidence):
        if one.is_remade:
            yield _found(
                column_remade,
                evidence,
                one.statement,
                message=f"the values of {one.column.qualified_name} are gone: it is dropped, and added again without them",
                objects=(one.column.qualified_name,),
            )


# Rows.


def _resolved(evidence: Evidence, statement: StatementEvidence, schema: str, name: str) -> str | None:
    """Return the qualified name of a table that a statement names, if it was there before the file."""
    known = [
        one.relation
        for one in statement.locks
        if one.preexisting
        and last_part(one.relation) == name
        and (not schema or _unquoted_schema(one.relation) == schema)
    ]
    if known:
        return known[0]
    found = [
        home.name
        for home in evidence.before.homes
        if home.catalog == "relation"
        and last_part(home.name) == name
        and (not schema or _unquoted_schema(home.name) == schema)
        and isinstance(evidence.before.get(Table.KIND, home.name), Table)
    ]
    return found[0] if len(found) == 1 and not evidence.identities.is_remade(found[0]) else None


def _unquoted_schema(name: str) -> str:
    return last_part(parent_of(name))


@rule(
    id="rows-truncated",
    family=FAMILY,
    severity=Severity.WARNING,
    title="A table is emptied.",
    why="TRUNCATE takes all rows, fires no DELETE trigger, and there is no way back from it.",
    remedy="Keep a copy, or delete by a condition that says which rows are meant.",
    manual="TRUNCATE",
    peers={"squawk": "ban-truncate-cascade"},
)
def rows_truncated(evidence: Evidence) -> Iterator[Finding]:
    """Look for TRUNCATE of tables that were there before the file; what CASCADE takes besides has a rule of its own."""
    for statement in _done(evidence):
        names = [
            name
            for name in _truncated(evidence, statement)
            if not _is_copied(evidence, name, statement) and _is_judged(evidence, name)
        ]
        if names:
            yield _found(
                rows_truncated,
                evidence,
                statement,
                message=f"all rows of {_listed(names)} are gone",
                objects=tuple(names),
            )


def _done(evidence: Evidence) -> Iterator[StatementEvidence]:
    """Yield the statements of a file that was applied."""
    if evidence.applied:
        yield from evidence.statements


def _truncated(evidence: Evidence, statement: StatementEvidence) -> list[str]:
    """Return the tables that a statement empties by name; of code, those that it gives a new file and that it names so."""
    if statement.node == "TruncateStmt":
        named = (_resolved(evidence, statement, *one) for one in truncates(statement.text))
        return list(dict.fromkeys(one for one in named if one is not None))
    if statement.node in _CODE and re.search(r"\btruncate\b", statement.text, re.IGNORECASE):
        return [one.relation for one in statement.rewrites if one.preexisting and one.kind == "table"]
    return []


@rule(
    id="rows-deleted",
    family=FAMILY,
    severity=Severity.WARNING,
    title="All rows of a table are deleted.",
    why="A DELETE without WHERE takes every row, and there is no way back from it; on a big table it also runs for long.",
    remedy="Say which rows are meant; or keep a copy (DELETE ... RETURNING into another table), and delete in batches.",
    manual="DELETE",
)
def rows_deleted(evidence: Evidence) -> Iterator[Finding]:
    """Look for DELETE without a condition, also in code, of tables that were there before the file."""
    for statement in _done(evidence):
        names = [
            name
            for one in _deleted(statement)
            if (name := _resolved(evidence, statement, *one)) is not None
            and not _is_copied(evidence, name, statement)
            and _is_judged(evidence, name)
        ]
        if names:
            yield _found(
                rows_deleted,
                evidence,
                statement,
                message=f"all rows of {_listed(names)} are deleted: there is no condition",
                objects=tuple(names),
            )


_DELETE_ALL = re.compile(r'\bdelete\s+from\s+(?:only\s+)?(?:"?(\w+)"?\.)?"?(\w+)"?\s*;', re.IGNORECASE)


def _deleted(statement: StatementEvidence) -> tuple[tuple[str, str], ...]:
    if statement.node == "DoStmt":
        return tuple((schema or "", name) for schema, name in _DELETE_ALL.findall(statement.text))
    if not re.search(r"\bdelete\b", statement.text, re.IGNORECASE) or statement.node not in _QUERIES:
        return ()
    return deletes(statement.text)


_QUERIES = frozenset({"DeleteStmt", "SelectStmt", "InsertStmt", "UpdateStmt"})


# Types.

_TYPE = re.compile(r"(?P<base>.*?)(?:\((?P<modifiers>[-\d,\s]+)\))?(?P<zone> with(?:out)? time zone)?")
_TIMESTAMP = r"timestamp with(out)? time zone"
_WHOLE = r"smallint|integer|bigint"
#: What a cast leaves out without an error, by the types before and after (manual: "Date/Time Types", "Numeric Types").
_LOST: tuple[tuple[str, str, str], ...] = (
    (_TIMESTAMP, r"date", "the time of day is lost"),
    (_TIMESTAMP, r"time with(out)? time zone", "the date is lost"),
    (r"numeric|real|double precision", _WHOLE, "what is behind the point is rounded away"),
    (r"numeric|bigint", r"real|double precision", "digits beyond the float's precision are lost"),
    (r"integer|double precision", r"real", "digits beyond the float's precision are lost"),
)


def _what_is_lost(was: str, now: str) -> str:
    """Return what the cast from one type to another leaves out without an error; empty: nothing."""
    old, new = _TYPE.fullmatch(was), _TYPE.fullmatch(now)
    if old is None or new is None:
        return ""
    before, after = old["base"] + (old["zone"] or ""), new["base"] + (new["zone"] or "")
    if before != after:
        fitting = (
            what for one, other, what in _LOST if re.fullmatch(one, before) and re.fullmatch(other, after)
        )
        return next(fitting, "")
    if before == "numeric" and new["modifiers"] and _scale(new) < _scale(old):
        return f"values are rounded to {_scale(new)} decimals"
    if before.startswith("time") and _precision(new) < _precision(old):
        return "fractions of seconds are rounded away"
    return ""


def _scale(found: "re.Match[str]") -> int:
    if found["modifiers"] is None:
        return 1000
    return int((*found["modifiers"].split(","), "0")[1])


def _precision(found: "re.Match[str]") -> int:
    return int(found["modifiers"] or 6)


@rule(
    id="values-cut",
    family=FAMILY,
    severity=Severity.WARNING,
    title="The new type of a column takes less than what its values say.",
    why="The cast rounds or cuts without an error, in every row, and there is no way back to the values as they were.",
    remedy="Add a column of the new type beside the old one, fill it, and drop the old one when nobody needs it any more.",
    manual="ALTER TABLE, SET DATA TYPE; Date/Time Types; Numeric Types",
    peers={"squawk": "changing-column-type"},
)
def values_cut(evidence: Evidence) -> Iterator[Finding]:
    """Look for columns of another type, whose cast or whose USING leaves something out."""
    if not evidence.applied:
        return
    found = evidence.identities
    for relation in (*found.kept("relation"), *found.gone_or_renamed):
        if not isinstance(evidence.before.get(Table.KIND, relation), Table) or not _is_judged(
            evidence, relation
        ):
            continue
        for was in evidence.before.belonging_to(relation).values():
            now = found.column(was) if isinstance(was, Column) else None
            if (
                not isinstance(was, Column)
                or now is None
                or now.type == was.type
                or was.inherited
                or was.generated
            ):
                continue
            statement, using = _using(evidence, was)
            what = using if using is not None else _what_is_lost(was.type, now.type)
            if what:
                yield _found(
                    values_cut,
                    evidence,
                    statement or cause(evidence.statements, (was.name, relation)),
                    message=f"{was.qualified_name} is {now.type} now, and was {was.type}: {what}",
                    objects=(was.qualified_name,),
                )


def _using(evidence: Evidence, column: Column) -> tuple[StatementEvidence | None, str | None]:
    """Return the statement that gives a column another type with USING, and what that leaves out; None: a plain cast."""
    name = last_part(column.qualified_name)
    for statement in evidence.statements:
        if statement.node != "AlterTableStmt" or name not in statement.text:
            continue
        for one in operations(statement.text):
            if (
                one.action == "AT_AlterColumnType"
                and one.name == name
                and one.definition.HasField("raw_default")
            ):
                lost = loss(one.definition.raw_default, name)
                return statement, lost or None
    return None, None


# What CASCADE took.

_CASCADES = re.compile(r"(?<!delete)(?<!update)\s+cascade\b", re.IGNORECASE)
#: What may say the name of what it drops.
_NAMES_WHAT_IT_DROPS = re.compile(r"\b(?:drop|truncate)\b", re.IGNORECASE)


@dataclass(frozen=True)
class _Taken:
    """Something that is gone and that no statement names."""

    kind: str
    name: str
    statement: StatementEvidence

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


#: Whose loss is an error: rows, what is read, and what rows are held to.
_GRAVE = frozenset(
    {"table", "view", "materialized view", "foreign table", "column", "constraint", "rows of table"}
)


@rule(
    id="cascade-took-more",
    family=FAMILY,
    severity=Severity.ERROR,
    title="CASCADE took more than the file names.",
    why=(
        "CASCADE drops whatever depends on what is dropped, and goes on from there. In production more may depend on it than "
        "anybody remembers."
    ),
    remedy=(
        "Drop without CASCADE: PostgreSQL then lists what depends on it. Drop, or change, each of them by name in the same file."
    ),
    manual="Dependency Tracking; DROP TABLE; TRUNCATE",
    peers={"squawk": "ban-truncate-cascade", "Atlas": "DS101"},
)
def cascade_took_more(evidence: Evidence) -> Iterator[Finding]:
    """Compare what is gone with what the statements name."""
    cascading = [one for one in _done(evidence) if _CASCADES.search(one.text)]
    if not cascading:
        return
    taken: dict[int, list[_Taken]] = {}
    for one in (*_taken(evidence, cascading), *_truncated_too(evidence, cascading)):
        if _is_judged(evidence, one.name):
            taken.setdefault(id(one.statement), []).append(one)
    for some in taken.values():
        statement = some[0].statement
        is_grave = any(one.kind in _GRAVE for one in some)
        yield _found(
            cascade_took_more,
            evidence,
            statement,
            severity=Severity.ERROR if is_grave else Severity.WARNING,
            message=f"CASCADE also took {_listed(map(str, some))}, which the file does not name",
            proof=tuple(f"gone: {one}" for one in some),
            objects=tuple(one.name for one in some),
        )


def _taken(evidence: Evidence, cascading: Sequence[StatementEvidence]) -> Iterator[_Taken]:
    for kind, name, relation in _gone(evidence):
        if not _is_named(evidence, kind, name):
            yield _Taken(kind, name, _taker(evidence, cascading, relation, name))


def _gone(evidence: Evidence) -> Iterator[tuple[str, str, str]]:
    """Yield what is gone and what does not go without saying: its kind, its name, and the relation that it is of."""
    yield from _gone_relations(evidence)
    yield from _gone_parts(evidence)
    found = evidence.identities
    for name in found.gone("function"):
        if isinstance(evidence.before.get(Function.KIND, name), Function) and not found.function(name):
            yield "function", name, ""
    for name in found.gone("type"):
        if isinstance(evidence.before.get(Type.KIND, name), Type) and name not in found.types:
            yield "type", name, ""


def _gone_relations(evidence: Evidence) -> Iterator[tuple[str, str, str]]:
    found = evidence.identities
    for name in found.gone("relation"):
        home = evidence.before.homes[Home("relation", name)].values()
        one = next(
            (one for one in home if isinstance(one, Table | View | Sequence_) and one.name == name), None
        )
        if one is None or found.fate(name).became:
            continue
        if isinstance(one, Sequence_):
            if one.owned_by is None:
                yield "sequence", name, name
        elif isinstance(one, View) or one.partition_bound is None:
            # A partition goes with its table.
            yield one.kind.replace("partitioned ", ""), name, name


def _gone_parts(evidence: Evidence) -> Iterator[tuple[str, str, str]]:
    """Yield what tables and views lack that are still there."""
    found = evidence.identities
    for relation in sorted({*found.kept("relation"), *found.gone_or_renamed}):
        became = found.fate(relation).became
        if not became:
            continue
        before, after = evidence.before.belonging_to(relation), evidence.after.belonging_to(became)
        columns = {
            one.name
            for one in before.values()
            if isinstance(one, Column) and found.column(one) is None and not one.inherited
        }
        kept = {_meaning(one) for one in after.values()}
        is_table = isinstance(evidence.before.get(Table.KIND, relation), Table)
        for one in before.values():
            if isinstance(one, Column) and is_table and one.name in columns:
                yield "column", one.qualified_name, relation
            elif isinstance(one, Constraint | Trigger | Policy) and _meaning(one) not in kept:
                goes_with_column = isinstance(one, Constraint) and not columns.isdisjoint(one.columns)
                if not goes_with_column and not _is_of_parent(one):
                    yield one.KIND, f"{relation}.{one.name}", relation


def _meaning(one: object) -> object:
    """Return what a part of a relation is, whatever it is called."""
    match one:
        case Constraint():
            return ("constraint", one.definition.removesuffix(" NOT VALID"))
        case Trigger():
            return ("trigger", one.name)
        case Policy():
            return ("policy", one.name)
    return None


def _is_of_parent(one: Constraint | Trigger | Policy) -> bool:
    return (isinstance(one, Constraint) and bool(one.inherited)) or (isinstance(one, Trigger) and one.cloned)


def _is_named(evidence: Evidence, kind: str, name: str) -> bool:
    """Whether a statement that drops something says the name, or that of the schema which is dropped with all in it."""
    own = last_part(without_arguments(name) if kind == "function" else name)
    word = re.compile(rf"(?<!\w){re.escape(own)}(?!\w)", re.IGNORECASE)
    schema = re.compile(
        rf"\bdrop\s+schema\b[^;]*(?<!\w){re.escape(last_part(schema_of(name)))}(?!\w)", re.IGNORECASE
    )
    return any(
        (_NAMES_WHAT_IT_DROPS.search(one.text) and word.search(one.text)) or schema.search(one.text)
        for one in evidence.statements
    )


def _taker(
    evidence: Evidence, cascading: Sequence[StatementEvidence], relation: str, name: str
) -> StatementEvidence:
    """Return the statement with CASCADE that most likely took something."""
    fate = evidence.identities.fate(relation).statement if relation == name else None
    if fate is not None:
        return fate
    for one in cascading:
        if any(
            last_part(name) in notice.message or last_part(name) in notice.detail for notice in one.notices
        ):
            return one
    for one in cascading:
        if any(lock.relation == relation and lock.mode == "AccessExclusiveLock" for lock in one.locks):
            return one
    return cascading[0]


def _truncated_too(evidence: Evidence, cascading: Sequence[StatementEvidence]) -> Iterator[_Taken]:
    """Yield the tables that TRUNCATE ... CASCADE empties and does not name."""
    for statement in cascading:
        if statement.node != "TruncateStmt":
            continue
        named = {own for _, own in truncates(statement.text)}
        for lock in statement.locks:
            table = evidence.before.get(Table.KIND, lock.relation)
            if (
                lock.preexisting
                and lock.mode == "AccessExclusiveLock"
                and isinstance(table, Table)
                and table.partition_bound is None
                and last_part(lock.relation) not in named
            ):
                yield _Taken("rows of table", lock.relation, statement)


LOSS_RULES: tuple[Rule, ...] = (
    table_dropped,
    table_remade,
    column_dropped,
    column_remade,
    rows_truncated,
    rows_deleted,
    values_cut,
    cascade_took_more,
)
