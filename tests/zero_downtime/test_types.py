"""Types of columns that are changed: what has to be done with every row for it, and how it is done while the table is in use."""

import re
from collections.abc import Iterable

import pytest

from tests.zero_downtime.conftest import History
from tests.zero_downtime.remedies import as_file, check_remedies, remedy_files

BUSY = """
CREATE TABLE busy (
    id bigint PRIMARY KEY, k integer, v varchar(50), t text, n numeric(10, 2), ts timestamp, ts3 timestamp(3),
    many varchar(10)[], net cidr, bits bit varying(5), j json
);
CREATE INDEX busy_k ON busy (k);
CREATE INDEX busy_v ON busy (v);
"""
ROWS = """
INSERT INTO busy SELECT i, i, 'v' || i, repeat('x', 1900), i, now(), now(), '{a,b}', '10.0.0.0/8', '101', '{}'
FROM generate_series(1, 450) AS i;
"""
#: A key that others refer to, itself among them, and columns with all that a column can have.
RICH = """
CREATE TABLE rich (
    id serial PRIMARY KEY,
    k integer NOT NULL DEFAULT 3,
    "Odd v" varchar(50) COLLATE "C" NOT NULL,
    parent integer REFERENCES rich (id),
    late integer UNIQUE DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT "Odd check" CHECK (k > 0 AND id > 0),
    CONSTRAINT pair UNIQUE (k, id)
);
CREATE INDEX rich_k ON rich (k DESC NULLS LAST, "Odd v") INCLUDE (parent) WHERE k <> 7;
CREATE UNIQUE INDEX rich_lower ON rich (lower("Odd v"), (k + id));
ALTER TABLE rich ADD CONSTRAINT waits CHECK (k < 1000) NOT VALID;
ALTER TABLE rich ALTER COLUMN k SET STATISTICS 500, ALTER COLUMN k SET (n_distinct = 5);
COMMENT ON COLUMN rich.k IS 'it''s k';
COMMENT ON CONSTRAINT "Odd check" ON rich IS 'a check';
COMMENT ON INDEX rich_k IS 'an index';
GRANT SELECT (id, k), UPDATE (k) ON rich TO PUBLIC;
CREATE TABLE child (
    id integer GENERATED ALWAYS AS IDENTITY (START 5 INCREMENT 5) PRIMARY KEY,
    rich_id integer NOT NULL REFERENCES rich (id) ON DELETE CASCADE,
    k integer,
    k_id integer,
    FOREIGN KEY (k, k_id) REFERENCES rich (k, id)
);
"""
RICH_ROWS = """
INSERT INTO rich (k, "Odd v", parent, late) SELECT i, 'v' || i, NULL, i FROM generate_series(1, 9) AS i;
UPDATE rich SET parent = 1;
INSERT INTO child (rich_id, k, k_id) SELECT id, k, id FROM rich;
"""


def check_side_by_side(history: History, cases: Iterable[tuple[str, str, str]]) -> None:
    """Check the remedies of many changes in one history: each has tables of the same names in a schema of its own.

    A case is what is there, the statement, in which ``{s}`` stands for the schema, and the rule that speaks of it.
    """
    some = list(cases)
    there = "\n".join(
        f"CREATE SCHEMA s{number}; SET search_path TO s{number}; {before}"
        for number, (before, _, _) in enumerate(some)
    )
    text = "\n".join(change.format(s=f"s{number}") for number, (_, change, _) in enumerate(some))
    judged = check_remedies(history, [f"{there}\nRESET search_path;"], text)
    assert judged.rules == [rule for _, _, rule in some]


def test_a_new_column_takes_the_place_of_the_old_one(history: History) -> None:
    changed = (
        "rich ALTER COLUMN id TYPE bigint",
        "rich ALTER COLUMN k TYPE bigint",
        "rich ALTER COLUMN k TYPE numeric(20, 1) USING rich.k::numeric",
        'rich ALTER COLUMN "Odd v" TYPE varchar(20) COLLATE "POSIX"',
        "rich ALTER COLUMN parent TYPE bigint",
        "rich ALTER COLUMN late TYPE bigint",
        "child ALTER COLUMN id TYPE bigint",
        "child ALTER COLUMN rich_id TYPE bigint",
    )
    cases = ((f"{RICH}{RICH_ROWS}", f"ALTER TABLE {{s}}.{one};", "type-change-rewrites") for one in changed)
    check_side_by_side(history, cases)


def test_a_type_whose_values_are_stored_otherwise(history: History) -> None:
    changed = (
        "v TYPE varchar(20)",
        "v TYPE char(60)",
        "t TYPE varchar(5000)",
        "n TYPE numeric(12, 4)",
        "k TYPE text USING 'n' || k",
        "k TYPE integer USING k + 1",
        "many TYPE text[]",
        "j TYPE jsonb",
        "ts TYPE date",
        "ts TYPE timestamptz USING ts AT TIME ZONE 'Europe/Berlin'",
    )
    cases = (
        (f"{BUSY}{ROWS}", f"ALTER TABLE {{s}}.busy ALTER COLUMN {one};", "type-change-rewrites")
        for one in changed
    )
    check_side_by_side(history, cases)


def test_types_whose_values_are_stored_the_same(history: History) -> None:
    changed = (
        "v TYPE varchar(100)",
        "v TYPE text",
        "t TYPE varchar",
        "n TYPE numeric(12, 2)",
        "n TYPE numeric",
        "ts3 TYPE timestamp",
        "net TYPE inet",
        "bits TYPE bit varying(9)",
        "k TYPE integer",
        "k TYPE integer USING k",
    )
    text = "\n".join(f"ALTER TABLE busy ALTER COLUMN {one};" for one in changed)
    judged = history.judge(BUSY, ROWS, text)
    assert judged.rules == []
    assert judged.evidence.applied


BUSY_TWICE = """
CREATE INDEX busy_some ON busy (id) WHERE v <> '';
COMMENT ON INDEX busy_some IS 'some';
CREATE UNIQUE INDEX busy_lower ON busy (lower(v));
ALTER TABLE busy ADD CHECK (v <> 'q');
"""
CHECKED = """
ALTER TABLE busy ADD CONSTRAINT said CHECK (v <> 'q');
COMMENT ON CONSTRAINT said ON busy IS 'so';
"""
REFERRING = """
CREATE TABLE referred (ts timestamp PRIMARY KEY);
INSERT INTO referred SELECT ts FROM busy;
ALTER TABLE busy ADD FOREIGN KEY (ts) REFERENCES referred;
"""


def test_what_is_done_anew_though_the_values_are_stored_the_same(history: History) -> None:
    later = ROWS.replace("now(), now()", "now() + i * interval '1 day', now()")
    cases = (
        ("CREATE INDEX busy_lower ON busy (lower(v));", "v TYPE varchar(100)", "type-change-rebuilds-index"),
        (BUSY_TWICE, "v TYPE varchar(100)", "type-change-rebuilds-index"),
        ("CREATE INDEX busy_ts ON busy (ts);", "ts TYPE timestamptz", "type-change-rebuilds-index"),
        ("ALTER TABLE busy ADD UNIQUE (ts, id);", "ts TYPE timestamptz", "type-change-rebuilds-index"),
        (CHECKED, "v TYPE varchar(100)", "type-change-rescans-check"),
        (REFERRING, "ts TYPE timestamptz", "type-change-revalidates-foreign-key"),
    )
    check_side_by_side(
        history,
        (
            (f"{BUSY}{later}{there}", f"ALTER TABLE {{s}}.busy ALTER COLUMN {changed};", rule)
            for there, changed, rule in cases
        ),
    )


def test_an_index_that_cannot_be_away_makes_a_new_column_the_way(history: History) -> None:
    unique = "ALTER TABLE busy ADD UNIQUE (ts, id);"
    (finding,) = history.judge(BUSY, unique, "ALTER TABLE busy ALTER ts TYPE timestamptz;").of_family(
        "blocking-work"
    )
    assert finding.rule == "type-change-rebuilds-index"
    assert finding.remedy.startswith("A new column")
    assert "ADD COLUMN ts_new" in finding.files[0].sql


def test_a_check_that_is_not_valid_is_not_looked_up(history: History) -> None:
    there = "ALTER TABLE busy ADD CHECK (v <> 'q') NOT VALID;"
    assert history.judge(BUSY, ROWS, there, "ALTER TABLE busy ALTER v TYPE varchar(100);").rules == []


def test_both_ends_of_a_foreign_key_wait(history: History) -> None:
    judged = history.judge(RICH, RICH_ROWS, "ALTER TABLE rich ALTER COLUMN id TYPE bigint;")
    (finding,) = judged.of_rule("type-change-rewrites")
    assert finding.message == (
        "reads and writes of public.rich and public.child wait while public.rich is written anew and its 5 indexes are built "
        "anew and public.child is read as a whole: column id becomes bigint instead of integer"
    )


def test_a_key_that_widens_for_free_leaves_both_ends_alone(history: History) -> None:
    there = "CREATE TABLE p (v varchar(10) PRIMARY KEY); CREATE TABLE c (v varchar(10) REFERENCES p);"
    assert history.judge(there, "ALTER TABLE p ALTER v TYPE varchar(20);").rules == []
    assert history.judge(there, "ALTER TABLE c ALTER v TYPE text;").rules == []


def test_times_of_utc_are_free_where_the_session_says_so(history: History) -> None:
    change = "ALTER TABLE busy ALTER COLUMN ts TYPE timestamptz;"
    (finding,) = history.judge(BUSY, change, timezone="Europe/Berlin").of_family("blocking-work")
    assert finding.rule == "type-change-rewrites"
    assert "SET LOCAL TimeZone = 'UTC'" in finding.remedy
    assert finding.files == ()
    assert history.judge(BUSY, f"SET LOCAL TimeZone = 'UTC'; {change}", timezone="Europe/Berlin").rules == []


def test_times_that_are_free_in_utc_only_are_a_warning(history: History) -> None:
    judged = check_remedies(history, [BUSY, ROWS], "ALTER TABLE busy ALTER COLUMN ts TYPE timestamptz;")
    assert judged.rules == ["type-change-needs-utc"]
    assert not any(one.fails for one in judged.of_family("blocking-work"))
    cast = "ALTER TABLE busy ALTER COLUMN ts TYPE timestamptz USING ts::timestamptz;"
    assert history.judge(BUSY, cast).rules == ["type-change-needs-utc"]
    new = "CREATE TABLE n (ts timestamp); ALTER TABLE n ALTER ts TYPE timestamptz;"
    assert history.judge(BUSY, new).rules == []


@pytest.mark.parametrize(
    ("there", "text", "waiting"),
    [
        (
            "CREATE TABLE p (id integer, d integer) PARTITION BY LIST (d); CREATE TABLE p1 PARTITION OF p DEFAULT;",
            "ALTER TABLE p ALTER id TYPE bigint;",
            "public.p and public.p1",
        ),
        (
            "CREATE TABLE p (id integer); CREATE TABLE p1 () INHERITS (p);",
            "ALTER TABLE p ALTER id TYPE bigint;",
            "public.p and public.p1",
        ),
        (
            "CREATE TYPE pair AS (a integer, b integer); CREATE TABLE p OF pair;",
            "ALTER TYPE pair ALTER ATTRIBUTE a TYPE bigint CASCADE;",
            "public.p",
        ),
    ],
)
def test_all_tables_that_are_changed_with_it_wait(
    history: History, there: str, text: str, waiting: str
) -> None:
    (finding,) = history.judge(there, text).of_family("blocking-work")
    assert finding.rule == "type-change-rewrites"
    assert finding.message.startswith(f"reads and writes of {waiting} wait")
    assert finding.files == ()


@pytest.mark.parametrize(
    ("done", "rule"),
    [
        ("ALTER TABLE busy ALTER k TYPE bigint", "type-change-rewrites"),
        ("ALTER TABLE busy ADD z uuid DEFAULT gen_random_uuid()", "volatile-default"),
        ("ALTER TABLE busy ADD z bigserial", "serial-column-added"),
        ("ALTER TABLE busy ADD z integer GENERATED ALWAYS AS IDENTITY", "identity-column-added"),
        ("ALTER TABLE busy ADD z integer GENERATED ALWAYS AS (k * 2) STORED", "stored-generated-column"),
        ("ALTER TABLE busy ADD z positive", "constrained-domain-column"),
        ("ALTER TABLE busy SET UNLOGGED", "set-logged-rewrites"),
    ],
)
def test_what_a_do_block_does_is_told_by_the_schema(history: History, done: str, rule: str) -> None:
    there = f"{BUSY} CREATE DOMAIN positive AS integer CHECK (VALUE > 0);"
    judged = history.judge(there, f"DO $do$ BEGIN EXECUTE '{done}'; END $do$;")
    assert [one for one in judged.rules if one == rule] == [rule]
    assert all(not one.files for one in judged.of_rule(rule))


def test_the_expression_of_a_generated_column(history: History) -> None:
    if history.major < 17:
        pytest.skip("ALTER COLUMN ... SET EXPRESSION came with PostgreSQL 17")
    there = "CREATE TABLE g (k integer, s integer GENERATED ALWAYS AS (k * 2) STORED);"
    judged = history.judge(there, "ALTER TABLE g ALTER s SET EXPRESSION AS (k * 3);")
    assert judged.rules == ["generated-expression-changed"]
    if history.major >= 18:
        there = "CREATE TABLE g (k integer, s integer GENERATED ALWAYS AS (k * 2) VIRTUAL);"
        assert history.judge(there, "ALTER TABLE g ALTER s SET EXPRESSION AS (k * 3);").rules == []
        assert history.judge(there, "ALTER TABLE g ADD z integer GENERATED ALWAYS AS (k * 3);").rules == []


def test_each_command_of_an_alter_table_answers_for_itself(history: History) -> None:
    judged = history.judge(
        BUSY,
        "ALTER TABLE busy ADD a integer DEFAULT 5, ADD b uuid DEFAULT gen_random_uuid(), ALTER k TYPE bigint, ALTER v TYPE text;",
    )
    assert sorted(judged.rules) == ["type-change-rewrites", "volatile-default"]


def test_what_is_rolled_back_to_a_savepoint_was_done_once(history: History) -> None:
    judged = history.judge(
        BUSY,
        "SAVEPOINT a; ALTER TABLE busy ALTER k TYPE bigint; ROLLBACK TO SAVEPOINT a; ALTER TABLE busy ADD z integer;",
    )
    assert judged.rules == ["type-change-rewrites"]
    assert judged.of_rule("type-change-rewrites")[0].message.endswith(
        "column k becomes bigint instead of integer"
    )


#: In the order of the tables t0, t1, ...: what is done to each.
VALUES = """
ALTER TABLE t0 ADD z bigserial;
ALTER TABLE t1 ADD z integer GENERATED ALWAYS AS IDENTITY (START 100 INCREMENT 5);
ALTER TABLE t2 ADD z uuid NOT NULL DEFAULT gen_random_uuid();
ALTER TABLE t3 ADD z integer GENERATED ALWAYS AS (k * 2) STORED;
ALTER TABLE t4 ALTER k TYPE text USING 'n' || k;
"""
#: What is to be so afterwards.
VALUES_ARE_RIGHT = """
DO $look$ BEGIN
    ASSERT (SELECT count(z) = count(*) AND count(DISTINCT z) = count(*) FROM t0), 't0';
    INSERT INTO t0 (id) VALUES (0);
    ASSERT (SELECT max(z) FROM t0 WHERE id <> 0) < (SELECT z FROM t0 WHERE id = 0), 'next of t0';
    ASSERT (SELECT count(DISTINCT z) = count(*) AND min(z) = 100 AND bool_and(z % 5 = 0) FROM t1), 't1';
    INSERT INTO t1 (id) VALUES (0);
    ASSERT (SELECT max(z) FROM t1 WHERE id <> 0) < (SELECT z FROM t1 WHERE id = 0), 'next of t1';
    ASSERT (SELECT count(DISTINCT z) = count(*) FROM t2), 't2';
    ASSERT (SELECT bool_and(z = k * 2) FROM t3), 't3';
    ASSERT (SELECT bool_and(k = CASE id WHEN 5 THEN 'n-5' ELSE 'n' || id END) FROM t4), 't4';
END $look$;
"""


def test_rows_have_the_values_that_the_migration_would_have_given_them(history: History) -> None:
    """The files of the safe ways are run while an application writes, and then the rows are looked at."""
    there = f"{BUSY}{ROWS}" + "".join(
        f"CREATE TABLE t{one} (LIKE busy INCLUDING ALL); INSERT INTO t{one} SELECT * FROM busy;"
        for one in range(5)
    )
    judged = history.judge(there, VALUES)
    (stored,) = judged.of_rule("stored-generated-column")
    begun, filled = re.split(r"^-- file .*$", stored.remedy, flags=re.MULTILINE)[1:]
    files = [
        begun,
        f"-- no-transaction{filled}",
        *map(as_file, remedy_files(judged.of_family("blocking-work"))),
    ]
    texts = [there]
    for number, text in enumerate(files, start=1000):
        texts += [
            "".join(
                f"INSERT INTO t{one} (id, k) VALUES ({number}, {number}); UPDATE t{one} SET k = -5 WHERE id = 5;"
                for one in range(5)
            ),
            text,
        ]
    looked_at = history.evidences(*texts, VALUES_ARE_RIGHT)[-1]
    assert looked_at.error is None


def test_a_domain_with_constraints_is_not_reached_by_a_new_column_either(history: History) -> None:
    ground = "CREATE DOMAIN positive AS integer CHECK (VALUE > 0); CREATE TABLE counted (id bigint PRIMARY KEY, k integer);"
    (finding,) = history.judge(ground, "ALTER TABLE counted ALTER COLUMN k TYPE positive;").of_family(
        "blocking-work"
    )
    assert finding.rule == "type-change-rewrites"
    assert finding.files == ()
    assert "CHECK constraints, NOT VALID first" in finding.remedy
