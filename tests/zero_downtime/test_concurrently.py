"""What runs outside a transaction block has locks too: a witness makes it wait, and looks."""

import threading
import time

import pytest

from pytest_migsafe.rehearsal import witness
from pytest_migsafe.rehearsal.evidence import StatementEvidence
from tests.zero_downtime.conftest import History

BUSY = """
    CREATE TABLE busy (id bigint PRIMARY KEY, k integer);
    CREATE INDEX busy_k ON busy (k);
    CREATE TABLE other (id bigint PRIMARY KEY);
    ALTER TABLE busy CLUSTER ON busy_k;
    ALTER TABLE other CLUSTER ON other_pkey;
    CREATE TABLE pt (d int, k int) PARTITION BY RANGE (d);
    CREATE TABLE p1 PARTITION OF pt FOR VALUES FROM (0) TO (10);
    CREATE INDEX pt_k ON pt (k);
    INSERT INTO busy SELECT n, n FROM generate_series(1, 10) AS n;
"""
SUE, S, AX = "ShareUpdateExclusiveLock", "ShareLock", "AccessExclusiveLock"


def locks(statement: StatementEvidence) -> dict[str, str]:
    """Return the locks that a statement was seen to have on tables."""
    return {one.relation.removeprefix("public."): one.mode for one in statement.locks if one.kind == "table"}


#: Statements, one after the other in one history, with the locks on tables, and whether anybody is stalled.
CASES: tuple[tuple[str, dict[str, str], bool], ...] = (
    # Writers go on, and so does everybody.
    ("CREATE INDEX CONCURRENTLY busy_id_k ON busy (id, k)", {"busy": SUE}, False),
    ("REINDEX INDEX CONCURRENTLY busy_k", {"busy": SUE}, False),
    ("REINDEX TABLE CONCURRENTLY busy", {"busy": SUE}, False),
    # Nothing that they could wait for.
    ("VACUUM busy", {}, False),
    ("DROP INDEX CONCURRENTLY IF EXISTS nothing", {}, False),
    ("CREATE INDEX CONCURRENTLY IF NOT EXISTS busy_k ON busy (k)", {}, False),
    # No witness may stand in its way; that it had the lock is told by the table's new file.
    ("VACUUM (FULL, SKIP_LOCKED) other", {}, True),
    # Each table in a transaction of its own.
    ("VACUUM FULL busy", {"busy": AX}, True),
    ("VACUUM (FULL, ANALYZE) other, busy", {"busy": AX, "other": AX}, True),
    ("CLUSTER", {"busy": AX, "other": AX}, True),
    ("REINDEX TABLE pt", {"pt": S, "p1": S}, True),
    ("REINDEX SCHEMA public", {"busy": S, "other": S, "p1": S}, True),
    ("ALTER TABLE pt DETACH PARTITION p1 CONCURRENTLY", {}, False),
    ("DROP INDEX CONCURRENTLY busy_k", {"busy": SUE}, False),
)


def test_the_locks_of_statements_without_a_transaction(history: History) -> None:
    files = [f"-- no-transaction\n{sql};" for sql, _, _ in CASES]
    # A lock timeout that is as good as none must not make them fail for the witness.
    _, *evidences = history.evidences(BUSY, *files, lock_timeout="1ms")
    seen = []
    for (sql, _, _), evidence in zip(CASES, evidences, strict=True):
        assert (sql, evidence.error) == (sql, None)
        (statement,) = evidence.statements
        seen.append((sql, locks(statement), bool(evidence.stalls)))
        assert (statement.transaction, statement.observed) == (0, False)
        assert (statement.lock_timeout_before_ms, statement.lock_timeout_ms) == (1, 1)
        assert evidence.leaks == ()
    assert seen == list(CASES)


def test_a_statement_that_fails_or_is_cancelled_leaves_no_witness(history: History) -> None:
    ground = BUSY + "INSERT INTO busy VALUES (11, 10);"
    file = "-- no-transaction\nSET lock_timeout = '3s';\nCREATE UNIQUE INDEX CONCURRENTLY u ON busy (k);"
    evidence = history.judge(ground, file).evidence
    assert evidence.error is not None
    assert evidence.error.sqlstate == "23505"
    slow = """-- no-transaction
        CREATE FUNCTION slow(integer) RETURNS integer IMMUTABLE LANGUAGE sql AS 'SELECT $1 FROM pg_sleep(20)';
        CREATE INDEX CONCURRENTLY slowly ON busy (slow(k));
    """
    started = time.monotonic()
    evidence = history.judge(ground, slow, statement_timeout="200ms").evidence
    assert evidence.error is not None
    assert evidence.error.sqlstate == "57014"
    assert time.monotonic() - started < 10
    assert [one.name for one in threading.enumerate() if "watch" in one.name] == []


def test_without_room_for_a_witness_nothing_is_seen_and_nothing_fails(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(witness, "_TABLES", b"SELECT 1 / 0, %(without)s::text")
    judged = history.judge(BUSY, "-- no-transaction\nVACUUM FULL busy;")
    assert judged.evidence.error is None
    assert judged.evidence.statements[0].locks == ()


def test_who_never_waits_is_not_waited_for(history: History, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(witness, "_GIVE_UP_AFTER_SECONDS", 0.1)
    # Seen by nobody as a waiting: the witness gives up, and the statement goes on.
    monkeypatch.setattr(witness, "_WAITING", b"SELECT 1, '' WHERE %(watched)s < 0")
    evidence = history.judge(BUSY, "-- no-transaction\nVACUUM FULL busy;").evidence
    assert evidence.error is None
