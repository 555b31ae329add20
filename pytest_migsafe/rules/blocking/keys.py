"""Unique constraints and primary keys, whose indexes are built, or whose rows are looked at, while others wait."""

from pytest_migsafe.catalog.lexical import parent_of, quoted
from pytest_migsafe.catalog.schema import Constraint, Index
from pytest_migsafe.findings import RemedyFile
from pytest_migsafe.rehearsal.holding import WorkKind
from pytest_migsafe.rules import safe_ways
from pytest_migsafe.rules.blocking.check import Situation, Told, blocking_rule
from pytest_migsafe.texts.wording import listed

_NO_WAY = (
    "There is no way to add WITHOUT OVERLAPS to a table in use: it is made of no index that is there. Create a new table with "
    "it, write to both, copy the rows in batches, then swap the tables' names; or add it while nobody needs the table."
)


@blocking_rule(
    id="add-unique-builds-index",
    title="A unique constraint's index is built while its table is locked.",
    why="ADD CONSTRAINT ... UNIQUE locks the table for readers and writers until its index is built. It cannot be NOT VALID.",
    remedy=(
        "CREATE UNIQUE INDEX CONCURRENTLY builds the index while the table is written, outside a transaction; then the "
        "constraint is made of it, which takes a moment."
    ),
    manual="ALTER TABLE, ADD table_constraint_using_index",
    peers={
        "squawk": "disallowed-unique-constraint",
        "eugene": "E7",
        "strong_migrations": "add_unique_constraint",
        "Atlas": "PG105",
    },
)
def add_unique_builds_index(situation: Situation) -> Told | None:
    """Judge ADD CONSTRAINT ... UNIQUE."""
    return _told(situation, "CONSTR_UNIQUE", "unique", "unique constraint")


@blocking_rule(
    id="add-primary-key-builds-index",
    title="A primary key's index is built while its table is locked.",
    why=(
        "ADD PRIMARY KEY locks the table for readers and writers until its index is built; columns that may be null are read "
        "once more."
    ),
    remedy=(
        "CREATE UNIQUE INDEX CONCURRENTLY builds the index while the table is written, outside a transaction. Columns that may "
        "be null are proven to have no null. Then the primary key is made of the index, which takes a moment."
    ),
    manual="ALTER TABLE, ADD table_constraint_using_index",
    peers={
        "squawk": "adding-serial-primary-key-field",
        "eugene": "E7",
        "strong_migrations": "add_unique_constraint",
        "Atlas": "PG104",
    },
)
def add_primary_key_builds_index(situation: Situation) -> Told | None:
    """Judge ADD PRIMARY KEY."""
    return _told(situation, "CONSTR_PRIMARY", "primary key", "primary key")


def _told(situation: Situation, asked: str, kind: str, noun: str) -> Told | None:
    if not situation.adds(asked, kind) or not situation.worked(WorkKind.INDEX_BUILD):
        return None
    made = situation.made(kind)
    names = [one.name for one in made]
    ways = [_way(situation, one) for one in made]
    what = f"{noun} {names[0]}" if len(names) == 1 else f"a {noun}"
    subject = f"the indexes of {noun}s {listed(names)} are" if len(names) > 1 else f"the index of {what} is"
    return Told(
        message=f"{situation.waiting} wait while {subject} built",
        remedy=_NO_WAY if any("WITHOUT OVERLAPS" in one.definition for one in made) else "",
        files=safe_ways.side_by_side(ways),
    )


def _way(situation: Situation, made: Constraint) -> tuple[RemedyFile, ...]:
    """Return the safe way; nothing for a primary key of new columns, of which it is not known what may be null."""
    is_known = all(safe_ways.column_of(situation.before, made.relation, one) for one in made.columns)
    if made.type == "primary key" and not is_known:
        return ()
    return safe_ways.key(situation.before, situation.after, made, situation.major)


@blocking_rule(
    id="primary-key-using-index-scans",
    title="A primary key is made of an index, but its columns may be null: the table is read while it is locked.",
    why=(
        "ADD PRIMARY KEY USING INDEX makes the columns NOT NULL. Where they are not so already, the whole table is read while "
        "readers and writers wait."
    ),
    remedy="Prove first that the columns have no null; then the primary key is made of the index in a moment.",
    manual="ALTER TABLE, ADD table_constraint_using_index",
    peers={"eugene": "W14", "Atlas": "PG304"},
)
def primary_key_using_index_scans(situation: Situation) -> Told | None:
    """Judge ADD PRIMARY KEY USING INDEX."""
    if (
        not situation.adds("CONSTR_PRIMARY", "primary key")
        or situation.worked(WorkKind.INDEX_BUILD)
        or not situation.worked(WorkKind.SCAN)
    ):
        return None
    made = situation.made("primary key")
    columns = sorted({column for one in made for column in one.columns})
    return Told(
        message=f"{situation.waiting} wait while every row is looked at for nulls in {listed(columns) or 'its key'}",
        files=safe_ways.side_by_side(_with_its_index(situation, one) for one in made),
    )


def _with_its_index(situation: Situation, made: Constraint) -> tuple[RemedyFile, ...]:
    """Return the way to a primary key of the index that it was made of, which has its name afterwards."""
    asked = {
        quoted(one.definition.indexname)
        for one in situation.asks_for("AlterTableStmt", "AT_AddConstraint")
        if one.definition.indexname
    }
    names = [
        name
        for one in situation.before.belonging_to(made.relation).values()
        if isinstance(one, Index) and one.unique and one.columns[: len(made.columns)] == made.columns
        if (name := one.name.removeprefix(f"{parent_of(one.name)}.")) in asked or not asked
    ]
    if not names:
        return ()
    return safe_ways.primary_key_using_index(situation.before, made, names[0], situation.major)
