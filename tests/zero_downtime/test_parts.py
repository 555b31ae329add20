"""Which command of an ALTER TABLE did the work: each is run alone, and nothing of that remains."""

import pytest

from pytest_migsafe.migrations.commands import single_commands
from pytest_migsafe.rehearsal.evidence import Lane, StatementEvidence
from tests.zero_downtime.conftest import History

BUSY = """
    CREATE TABLE parent (id bigint PRIMARY KEY);
    CREATE TABLE busy (id bigint PRIMARY KEY, k integer, v varchar(50), parent_id bigint);
    CREATE INDEX busy_k ON busy (k);
    CREATE SEQUENCE numbers;
    INSERT INTO busy SELECT n, n, 'v' FROM generate_series(1, 10) AS n;
"""


def done(statement: StatementEvidence) -> list[set[str]]:
    """Return what a statement's commands did with tables that were there before, each command's in its place."""
    return [
        {
            *(f"rewrite of {one.relation}" for one in part.rewrites if one.preexisting),
            *(f"build of {one.index}" for one in part.index_builds if one.preexisting),
            *(f"scan of {one.relation}" for one in part.scans if one.preexisting),
        }
        for part in statement.parts
    ]


@pytest.mark.parametrize("beginning", ["", "-- no-transaction\n"], ids=["savepoint", "real"])
def test_the_command_that_did_the_work_is_known(history: History, beginning: str) -> None:
    file = f"""{beginning}ALTER TABLE IF EXISTS public.busy
        ADD CONSTRAINT positive CHECK (k > 0),
        ADD COLUMN note text DEFAULT 'none, yet',
        ALTER COLUMN k TYPE bigint,
        ADD UNIQUE (v, id)
    """
    evidence = history.judge(BUSY, file).evidence
    assert evidence.error is None
    assert evidence.lane is (Lane.REAL if beginning else Lane.SAVEPOINT)
    (statement,) = evidence.statements
    rewritten, added, indexed, checked = done(statement)
    assert {"rewrite of public.busy", "rewrite of public.busy_pkey", "build of public.busy_k"} <= rewritten
    assert added == set()
    assert indexed == {"build of public.busy_v_id_key", "scan of public.busy"}
    assert checked == {"scan of public.busy"}
    # In the order in which PostgreSQL does them, each where it is written.
    first = statement.line
    assert [(part.line - first, part.column) for part in statement.parts] == [(3, 9), (2, 9), (4, 9), (1, 9)]
    assert {part.transaction for part in statement.parts} == {statement.transaction}
    # What is told of the statement as a whole is as if it had been run once.
    ((scanned, scans),) = ((one.relation, one.scans) for one in statement.scans if one.preexisting)
    # The old rows are read once, the new ones for three indexes.
    assert (scanned, scans) == ("public.busy", 4)


@pytest.mark.parametrize(
    "file",
    [
        # Nothing that grows with a table.
        "ALTER TABLE busy ADD COLUMN a int, ADD COLUMN b int DEFAULT 3",
        "ALTER TABLE IF EXISTS nothing ADD COLUMN a int, ALTER k TYPE bigint",
        # A table that nobody else knows.
        "CREATE TABLE fresh (k int); INSERT INTO fresh VALUES (1); ALTER TABLE fresh ALTER k TYPE bigint, ADD UNIQUE (k)",
        # One command alone needs no telling apart.
        "ALTER TABLE busy ALTER k TYPE bigint",
        # Numbers that are drawn do not come back.
        "ALTER TABLE busy ADD COLUMN a int DEFAULT nextval('numbers'), ADD COLUMN b int",
    ],
)
def test_commands_are_run_alone_only_where_that_tells_anything(history: History, file: str) -> None:
    evidence = history.judge(BUSY, file).evidence
    assert evidence.error is None
    assert [one.parts for one in evidence.statements] == [()] * len(evidence.statements)


def test_commands_that_cannot_be_run_alone_are_told_together(history: History) -> None:
    ground = """
        CREATE FUNCTION demand_two() RETURNS event_trigger LANGUAGE plpgsql AS $$
            BEGIN IF current_query() !~ ',' THEN RAISE 'alone'; END IF; END $$;
        CREATE EVENT TRIGGER two ON ddl_command_end WHEN TAG IN ('ALTER TABLE') EXECUTE FUNCTION demand_two();
    """
    evidence = history.judge(BUSY + ground, "ALTER TABLE busy ALTER k TYPE bigint, ADD COLUMN a int").evidence
    assert evidence.error is None
    (statement,) = evidence.statements
    assert statement.parts == ()
    assert "public.busy" in {one.relation for one in statement.rewrites}


def test_nothing_of_it_remains(history: History) -> None:
    """Neither in the schema, nor in the counters, the notices, the numbers of sequences or the session."""
    file = """
        CREATE FUNCTION told(integer) RETURNS integer LANGUAGE plpgsql AS $$
            BEGIN RAISE NOTICE 'told %', $1; RETURN $1; END $$;
        ALTER TABLE busy ADD COLUMN own bigserial, ADD CHECK (told(k) > 0), ADD FOREIGN KEY (id) REFERENCES parent NOT VALID;
        ALTER TABLE busy ADD COLUMN late int;
        ALTER TABLE parent ADD COLUMN late int;
        INSERT INTO busy (id) VALUES (0);
        DO $$ BEGIN IF (SELECT max(own) FROM busy) <> 11 THEN RAISE 'drawn'; END IF; END $$;
    """
    ground = BUSY + "INSERT INTO parent SELECT generate_series(0, 10);"
    evidence = history.judge(ground, file).evidence
    assert evidence.error is None
    assert evidence.leaks == ()
    _, alter, late, of_parent, *_ = evidence.statements
    assert len(alter.parts) == 3
    assert [one.message for one in alter.notices] == [f"told {n}" for n in range(1, 11)]
    assert (late.scans, of_parent.scans) == ((), ())
    assert [lock.relation for lock in of_parent.locks] == ["public.parent"]


def test_a_partitioned_table_and_its_partitions(history: History) -> None:
    ground = """
        CREATE TABLE pt (d int, k int) PARTITION BY RANGE (d);
        CREATE TABLE p1 PARTITION OF pt FOR VALUES FROM (0) TO (10);
        INSERT INTO pt VALUES (1, 1);
    """
    evidence = history.judge(
        ground, 'ALTER TABLE "public".pt * ADD COLUMN a int, ALTER k SET NOT NULL'
    ).evidence
    (statement,) = evidence.statements
    assert done(statement) == [set(), {"scan of public.p1"}]


@pytest.mark.parametrize(
    ("text", "commands"),
    [
        ("ALTER TABLE t ADD a int", []),
        ("ALTER TABLE t ADD a int; ALTER TABLE t ADD b int, ADD c int", []),
        ("CREATE TABLE t (a int, b int)", []),
        ("ALTER TABLE t ADD a int,", []),
        (
            'ALTER TABLE "a,b"."C" ADD x numeric(3, 2) DEFAULT (ARRAY[1, 2])[1] /* , */, DROP y',
            [
                ('ALTER TABLE "a,b"."C" DROP y', "DROP y"),
                (
                    'ALTER TABLE "a,b"."C" ADD COLUMN x numeric(3, 2) DEFAULT (ARRAY[1, 2])[1]',
                    "ADD x numeric(3, 2) DEFAULT (ARRAY[1, 2])[1]",
                ),
            ],
        ),
        (
            "ALTER TABLE if VALIDATE CONSTRAINT c, ALTER k SET NOT NULL",
            [
                ("ALTER TABLE if ALTER COLUMN k SET NOT NULL", "ALTER k SET NOT NULL"),
                ("ALTER TABLE if VALIDATE CONSTRAINT c", "VALIDATE CONSTRAINT c"),
            ],
        ),
    ],
)
def test_commands_of_a_text(text: str, commands: list[tuple[str, str]]) -> None:
    found = [(one.text, text[one.start : one.end]) for one in single_commands(text)]
    assert found == commands


def test_a_finding_stands_at_the_command_that_did_the_work(history: History) -> None:
    judged = history.judge(
        "CREATE TABLE busy (id bigint PRIMARY KEY, k integer);",
        "ALTER TABLE busy\n    ADD COLUMN plain text,\n    ALTER COLUMN k SET NOT NULL;",
    )
    (finding,) = judged.of_family("blocking-work")
    assert (finding.rule, finding.line, finding.column) == ("set-not-null-scans", 3, 5)
