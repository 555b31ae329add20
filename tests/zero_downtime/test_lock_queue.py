"""Locks that are waited for without a limit, and one table after another."""

import pytest

from pytest_migsafe.migrations.model import TransactionMode
from pytest_migsafe.review import conditions
from pytest_migsafe.rules import judge
from pytest_migsafe.rules.builtin import RULES
from pytest_migsafe.settings import Settings
from tests.zero_downtime.conftest import MAJORS, History, Judged

#: What the rules make of evidence is the same on every major version.
pytestmark = pytest.mark.parametrize("major_server", [MAJORS[-1]], indirect=True)

GROUND = """
    CREATE TABLE parent (id bigint PRIMARY KEY);
    CREATE TABLE busy (id bigint PRIMARY KEY, k integer, parent_id bigint REFERENCES parent);
    CREATE INDEX busy_k ON busy (k);
    CREATE TABLE other (id bigint PRIMARY KEY);
    CREATE SEQUENCE numbers;
    CREATE VIEW seen AS SELECT id FROM busy;
    CREATE TABLE pt (d int, k int) PARTITION BY RANGE (d);
    CREATE TABLE p1 PARTITION OF pt FOR VALUES FROM (0) TO (10);
    CREATE TABLE p2 PARTITION OF pt FOR VALUES FROM (10) TO (20);
    CREATE TABLE loose (d int, k int);
    CREATE FUNCTION patient() RETURNS void LANGUAGE plpgsql SET lock_timeout = '1s' AS $$
        BEGIN ALTER TABLE busy ADD COLUMN c int; END $$;
"""


def queue(history: History, file: str, lock_timeout: str = "0") -> Judged:
    return history.judge(GROUND, file, lock_timeout=lock_timeout)


@pytest.mark.parametrize(
    ("file", "who"),
    [
        ("ALTER TABLE busy ADD COLUMN c int", "reads and writes of public.busy"),
        ("CREATE INDEX ON busy (id, k)", "writes of public.busy"),
        # The other table.
        ("CREATE TABLE child (p bigint REFERENCES parent)", "writes of public.parent"),
        (
            "ALTER TABLE busy DROP CONSTRAINT busy_parent_id_fkey",
            "reads and writes of public.parent and public.busy",
        ),
        ("CREATE TABLE p3 PARTITION OF pt FOR VALUES FROM (20) TO (30)", "reads and writes of public.pt"),
        ("DROP TABLE p1", "reads and writes of public.pt and public.p1"),
        ("ALTER SEQUENCE numbers INCREMENT 2", "nextval of public.numbers"),
        ("CREATE OR REPLACE VIEW seen AS SELECT id FROM busy WHERE k > 0", "reads of public.seen"),
        ("DO $$ BEGIN ALTER TABLE other ADD COLUMN c int; END $$", "reads and writes of public.other"),
        ("LOCK TABLE other IN SHARE MODE", "writes of public.other"),
        ("-- no-transaction\nVACUUM FULL other", "reads and writes of public.other"),
        ("DROP INDEX busy_k", "reads and writes of public.busy"),
        (
            "-- no-transaction\nDO $$ BEGIN ALTER TABLE busy ALTER k TYPE bigint; COMMIT; END $$",
            "reads and writes of public.busy",
        ),
    ],
)
def test_who_would_wait_behind_the_file(history: History, file: str, who: str) -> None:
    judged = queue(history, file)
    assert judged.evidence.error is None
    (finding,) = judged.of_rule("lock-without-timeout")
    assert finding.message == (
        f"{who} queue behind this file for as long as it waits for its locks: no lock_timeout is in force"
    )
    # The setting of the remedy is all that it takes.
    line = finding.remedy.rpartition("\n")[2].partition("  --")[0]
    marker, _, rest = file.rpartition("\n") if file.startswith("--") else ("", "", file)
    assert queue(history, f"{marker}\n{line}\n{rest}").of_rule("lock-without-timeout") == ()


@pytest.mark.parametrize(
    ("file", "lock_timeout"),
    [
        ("SET lock_timeout = '2s'; ALTER TABLE busy ADD COLUMN c int; RESET lock_timeout", "0"),
        ("SELECT set_config('lock_timeout', '2s', true); ALTER TABLE busy ADD COLUMN c int", "0"),
        ("ALTER TABLE busy ADD COLUMN c int", "2s"),
        ("DO $$ BEGIN SET LOCAL lock_timeout = '2s'; ALTER TABLE busy ADD COLUMN c int; END $$", "0"),
        # Nobody waits for these.
        ("CREATE TABLE fresh (id int); CREATE INDEX ON fresh (id); DROP TABLE fresh", "0"),
        ("CREATE TEMPORARY TABLE t ON COMMIT DROP AS SELECT 1 AS a; ALTER TABLE t ADD COLUMN b int", "0"),
        ("INSERT INTO busy (id) VALUES (1); UPDATE busy SET k = 1; DELETE FROM busy", "0"),
        ("ALTER TABLE busy ALTER k SET STATISTICS 100; ANALYZE busy; COMMENT ON TABLE busy IS 'b'", "0"),
        ("SELECT nextval('numbers'); CREATE VIEW more AS SELECT * FROM busy", "0"),
        ("-- no-transaction\nCREATE INDEX CONCURRENTLY x ON busy (k, id)", "0"),
        ("-- no-transaction\nDROP INDEX CONCURRENTLY busy_k", "0"),
        ("-- no-transaction\nALTER TABLE pt DETACH PARTITION p1 CONCURRENTLY", "0"),
    ],
)
def test_a_limit_or_nobody_who_waits(history: History, file: str, lock_timeout: str) -> None:
    judged = queue(history, file, lock_timeout)
    assert judged.evidence.error is None
    assert judged.of_family("lock-queue") == ()


def test_a_limit_that_is_set_for_the_role_is_one(history: History) -> None:
    """The settings' default says that the runner sets none, and so leaves it to the server."""
    options = conditions(Settings(root=history.folder)).options
    setting = """DO $$ BEGIN
        EXECUTE format('ALTER ROLE CURRENT_USER IN DATABASE %I SET lock_timeout = ''3s''', current_database());
    END $$"""
    judged = history.judge(GROUND, setting, "ALTER TABLE busy ADD c int", mode=None, **options)
    assert judged.evidence.statements[0].lock_timeout_before_ms == 3000
    assert judged.of_rule("lock-without-timeout") == ()
    unset = history.judge(GROUND, "SELECT 1", "ALTER TABLE busy ADD c int", mode=None, **options)
    assert len(unset.of_rule("lock-without-timeout")) == 1


@pytest.mark.parametrize(
    ("file", "line", "told"),
    [
        (
            "ALTER TABLE busy ADD COLUMN c int;\nSET LOCAL lock_timeout = '2s';\nALTER TABLE busy ADD COLUMN d int;",
            1,
            "line 2: SET LOCAL lock_timeout = '2s' comes too late",
        ),
        (
            "-- no-transaction\nSET LOCAL lock_timeout = '2s';\nALTER TABLE busy ADD COLUMN c int;",
            3,
            "line 2: SET LOCAL lock_timeout = '2s' has no effect outside a transaction",
        ),
        (
            "SET LOCAL lock_timeout = '5min';\nALTER TABLE busy ADD COLUMN c int;",
            2,
            "line 2: AccessExclusiveLock on public.busy (ALTER TABLE busy ADD COLUMN c int)",
        ),
    ],
)
def test_a_limit_that_is_none(history: History, file: str, line: int, told: str) -> None:
    (finding,) = queue(history, file).of_rule("lock-without-timeout")
    assert finding.line == line
    assert told in finding.evidence
    assert ("a lock_timeout of 300 s is as good as none" in finding.message) is ("5min" in file)


def test_a_file_has_one_finding_with_all_its_locks(history: History) -> None:
    file = "ALTER TABLE busy ADD COLUMN c int;\nCREATE TABLE child (o bigint REFERENCES other);\nALTER TABLE busy ADD d int;"
    (finding,) = queue(history, file).of_rule("lock-without-timeout")
    assert finding.message.startswith("reads and writes of public.busy and writes of public.other queue")
    assert finding.evidence == (
        "line 1: AccessExclusiveLock on public.busy (ALTER TABLE busy ADD COLUMN c int)",
        "line 2: ShareRowExclusiveLock on public.other (CREATE TABLE child (o bigint REFERENCES other))",
    )
    assert [one["line"] for one in finding.details["locks"]] == [1, 2]


@pytest.mark.parametrize(
    ("file", "order"),
    [
        ("ALTER TABLE busy ADD c int; ALTER TABLE other ADD c int", ["public.busy", "public.other"]),
        (
            "CREATE TABLE a (p bigint REFERENCES other); DROP INDEX busy_k; ALTER TABLE parent ADD c int",
            ["public.other", "public.busy", "public.parent"],
        ),
        ("DROP TABLE p1; ALTER TABLE other ADD c int", ["public.pt", "public.other"]),
    ],
)
def test_one_table_after_another(history: History, file: str, order: list[str]) -> None:
    judged = queue(history, file)
    assert judged.evidence.error is None
    (finding,) = judged.of_rule("several-tables-locked")
    assert finding.details["order"] == order
    assert finding.message == f"{order[0]} stays locked while the lock on {order[1]} is waited for"


@pytest.mark.parametrize(
    "file",
    [
        # One statement cannot be divided.
        "ALTER TABLE busy DROP CONSTRAINT busy_parent_id_fkey",
        "ALTER TABLE busy ADD FOREIGN KEY (parent_id) REFERENCES other NOT VALID; ALTER TABLE busy ADD c int",
        "DROP TABLE busy CASCADE",
        # A table and its own.
        "ALTER TABLE busy ADD c int; DROP INDEX busy_k; ALTER TABLE busy ADD d int",
        "ALTER TABLE pt ADD c int; ALTER TABLE p2 ALTER k SET DEFAULT 1; DROP TABLE p1",
        # Each in its own transaction, or no more locked.
        "-- no-transaction\nALTER TABLE busy ADD c int; ALTER TABLE other ADD c int",
        "BEGIN; ALTER TABLE busy ADD c int; COMMIT; BEGIN; ALTER TABLE other ADD c int; COMMIT",
        "BEGIN; SAVEPOINT s; ALTER TABLE busy ADD c int; ROLLBACK TO s; ALTER TABLE other ADD c int; COMMIT",
        # Of a new table nobody knows.
        "CREATE TABLE fresh (id int); ALTER TABLE busy ADD c int; ALTER TABLE fresh ADD c int",
    ],
)
def test_one_table_at_a_time(history: History, file: str) -> None:
    judged = history.judge(GROUND, file, mode=None if file.startswith("--") else TransactionMode.SINGLE_QUERY)
    assert judged.evidence.error is None
    assert judged.of_rule("several-tables-locked") == ()


def test_a_file_that_fails_has_other_worries(history: History) -> None:
    evidence = history.evidences(GROUND, "ALTER TABLE busy ADD c int; ALTER TABLE nothing ADD c int")[-1]
    assert {one.rule for one in judge(evidence, RULES, {})} == {"apply-error"}
