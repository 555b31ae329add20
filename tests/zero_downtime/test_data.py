"""Rows that are read or written in numbers that nobody knows: while a lock is held, or until one big commit."""

from collections.abc import Mapping, Sequence

import pytest

from pytest_migsafe.findings import Severity
from pytest_migsafe.postgres.database import create_database
from tests.zero_downtime.conftest import History
from tests.zero_downtime.remedies import check_remedies

SETTING = (
    "CREATE TABLE busy (id bigint PRIMARY KEY, k integer, v text, code text UNIQUE);"
    "CREATE INDEX busy_k ON busy (k); CREATE UNIQUE INDEX ON busy (lower(code));"
    "CREATE TABLE items (id bigint PRIMARY KEY, busy_id bigint REFERENCES busy ON DELETE CASCADE, n integer);"
    "CREATE INDEX ON items (busy_id);"
    "CREATE TABLE loose (busy_id bigint REFERENCES busy ON DELETE CASCADE);"
    "CREATE TABLE lookups (id integer PRIMARY KEY, name text);"
    "CREATE VIEW busy_view AS SELECT * FROM busy;"
    "CREATE TABLE parts (id bigint, d date, n integer, PRIMARY KEY (id, d)) PARTITION BY RANGE (d);"
    "CREATE TABLE parts_2024 PARTITION OF parts FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');"
    "CREATE TABLE entries (id bigint PRIMARY KEY, lookup integer); CREATE FUNCTION count_it() RETURNS trigger LANGUAGE plpgsql"
    " AS $$ BEGIN UPDATE lookups SET name = name WHERE id = NEW.lookup; RETURN NEW; END $$;"
    "CREATE TRIGGER counted BEFORE INSERT ON entries FOR EACH ROW EXECUTE FUNCTION count_it();"
    "CREATE FUNCTION touch_all() RETURNS void LANGUAGE sql AS 'UPDATE busy SET k = k';"
    "CREATE FUNCTION touch_one(wanted bigint) RETURNS void LANGUAGE plpgsql AS"
    " $$ BEGIN UPDATE busy SET k = k WHERE busy.id = wanted; END $$;"
)
ROWS = (
    "INSERT INTO busy SELECT n, n % 3, 'x', 'c' || n FROM generate_series(1, 5) AS n;"
    "INSERT INTO items SELECT n, n, n FROM generate_series(1, 5) AS n; INSERT INTO lookups VALUES (1, 'one');"
)
#: Tables as they are when nothing is known of them, and as they are after ANALYZE, when one page is read as a whole
#: whatever index there is.
STATES = {"empty": (SETTING,), "analyzed": (SETTING, ROWS + "ANALYZE;")}
LOCK = "ALTER TABLE lookups ADD note text;"

UNDER_LOCK = {
    "all rows": "UPDATE busy SET k = 1;",
    "what an index finds": "UPDATE busy SET v = 'y' WHERE k = 1;",
    "a range": "UPDATE busy SET v = 'y' WHERE id > 1000;",
    "what a function of no key finds": "UPDATE busy SET k = 1 WHERE upper(code) = 'C1';",
    "the first of many": "UPDATE busy SET v = 'y' WHERE id <= 90000000;",
    "a wide range": "UPDATE busy SET v = 'y' WHERE id BETWEEN 1 AND 5000000;",
    "deleted": "DELETE FROM items;",
    "rows of others, by a join": "UPDATE items SET n = busy.k FROM busy WHERE busy.id = items.busy_id;",
    "copied": "CREATE TABLE copies AS SELECT * FROM busy;",
    "copied into a table that was there": "INSERT INTO lookups SELECT id + 10, v FROM busy;",
    "counted": "SELECT count(*) FROM busy;",
    "read out": "COPY busy TO STDOUT;",
    "through a view": "UPDATE busy_view SET v = 'y';",
    "in WITH": "WITH gone AS (DELETE FROM items RETURNING id) SELECT count(*) FROM gone;",
    "merged": "MERGE INTO busy USING items ON busy.id = items.busy_id WHEN MATCHED THEN UPDATE SET k = items.n;",
    "a code block": "DO $$ BEGIN UPDATE busy SET v = 'y' WHERE k = 1; END $$;",
    "a code block's dynamic SQL": "DO $$ BEGIN EXECUTE 'UPDATE busy SET v = ''y'' WHERE k = 1'; END $$;",
    "row by row": (
        "DO $$ DECLARE r record; BEGIN FOR r IN SELECT id FROM busy LOOP"
        " UPDATE busy SET v = 'y' WHERE id = r.id; END LOOP; END $$;"
    ),
    "in batches that are not committed": (
        "DO $$ BEGIN LOOP UPDATE busy SET v = 'y' WHERE id IN (SELECT id FROM busy WHERE v <> 'y' LIMIT 10);"
        " EXIT WHEN NOT FOUND; END LOOP; END $$;"
    ),
    "a function": "SELECT touch_all();",
    "very many rows": "INSERT INTO lookups SELECT n, 'x' FROM generate_series(100, 20000) AS n;",
    "of a partitioned table": "UPDATE parts SET n = 1;",
    "a prepared query": "PREPARE q AS UPDATE busy SET k = 1 WHERE v = 'y'; EXECUTE q;",
    "a cursor's rows": "DECLARE c CURSOR FOR SELECT * FROM busy WHERE v = 'x'; FETCH ALL FROM c;",
    "a row to which rows refer that no index finds": "DELETE FROM busy WHERE id = 3;",
}
FEW = {
    "one row": "UPDATE busy SET k = 1 WHERE id = 1;",
    "one row, its key cast": "UPDATE busy SET k = 1 WHERE id = '1'::bigint;",
    "some rows": "UPDATE busy SET k = 1 WHERE id IN (1, 2, 3) OR id = 4;",
    "an array of keys": "UPDATE busy SET k = 1 WHERE id = ANY ('{1,2}');",
    "another key": "UPDATE busy SET k = 1 WHERE code = 'c1' AND k = 1;",
    "a key that is a function": "UPDATE busy SET k = 1 WHERE lower(busy.code) = lower('C1');",
    "constants joined": "UPDATE busy AS b SET k = v.k FROM (VALUES (1, 2), (3, 4)) AS v (id, k) WHERE b.id = v.id;",
    "through a view": "UPDATE busy_view SET k = 1 WHERE id = 1; SELECT count(*) FROM busy_view WHERE code = 'c1';",
    "a batch": "UPDATE busy SET k = 1 WHERE id BETWEEN 1 AND 1000;",
    "the first batch": "UPDATE busy SET k = 1 WHERE id <= 1000;",
    "a batch by place": "UPDATE busy SET k = 1 WHERE ctid = ANY (ARRAY(SELECT ctid FROM busy WHERE v = 'y' LIMIT 100));",
    "a batch that passes what is locked": (
        "WITH few AS (SELECT id FROM busy ORDER BY id LIMIT 100 FOR UPDATE SKIP LOCKED)"
        " UPDATE busy SET k = 1 FROM few WHERE busy.id = few.id;"
    ),
    "a batch by LIMIT": "DELETE FROM items WHERE id IN (SELECT id FROM items WHERE n IS NULL LIMIT 100);",
    "a batch in WITH": "WITH few AS (SELECT id FROM items LIMIT 100) DELETE FROM items USING few WHERE items.id = few.id;",
    "rows of one": "UPDATE items SET n = 1 WHERE busy_id = 3;",
    "a row found through another": (
        "UPDATE items SET n = 1 FROM busy WHERE busy.id = items.busy_id AND busy.code = 'c1';"
    ),
    "a value looked up": "UPDATE busy SET k = (SELECT id FROM lookups WHERE id = 1) WHERE id = 1;",
    "new rows": "INSERT INTO lookups VALUES (2, 'two'), (3, 'three');",
    "a new row that refers to another": "INSERT INTO items SELECT 99, id, 1 FROM busy WHERE id = 1;",
    "a new row, if it is not there": (
        "INSERT INTO lookups SELECT 4, 'four' WHERE NOT EXISTS (SELECT FROM lookups WHERE id = 4);"
    ),
    "a row in the place of one that is there": (
        "INSERT INTO lookups VALUES (1, 'uno') ON CONFLICT (id) DO UPDATE SET name = excluded.name;"
    ),
    "the greatest key": "SELECT max(id) FROM busy;",
    "whether there are rows": "SELECT EXISTS (SELECT FROM busy), EXISTS (SELECT FROM items WHERE busy_id = 3);",
    "a look at some": "SELECT * FROM busy LIMIT 5;",
    "merged from constants": (
        "MERGE INTO lookups USING (VALUES (1, 'a'), (7, 'b')) AS new (id, name) ON lookups.id = new.id"
        " WHEN MATCHED THEN UPDATE SET name = new.name WHEN NOT MATCHED THEN INSERT VALUES (new.id, new.name);"
    ),
    "a variable's row": (
        "DO $$ DECLARE wanted bigint := 1; BEGIN UPDATE busy SET k = 1 WHERE id = wanted;"
        " IF EXISTS (SELECT FROM busy WHERE code = 'c9') THEN DELETE FROM items WHERE id = 1; END IF; END $$;"
    ),
    "a few rows, one after the other": (
        "DO $$ DECLARE one text; BEGIN FOREACH one IN ARRAY ARRAY['c1', 'c2'] LOOP"
        " UPDATE busy SET k = 1 WHERE code = one; END LOOP; END $$;"
    ),
    "a function that writes one row": "SELECT touch_one(1);",
    "a partitioned table's row": "UPDATE parts SET n = 1 WHERE id = 3 AND d = '2024-02-03';",
    "a trigger that writes one row": "INSERT INTO entries VALUES (1, 1);",
    "a temporary table": "CREATE TEMP TABLE busy AS SELECT 1 AS id; UPDATE busy SET id = 2; SELECT count(*) FROM busy;",
    "a new table": "CREATE TABLE n (id integer); INSERT INTO n VALUES (1); UPDATE n SET id = 2; DELETE FROM n;",
}


def _known(history: History, cases: Mapping[str, str]) -> dict[str, str]:
    return {name: text for name, text in cases.items() if history.knows(text)}


@pytest.mark.parametrize("state", STATES)
def test_what_grows_with_a_table_stalls_under_the_lock_of_another(history: History, state: str) -> None:
    under_lock = _known(history, UNDER_LOCK)
    judged = history.judge(*STATES[state], "\n".join([LOCK, *under_lock.values()]))
    assert judged.evidence.applied, judged.evidence.error
    assert {*judged.rules} == {"backfill-under-lock"}
    findings = judged.of_rule("backfill-under-lock")
    cases = list(under_lock)
    assert [cases[finding.line - 2] for finding in findings] == cases
    for finding in findings:
        assert finding.message.startswith("reads and writes of public.lookups wait while ")
        assert finding.message.endswith(": line 1 holds its lock (ALTER TABLE lookups ADD note text)")


@pytest.mark.parametrize("state", STATES)
def test_a_few_rows_are_no_work_under_a_lock_nor_without(history: History, state: str) -> None:
    before = [*STATES[state], *([ROWS] if state == "empty" else [])]
    few = _known(history, FEW)
    judged = history.judge(*before, "\n".join([LOCK, *few.values()]))
    assert judged.evidence.applied, judged.evidence.error
    cases = ["", *few]
    assert [(cases[one.line - 1], one.rule, one.evidence) for one in judged.findings_of_stalls] == []


WHOLE = {
    "all rows": ("UPDATE busy SET k = 1;", Severity.ERROR, "all rows of public.busy are updated"),
    "a condition of nothing": (
        "DELETE FROM items WHERE true;",
        Severity.ERROR,
        "all rows of public.items are deleted",
    ),
    "a condition": (
        "UPDATE busy SET k = 1 WHERE v = 'x';",
        Severity.WARNING,
        "as many rows as the condition finds of public.busy are updated",
    ),
    "locked": ("SELECT * FROM busy FOR UPDATE;", Severity.ERROR, "all rows of public.busy are locked"),
    "in a code block": (
        "DO $$ BEGIN DELETE FROM items; END $$;",
        Severity.ERROR,
        "all rows of public.items are deleted",
    ),
    "in place of what is there": (
        "INSERT INTO lookups SELECT id, v FROM busy ON CONFLICT (id) DO UPDATE SET name = excluded.name;",
        Severity.WARNING,
        "as many rows as the condition finds of public.lookups are updated",
    ),
}


@pytest.mark.parametrize("case", WHOLE)
def test_all_rows_in_one_transaction_keep_their_writers_waiting(history: History, case: str) -> None:
    text, severity, message = WHOLE[case]
    judged = history.judge(SETTING, ROWS, text)
    assert judged.rules == ["whole-table-write"]
    (finding,) = judged.of_rule("whole-table-write")
    assert (finding.severity, finding.message.partition(" in one")[0]) == (severity, message)
    # How long it takes is told by a table's size only where all of its rows are written.
    assert [one["table"] for one in finding.details["work"]] == (
        list(finding.objects) if severity is Severity.ERROR else []
    )


def test_copies_of_rows_keep_nobody_waiting(history: History) -> None:
    assert history.judge(SETTING, ROWS, "CREATE TABLE copies AS SELECT * FROM busy;").rules == []
    assert history.judge(SETTING, ROWS, "INSERT INTO items SELECT id + 50, id, 1 FROM busy;").rules == []


BATCHES = {
    "all": "UPDATE busy SET k = k + 1, v = 'new';",
    "some": "UPDATE busy AS b SET v = 'new' WHERE b.k = 1 OR b.v IS NULL;",
    "with others": "UPDATE items SET n = busy.k FROM busy WHERE busy.id = items.busy_id AND busy.k > 0;",
    "deleted": "DELETE FROM items USING busy WHERE busy.id = items.busy_id AND busy.k = 1 RETURNING items.id;",
    "a key of text, with a column called batch": "UPDATE named SET batch = 2 WHERE batch = 1;",
}
NAMED = (
    'CREATE TABLE named ("The Name" varchar(20) PRIMARY KEY, batch integer);'
    "INSERT INTO named SELECT 'n' || n, n % 2 FROM generate_series(1, 1100) AS n;"
    "INSERT INTO busy SELECT n, n % 3, 'x' FROM generate_series(10, 1100) AS n;"
)


@pytest.mark.parametrize("case", BATCHES)
def test_rows_are_written_in_batches_and_the_same_comes_of_it(history: History, case: str) -> None:
    judged = check_remedies(history, (SETTING, ROWS, NAMED), BATCHES[case])
    assert judged.rules == ["whole-table-write"]
    (finding,) = judged.of_family("blocking-work")
    assert _rows_after(history, finding.files[0].sql) == _rows_after(history, BATCHES[case])


def _rows_after(history: History, text: str) -> Sequence[object]:
    """Return all rows as a statement leaves them."""
    with create_database(history.server) as database, database.connect() as connection:
        for one in (SETTING, ROWS, NAMED, text):
            connection.execute(one.encode())
        return connection.execute(_ALL_ROWS).fetchall()


_ALL_ROWS = (
    "SELECT busy::text AS one FROM busy UNION ALL SELECT items::text FROM items UNION ALL SELECT named::text FROM named"
    " ORDER BY one"
)


def test_a_backfill_gets_a_file_of_its_own(history: History) -> None:
    judged = check_remedies(
        history,
        (SETTING, ROWS),
        "ALTER TABLE busy ADD z integer;\nUPDATE busy SET z = k;",
        rest="ALTER TABLE busy ADD z integer;",
    )
    (finding,) = judged.of_rule("backfill-under-lock")
    assert finding.message == (
        "reads and writes of public.busy wait while the rows of public.busy are written: "
        "line 1 holds its lock (ALTER TABLE busy ADD z integer)"
    )
    assert finding.remedy.startswith("Leave line 2 (UPDATE busy SET z = k) out of this file")


def test_a_copy_under_a_lock_gets_a_file_of_its_own(history: History) -> None:
    copied = "INSERT INTO lookups SELECT id + 10, v FROM busy;"
    judged = check_remedies(
        history, (SETTING, ROWS), f"LOCK TABLE items;\n{copied}", rest="LOCK TABLE items;"
    )
    assert judged.rules == ["backfill-under-lock"]


def test_what_follows_a_backfill_needs_a_third_file(history: History) -> None:
    judged = history.judge(
        SETTING,
        ROWS,
        "ALTER TABLE busy ADD z integer;\nUPDATE busy SET z = 1;\nALTER TABLE busy DROP v CASCADE;",
    )
    (finding,) = judged.of_rule("backfill-under-lock")
    assert finding.files == ()
    assert "what follows from line 3 on" in finding.remedy
