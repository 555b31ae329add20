"""Indexes that are built while others wait."""

from pytest_migsafe.findings import RemedyFile
from pytest_migsafe.migrations.operations import Operation
from pytest_migsafe.rehearsal.holding import WorkKind
from pytest_migsafe.rules.blocking.check import Situation, Told, blocking_rule


@blocking_rule(
    id="index-not-concurrent",
    title="An index is built while the writes of its table wait.",
    why=(
        "CREATE INDEX reads the whole table under a lock that every INSERT, UPDATE and DELETE waits for, "
        "until the transaction ends."
    ),
    remedy="CREATE INDEX CONCURRENTLY builds it while the table is written, in a file that runs outside a transaction.",
    manual="CREATE INDEX, Building Indexes Concurrently",
    peers={
        "squawk": "require-concurrent-index-creation",
        "eugene": "E6",
        "strong_migrations": "add_index",
        "Atlas": "PG101",
    },
)
def index_not_concurrent(situation: Situation) -> Told | None:
    """Judge CREATE INDEX."""
    built = situation.worked(WorkKind.INDEX_BUILD)
    created = situation.asks_for("IndexStmt")
    if not built or not created:
        return None
    return Told(
        message=f"{situation.waiting} wait while index {built[0].index} is built",
        files=_concurrently(situation, created[0]),
    )


def _concurrently(situation: Situation, operation: Operation) -> tuple[RemedyFile, ...]:  # noqa: ARG001
    return ()
