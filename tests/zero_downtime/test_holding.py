"""How long locks are held: to the end of their transaction, and who waits for which."""

import pytest

from tests.zero_downtime.conftest import History

SETTING = (
    "CREATE TABLE busy (id bigint PRIMARY KEY, v text); CREATE TABLE other (id bigint, busy_id bigint REFERENCES busy);"
    "CREATE VIEW shown AS SELECT id FROM busy; CREATE SEQUENCE numbers;"
    "CREATE FUNCTION lock_it() RETURNS void LANGUAGE plpgsql AS 'BEGIN LOCK TABLE busy; END';"
)
COUNT = "SELECT count(*) FROM other;"

#: What locks, and who waits for it while another table is read as a whole.
HELD = {
    "LOCK TABLE busy;": "reads and writes of public.busy",
    "LOCK TABLE busy IN SHARE MODE;": "writes of public.busy",
    "LOCK TABLE busy IN EXCLUSIVE MODE;": "writes of public.busy",
    "ALTER TABLE busy ADD c integer;": "reads and writes of public.busy",
    "DROP TABLE busy CASCADE;": "reads and writes of public.busy and public.other and reads of public.shown",
    "CREATE OR REPLACE VIEW shown AS SELECT id, v FROM busy;": "reads of public.shown",
    "CREATE TRIGGER t BEFORE UPDATE ON busy FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger();": (
        "writes of public.busy"
    ),
    "ALTER SEQUENCE numbers INCREMENT 2;": "nextval of public.numbers",
    "DO $$ BEGIN EXECUTE 'ALTER TABLE busy ADD c integer'; END $$;": "reads and writes of public.busy",
    "SELECT lock_it();": "reads and writes of public.busy",
    "SAVEPOINT s; ALTER TABLE busy ADD c integer; RELEASE SAVEPOINT s;": "reads and writes of public.busy",
    "CREATE TABLE n (busy_id bigint REFERENCES busy);": "writes of public.busy",
}
#: What locks nothing that others wait for, or no longer.
FREE = {
    "weaker locks": "COMMENT ON TABLE busy IS 'x'; ALTER TABLE busy SET (fillfactor = 90); ANALYZE busy;",
    "rows": "UPDATE busy SET v = 'x' WHERE id = 1; INSERT INTO busy VALUES (2); SELECT FROM busy WHERE id = 1 FOR UPDATE;",
    "of a new table": "CREATE TABLE n (id bigint); ALTER TABLE n ADD c integer; DROP TABLE n;",
    "of a temporary table": "CREATE TEMPORARY TABLE n (id bigint); LOCK TABLE n;",
    "rolled back to a savepoint": "SAVEPOINT s; ALTER TABLE busy ADD c integer; ROLLBACK TO SAVEPOINT s;",
    "another transaction": "BEGIN; ALTER TABLE busy ADD c integer; COMMIT;",
    "another transaction, rolled back": "BEGIN; LOCK TABLE busy; ROLLBACK; BEGIN; SELECT 1;",
    "an error that is caught": (
        "DO $$ BEGIN BEGIN LOCK TABLE busy; RAISE 'no'; EXCEPTION WHEN OTHERS THEN NULL; END; END $$;"
    ),
    "a sequence's next value": "SELECT nextval('numbers'), setval('numbers', 7);",
    "a function": "CREATE FUNCTION f() RETURNS integer LANGUAGE sql AS 'SELECT 1'; DROP FUNCTION f();",
    "rights": "GRANT SELECT ON busy TO PUBLIC; REVOKE SELECT ON busy FROM PUBLIC;",
}


@pytest.mark.parametrize("lock", HELD)
def test_a_lock_is_held_until_the_transaction_ends(history: History, lock: str) -> None:
    judged = history.judge(SETTING, f"{lock}\n{COUNT}")
    (finding,) = judged.findings_of_stalls
    assert finding.line == 2
    assert finding.message.startswith(f"{HELD[lock]} wait while public.other is read as a whole")


@pytest.mark.parametrize("case", FREE)
def test_what_nobody_waits_for_holds_nobody_up(history: History, case: str) -> None:
    judged = history.judge(SETTING, f"{FREE[case]}\n{COUNT}")
    assert judged.evidence.applied, judged.evidence.error
    assert judged.rules == []


def test_autocommit_ends_the_lock_with_its_statement(history: History) -> None:
    judged = history.judge(SETTING, f"-- no-transaction\nALTER TABLE busy ADD c integer;\n{COUNT}")
    assert judged.evidence.applied
    assert judged.rules == []


def test_work_goes_before_the_lock(history: History) -> None:
    assert history.judge(SETTING, f"{COUNT} ALTER TABLE busy ADD c integer;").rules == []


def test_what_no_rule_knows_is_said_with_the_line_that_is_to_be_moved(history: History) -> None:
    judged = history.judge(SETTING, "LOCK TABLE busy;\nANALYZE other;")
    (finding,) = judged.findings_of_stalls
    assert (finding.rule, finding.line) == ("work-under-lock", 2)
    assert finding.message == "reads and writes of public.busy wait while public.other is read as a whole"
    assert finding.remedy.startswith(
        "Give line 2 (ANALYZE other) a file of its own, before or after that with line 1 (LOCK TABLE busy)"
    )
