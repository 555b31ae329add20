"""The family *structure*: whether what a file made is whole and in force."""

import re
from collections.abc import Iterator

from pytest_migsafe.catalog.lexical import own_name, parent_of, schema_of
from pytest_migsafe.catalog.schema import Index, Table
from pytest_migsafe.findings import Severity
from pytest_migsafe.rehearsal.publications import lineage
from pytest_migsafe.rehearsal.state import Relation, State
from pytest_migsafe.rules.smoke.check import Defect, smoke_test
from pytest_migsafe.rules.sql import OUTSIDE_A_TRANSACTION, drop_index, partitions_of, reindex


@smoke_test(
    id="invalid-index",
    family="structure",
    section="indexes",
    severity=Severity.ERROR,
    title="An index is not valid.",
    why=(
        "A concurrent build that failed leaves an index that no query uses, that every write still pays for, and, "
        "if it is unique, that may hold duplicates. Nothing mends it by itself."
    ),
    remedy="Drop the index with DROP INDEX CONCURRENTLY and build it again, or REINDEX INDEX CONCURRENTLY.",
    manual="CREATE INDEX, Building Indexes Concurrently",
    peers={"strong_migrations": "remove_invalid_indexes", "pg-schema-diff": "IsInvalid"},
)
def invalid_index(state: State) -> Iterator[Defect]:
    """Look at the flags of each index."""
    for table, relation in state.tables:
        for index in relation.indexes:
            # An index of a partitioned table has another way to become valid: `partitioned_index_incomplete`.
            if table.kind == "partitioned table" or not (flags := _flags_down(index)):
                continue
            leftover = _LEFTOVER.search(index.name)
            yield Defect(
                subject=index.name,
                message=f"the index {index.name} on {relation.name} is not {flags[0]}: no query uses it, and writes pay for it"
                + (", left by a REINDEX CONCURRENTLY that failed" if leftover else ""),
                evidence=(index.definition, *(f"{name}: no" for name in flags)),
                # What is left of a REINDEX has its whole twin beside it.
                remedy=drop_index(state, relation.name, index.name) if leftover else reindex(index.name),
                objects=(relation.name,),
            )


#: What REINDEX CONCURRENTLY calls the index that it builds, and the one that it is about to drop (manual: "REINDEX").
_LEFTOVER = re.compile(r'_cc(?:new|old)\d*"?$')


def _flags_down(index: Index) -> list[str]:
    return [name for name in ("valid", "ready", "live") if not getattr(index, name)]


@smoke_test(
    id="partitioned-index-incomplete",
    family="structure",
    section="indexes",
    severity=Severity.ERROR,
    at_end_only=True,
    title="The index of a partitioned table is not valid, for not every partition has its part of it.",
    why=(
        "CREATE INDEX ON ONLY begins an index of a partitioned table, and the index of the last partition that is "
        "attached makes it valid. Until then it is a promise: a unique one guarantees nothing across the table, no "
        "foreign key can refer to it, and queries on the partitions without their part read them whole."
    ),
    remedy="Build the missing partitions' indexes with CREATE INDEX CONCURRENTLY, and attach each.",
    manual="CREATE INDEX; ALTER INDEX, ATTACH PARTITION",
)
def partitioned_index_incomplete(state: State) -> Iterator[Defect]:
    """Look for partitions without an index that is attached."""
    for table, relation in state.tables:
        # The topmost one alone: those below it wait for the same partitions.
        if table.kind != "partitioned table" or table.partition_bound is not None:
            continue
        for index in relation.indexes:
            if not index.valid:
                yield _incomplete(state, relation, index)


def _incomplete(state: State, relation: Relation, index: Index) -> Defect:
    partitions = sorted(partitions_of(state, relation.name))
    missing = [one for one in partitions if not _has_part(state, one, index.name)]
    method = index.definition.partition(" USING ")[2]
    remedy = [
        line
        for one in missing
        for line in (
            f"CREATE INDEX CONCURRENTLY ON {one} USING {method};  {OUTSIDE_A_TRANSACTION}",
            f"ALTER INDEX {index.name} ATTACH PARTITION {parent_of(one)}.the_new_index;",
        )
    ]
    if index.unique:
        remedy = [line.replace("CREATE INDEX", "CREATE UNIQUE INDEX") for line in remedy]
    return Defect(
        subject=index.name,
        message=f"the index {index.name} on the partitioned table {relation.name} is not valid: "
        + (f"{', '.join(missing)} have no part of it" if missing else "a part of it is not valid itself"),
        evidence=(index.definition, "valid: no", f"partitions: {', '.join(partitions) or 'none'}"),
        remedy="\n".join(remedy),
        objects=(relation.name, *missing),
    )


def _has_part(state: State, partition: str, index: str) -> bool:
    one = state.relation(partition)
    return one is not None and any(part.parent == index for part in one.indexes)


@smoke_test(
    id="detach-pending",
    family="structure",
    section="tables",
    severity=Severity.ERROR,
    title="A partition is half detached.",
    why=(
        "ALTER TABLE ... DETACH PARTITION CONCURRENTLY was interrupted between its two transactions. The partition is no "
        "longer read with its table, yet keeps its bounds: rows for them find no place, and no other partition can be "
        "detached concurrently."
    ),
    remedy="ALTER TABLE ... DETACH PARTITION ... FINALIZE.",
    manual="ALTER TABLE, DETACH PARTITION",
)
def detach_pending(state: State) -> Iterator[Defect]:
    """Look at what the catalog says of each partition."""
    for table, relation in state.tables:
        if table.detach_pending:
            yield Defect(
                subject=relation.name,
                message=f"{relation.name} is half detached from {table.parents[0]}",
                evidence=("pg_inherits.inhdetachpending: yes",),
                remedy=f"ALTER TABLE {table.parents[0]} DETACH PARTITION {relation.name} FINALIZE;",
                objects=(table.parents[0],),
            )


@smoke_test(
    id="published-without-replica-identity",
    family="structure",
    section="tables",
    severity=Severity.ERROR,
    title="Rows of a published table cannot be updated or deleted.",
    why=(
        "A publication that publishes updates or deletes needs to know which row is meant: by the primary key, or by "
        "another replica identity, which must hold the columns that the publication lists or filters by. Without it "
        "PostgreSQL refuses every UPDATE or DELETE on the table, from the moment that it is published."
    ),
    remedy="Give the table a primary key, or a REPLICA IDENTITY; or publish only inserts.",
    manual="Logical Replication, Publication; ALTER TABLE, REPLICA IDENTITY",
    peers={"pg-schema-diff": "replica identity changes"},
)
def published_without_replica_identity(state: State) -> Iterator[Defect]:
    """Tell what the server refused to plan: of partitions, once for their table."""
    told: set[str] = set()
    for name, refusals in sorted(state.facts.refusals.items()):
        table = state.schema.get("table", name)
        if not isinstance(table, Table) or not state.scope.includes(schema_of(name)):
            continue
        subject = _judged_for(state, table)
        if subject not in told:
            told.add(subject)
            yield Defect(
                subject=subject,
                detail=", ".join(one.action for one in refusals),
                message=(
                    f"{subject} is published, and the server refuses every "
                    f"{' and '.join(one.action.upper() for one in refusals)} on it"
                    + (f" (asked of its partition {name})" if subject != name else "")
                ),
                evidence=tuple(
                    line
                    for one in refusals
                    for line in (f"ERROR: {one.message}", f"DETAIL: {one.detail}")[: 1 + bool(one.detail)]
                ),
                remedy=_identity_for(state, subject, name),
                objects=(name,) if subject != name else (),
            )


def _judged_for(state: State, table: Table) -> str:
    """Return the topmost partitioned table that lacks a primary key itself, or the table."""
    *_, top = lineage(state.schema, table)
    above = state.relation(top)
    return top if above is not None and not any(one.primary for one in above.indexes) else table.name


def _identity_for(state: State, subject: str, name: str) -> str:
    relation = state.relation(name)
    unique = next(
        (
            one
            for one in state.facts.indexes.get(name, ())
            if one.unique
            and one.immediate
            and one.usable
            and one.predicate is None
            and _all_not_null(relation, one.keys)
        ),
        None,
    )
    if unique is not None:
        return f"ALTER TABLE {name} REPLICA IDENTITY USING INDEX {own_name(unique.name)};"
    return (
        f"ALTER TABLE {subject} ADD PRIMARY KEY (...);  -- or, dearer for every update:\n"
        f"ALTER TABLE {name} REPLICA IDENTITY FULL;"
    )


def _all_not_null(relation: Relation | None, keys: tuple[str, ...]) -> bool:
    known = {one.name for one in relation.columns if one.not_null} if relation is not None else set()
    return known.issuperset(keys)


@smoke_test(
    id="unlogged-table",
    family="structure",
    section="tables",
    severity=Severity.WARNING,
    title="A table is unlogged.",
    why=(
        "After a crash, or on a standby that takes over, an unlogged table is empty: its rows are in no write-ahead log, "
        "and in no backup made from it. That is right for what can be made anew, and a loss for anything else."
    ),
    remedy="ALTER TABLE ... SET LOGGED, which rewrites the table; so create it logged.",
    manual="CREATE TABLE, UNLOGGED",
)
def unlogged_table(state: State) -> Iterator[Defect]:
    """Look at the persistence of each table."""
    for table, relation in state.tables:
        if table.persistence == "unlogged":
            yield Defect(
                subject=relation.name,
                message=f"{relation.name} is unlogged: after a crash it is empty",
                remedy=f"ALTER TABLE {relation.name} SET LOGGED;  -- rewrites it under ACCESS EXCLUSIVE",
            )


@smoke_test(
    id="no-primary-key",
    family="structure",
    section="tables",
    severity=Severity.OFF,
    title="A table has no primary key.",
    why=(
        "No row can be named: duplicates cannot be told apart, logical replication refuses updates, and tools that work in "
        "batches have nothing to go by."
    ),
    remedy="Give the table a primary key.",
    manual="Constraints, Primary Keys",
    peers={"splinter": "0004_no_primary_key", "Bytebase": "table.require-pk"},
)
def no_primary_key(state: State) -> Iterator[Defect]:
    """Look for tables of their own, partitioned ones too, without a primary key."""
    for table, relation in state.tables:
        is_own = table.kind != "foreign table" and table.partition_bound is None
        if is_own and not any(one.primary for one in relation.indexes):
            yield Defect(
                subject=relation.name,
                message=f"{relation.name} has no primary key",
                remedy=f"ALTER TABLE {relation.name} ADD COLUMN id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY;  -- on a new table",
            )


@smoke_test(
    id="no-default-partition",
    family="structure",
    section="tables",
    severity=Severity.OFF,
    title="A partitioned table has no partition for rows that fit nowhere.",
    why="An INSERT of a row for which there is no partition fails: on the first of the month, when nobody made the next one.",
    remedy="Create a DEFAULT partition, or watch that partitions are made in time.",
    manual="Table Partitioning; CREATE TABLE, PARTITION OF",
)
def no_default_partition(state: State) -> Iterator[Defect]:
    """Look at the bounds of each partitioned table's partitions; by hash all values have their place."""
    # A partition can go without any change to the table that it belonged to.
    for name, table in state.schema.tables.items():
        is_by_values = table.kind == "partitioned table" and not (table.partition_key or "").startswith(
            "HASH"
        )
        if not is_by_values or not state.scope.includes(schema_of(name)):
            continue
        bounds = [state.schema.tables[one].partition_bound for one in partitions_of(state, name)]
        if "DEFAULT" not in bounds:
            yield Defect(
                subject=name,
                message=f"{name} has {'no DEFAULT partition' if bounds else 'no partition at all'}: a row that fits nowhere is an error",
                evidence=(f"PARTITION BY {table.partition_key}", f"partitions: {len(bounds)}"),
                remedy=f"CREATE TABLE ... PARTITION OF {name} DEFAULT;",
            )


@smoke_test(
    id="table-without-comment",
    family="structure",
    section="tables",
    severity=Severity.OFF,
    title="A table has no comment.",
    why="What a table is for stands nowhere in the database.",
    remedy="COMMENT ON TABLE ... IS '...'.",
    manual="COMMENT",
    peers={"Bytebase": "table.comment"},
)
def table_without_comment(state: State) -> Iterator[Defect]:
    """Look at each table's comment; partitions need none of their own."""
    for table, relation in state.tables:
        if table.comment is None and table.partition_bound is None:
            yield Defect(
                subject=relation.name,
                message=f"{relation.name} has no comment",
                remedy=f"COMMENT ON TABLE {relation.name} IS '...';",
            )


@smoke_test(
    id="extension-in-public",
    family="structure",
    section="others",
    severity=Severity.OFF,
    title="An extension lies in the schema public.",
    why=(
        "Its functions and types stand among the application's own: an API that serves the schema serves them too, and a "
        "name of the next version may meet one of yours."
    ),
    remedy="Give extensions a schema of their own.",
    manual="CREATE EXTENSION",
    peers={"splinter": "0014_extension_in_public"},
)
def extension_in_public(state: State) -> Iterator[Defect]:
    """Look at each extension's schema."""
    for one in state.schema.extensions.values():
        if one.schema == "public":
            yield Defect(
                subject=one.name,
                message=f"the extension {one.name} lies in public",
                remedy=f"CREATE SCHEMA IF NOT EXISTS extensions;\nALTER EXTENSION {one.name} SET SCHEMA extensions;",
            )


@smoke_test(
    id="extension-outdated",
    family="structure",
    section="others",
    severity=Severity.OFF,
    title="The server has another version of an extension to update to.",
    why="What was mended in the newer version is not in the database until ALTER EXTENSION ... UPDATE has run.",
    remedy="ALTER EXTENSION ... UPDATE.",
    manual="ALTER EXTENSION; pg_available_extensions",
    peers={"splinter": "0022_extension_versions_outdated"},
)
def extension_outdated(state: State) -> Iterator[Defect]:
    """Tell the versions that differ: of the machine as much as of the migration, so nobody is told unasked."""
    for name, found in state.facts.extension_versions.items():
        yield Defect(
            subject=name,
            message=f"the extension {name} has version {found.version}, and the server has {found.available}",
            remedy=f"ALTER EXTENSION {name} UPDATE;",
        )


@smoke_test(
    id="collation-version-mismatch",
    family="structure",
    section="others",
    severity=Severity.WARNING,
    title="A collation was made for another version of its library.",
    why=(
        "The library sorts otherwise than when the collation's indexes were built: lookups miss rows, and unique indexes "
        "take duplicates, until the indexes are built anew."
    ),
    remedy="REINDEX what depends on the collation, then ALTER COLLATION ... REFRESH VERSION.",
    manual="ALTER COLLATION, Notes",
)
def collation_version_mismatch(state: State) -> Iterator[Defect]:
    """Tell the versions that differ."""
    for name, found in state.facts.collation_versions.items():
        yield Defect(
            subject=name,
            message=f"the collation {name} was made for version {found.version} of its library, and the server has {found.available}",
            remedy=f"-- first REINDEX the indexes that use it\nALTER COLLATION {name} REFRESH VERSION;",
        )
