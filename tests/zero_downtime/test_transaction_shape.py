"""Timeouts around CONCURRENTLY, and files that cannot be run again after they failed half way."""

from dataclasses import replace

import pytest

from pytest_migsafe.rules.reruns import fails_again
from tests.zero_downtime.conftest import MAJORS, History
from tests.zero_downtime.remedies import as_file

#: What the rules make of evidence is the same on every major version.
one_major = pytest.mark.parametrize("major_server", [MAJORS[-1]], indirect=True)

GROUND = """
    CREATE TABLE busy (id bigint PRIMARY KEY, k integer, v text);
    CREATE INDEX busy_k ON busy (k);
    CREATE TYPE mood AS ENUM ('sad');
"""


@one_major
@pytest.mark.parametrize(
    ("file", "timeouts"),
    [
        ("SET lock_timeout = '2s'; CREATE INDEX CONCURRENTLY x ON busy (v)", {"lock_timeout": 2000}),
        (
            "SET lock_timeout = '2s'; SET statement_timeout = '30s'; DROP INDEX CONCURRENTLY busy_k",
            {"lock_timeout": 2000, "statement_timeout": 30_000},
        ),
        ("SET statement_timeout = '10min'; REINDEX TABLE CONCURRENTLY busy", {"statement_timeout": 600_000}),
        # None, or one that is long enough; and the session's own limit is the rehearsal's.
        ("CREATE INDEX CONCURRENTLY x ON busy (v)", None),
        (
            "SET lock_timeout = '10min'; SET statement_timeout = '2h'; CREATE INDEX CONCURRENTLY x ON busy (v)",
            None,
        ),
        ("SET lock_timeout = '2s'; RESET lock_timeout; CREATE INDEX CONCURRENTLY x ON busy (v)", None),
        # It does not wait for others, or it is no such statement.
        ("SET lock_timeout = '2s'; ALTER TABLE busy ADD COLUMN c int", None),
        ("SET lock_timeout = '2s'; CREATE INDEX x ON busy (v) /* not CONCURRENTLY */", None),
    ],
)
def test_a_short_timeout_leaves_an_invalid_index(
    history: History, file: str, timeouts: dict[str, int] | None
) -> None:
    judged = history.judge(GROUND, f"-- no-transaction\n{file};", lock_timeout="0")
    assert judged.evidence.error is None
    found = judged.of_rule("short-timeout-around-concurrently")
    assert [one.details["timeouts"] for one in found] == ([timeouts] if timeouts else [])
    for finding in found:
        (cure,) = finding.files
        cured = replace(history, folder=history.folder.with_name("cure")).judge(
            GROUND, as_file(cure), lock_timeout="0"
        )
        assert cured.evidence.error is None
        assert cured.of_family("transaction-shape") == ()
        assert cured.evidence.leaks == ()
        assert cured.evidence.after == judged.evidence.after


@one_major
def test_the_timeout_of_the_runner_is_in_force_around_concurrently_too(history: History) -> None:
    judged = history.judge(
        GROUND, "-- no-transaction\nCREATE INDEX CONCURRENTLY x ON busy (v);", lock_timeout="3s"
    )
    (finding,) = judged.of_rule("short-timeout-around-concurrently")
    assert finding.message == (
        "lock_timeout = 3 s may end CREATE INDEX CONCURRENTLY x ON busy (v) while it waits for others' transactions, and "
        "leave an INVALID index"
    )
    (cure,) = finding.files
    cured = replace(history, folder=history.folder.with_name("cure")).judge(
        GROUND, as_file(cure), lock_timeout="3s"
    )
    assert cured.of_family("transaction-shape") == ()


@one_major
@pytest.mark.parametrize(
    ("file", "lines"),
    [
        (
            "CREATE INDEX CONCURRENTLY x ON busy (v);\nCREATE INDEX CONCURRENTLY y ON busy (k, v);",
            [2],
        ),
        ("ALTER TABLE busy ADD COLUMN c int;\nDROP INDEX busy_k;\nVACUUM busy;", [2, 3]),
        ("BEGIN;\nALTER TABLE busy ADD COLUMN c int;\nCOMMIT;\nDROP INDEX CONCURRENTLY busy_k;", [3]),
        # Nothing was done when the last one fails.
        (
            "SET statement_timeout = 0;\nCREATE INDEX CONCURRENTLY x ON busy (v);\nRESET statement_timeout;",
            [],
        ),
        ("BEGIN;\nALTER TABLE busy ADD COLUMN c int;\nALTER TABLE busy ADD COLUMN d int;\nCOMMIT;", []),
        # Each can be run again.
        (
            "DROP INDEX CONCURRENTLY IF EXISTS x;\nCREATE INDEX CONCURRENTLY x ON busy (v);\nVACUUM busy;",
            [],
        ),
        ("ALTER TYPE mood ADD VALUE IF NOT EXISTS 'ok';\nALTER TYPE mood ADD VALUE 'happy';", []),
        ("UPDATE busy SET v = '' WHERE v IS NULL;\nALTER TABLE busy ALTER v SET NOT NULL;", []),
    ],
)
def test_a_file_that_failed_half_way_is_run_again(history: History, file: str, lines: list[int]) -> None:
    judged = history.judge(GROUND, f"-- no-transaction\n{file}")
    assert judged.evidence.error is None
    found = judged.of_rule("not-rerunnable")
    told = [line for one in found for line in one.evidence if line.startswith("line ")]
    assert [int(line.split()[1].rstrip(":")) for line in told] == lines


@one_major
def test_concurrently_in_the_files_own_transaction_is_explained_by_it(history: History) -> None:
    """Rows 30 and 31 of the table of hazards that a linter misses, and 28."""
    own = history.judge(
        GROUND, "-- no-transaction\nBEGIN;\nDROP INDEX CONCURRENTLY IF EXISTS busy_k;\nCOMMIT;"
    )
    (error,) = own.of_rule("apply-error")
    assert error.remedy == "The file itself has begun a transaction (line 2: BEGIN): leave that out."
    (error,) = history.judge(GROUND, "CREATE INDEX CONCURRENTLY x ON busy (v);").of_rule("apply-error")
    assert error.remedy.startswith("The runner puts this file into a transaction")
    used = "ALTER TYPE mood ADD VALUE 'ok';\nSELECT 'ok'::mood;"
    (error,) = history.judge(GROUND, used).of_rule("apply-error")
    assert (error.line, error.details["sqlstate"]) == (2, "55P04")


@pytest.mark.parametrize(
    ("sql", "earlier"),
    [
        ("CREATE TABLE t (a int)", "DROP TABLE IF EXISTS public.t"),
        ("CREATE TABLE t AS SELECT 1 AS a", "DROP TABLE IF EXISTS t CASCADE"),
        ("CREATE VIEW w AS SELECT 1 AS a", "DROP VIEW IF EXISTS w"),
        ("CREATE SEQUENCE s", "DROP SEQUENCE IF EXISTS s"),
        ("CREATE TYPE e AS ENUM ('a')", "DROP TYPE IF EXISTS e"),
        ("CREATE TYPE c AS (a int)", "DROP TYPE IF EXISTS c"),
        ("CREATE DOMAIN d AS int", "DROP DOMAIN IF EXISTS d"),
        ("CREATE FUNCTION f(int) RETURNS int LANGUAGE sql AS 'SELECT 1'", "DROP FUNCTION IF EXISTS f(int)"),
        ("CREATE SCHEMA x", "DROP SCHEMA IF EXISTS x"),
        ("CREATE EXTENSION pg_trgm", "DROP EXTENSION IF EXISTS pg_trgm"),
        ("CREATE INDEX i ON busy (v)", "DROP INDEX IF EXISTS i"),
        ("CREATE POLICY p ON busy", "DROP POLICY IF EXISTS p ON busy"),
        (
            "CREATE TRIGGER g BEFORE INSERT ON busy FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()",
            "DROP TRIGGER IF EXISTS g ON busy",
        ),
        ("CREATE ROLE somebody", "DROP ROLE IF EXISTS somebody"),
        ("ALTER TABLE busy ADD COLUMN c int", "ALTER TABLE busy DROP COLUMN IF EXISTS c"),
        ("ALTER TABLE busy ADD CONSTRAINT c CHECK (k > 0)", "ALTER TABLE busy DROP CONSTRAINT IF EXISTS c"),
        ("ALTER TABLE busy RENAME COLUMN k TO l", ""),
        ("ALTER TABLE busy RENAME TO idle", ""),
        ("DROP TABLE busy", ""),
        ("ALTER TABLE busy DROP COLUMN k", ""),
        ("ALTER TYPE mood ADD VALUE 'x'", ""),
    ],
)
def test_what_fails_the_second_time(sql: str, earlier: str) -> None:
    assert fails_again(sql, ())
    assert fails_again(sql, ("DROP TABLE IF EXISTS another", "SELECT 1"))
    if earlier:
        assert not fails_again(sql, (earlier,))


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE TABLE IF NOT EXISTS t (a int)",
        "CREATE TEMPORARY TABLE t (a int)",
        "CREATE TEMPORARY TABLE t AS SELECT 1 AS a",
        "CREATE OR REPLACE VIEW w AS SELECT 1 AS a",
        "CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "ALTER TABLE busy ADD COLUMN IF NOT EXISTS c int, ALTER v SET NOT NULL, DROP CONSTRAINT IF EXISTS x",
        "ALTER TABLE busy VALIDATE CONSTRAINT c",
        "DROP INDEX CONCURRENTLY IF EXISTS x",
        "ALTER TYPE mood ADD VALUE IF NOT EXISTS 'x'",
        "REINDEX TABLE busy",
        "VACUUM busy",
        "GRANT SELECT ON busy TO PUBLIC",
        "COMMENT ON TABLE busy IS 'x'",
        "INSERT INTO busy VALUES (1)",
        "no SQL at all",
    ],
)
def test_what_can_be_run_again(sql: str) -> None:
    assert not fails_again(sql, ())
