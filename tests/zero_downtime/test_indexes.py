"""Indexes that are built while others wait."""

from tests.zero_downtime.conftest import History
from tests.zero_downtime.remedies import check_remedies, check_remedies_of_each

BUSY = "CREATE TABLE busy (id bigint PRIMARY KEY, k integer, v text);"
ROWS = "INSERT INTO busy SELECT i, i, 'v' || i FROM generate_series(1, 100) AS i;"

PARTITIONED = """
CREATE TABLE parted (id bigint NOT NULL, d date NOT NULL, k integer) PARTITION BY RANGE (d);
CREATE TABLE parted_a PARTITION OF parted FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE "Parted B" PARTITION OF parted FOR VALUES FROM ('2025-01-01') TO ('2026-01-01') PARTITION BY RANGE (id);
CREATE TABLE parted_b1 PARTITION OF "Parted B" FOR VALUES FROM (0) TO (50);
CREATE TABLE parted_b2 PARTITION OF "Parted B" DEFAULT;
"""
PARTITIONED_ROWS = """
INSERT INTO parted SELECT i, date '2024-01-01' + i * 7, i FROM generate_series(1, 100) AS i;
"""


def test_an_index_on_a_table_that_was_there_stalls_its_writes(history: History) -> None:
    migrations = [
        "CREATE INDEX busy_k ON busy (k);",
        "CREATE INDEX ON busy (k DESC NULLS LAST, lower(v)) INCLUDE (id) WITH (fillfactor = 50) WHERE v <> ' ON x WHERE';",
        'CREATE UNIQUE INDEX IF NOT EXISTS "Odd Name" ON busy USING btree (k);',
        "CREATE INDEX ON busy USING hash (v);",
        "DO $$ BEGIN EXECUTE format('CREATE INDEX %I ON busy (%I)', 'found' || '_k', 'k'); END $$;",
        "DO $$ BEGIN CREATE INDEX ON busy (k); CREATE INDEX ON busy (v); END $$;",
    ]
    for judged in check_remedies_of_each(history, [BUSY], migrations, rows=ROWS):
        assert judged.rules == ["index-not-concurrent"]
        (finding,) = judged.findings_of_stalls
        assert finding.message.startswith("writes of public.busy wait while index")


def test_the_message_names_who_waits_for_what(history: History) -> None:
    judged = history.judge(BUSY, "CREATE INDEX busy_k ON busy (k);")
    (finding,) = judged.of_rule("index-not-concurrent")
    assert finding.message == "writes of public.busy wait while index public.busy_k is built"
    assert finding.files[0].sql == "CREATE INDEX CONCURRENTLY busy_k ON public.busy USING btree (k);"
    assert not finding.files[0].in_transaction


def test_under_a_lock_of_a_statement_before_it_reads_wait_too(history: History) -> None:
    first = "ALTER TABLE busy ADD COLUMN z integer;"
    judged = check_remedies(
        history, [BUSY], f"{first}\nCREATE INDEX busy_k ON busy (k);", rest=first, rows=ROWS
    )
    (finding,) = judged.of_rule("index-not-concurrent")
    assert finding.message == "reads and writes of public.busy wait while index public.busy_k is built"
    assert finding.line == 2
    assert any("held since line 1: ALTER TABLE busy" in fact for fact in finding.evidence)


def test_an_index_of_a_partitioned_table_is_built_a_partition_at_a_time(history: History) -> None:
    migrations = [
        "CREATE INDEX parted_k ON parted (k);",
        "CREATE INDEX ON parted (k) WHERE k > 1;",
        "CREATE UNIQUE INDEX ON parted (d, id);",
        "DO $$ BEGIN CREATE INDEX ON parted (lower(k::text)); END $$;",
        'CREATE INDEX ON "Parted B" (k, d);',
    ]
    for judged in check_remedies_of_each(history, [PARTITIONED], migrations, rows=PARTITIONED_ROWS):
        assert judged.rules == ["index-not-concurrent"]


def test_what_a_partition_has_already_is_not_built_again(history: History) -> None:
    judged = check_remedies(
        history,
        [PARTITIONED, "CREATE INDEX mine ON parted_b1 (k);"],
        "CREATE INDEX ON parted (k);",
        rows=PARTITIONED_ROWS,
    )
    (finding,) = judged.findings_of_stalls
    assert not any("parted_b1" in one.sql for one in finding.files)


def test_what_builds_nothing_that_others_wait_for_is_passed(history: History) -> None:
    files = [
        "CREATE TABLE n (id bigint); CREATE INDEX ON n (id);",
        "CREATE TEMP TABLE t AS SELECT * FROM busy; CREATE INDEX ON t (k);",
        "CREATE INDEX IF NOT EXISTS busy_v ON busy (v);",
        "-- no-transaction\nCREATE INDEX CONCURRENTLY busy_k ON busy (k);",
        "-- no-transaction\nREINDEX TABLE CONCURRENTLY busy;",
        "-- no-transaction\nDROP INDEX CONCURRENTLY busy_k;",
        "ALTER INDEX busy_v RENAME TO other;",
        "DROP INDEX other;",
        "CREATE MATERIALIZED VIEW m AS SELECT * FROM busy;",
    ]
    before = f"{BUSY} CREATE INDEX busy_v ON busy (v); {ROWS}"
    for text, judged in zip(files, history.judge_each(before, *files), strict=True):
        assert (text, judged.rules) == (text, [])


def test_reindex_stalls_even_reads(history: History) -> None:
    cases = {
        "REINDEX INDEX busy_v;": "REINDEX INDEX CONCURRENTLY public.busy_v;",
        "REINDEX TABLE busy;": "REINDEX TABLE CONCURRENTLY public.busy;",
        "REINDEX INDEX busy_pkey;": "REINDEX INDEX CONCURRENTLY public.busy_pkey;",
        "DO $$ BEGIN EXECUTE 'REINDEX INDEX ' || 'busy_v'; END $$;": "REINDEX INDEX CONCURRENTLY public.busy_v;",
        "-- no-transaction\nREINDEX SCHEMA public;": "REINDEX TABLE CONCURRENTLY public.busy;",
    }
    before = f"{BUSY} CREATE INDEX busy_v ON busy (v);"
    found = check_remedies_of_each(history, [before], [*cases], rows=ROWS)
    for (statement, remedy), judged in zip(cases.items(), found, strict=True):
        assert judged.rules == ["reindex-not-concurrent"]
        (finding,) = judged.findings_of_stalls
        assert finding.files[0].sql == remedy
        if "SCHEMA" not in statement:
            assert finding.message.startswith("reads and writes of public.busy wait while index")


def test_the_index_of_an_exclusion_constraint_cannot_be_rebuilt_beside_the_old_one(history: History) -> None:
    before = "CREATE TABLE busy (id integer, EXCLUDE USING btree (id WITH =));"
    (finding,) = history.judge(before, "REINDEX TABLE busy;").of_rule("reindex-not-concurrent")
    assert finding.files == ()
    assert "busy_id_excl" in finding.remedy
