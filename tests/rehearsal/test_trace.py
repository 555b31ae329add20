"""What one statement did, as seen from inside its own transaction."""

import pytest

from pytest_migsafe import catalog
from pytest_migsafe.rehearsal import trace
from pytest_migsafe.rehearsal.evidence import Evidence, StatementEvidence

from .conftest import Rehearse

#: A busy table with rows, an index, a parent and a sequence.
GROUND = """
    CREATE TABLE parent (id bigint PRIMARY KEY);
    CREATE TABLE busy (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, parent_id bigint, k int, name varchar(50), at timestamp
    );
    CREATE INDEX busy_name ON busy (name);
    INSERT INTO parent SELECT generate_series(1, 10);
    INSERT INTO busy (parent_id, k, name) SELECT 1, n, 'n' || n FROM generate_series(1, 100) AS n;
"""
AX, SRX, S, SUE = "AccessExclusiveLock", "ShareRowExclusiveLock", "ShareLock", "ShareUpdateExclusiveLock"


def locked(statement: StatementEvidence, relation: str) -> set[str]:
    return {lock.mode for lock in statement.locks if lock.relation == relation and lock.preexisting}


def scanned(statement: StatementEvidence) -> set[str]:
    return {scan.relation for scan in statement.scans if scan.preexisting}


def rewritten(statement: StatementEvidence) -> set[str]:
    return {one.relation for one in statement.rewrites if one.preexisting}


@pytest.mark.parametrize(
    ("sql", "mode", "is_scanned", "is_rewritten"),
    [
        # Each with what PostgreSQL is known to do (shared/hazards.md).
        ("CREATE INDEX ON busy (k)", S, True, False),
        ("ALTER TABLE busy ADD COLUMN c int", AX, False, False),
        ("ALTER TABLE busy ADD COLUMN c timestamptz DEFAULT now()", AX, False, False),
        ("ALTER TABLE busy ADD COLUMN c uuid DEFAULT gen_random_uuid()", AX, True, True),
        ("ALTER TABLE busy ADD COLUMN c int GENERATED ALWAYS AS (k * 2) STORED", AX, True, True),
        ("ALTER TABLE busy ALTER k SET NOT NULL", AX, True, False),
        ("ALTER TABLE busy ALTER k TYPE bigint", AX, True, True),
        ("ALTER TABLE busy ALTER name TYPE varchar(100)", AX, False, False),
        ("ALTER TABLE busy ADD CONSTRAINT c CHECK (k > 0)", AX, True, False),
        ("ALTER TABLE busy ADD CONSTRAINT c CHECK (k > 0) NOT VALID", AX, False, False),
        ("ALTER TABLE busy ADD FOREIGN KEY (parent_id) REFERENCES parent", SRX, True, False),
        ("ALTER TABLE busy ADD FOREIGN KEY (parent_id) REFERENCES parent NOT VALID", SRX, False, False),
        ("ALTER TABLE busy SET (fillfactor = 80)", SUE, False, False),
        ("DO $$ BEGIN EXECUTE 'ALTER TABLE busy ALTER k TYPE bigint'; END $$", AX, True, True),
        ("CLUSTER busy USING busy_name", AX, None, True),
        ("TRUNCATE busy", AX, False, False),
        ("DROP INDEX busy_name", AX, False, False),
    ],
)
def test_locks_scans_and_rewrites_are_what_postgres_does(
    rehearse: Rehearse, sql: str, mode: str, is_scanned: bool | None, is_rewritten: bool
) -> None:
    (statement,) = rehearse.last(GROUND, sql).statements
    assert statement.error is None
    assert mode in locked(statement, "public.busy")
    if is_scanned is not None:
        assert ("public.busy" in scanned(statement)) is is_scanned
    assert ("public.busy" in rewritten(statement)) is is_rewritten


def test_a_foreign_key_locks_the_other_table_too(rehearse: Rehearse) -> None:
    (statement,) = rehearse.last(GROUND, "CREATE TABLE child (id int REFERENCES parent)").statements
    assert locked(statement, "public.parent") >= {SRX}
    assert {lock.preexisting for lock in statement.locks if lock.relation == "public.child"} == {False}


def test_a_lock_is_named_where_it_is_first_taken_only(rehearse: Rehearse) -> None:
    first, second = rehearse.last(
        GROUND, "ALTER TABLE busy ADD COLUMN a int; ALTER TABLE busy ADD COLUMN b int"
    ).statements
    assert AX in locked(first, "public.busy")
    assert locked(second, "public.busy") == set()


def test_rows_are_counted_by_table_and_wal_is_measured(rehearse: Rehearse) -> None:
    (statement,) = rehearse.last(GROUND, "UPDATE busy SET k = k + 1 WHERE id <= 40").statements
    (write,) = statement.writes
    assert (write.relation, write.inserted, write.updated, write.deleted) == ("public.busy", 0, 40, 0)
    assert statement.rows_written == 40
    assert statement.wal_bytes > 40
    assert statement.tag == "UPDATE 40"


def test_a_dropped_table_keeps_its_name_in_the_evidence(rehearse: Rehearse) -> None:
    (statement,) = rehearse.last(GROUND, "DROP TABLE busy").statements
    assert AX in locked(statement, "public.busy")
    assert {(lock.relation, lock.kind) for lock in statement.locks if lock.mode == AX} >= {
        ("public.busy", "table"),
        ("public.busy_name", "index"),
    }


def test_a_renamed_and_then_dropped_table_is_named_as_it_was_at_the_time(rehearse: Rehearse) -> None:
    first, second = rehearse.last(GROUND, "ALTER TABLE busy RENAME TO old; DROP TABLE old").statements
    assert AX in locked(first, "public.busy")
    assert second.error is None


def test_the_lock_timeout_in_force_is_recorded_wherever_it_was_set(rehearse: Rehearse) -> None:
    set_, alter = rehearse.last(
        GROUND, "SET LOCAL lock_timeout = '1500ms'; ALTER TABLE busy ADD c int"
    ).statements
    assert (set_.lock_timeout_ms, alter.lock_timeout_ms) == (1500, 1500)
    (plain,) = rehearse.last(GROUND, "ALTER TABLE busy ADD c int", lock_timeout="3s").statements
    assert plain.lock_timeout_ms == 3000


def test_notices_come_with_their_sqlstate(rehearse: Rehearse) -> None:
    (statement,) = rehearse.last("DROP TABLE IF EXISTS nothing").statements
    (notice,) = statement.notices
    assert (notice.severity, notice.sqlstate) == ("NOTICE", "00000")
    assert notice.message == 'table "nothing" does not exist, skipping'


def test_counters_of_earlier_files_are_not_counted_again(rehearse: Rehearse) -> None:
    read = "SELECT count(*) FROM busy"
    for one in rehearse.all(GROUND, read, read)[1:]:
        assert isinstance(one, Evidence)
        (scan,) = one.statements[0].scans
        assert (scan.scans, scan.tuples) == (1, 100)


def test_the_comparison_that_if_not_exists_needs_is_not_counted_as_the_files_work(rehearse: Rehearse) -> None:
    kept, after = rehearse.last(
        GROUND, "CREATE INDEX IF NOT EXISTS busy_name ON busy (k); ALTER TABLE busy ADD COLUMN c int"
    ).statements
    (index,) = kept.kept
    assert index.differs
    assert after.scans == ()
    assert kept.scans == ()


def test_what_happens_to_old_tables_is_read_however_many_new_ones_there_are(
    rehearse: Rehearse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that made thousands of tables took hours: all of them were read after each statement."""
    file = "".join(
        f"CREATE TABLE new{number} (id bigint PRIMARY KEY, k bigint REFERENCES busy);\n{old};\n"
        for number, old in enumerate(
            [
                "ALTER TABLE busy ADD c int",
                "ALTER TABLE busy ALTER k TYPE bigint",
                "CREATE INDEX ON busy (k)",
                "INSERT INTO parent VALUES (100)",
                "INSERT INTO new3 VALUES (1)",
                "TRUNCATE new1",
                "DROP TABLE new0",
                "DROP INDEX busy_name",
            ]
        )
    )

    all_read = rehearse.last(GROUND, file)
    monkeypatch.setattr(trace, "_NEW_RELATIONS_READ", 2)
    monkeypatch.setattr(trace, "_FEW_STATEMENTS", 0)
    some_read = rehearse.last(GROUND, file)

    def of_old_tables(evidence: Evidence) -> list[object]:
        return [
            tuple(
                [one for one in found if one.preexisting]
                for found in (statement.locks, statement.rewrites, statement.scans, statement.writes)
            )
            for statement in evidence.statements
        ]

    assert all_read.error is None
    assert some_read.error is None
    assert of_old_tables(some_read) == of_old_tables(all_read)
    assert {one.unread_relations for one in all_read.statements} == {0}
    assert some_read.statements[0].unread_relations == 0
    assert some_read.statements[-1].unread_relations > 8
    # What the file made is all in the schema, read or not.
    assert some_read.after == all_read.after
    assert {f"public.new{number}" for number in range(1, 8)} <= some_read.after.tables.keys()


def test_the_schema_after_many_new_tables_is_the_full_one(
    rehearse: Rehearse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trace, "_NEW_RELATIONS_READ", 2)
    monkeypatch.setattr(trace, "_FEW_STATEMENTS", 0)
    many = "".join(
        f"CREATE TABLE n{number} (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, t text);\n"
        f"ALTER TABLE n{number} ADD c int;\n"
        f"INSERT INTO n{number} (t) VALUES ('a'), ('b');\n"
        for number in range(20)
    )
    chain = rehearse.chain(GROUND, f"{many}ALTER TABLE busy ADD c int;", "INSERT INTO n19 (t) VALUES ('c');")
    many_read = chain.rehearse(1)
    assert isinstance(many_read, Evidence)
    with chain.database.connect() as connection:
        assert many_read.after == catalog.snapshot(connection)
    after = chain.rehearse(2)
    assert isinstance(after, Evidence)
    assert after.error is None
    with chain.database.connect() as connection:
        # A rehearsal that did not know of the sequence would have left it one further.
        assert connection.execute("SELECT max(id) FROM n19").fetchone() == (3,)


@pytest.mark.parametrize("outside", ["", "-- no-transaction\n"])
def test_what_relations_are_called_is_told_of_those_that_come_go_and_are_renamed(
    rehearse: Rehearse, outside: str
) -> None:
    ground = f"{GROUND} CREATE VIEW seen AS SELECT id FROM busy;"
    evidence = rehearse.last(
        ground,
        f"{outside}ALTER TABLE parent RENAME TO forebear; CREATE TABLE fresh (id bigint); DROP TABLE busy CASCADE;"
        " DO $$ BEGIN EXECUTE 'ALTER TABLE fresh RENAME TO busy'; END $$",
    )
    assert [
        {(one.relation, one.became, one.kind, one.preexisting) for one in statement.namings}
        for statement in evidence.statements
    ] == [
        {("public.parent", "public.forebear", "table", True)},
        {("", "public.fresh", "table", False)},
        {
            ("public.busy", "", "table", True),
            ("public.busy_id_seq", "", "sequence", True),
            ("public.seen", "", "view", True),
        },
        {("public.fresh", "public.busy", "table", False)},
    ]
