"""Tables and materialized views that are written anew, or copied, as a whole."""

from collections.abc import Callable, Iterator

from pytest_migsafe.catalog.lexical import quoted
from pytest_migsafe.catalog.schema import Index, Table, View
from pytest_migsafe.findings import RemedyFile
from pytest_migsafe.rehearsal.holding import WorkKind
from pytest_migsafe.rules.blocking.check import Situation, Told, blocking_rule
from pytest_migsafe.texts.wording import listed


@blocking_rule(
    id="set-logged-rewrites",
    title="A table is written anew to become LOGGED or UNLOGGED while everybody waits.",
    why=(
        "SET LOGGED and SET UNLOGGED copy the table and all of its indexes under a lock that even readers wait for, until "
        "the transaction ends. What is UNLOGGED is empty after a crash, and on no standby."
    ),
    remedy=(
        "There is no way to do it in place. Create another table with the wanted persistence, have the application (or a "
        "trigger) write to both, copy the rows in batches, then rename the two tables in one short transaction."
    ),
    manual="ALTER TABLE, SET { LOGGED | UNLOGGED }",
    peers={"Atlas": "PG307", "pgfence": "set-logged"},
)
def set_logged_rewrites(situation: Situation) -> Told | None:
    """Judge SET LOGGED and SET UNLOGGED, also those that code runs."""
    rewritten = _rewritten_tables(situation)
    asked = situation.asks_for("AlterTableStmt", "AT_SetLogged", "AT_SetUnLogged")
    if situation.is_opaque:
        rewritten = [one for one in rewritten if _differs(situation, one, lambda table: table.persistence)]
    if not rewritten or not (asked or situation.is_opaque):
        return None
    return Told(message=f"{situation.waiting} wait while {listed(rewritten)} {_is(rewritten)} written anew")


def _rewritten_tables(situation: Situation) -> list[str]:
    return [work.table for work in situation.worked(WorkKind.REWRITE)]


def _is(names: list[str]) -> str:
    return "is" if len(names) == 1 else "are"


def _differs(situation: Situation, name: str, of: Callable[[Table], object]) -> bool:
    """Whether a table has something before the file that it has otherwise after it."""
    then, now = situation.before.get("table", name), situation.after.get("table", name)
    return isinstance(then, Table) and isinstance(now, Table) and of(then) != of(now)


@blocking_rule(
    id="set-tablespace-copies",
    title="A table or an index is copied to another tablespace while everybody waits.",
    why=(
        "SET TABLESPACE copies the files of the table or index under a lock that even readers wait for, until the "
        "transaction ends."
    ),
    remedy=(
        "Tables: create another one in the tablespace, copy the rows in batches, then rename the two in one short "
        "transaction; or use pg_repack, which does so. Indexes: REINDEX (TABLESPACE ...) INDEX CONCURRENTLY."
    ),
    manual="ALTER TABLE, SET TABLESPACE; REINDEX",
    peers={"django-pg-zero-downtime-migrations": "AlterModelTableTablespace"},
)
def set_tablespace_copies(situation: Situation) -> Told | None:
    """Judge SET TABLESPACE of tables and indexes, of one or of all in a tablespace, also where code runs it."""
    asked = situation.asks_for("AlterTableStmt", "AT_SetTableSpace") or situation.asks_for(
        "AlterTableMoveAllStmt"
    )
    tables, indexes = _rewritten_tables(situation), list(_moved_indexes(situation))
    if situation.is_opaque:
        tables = [one for one in tables if _differs(situation, one, lambda table: table.tablespace)]
    if not (asked or situation.is_opaque) or not (tables or indexes):
        return None
    if tables:
        return Told(message=f"{situation.waiting} wait while {listed(tables)} {_is(tables)} copied")
    names = [one.name for one in indexes]
    statements = [
        f"REINDEX (TABLESPACE {quoted(one.tablespace)}) INDEX CONCURRENTLY {one.name};"
        for one in indexes
        if one.tablespace is not None
    ]
    return Told(
        message=f"{situation.waiting} wait while {listed(names)} {_is(names)} copied",
        files=(RemedyFile(sql="\n".join(statements), in_transaction=False),) if statements else (),
    )


def _moved_indexes(situation: Situation) -> Iterator[Index]:
    for work in situation.worked(WorkKind.INDEX_BUILD):
        then, now = situation.before.get("index", work.index), situation.after.get("index", work.index)
        if isinstance(then, Index) and isinstance(now, Index) and then.tablespace != now.tablespace:
            yield now


@blocking_rule(
    id="set-access-method-rewrites",
    title="A table is written anew for another access method while everybody waits.",
    why=(
        "SET ACCESS METHOD copies the table and builds all of its indexes again under a lock that even readers wait for, "
        "until the transaction ends."
    ),
    remedy=(
        "There is no way to do it in place. Create another table USING the access method, copy the rows in batches, then "
        "rename the two tables in one short transaction."
    ),
    manual="ALTER TABLE, SET ACCESS METHOD",
    peers={"Atlas": "PG311"},
)
def set_access_method_rewrites(situation: Situation) -> Told | None:
    """Judge SET ACCESS METHOD, also where code runs it."""
    rewritten = _rewritten_tables(situation)
    if situation.is_opaque:
        rewritten = [one for one in rewritten if _differs(situation, one, lambda table: table.access_method)]
    asked = situation.asks_for("AlterTableStmt", "AT_SetAccessMethod")
    if not rewritten or not (asked or situation.is_opaque):
        return None
    return Told(message=f"{situation.waiting} wait while {listed(rewritten)} {_is(rewritten)} written anew")


@blocking_rule(
    id="vacuum-full",
    title="VACUUM FULL writes a table anew while everybody waits.",
    why=(
        "VACUUM FULL copies the table without its dead rows and builds all of its indexes again; until it is done, "
        "nobody reads or writes the table."
    ),
    remedy=(
        "VACUUM without FULL makes the room of dead rows free for new ones, and nobody waits for it. To give the room back "
        "to the operating system while the table is used, there is the extension pg_repack."
    ),
    manual="VACUUM; Recovering Disk Space",
    peers={"squawk": "prefer-repack"},
)
def vacuum_full(situation: Situation) -> Told | None:
    """Judge VACUUM FULL."""
    rewritten = _rewritten_tables(situation)
    if not rewritten or not situation.asks_for("VacuumStmt"):
        return None
    return Told(message=f"{situation.waiting} wait while VACUUM FULL writes {listed(rewritten)} anew")


@blocking_rule(
    id="cluster-rewrites",
    title="CLUSTER writes a table anew while everybody waits.",
    why=(
        "CLUSTER copies the table in the order of an index and builds all of its indexes again; until the transaction "
        "ends, nobody reads or writes the table."
    ),
    remedy=(
        "To have the rows in order while the table is used, there is the extension pg_repack. Only to say which order is "
        "wanted, ALTER TABLE ... CLUSTER ON is enough."
    ),
    manual="CLUSTER",
    peers={"squawk": "prefer-repack"},
)
def cluster_rewrites(situation: Situation) -> Told | None:
    """Judge CLUSTER; from a DO block, the general rule speaks of it."""
    rewritten = _rewritten_tables(situation)
    if not rewritten or not situation.asks_for("ClusterStmt"):
        return None
    return Told(message=f"{situation.waiting} wait while CLUSTER writes {listed(rewritten)} anew")


@blocking_rule(
    id="refresh-not-concurrent",
    title="A materialized view is refreshed while its readers wait.",
    why=(
        "REFRESH MATERIALIZED VIEW runs the view's query under a lock that every reader of the view waits for, until the "
        "transaction ends."
    ),
    remedy=(
        "REFRESH MATERIALIZED VIEW CONCURRENTLY lets them read the old rows meanwhile. It needs a unique index on plain "
        "columns that holds all rows; build one with CREATE UNIQUE INDEX CONCURRENTLY first."
    ),
    manual="REFRESH MATERIALIZED VIEW",
    peers={"pgfence": "refresh-materialized-view"},
)
def refresh_not_concurrent(situation: Situation) -> Told | None:
    """Judge REFRESH MATERIALIZED VIEW, also where code runs it."""
    views = [one for one in _rewritten_tables(situation) if _is_materialized(situation, one)]
    if not views or not (situation.asks_for("RefreshMatViewStmt") or situation.is_opaque):
        return None
    refreshed = "\n".join(f"REFRESH MATERIALIZED VIEW CONCURRENTLY {one};" for one in views)
    can_be = all(_has_unique_index(situation, one) for one in views)
    return Told(
        message=f"{situation.waiting} wait while the query of {listed(views)} runs",
        remedy=_CONCURRENTLY if can_be else "",
        files=(RemedyFile(sql=refreshed),) if can_be and not situation.is_opaque else (),
    )


_CONCURRENTLY = "REFRESH MATERIALIZED VIEW CONCURRENTLY lets them read the old rows meanwhile; the view has the unique index that it needs."


def _is_materialized(situation: Situation, name: str) -> bool:
    view = situation.before.get("view", name) or situation.after.get("view", name)
    return isinstance(view, View)


def _has_unique_index(situation: Situation, view: str) -> bool:
    """Whether a view has an index that CONCURRENTLY can do with: of columns, and of all rows."""
    return any(
        isinstance(one, Index) and one.unique and one.valid and _is_plain(one.definition)
        for one in situation.before.belonging_to(view).values()
    )


def _is_plain(definition: str) -> bool:
    _, _, columns = definition.partition(" USING ")
    return " WHERE " not in columns and columns.count("(") == 1
