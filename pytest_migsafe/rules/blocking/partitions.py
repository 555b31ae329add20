"""Partitions that are made, attached and detached while others wait."""

from collections.abc import Iterator
from dataclasses import dataclass

from pytest_migsafe.catalog.schema import Constraint, Index
from pytest_migsafe.findings import RemedyFile
from pytest_migsafe.rehearsal.holding import WorkKind
from pytest_migsafe.rules import safe_ways
from pytest_migsafe.rules.blocking.check import Situation, Told, blocking_rule
from pytest_migsafe.rules.partitions import bounds_of, is_default, others_than
from pytest_migsafe.texts.wording import joined, listed


@blocking_rule(
    id="attach-partition-scans",
    title="A table is attached as a partition, and its rows are checked, or its indexes built, while everybody waits.",
    why=(
        "ATTACH PARTITION locks the table that becomes a partition, and the default partition, for readers and writers. "
        "It reads both to see that each row is where it belongs, unless a CHECK constraint proves it, and it builds the "
        "indexes that the partitioned table has and the new partition has not."
    ),
    remedy=(
        "Give the table the indexes first, and a CHECK constraint that says what the bounds say, NOT VALID and validated in "
        "a file of its own; the default partition one that excludes them. Then ATTACH has nothing to read."
    ),
    manual="ALTER TABLE, ATTACH PARTITION; Table Partitioning, Partition Maintenance",
    peers={"pgfence": "attach-partition", "pgsafe": "attach-partition"},
)
def attach_partition_scans(situation: Situation) -> Told | None:
    """Judge ATTACH PARTITION."""
    attached = situation.asks_for("AlterTableStmt", "AT_AttachPartition")
    if not attached:
        return None
    child = situation.table(str(attached[0].definition.name.relname))
    scanned = [work.table for work in situation.worked(WorkKind.SCAN)]
    built = [work.index for work in situation.worked(WorkKind.INDEX_BUILD)]
    parts = [f"the rows of {listed(scanned)} are checked"] if scanned else []
    if built:
        parts.append(
            f"{'index' if len(built) == 1 else 'indexes'} {listed(built)} of {child} {_is(built)} built"
        )
    if not parts:
        return None
    return Told(
        message=f"{situation.waiting} wait while {joined(parts)}",
        remedy=_HASH if _is_hash(situation, child) else "",
        files=_attached(situation, child, scanned),
    )


_HASH = (
    "No CHECK constraint proves which rows a hash partition has: attach it while it is empty, and fill it after that, in "
    "batches. Build its indexes before, CONCURRENTLY."
)


def _is(names: list[str]) -> str:
    return "is" if len(names) == 1 else "are"


def _is_hash(situation: Situation, child: str) -> bool:
    found = situation.after.get("table", child)
    return "(modulus" in (getattr(found, "partition_bound", None) or "")


@dataclass(frozen=True)
class _Proof:
    """A constraint that leaves ATTACH, or CREATE, nothing to read."""

    table: str
    name: str
    definition: str
    #: Whether it has done its work after that.
    is_dropped: bool


def _attached(situation: Situation, child: str, scanned: list[str]) -> tuple[RemedyFile, ...]:
    """Return the files that leave nothing to do for ATTACH; nothing where no constraint can prove it."""
    if safe_ways.is_partitioned(situation.after, child):
        return ()
    keys = [
        one
        for one in situation.constraints(child)
        if one.type == "foreign key" and safe_ways.constraint_of(situation.before, child, one.name) is None
    ]
    proofs = [_Proof(child, one.name, one.definition, is_dropped=False) for one in keys]
    looked_up = {name for one in keys for name in scanned if f" REFERENCES {name}(" in one.definition}
    for table in scanned:
        if table in looked_up:
            continue
        proof = _bounds(situation, table, bounds_of(situation.after, child)) if table == child else None
        proof = proof or _excluded(situation, table, child)
        if proof is None:
            return ()
        proofs.append(proof)
    indexes = safe_ways.side_by_side(_indexes(situation, child))
    return (*indexes, *_proven(situation, proofs))


def _excluded(situation: Situation, table: str, partition: str) -> _Proof | None:
    """Return the proof that a default partition has no row of a partition; None for another table."""
    if not is_default(situation.after, table):
        return None
    return _bounds(situation, table, others_than(situation.after, partition))


def _bounds(situation: Situation, table: str, condition: str | None) -> _Proof | None:
    if condition is None:
        return None
    name = safe_ways.free_constraint_name(situation.before, table, [], "bounds")
    return _Proof(table, name, f"CHECK ({condition})", is_dropped=True)


def _proven(situation: Situation, proofs: list[_Proof]) -> tuple[RemedyFile, ...]:
    """Return the files with the constraints, their validation, and the statement itself, after which some are needless."""
    if not proofs:
        return (RemedyFile(sql=_ended(situation.text)),)
    dropped = [f"ALTER TABLE {one.table} DROP CONSTRAINT {one.name};" for one in proofs if one.is_dropped]
    return (
        safe_ways.together(safe_ways.not_valid(one.table, [(one.name, one.definition)]) for one in proofs),
        safe_ways.together(safe_ways.validated(one.table, [one.name]) for one in proofs),
        RemedyFile(sql="\n".join([_ended(situation.text), *dropped])),
    )


def _ended(text: str) -> str:
    return f"{text.rstrip().removesuffix(';')};"


def _indexes(situation: Situation, child: str) -> Iterator[tuple[RemedyFile, ...]]:
    """Yield how each index that ATTACH would build is built before."""
    built = {work.index for work in situation.worked(WorkKind.INDEX_BUILD) if work.table == child}
    for one in situation.after.belonging_to(child).values():
        if not isinstance(one, Index) or one.name not in built:
            continue
        constraint = _constraint_of(situation, one)
        if constraint is not None:
            yield safe_ways.key(situation.before, situation.after, constraint, situation.major)
        else:
            yield safe_ways.index(situation.before, situation.after, one)


def _constraint_of(situation: Situation, index: Index) -> Constraint | None:
    return next(
        (
            one
            for one in situation.constraints(index.relation)
            if one.type in ("primary key", "unique") and index.name.endswith(f".{one.name}")
        ),
        None,
    )


@blocking_rule(
    id="create-partition-scans-default",
    title="A partition is created, and the default partition's rows are checked while everybody waits.",
    why=(
        "CREATE TABLE ... PARTITION OF locks the partitioned table and its default partition for readers and writers, and "
        "reads the default partition as a whole: a row in it might belong to the new partition."
    ),
    remedy=(
        "Give the default partition a CHECK constraint that excludes the new bounds first, NOT VALID and validated in a file "
        "of its own: then nothing is read. To lock readers of the partitioned table not even for a moment, create the table "
        "with LIKE ... INCLUDING ALL and a CHECK constraint, and ATTACH it."
    ),
    manual="Table Partitioning, Partition Maintenance",
)
def create_partition_scans_default(situation: Situation) -> Told | None:
    """Judge CREATE TABLE ... PARTITION OF."""
    created = [one for one in situation.asks_for("CreateStmt") if one.tree.HasField("partbound")]
    scanned = [work.table for work in situation.worked(WorkKind.SCAN)]
    if not created or not scanned:
        return None
    name = str(created[0].tree.relation.relname)
    child = next((one for one in _new_partitions(situation) if one.endswith((f".{name}", f'."{name}"'))), "")
    proofs = [proof for table in scanned if (proof := _excluded(situation, table, child)) is not None]
    return Told(
        message=f"{situation.waiting} wait while the rows of {listed(scanned)} are checked",
        files=_proven(situation, proofs) if len(proofs) == len(scanned) else (),
    )


def _new_partitions(situation: Situation) -> Iterator[str]:
    for name, table in situation.after.tables.items():
        if table.partition_bound is not None and situation.before.get("table", name) is None:
            yield name


@blocking_rule(
    id="detach-partition-scans",
    title="A partition is detached, and the tables that refer to it are read while everybody waits.",
    why=(
        "DETACH PARTITION locks the partitioned table, the partition and the default partition for readers and writers. If a "
        "foreign key refers to the partitioned table, the referring table is read to see that no row needs the partition."
    ),
    remedy=(
        "DETACH PARTITION ... CONCURRENTLY, outside a transaction, spares the readers and writers of the partitioned table; "
        "the writers of the referring table wait all the same, and it is refused where there is a default partition. If they "
        "cannot wait, drop the foreign key first, and add it again NOT VALID, to be validated later."
    ),
    manual="ALTER TABLE, DETACH PARTITION",
    peers={"squawk": "require-concurrent-partition-detach", "pgfence": "detach-partition"},
)
def detach_partition_scans(situation: Situation) -> Told | None:
    """Judge DETACH PARTITION."""
    detached = situation.asks_for("AlterTableStmt", "AT_DetachPartition")
    scanned = [work.table for work in situation.worked(WorkKind.SCAN)]
    if not detached or not scanned:
        return None
    return Told(message=f"{situation.waiting} wait while {listed(scanned)} {_is(scanned)} read as a whole")
