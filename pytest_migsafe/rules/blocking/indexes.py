"""Indexes that are built while others wait."""

from collections.abc import Iterator

from pytest_migsafe.catalog.lexical import parent_of
from pytest_migsafe.catalog.schema import Index
from pytest_migsafe.findings import RemedyFile
from pytest_migsafe.rehearsal.holding import Work, WorkKind
from pytest_migsafe.rules import safe_ways
from pytest_migsafe.rules.blocking.check import Situation, Told, blocking_rule
from pytest_migsafe.texts.wording import listed


@blocking_rule(
    id="index-not-concurrent",
    title="An index is built while the writes of its table wait.",
    why=(
        "CREATE INDEX reads the whole table under a lock that every INSERT, UPDATE and DELETE waits for, until the "
        "transaction ends. If a statement before it has locked the table for readers, too, these wait as long."
    ),
    remedy=(
        "CREATE INDEX CONCURRENTLY builds it while the table is written, in a file that runs outside a transaction. "
        "If it fails, it leaves an invalid index, which has to be dropped before the next try."
    ),
    manual="CREATE INDEX, Building Indexes Concurrently",
    peers={
        "squawk": "require-concurrent-index-creation",
        "eugene": "E6",
        "strong_migrations": "add_index",
        "Atlas": "PG101",
        "django-migration-linter": "CREATE_INDEX",
    },
)
def index_not_concurrent(situation: Situation) -> Told | None:
    """Judge CREATE INDEX, and what code builds that is no constraint's."""
    built = situation.worked(WorkKind.INDEX_BUILD)
    made = situation.made_indexes()
    if not built or not (situation.asks_for("IndexStmt") or (situation.is_opaque and made)):
        return None
    names = [one.name for one in made] or [one.index for one in built]
    return Told(
        message=f"{situation.waiting} wait while {_indexes(names)} built",
        remedy=_ON_PARTITIONS if any(situation.is_partitioned(one.relation) for one in made) else "",
        files=safe_ways.side_by_side(safe_ways.index(situation.before, situation.after, one) for one in made),
    )


_ON_PARTITIONS = (
    "CONCURRENTLY is refused for a partitioned table: an index ON ONLY it has nothing to read, each partition's is built "
    "CONCURRENTLY and becomes a part of it. The last part makes it valid."
)


def _indexes(names: list[str]) -> str:
    return f"index {names[0]} is" if len(names) == 1 else f"indexes {listed(names)} are"


@blocking_rule(
    id="reindex-not-concurrent",
    title="An index is rebuilt while its table is locked.",
    why=(
        "REINDEX locks the index so that every query of its table waits while it is planned, and the table so that every "
        "write waits, until the index is built anew."
    ),
    remedy="REINDEX CONCURRENTLY builds another index beside it and then puts it in its place, outside a transaction.",
    manual="REINDEX, Rebuilding Indexes Concurrently",
    peers={"squawk": "require-concurrent-reindex", "django-migration-linter": "REINDEX"},
)
def reindex_not_concurrent(situation: Situation) -> Told | None:
    """Judge REINDEX, and indexes that code builds anew with nothing else done to their tables."""
    built = situation.worked(WorkKind.INDEX_BUILD)
    asked = situation.asks_for("ReindexStmt")
    rebuilt = _rebuilt_alone(situation, built) if situation.is_opaque else _of_known_tables(situation, built)
    if not rebuilt or not (asked or situation.is_opaque):
        return None
    refused = [one.index for one in rebuilt if _is_of_exclusion(situation, one)]
    return Told(
        message=f"{situation.waiting} wait while {_indexes([one.index for one in rebuilt])} rebuilt",
        remedy=_OF_EXCLUSION.format(listed(refused)) if refused else "",
        files=_rebuilt_concurrently(situation, [one for one in rebuilt if one.index not in refused]),
    )


_OF_EXCLUSION = (
    "REINDEX CONCURRENTLY is refused for {}, which an exclusion constraint relies on: while it is rebuilt, the table has to "
    "wait. The others can be rebuilt beside the old ones, outside a transaction."
)


def _rebuilt_alone(situation: Situation, built: tuple[Work, ...]) -> tuple[Work, ...]:
    """Return the indexes with a new file whose tables have none."""
    rewritten = {one.table for one in situation.worked(WorkKind.REWRITE)}
    replaced = {one.relation for one in situation.stall.command.rewrites if one.kind == "index"}
    return tuple(one for one in built if one.index in replaced and one.table not in rewritten)


def _of_known_tables(situation: Situation, built: tuple[Work, ...]) -> tuple[Work, ...]:
    """Return the indexes but for that of the table's TOAST table, which goes with it."""
    return tuple(one for one in built if situation.before.belonging_to(one.table)) or built


def _is_of_exclusion(situation: Situation, work: Work) -> bool:
    return any(
        one.type == "exclude" and f"{parent_of(work.table)}.{one.name}" == work.index
        for one in situation.constraints(work.table)
    )


def _rebuilt_concurrently(situation: Situation, works: list[Work]) -> tuple[RemedyFile, ...]:
    statements = [
        one for table, names in _by_table(works).items() for one in _reindex(situation, table, names)
    ]
    return (RemedyFile(sql="\n".join(statements), in_transaction=False),) if statements else ()


def _by_table(works: list[Work]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for one in works:
        found.setdefault(one.table, []).append(one.index)
    return found


def _reindex(situation: Situation, table: str, names: list[str]) -> Iterator[str]:
    all_of_table = {
        one.name for one in situation.after.belonging_to(table).values() if isinstance(one, Index)
    }
    if len(names) > 1 and all_of_table == {*names}:
        yield f"REINDEX TABLE CONCURRENTLY {table};"
    else:
        yield from (f"REINDEX INDEX CONCURRENTLY {name};" for name in names)
