"""Nothing of a rehearsal stays, and nothing of a file is lost."""

import pytest

from pytest_migsafe.migrations.model import TransactionMode
from pytest_migsafe.rehearsal.chain import Blocked
from pytest_migsafe.rehearsal.evidence import Evidence, Lane, Leak

from .conftest import Rehearse


def test_a_plain_file_is_rehearsed_in_a_savepoint(rehearse: Rehearse) -> None:
    evidence = rehearse.last("CREATE TABLE t (a int)")
    assert (evidence.lane, evidence.lane_reason, evidence.error) == (Lane.SAVEPOINT, "", None)
    assert (list(evidence.before.tables), list(evidence.after.tables)) == ([], ["public.t"])


def test_sequences_give_the_same_numbers_as_without_a_rehearsal(rehearse: Rehearse) -> None:
    files = (
        "CREATE TABLE t (id serial, name text); INSERT INTO t (name) VALUES ('a'), ('b')",
        "INSERT INTO t (name) VALUES ('c')",
        "DO $$ BEGIN IF (SELECT max(id) FROM t) <> 3 THEN RAISE 'max is %', (SELECT max(id) FROM t); END IF; END $$",
        "CREATE SEQUENCE s; SELECT nextval('s')",
        "SELECT nextval('s'), nextval('t_id_seq')",
        "DO $$ BEGIN IF nextval('s') <> 3 OR nextval('t_id_seq') <> 5 THEN RAISE 'moved'; END IF; END $$",
    )
    assert [one.error for one in rehearse.all(*files)] == [None] * len(files)


def test_a_file_with_begin_first_and_commit_last_is_rehearsed_without_the_pair(rehearse: Rehearse) -> None:
    evidence = rehearse.last("BEGIN; CREATE TABLE t (a int); COMMIT;")
    assert evidence.lane is Lane.SAVEPOINT
    assert evidence.has_transaction_pair
    assert [one.text for one in evidence.statements] == ["CREATE TABLE t (a int)"]


@pytest.mark.parametrize("mode", [TransactionMode.TRANSACTION, TransactionMode.SINGLE_QUERY])
def test_a_commit_in_the_middle_is_applied_for_real_only(rehearse: Rehearse, mode: TransactionMode) -> None:
    evidence = rehearse.last("CREATE TABLE a (i int);\nCOMMIT;\nCREATE TABLE b (i int);", mode=mode)
    assert evidence.lane is Lane.REAL
    assert evidence.lane_reason == "the file controls its transaction itself (line 2)"
    assert evidence.error is None
    assert sorted(evidence.after.tables) == ["public.a", "public.b"]


def test_concurrently_without_a_transaction_is_applied(rehearse: Rehearse) -> None:
    evidence = rehearse.last(
        "CREATE TABLE t (a int)", "-- no-transaction\nCREATE INDEX CONCURRENTLY i ON t (a)"
    )
    assert (evidence.lane, evidence.error) == (Lane.REAL, None)
    (statement,) = evidence.statements
    assert not statement.observed
    assert [scan.relation for scan in statement.scans] == ["public.t"]


def test_concurrently_in_a_wrapping_runner_fails_as_it_would_there(rehearse: Rehearse) -> None:
    evidence = rehearse.last("CREATE TABLE t (a int)", "CREATE INDEX CONCURRENTLY i ON t (a)")
    assert evidence.error is not None
    assert evidence.error.sqlstate == "25001"
    assert evidence.after == evidence.before


@pytest.mark.parametrize(
    ("text", "sqlstate"),
    [
        ("CREATE INDEX CONCURRENTLY i ON t (a)", None),  # alone, a simple query has no transaction block
        ("CREATE INDEX CONCURRENTLY i ON t (a); SELECT 1", "25001"),  # two share an implicit one
    ],
)
def test_a_single_query_is_an_implicit_transaction_when_it_has_several_statements(
    rehearse: Rehearse, text: str, sqlstate: str | None
) -> None:
    evidence = rehearse.last("CREATE TABLE t (a int)", text, mode=TransactionMode.SINGLE_QUERY)
    assert (evidence.error.sqlstate if evidence.error else None) == sqlstate


def test_what_a_savepoint_refuses_is_applied_for_real(rehearse: Rehearse) -> None:
    evidence = rehearse.last("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE; CREATE TABLE t (a int)")
    assert (evidence.lane, evidence.error) == (Lane.REAL, None)
    assert evidence.lane_reason == "SET TRANSACTION ISOLATION LEVEL must be called before any query"


def test_a_do_block_that_commits_fails_in_a_transaction_and_works_without(rehearse: Rehearse) -> None:
    block = "DO $$ BEGIN CREATE TABLE t (a int); COMMIT; END $$"
    failed = rehearse.last(block)
    assert failed.error is not None
    assert failed.error.sqlstate == "2D000"
    assert rehearse.last("-- no-transaction\n" + block).error is None


def test_a_file_that_does_not_end_its_transaction_is_not_applied(rehearse: Rehearse) -> None:
    evidence = rehearse.last("BEGIN;\nCREATE TABLE t (a int);", mode=TransactionMode.SINGLE_QUERY)
    assert evidence.error is not None
    assert (
        evidence.error.message
        == "the file ends inside the transaction that it began: nothing of it is committed"
    )
    assert evidence.error.line == 1
    assert evidence.after == evidence.before


def test_deferred_constraints_are_checked_as_the_commit_would(rehearse: Rehearse) -> None:
    evidence = rehearse.last(
        "CREATE TABLE p (id int PRIMARY KEY);"
        "CREATE TABLE c (p int REFERENCES p DEFERRABLE INITIALLY DEFERRED); INSERT INTO c VALUES (1)"
    )
    assert evidence.error is not None
    assert (evidence.error.sqlstate, evidence.error.during) == ("23503", "the check of deferred constraints")


def test_half_of_a_file_without_transaction_stays_and_is_said(rehearse: Rehearse) -> None:
    evidence = rehearse.last("-- no-transaction\nCREATE TABLE a (i int);\nCREATE TABLE a (i int);")
    assert evidence.error is not None
    assert evidence.error.line == 3
    assert list(evidence.after.tables) == ["public.a"]


@pytest.mark.parametrize(
    ("text", "leak"),
    [
        ("SET search_path = 'x'", Leak(kind="setting", name="search_path", value="x")),
        ("SET my.own = '1'", Leak(kind="setting", name="my.own", value="1")),
        ("CREATE TEMPORARY TABLE t (a int)", Leak(kind="temporary relation", name="t")),
        ("SELECT pg_advisory_lock(7)", Leak(kind="advisory lock", name="0,7")),
        ("PREPARE p AS SELECT 1", Leak(kind="prepared statement", name="p")),
        ("DECLARE c CURSOR WITH HOLD FOR SELECT 1", Leak(kind="cursor", name="c")),
        ("LISTEN news", Leak(kind="LISTEN", name="news")),
        ("CREATE ROLE leaky; SET ROLE leaky", Leak(kind="role", name="leaky")),
        (
            "CREATE ROLE other SUPERUSER; SET SESSION AUTHORIZATION other",
            Leak(kind="session authorization", name="other"),
        ),
    ],
)
def test_what_a_file_leaves_in_its_session_is_seen_and_does_not_reach_the_next(
    rehearse: Rehearse, text: str, leak: Leak
) -> None:
    first, second = rehearse.all(text, "SELECT 1")
    assert isinstance(first, Evidence)
    assert isinstance(second, Evidence)
    assert leak in first.leaks
    assert second.leaks == ()
    assert second.error is None


@pytest.mark.parametrize(
    "text",
    [
        "SET LOCAL search_path = 'x'",
        "SET search_path = 'x'; RESET search_path",
        "CREATE TEMPORARY TABLE t (a int) ON COMMIT DROP",
        "SELECT pg_advisory_xact_lock(7)",
        "CREATE TABLE t (a int)",
    ],
)
def test_what_ends_with_the_transaction_is_no_leak(rehearse: Rehearse, text: str) -> None:
    assert rehearse.last(text).leaks == ()


def test_a_default_of_the_role_reaches_the_next_file(rehearse: Rehearse) -> None:
    files = (
        "CREATE SCHEMA app; ALTER ROLE CURRENT_USER SET search_path = 'app'",
        "CREATE TABLE t (a int)",
        "SELECT * FROM app.t",
    )
    assert [one.error for one in rehearse.all(*files)] == [None, None, None]


def test_a_migration_that_takes_its_own_superuser_away_locks_nobody_out(rehearse: Rehearse) -> None:
    results = rehearse.all("ALTER ROLE postgres NOSUPERUSER", "CREATE TABLE t (a int)")
    assert [one.error for one in results] == [None, None]


def test_a_file_that_ends_its_own_session_fails_and_blocks_the_rest(rehearse: Rehearse) -> None:
    first, second = rehearse.all("SELECT pg_terminate_backend(pg_backend_pid())", "SELECT 1")
    assert isinstance(first, Evidence)
    assert first.error is not None
    assert first.error.message == "the file ends its own session"
    assert isinstance(second, Blocked)


def test_a_statement_that_takes_too_long_is_given_up(rehearse: Rehearse) -> None:
    evidence = rehearse.last("SELECT 1;\nSELECT pg_sleep(10)", statement_timeout="200ms")
    assert evidence.error is not None
    assert (evidence.error.sqlstate, evidence.error.line) == ("57014", 2)


@pytest.mark.parametrize(
    "text", ["", "-- nothing but a comment", "\ufeff", ";;", "\ufeffCREATE TABLE t (a int)"]
)
def test_empty_files_and_a_byte_order_mark_just_work(rehearse: Rehearse, text: str) -> None:
    assert rehearse.last(text).error is None


def test_the_place_of_an_error_is_exact_behind_multibyte_characters(rehearse: Rehearse) -> None:
    evidence = rehearse.last("\ufeffSELECT 'ünï';\r\n  SELECT 'ß', nope;\r\n")
    assert evidence.error is not None
    assert (evidence.error.line, evidence.error.column) == (2, 15)
    assert evidence.error_line == "  SELECT 'ß', nope;"


def test_an_error_in_a_do_block_points_at_its_line(rehearse: Rehearse) -> None:
    evidence = rehearse.last(
        "SELECT 1;\nDO $body$\nBEGIN\n    PERFORM 1;\n    PERFORM missing();\nEND $body$;\n"
    )
    assert evidence.error is not None
    assert (evidence.error.sqlstate, evidence.error.line, evidence.error.column) == ("42883", 5, 5)


@pytest.mark.parametrize(
    "text",
    [
        "PREPARE p AS SELECT 1; EXECUTE p; DEALLOCATE p; CREATE TABLE t (a int)",
        "CREATE TABLE t (a int); DEALLOCATE ALL",
        "DISCARD PLANS; CREATE TABLE t (a int)",
        "-- no-transaction\nCREATE TABLE t (a int); DISCARD ALL;",
        "DO $$ BEGIN EXECUTE 'DEALLOCATE ALL'; END $$; CREATE TABLE t (a int)",
    ],
)
def test_a_file_that_takes_our_prepared_statements_away_is_applied_for_real(
    rehearse: Rehearse, text: str
) -> None:
    results = rehearse.all("CREATE TABLE before (a int)", text, "CREATE TABLE after (a int)")
    assert [one.error for one in results] == [None] * 3
    _, middle, last = results
    assert isinstance(middle, Evidence)
    assert isinstance(last, Evidence)
    assert (middle.lane, middle.leaks) == (Lane.REAL, ())
    assert sorted(last.after.tables) == ["public.after", "public.before", "public.t"]
    assert last.lane is Lane.SAVEPOINT
