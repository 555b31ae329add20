"""The family *performance*: indexes that are missing, and those that only cost."""

import re
from collections.abc import Iterable, Iterator
from itertools import combinations

from pytest_migsafe.catalog.lexical import last_part
from pytest_migsafe.catalog.objects import Key
from pytest_migsafe.catalog.schema import Column, Index, Table
from pytest_migsafe.findings import Finding, Severity
from pytest_migsafe.rehearsal.evidence import Evidence
from pytest_migsafe.rehearsal.facts import ForeignKeyShape, IndexShape
from pytest_migsafe.rehearsal.state import Relation, State
from pytest_migsafe.rules.registry import rule
from pytest_migsafe.rules.smoke.check import Defect, cause, smoke_test
from pytest_migsafe.rules.sql import create_index, drop_index


@smoke_test(
    id="foreign-key-without-index",
    family="performance",
    section="foreign keys",
    severity=Severity.WARNING,
    title="No index covers the columns of a foreign key.",
    why=(
        "PostgreSQL makes an index for what a foreign key refers to, and none for its own columns. Every DELETE of a row that "
        "is referred to, and every UPDATE of its key, then reads the whole referring table to see whether the row is in use, while the row is locked."
    ),
    remedy="CREATE INDEX CONCURRENTLY on the foreign key's columns.",
    manual="Constraints, Foreign Keys",
    peers={"splinter": "0001_unindexed_foreign_keys", "eugene": "E15", "GitLab": "spec/db/schema_spec.rb"},
)
def foreign_key_without_index(state: State) -> Iterator[Defect]:
    """Look for an index that finds the referring rows; what partitions have from their table is told of the table."""
    for table, relation in state.tables:
        indexes = [
            # That of a partitioned table becomes usable with its last part, and is on its way.
            one
            for one in state.facts.indexes.get(relation.name, ())
            if one.usable or table.kind == "partitioned table"
        ]
        for one in state.facts.foreign_keys.get(relation.name, ()):
            if not any(_covers(index, one) for index in indexes):
                columns = ", ".join(one.columns)
                yield Defect(
                    subject=f"{relation.name}.{one.name}",
                    message=f"no index covers {relation.name} ({columns}): each DELETE on {one.target}, and each UPDATE of its key, reads all of {relation.name}",
                    evidence=(
                        f"foreign key {one.name}: ({columns}) refers to {one.target} ({', '.join(one.target_columns)})",
                        *(
                            f"index {index.name}: {_shown(index)}"
                            for index in indexes
                            if set(index.keys) & set(one.columns)
                        ),
                    ),
                    remedy=create_index(state, relation.name, one.columns),
                    named=(one.name, one.columns[0], relation.name, one.target),
                    objects=(relation.name, one.target),
                )


_IS_NOT_NULL = re.compile(r'\(?("(?:[^"]|"")+"|\w+) IS NOT NULL\)?')


def _covers(index: IndexShape, foreign_key: ForeignKeyShape) -> bool:
    """Say whether an index finds the rows that refer to one, which are asked for by all columns of the key."""
    columns = set(foreign_key.columns)
    if index.method not in {"btree", "hash", "gist", "spgist"} or not _holds_rows(index, columns):
        return False
    if index.unique and index.predicate is None and columns.issuperset(index.keys):
        # A part of the columns already leads to one row.
        return True
    return set(index.keys[: len(columns)]) == columns


def _holds_rows(index: IndexShape, columns: set[str]) -> bool:
    """Say whether an index has all rows in which the columns are not null: a row with a null refers to nothing."""
    if index.predicate is None:
        return True
    # pg_get_expr puts each part into parentheses, where there are several, and around it all.
    parts = index.predicate.strip("()").split(") AND (")
    found = [_IS_NOT_NULL.fullmatch(part) for part in parts]
    return all(one is not None and one[1] in columns for one in found)


def _shown(index: IndexShape) -> str:
    included = f" INCLUDE ({', '.join(index.included)})" if index.included else ""
    predicate = f" WHERE {index.predicate}" if index.predicate is not None else ""
    return f"{'UNIQUE ' if index.unique else ''}{index.method} ({', '.join(index.keys)}){included}{predicate}"


@smoke_test(
    id="duplicate-index",
    family="performance",
    section="indexes",
    severity=Severity.WARNING,
    title="Two indexes are the same.",
    why="Every write keeps both up to date, both take their room and their time in VACUUM, and no query needs the second one.",
    remedy="Drop one of them.",
    manual="CREATE INDEX; Constraints, Unique Constraints",
    peers={"splinter": "0009_duplicate_index"},
)
def duplicate_index(state: State) -> Iterator[Defect]:
    """Compare the indexes of each table, those behind constraints too; the parts of a partitioned index are its."""
    for relation in state.relations:
        told: set[str] = set()
        for one, other in combinations(_usable(state, relation), 2):
            pair = _redundant_of(state, one, other) if not (one.attached and other.attached) else None
            if pair is not None and pair[0].name not in told:
                told.add(pair[0].name)
                yield _duplicate(state, relation, *pair)


def _usable(state: State, relation: Relation) -> list[IndexShape]:
    return [one for one in state.facts.indexes.get(relation.name, ()) if one.usable]


def _redundant_of(state: State, one: IndexShape, other: IndexShape) -> tuple[IndexShape, IndexShape] | None:
    """Return the index that is not needed, and the one that does what it does; None when both are."""
    if _lookup(one) != _lookup(other):
        return None
    # The later name goes, where nothing else tells them apart.
    for redundant, kept in ((other, one), (one, other)):
        if _guarantees(kept, redundant) and not redundant.attached and not _is_relied_on(state, redundant):
            return redundant, kept
    return None


def _lookup(index: IndexShape) -> tuple[object, ...]:
    """Return what queries see of an index."""
    return index.method, index.keys, index.orders, index.included, index.predicate, index.options


def _guarantees(kept: IndexShape, redundant: IndexShape) -> bool:
    """Say whether an index guarantees all that another does."""
    if (
        redundant.primary
        or redundant.replica_identity
        or (redundant.constraint is not None and kept.constraint is None)
    ):
        return False
    return not redundant.unique or (
        kept.unique
        and kept.nulls_not_distinct == redundant.nulls_not_distinct
        and (kept.immediate, kept.constraint is not None)
        >= (redundant.immediate, redundant.constraint is not None)
    )


def _is_relied_on(state: State, index: IndexShape) -> bool:
    """Say whether a foreign key needs the index: then there is no dropping it."""
    return index.unique and any(one.index == index.name for one in state.schema.constraints.values())


def _duplicate(state: State, relation: Relation, redundant: IndexShape, kept: IndexShape) -> Defect:
    why = f", which stands for the constraint {kept.constraint}" if kept.constraint is not None else ""
    return Defect(
        subject=redundant.name,
        detail=kept.name,
        message=f"the index {redundant.name} on {relation.name} is the same as {kept.name}{why}",
        evidence=tuple(f"{one.name}: {_shown(one)}" for one in (redundant, kept)),
        remedy=f"ALTER TABLE {relation.name} DROP CONSTRAINT {redundant.constraint};"
        if redundant.constraint is not None
        else drop_index(state, relation.name, redundant.name),
        objects=(relation.name, kept.name),
    )


@smoke_test(
    id="redundant-index",
    family="performance",
    section="indexes",
    severity=Severity.OFF,
    title="An index is the beginning of another one.",
    why=(
        "The longer index finds the same rows. The shorter one is smaller, and may be worth its price where the table is "
        "mostly read; else every write pays for it in vain."
    ),
    remedy="Drop the shorter index.",
    manual="Multicolumn Indexes",
    peers={"GitLab": "spec/db/schema_spec.rb"},
)
def redundant_index(state: State) -> Iterator[Defect]:
    """Look for b-trees whose keys are the first of another's."""
    for relation in state.relations:
        indexes = [one for one in _usable(state, relation) if one.method == "btree" and not one.attached]
        for short in indexes:
            longer = _longer(short, indexes)
            if longer is not None:
                yield Defect(
                    subject=short.name,
                    detail=longer.name,
                    message=f"the index {short.name} on {relation.name} is the beginning of {longer.name}",
                    evidence=tuple(f"{one.name}: {_shown(one)}" for one in (short, longer)),
                    remedy=drop_index(state, relation.name, short.name),
                    objects=(relation.name, longer.name),
                )


def _longer(short: IndexShape, indexes: Iterable[IndexShape]) -> IndexShape | None:
    if short.unique or short.constraint is not None or short.replica_identity:
        return None
    count = len(short.keys)
    for one in indexes:
        begins_so = one.keys[:count] == short.keys and one.orders[:count] == short.orders
        has_columns = {*one.keys, *one.included}.issuperset(short.included)
        if len(one.keys) > count and begins_so and has_columns and one.predicate == short.predicate:
            return one
    return None


#: More key columns than strong_migrations takes for useful, and more indexes than most tables are worth.
_WIDE, _MANY = 3, 10


@smoke_test(
    id="wide-index",
    family="performance",
    section="indexes",
    severity=Severity.OFF,
    title="An index has more than three key columns.",
    why="Behind the third column there is seldom anything left to tell apart, and every write pays for the width.",
    remedy="Keep the columns that tell rows apart; INCLUDE what is only to be read.",
    manual="Multicolumn Indexes",
    peers={
        "strong_migrations": "non-unique index with more than three columns",
        "Bytebase": "index.key-number-limit",
    },
)
def wide_index(state: State) -> Iterator[Defect]:
    """Count the keys of indexes that are not unique."""
    for relation in state.relations:
        for one in state.facts.indexes.get(relation.name, ()):
            if len(one.keys) > _WIDE and not one.unique and not one.attached:
                yield Defect(
                    subject=one.name,
                    message=f"the index {one.name} on {relation.name} has {len(one.keys)} key columns",
                    evidence=(_shown(one),),
                    objects=(relation.name,),
                )


@smoke_test(
    id="too-many-indexes",
    family="performance",
    section="indexes",
    severity=Severity.OFF,
    title="A table has more than ten indexes.",
    why="Each INSERT, and each UPDATE that changes an indexed column, writes to all of them.",
    remedy="Drop those that pg_stat_user_indexes in production says are not used.",
    manual="Indexes, Examining Index Usage",
    peers={"Bytebase": "index.total-number-limit"},
)
def too_many_indexes(state: State) -> Iterator[Defect]:
    """Count the indexes of each table; partitions have those of their table."""
    for table, relation in state.tables:
        if len(relation.indexes) > _MANY and _is_no_partition(table):
            yield Defect(
                subject=relation.name,
                message=f"{relation.name} has {len(relation.indexes)} indexes",
                evidence=tuple(one.name for one in relation.indexes),
            )


def _is_no_partition(table: Table) -> bool:
    return table.partition_bound is None


#: A key that is no expression.
_COLUMN = re.compile(r'"(?:[^"]|"")+"|\w+')


@rule(
    id="statistics-lost",
    family="performance",
    severity=Severity.OFF,
    title="The planner knows nothing of a column or expression until the next ANALYZE.",
    why=(
        "A new type throws a column's statistics away, and a new index on an expression has none. Autovacuum comes only when a tenth "
        "of the rows has changed; until then the planner guesses, and a big table gets bad plans."
    ),
    remedy="ANALYZE the table at the end of the file.",
    manual="Statistics Used by the Planner; ANALYZE",
    peers={"strong_migrations": "auto_analyze", "pg-schema-diff": "adds ANALYZE"},
)
def statistics_lost(evidence: Evidence) -> Iterator[Finding]:
    """Compare the types of columns, and look for new expressions, in tables that were there before."""
    if not evidence.applied:
        return
    after, looked_at = evidence.after.homes, evidence.state_after.looked_at
    for home in sorted(after if looked_at is None else looked_at & after.keys()):
        now = after[home]
        was = evidence.before.homes.get(home)
        if home.catalog != "relation" or was is None or was is now or _is_analyzed(evidence, home.name):
            continue
        lost = [
            f"{one.name}: {old.type} became {one.type}"
            for key, one in now.items()
            if isinstance(one, Column) and isinstance(old := was.get(key), Column) and old.type != one.type
        ]
        lost += [
            f"{one.name}: {_shown(one)}"
            for one in evidence.state_after.facts.indexes.get(home.name, ())
            if Key(Index.KIND, one.name) not in was and not all(map(_COLUMN.fullmatch, one.keys))
        ]
        if lost and any(isinstance(one, Table) for one in now.values()):
            statement = cause(evidence.statements, (lost[0].partition(":")[0], home.name))
            yield statistics_lost.finding(
                evidence,
                line=statement.line if statement is not None else 0,
                column=statement.column if statement is not None else 0,
                message=f"{home.name} has no statistics of what was changed, until it is analyzed",
                evidence=tuple(lost),
                remedy=f"ANALYZE {home.name};",
                objects=(home.name,),
            )


def _is_analyzed(evidence: Evidence, relation: str) -> bool:
    name = last_part(relation).lower()
    return any(
        one.node == "VacuumStmt"
        and "analyze" in one.text.lower()
        and (name in one.text.lower() or "." not in one.text)
        for one in evidence.statements
    )
