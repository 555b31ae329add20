"""Tables and columns that are dropped, with what is in them."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from pytest_migsafe.catalog.lexical import last_part
from pytest_migsafe.catalog.schema import Column, Table
from pytest_migsafe.findings import Finding, Severity
from pytest_migsafe.rehearsal.evidence import Evidence, StatementEvidence
from pytest_migsafe.rules.loss.check import FAMILY, found_of, is_copied, is_judged
from pytest_migsafe.rules.registry import rule
from pytest_migsafe.rules.smoke.check import cause
from pytest_migsafe.texts.wording import listed


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
        if not isinstance(table, Table) or table.kind == "foreign table" or not is_judged(evidence, name):
            continue
        if table.partition_bound is not None and not gone.isdisjoint(table.parents):
            continue
        statement = found.fate(name).statement or cause(evidence.statements, (name,))
        if not is_copied(evidence, name, statement):
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
        yield found_of(
            table_dropped,
            evidence,
            together[0].statement,
            message=f"the rows of {listed(names)} are gone for good",
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
            yield found_of(
                table_remade,
                evidence,
                one.statement,
                message=f"the rows of {one.table.name} are gone: it is dropped, and made anew without them",
                objects=(one.table.name,),
            )


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
        if not is_judged(evidence, relation):
            continue
        for one in evidence.before.belonging_to(relation).values():
            if not isinstance(one, Column) or one.generated or one.inherited or found.column(one) is not None:
                continue
            statement = cause(evidence.statements, (one.name, relation))
            if not is_copied(evidence, relation, statement, last_part(one.qualified_name)):
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
        yield found_of(
            column_dropped,
            evidence,
            some[0].statement,
            message=f"the values of {listed(names)} in {table} are gone for good",
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
            yield found_of(
                column_remade,
                evidence,
                one.statement,
                message=f"the values of {one.column.qualified_name} are gone: it is dropped, and added again without them",
                objects=(one.column.qualified_name,),
            )
