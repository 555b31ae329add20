"""Tables and materialized views that are written anew, or copied, while others wait."""

import pytest

from pytest_migsafe.postgres.database import create_database
from pytest_migsafe.postgres.server import Server
from tests.zero_downtime.conftest import History
from tests.zero_downtime.remedies import check_remedies

BUSY = "CREATE TABLE busy (id bigint PRIMARY KEY, k integer, v text); CREATE INDEX busy_k ON busy (k);"
ROWS = "INSERT INTO busy SELECT n, n % 3, 'x' FROM generate_series(1, 50) AS n;"
TOTALS = "CREATE MATERIALIZED VIEW totals AS SELECT k, count(*) AS n FROM busy GROUP BY k;"

STALLS = {
    "SET UNLOGGED": ("ALTER TABLE busy SET UNLOGGED;", "set-logged-rewrites", "public.busy is written anew"),
    "SET UNLOGGED in code": (
        "DO $$ BEGIN EXECUTE 'ALTER TABLE busy SET UNLOGGED'; END $$;",
        "set-logged-rewrites",
        "public.busy is written anew",
    ),
    "SET ACCESS METHOD": (
        "ALTER TABLE busy SET ACCESS METHOD other;",
        "set-access-method-rewrites",
        "public.busy is written anew",
    ),
    "SET TABLESPACE": (
        "ALTER TABLE busy SET TABLESPACE other;",
        "set-tablespace-copies",
        "public.busy is copied",
    ),
    "SET TABLESPACE in code": (
        "DO $$ BEGIN ALTER TABLE busy SET TABLESPACE other; END $$;",
        "set-tablespace-copies",
        "public.busy is copied",
    ),
    "all in a tablespace": (
        "ALTER TABLE ALL IN TABLESPACE pg_default SET TABLESPACE other;",
        "set-tablespace-copies",
        "public.busy is copied",
    ),
    "VACUUM FULL": (
        "-- no-transaction\nVACUUM (FULL, ANALYZE) busy;",
        "vacuum-full",
        "VACUUM FULL writes public.busy anew",
    ),
    "CLUSTER": ("CLUSTER busy USING busy_k;", "cluster-rewrites", "CLUSTER writes public.busy anew"),
    "CLUSTER in code": (
        "DO $$ BEGIN CLUSTER busy USING busy_k; END $$;",
        "work-under-lock",
        "public.busy is written anew",
    ),
}
BRIEF = {
    "TRUNCATE": "TRUNCATE busy;",
    "TRUNCATE in code": "DO $$ BEGIN TRUNCATE busy; END $$;",
    "TRUNCATE in a function": "SELECT empty_it();",
    "TRUNCATE in a procedure that commits": "-- no-transaction\nCALL empty_and_commit();",
    "TRUNCATE, and what is done with the empty table": (
        "TRUNCATE busy; ALTER TABLE busy ALTER k SET NOT NULL; CREATE INDEX ON busy (v); UPDATE busy SET k = 1;"
    ),
    "DROP": "DROP TABLE busy CASCADE;",
    "VACUUM": "-- no-transaction\nVACUUM busy;",
    "the order that CLUSTER would make": "ALTER TABLE busy CLUSTER ON busy_k;",
    "options": "ALTER TABLE busy SET (fillfactor = 70);",
    "a new table": "CREATE TABLE n (id bigint); ALTER TABLE n SET UNLOGGED; INSERT INTO n VALUES (1); UPDATE n SET id = 2;",
    "REFRESH without rows": "REFRESH MATERIALIZED VIEW totals WITH NO DATA;",
    "sequences": "CREATE SEQUENCE s; ALTER SEQUENCE s RESTART; SELECT setval('s', (SELECT max(id) FROM busy));",
    "a sequence that is there, set behind the last key": (
        "LOCK TABLE busy; SELECT setval('numbers', coalesce((SELECT max(id) FROM busy), 1));"
    ),
}
SETTING = (
    BUSY
    + TOTALS
    + "CREATE SEQUENCE numbers; CREATE ACCESS METHOD other TYPE TABLE HANDLER heap_tableam_handler;"
    "CREATE PROCEDURE empty_and_commit() LANGUAGE plpgsql AS $$ BEGIN TRUNCATE busy; COMMIT; END $$;"
    "CREATE FUNCTION empty_it() RETURNS void LANGUAGE plpgsql AS $$ BEGIN EXECUTE 'TRUNCATE ' || 'busy'; END $$;",
    # Analyzed, a table of one page is read sequentially, whatever index there is.
    ROWS + "ANALYZE busy;",
)


@pytest.fixture(scope="module", autouse=True)
def _tablespace(major_server: Server) -> None:
    """Another tablespace: it is the whole cluster's, so every history finds the same."""
    with create_database(major_server) as database, database.connect() as connection:
        connection.execute("SET allow_in_place_tablespaces = on")
        connection.execute("CREATE TABLESPACE other LOCATION ''")


@pytest.mark.parametrize("case", STALLS)
def test_a_table_that_is_written_anew_stalls_everybody(history: History, case: str) -> None:
    text, rule, done = STALLS[case]
    if not history.knows(text):
        pytest.skip("ALTER TABLE ... SET ACCESS METHOD came with PostgreSQL 15")
    judged = history.judge(*SETTING, text)
    assert judged.evidence.applied, judged.evidence.error
    assert judged.rules == [rule]
    assert judged.of_rule(rule)[0].message == f"reads and writes of public.busy wait while {done}"


@pytest.mark.parametrize("case", BRIEF)
def test_what_takes_a_moment_is_no_stall(history: History, case: str) -> None:
    judged = history.judge(*SETTING, BRIEF[case])
    assert judged.evidence.applied, judged.evidence.error
    assert judged.rules == []


def test_the_index_of_another_tablespace_is_built_there_concurrently(history: History) -> None:
    judged = check_remedies(
        history,
        (BUSY,),
        "ALTER INDEX busy_k SET TABLESPACE other;",
        rows=ROWS,
    )
    assert judged.rules == ["set-tablespace-copies"]


def test_a_refresh_without_concurrently_stalls_readers(history: History) -> None:
    judged = history.judge(BUSY, TOTALS, "REFRESH MATERIALIZED VIEW totals;")
    (finding,) = judged.of_rule("refresh-not-concurrent")
    assert judged.rules == ["refresh-not-concurrent"]
    assert finding.message == "reads of public.totals wait while the query of public.totals runs"
    assert finding.files == ()
    assert "CREATE UNIQUE INDEX CONCURRENTLY" in finding.remedy


def test_a_refresh_concurrently_is_the_remedy_where_there_is_a_unique_index(history: History) -> None:
    unique = "CREATE UNIQUE INDEX ON totals (k);"
    judged = check_remedies(history, (BUSY, TOTALS + unique), "REFRESH MATERIALIZED VIEW totals;", rows=ROWS)
    assert judged.rules == ["refresh-not-concurrent"]


def test_a_view_without_rows_has_no_readers(history: History) -> None:
    empty = TOTALS.replace(";", " WITH NO DATA;")
    assert history.judge(BUSY, empty, "REFRESH MATERIALIZED VIEW totals;").rules == []


def test_a_view_that_is_dropped_and_created_again_has_waiting_readers(history: History) -> None:
    judged = history.judge(BUSY, TOTALS, f"DROP MATERIALIZED VIEW totals; {TOTALS}")
    (finding,) = judged.of_rule("backfill-under-lock")
    assert finding.message.startswith("reads of public.totals wait while public.busy is read as a whole")
    assert finding.remedy.startswith("Create the new materialized view under another name")
