"""Columns that become NOT NULL, for which every row is looked at while others wait."""

from pytest_migsafe.catalog.lexical import quoted
from pytest_migsafe.catalog.schema import Column
from pytest_migsafe.findings import RemedyFile
from pytest_migsafe.rehearsal.holding import WorkKind
from pytest_migsafe.rules import safe_ways
from pytest_migsafe.rules.blocking.check import Situation, Told, blocking_rule
from pytest_migsafe.texts.wording import listed


@blocking_rule(
    id="set-not-null-scans",
    title="A column becomes NOT NULL, and every row is looked at while its table is locked.",
    why=(
        "SET NOT NULL locks the table for readers and writers and reads the whole of it, unless a CHECK constraint that has "
        "been validated proves that there is no null."
    ),
    remedy=(
        "Add a constraint that is NOT VALID, so that nothing is read; validate it in a file of its own, while the table is read "
        "and written; then nothing has to be read any more."
    ),
    manual="ALTER TABLE, SET NOT NULL",
    peers={
        "squawk": "adding-not-nullable-field",
        "eugene": "E2",
        "strong_migrations": "change_column_null",
        "Atlas": "PG303",
    },
)
def set_not_null_scans(situation: Situation) -> Told | None:
    """Judge SET NOT NULL, and a NOT NULL constraint that is not NOT VALID (PostgreSQL 18)."""
    asked = {quoted(name) for name in _asked(situation)}
    columns = [
        one for one in _tightened(situation) if one.name in asked or (situation.is_opaque and not asked)
    ]
    if not situation.worked(WorkKind.SCAN) or not (asked or columns):
        return None
    names = sorted({one.name for one in columns} or asked)
    return Told(
        message=f"{situation.waiting} wait while every row is looked at for nulls in {listed(names)}",
        files=safe_ways.side_by_side(_made_not_null(situation, one) for one in columns),
    )


def _asked(situation: Situation) -> set[str]:
    """Return the columns that an ALTER TABLE makes NOT NULL."""
    added = (
        one
        for one in situation.asks_for("AlterTableStmt", "AT_AddConstraint")
        if one.adds_constraint == "CONSTR_NOTNULL"
    )
    return {one.name for one in situation.asks_for("AlterTableStmt", "AT_SetNotNull")} | {
        key.string.sval for one in added for key in one.definition.keys
    }


def _tightened(situation: Situation) -> list[Column]:
    """Return the columns of the tables concerned that the file makes NOT NULL, but for those of a primary key.

    Of a column that is inherited it is the topmost table's.
    """
    keys = {
        (one.relation, name)
        for one in situation.new_constraints
        if one.type == "primary key"
        for name in one.columns
    }
    found = [
        one
        for table in situation.concerned
        for one in situation.after.belonging_to(table).values()
        if isinstance(one, Column) and (table, one.name) not in keys and _is_tightened(situation, one)
    ]
    places = {(one.relation, one.name) for one in found}
    return [
        one
        for one in found
        if not any(
            (parent, one.name) in places for parent in safe_ways.parents(situation.after, one.relation)
        )
    ]


def _is_tightened(situation: Situation, now: Column) -> bool:
    before = safe_ways.column_of(situation.before, now.relation, now.name)
    if not now.not_null:
        return False
    if before is None:
        # Code may have added it as it is.
        return not situation.is_opaque
    return not before.not_null or (
        safe_ways.waiting_not_null(situation.before, now.relation, now.name) is not None
        and safe_ways.waiting_not_null(situation.after, now.relation, now.name) is None
    )


def _made_not_null(situation: Situation, column: Column) -> tuple[RemedyFile, ...]:
    named = [one.name for one in situation.made("not null") if column.name in one.columns]
    return safe_ways.not_null(situation.before, column.relation, [column.name], situation.major, named)
