"""What a statement's text shows: what it does to its transaction, what it creates, what IF NOT EXISTS may keep."""

import pytest

from pytest_migsafe.migrations.grammar import split_statements, twins
from pytest_migsafe.migrations.model import Manner, Script, TransactionMode
from pytest_migsafe.migrations.parse_tree import parse_if_possible
from pytest_migsafe.migrations.source import SourceText
from pytest_migsafe.migrations.statements import Statement


def the_statement(sql: str) -> Statement:
    (statement,) = split_statements(SourceText(sql))
    assert statement.syntax_error == ""
    return statement


@pytest.mark.parametrize(
    ("sql", "control"),
    [
        *((sql, "begin") for sql in ("BEGIN", "begin work", "BEGIN TRANSACTION", "START TRANSACTION")),
        *((sql, "commit") for sql in ("COMMIT", "COMMIT WORK", "END", "END TRANSACTION")),
        *((sql, "rollback") for sql in ("ROLLBACK", "ABORT")),
        *(
            (sql, "other")
            for sql in (
                "BEGIN ISOLATION LEVEL SERIALIZABLE",
                "COMMIT AND CHAIN",
                "ROLLBACK AND CHAIN",
                "SAVEPOINT a",
                "RELEASE a",
                "ROLLBACK TO a",
                "PREPARE TRANSACTION 'a'",
                "COMMIT PREPARED 'a'",
                "ROLLBACK PREPARED 'a'",
            )
        ),
        ("SET CONSTRAINTS ALL IMMEDIATE", None),
        ("SELECT 1", None),
    ],
)
def test_transaction_control_is_told_from_the_parse_tree(sql: str, control: str | None) -> None:
    assert the_statement(sql).transaction_control == control


@pytest.mark.parametrize(
    ("sql", "refusal"),
    [
        ("CREATE INDEX CONCURRENTLY i ON t (a)", "CREATE INDEX CONCURRENTLY"),
        ("DROP INDEX CONCURRENTLY i", "DROP INDEX CONCURRENTLY"),
        ("REINDEX TABLE CONCURRENTLY t", "REINDEX CONCURRENTLY"),
        ("REINDEX (VERBOSE, CONCURRENTLY) INDEX i", "REINDEX CONCURRENTLY"),
        ("REINDEX SCHEMA s", "REINDEX SCHEMA"),
        ("REINDEX DATABASE d", "REINDEX DATABASE"),
        ("REINDEX SYSTEM d", "REINDEX SYSTEM"),
        ("VACUUM", "VACUUM"),
        ("VACUUM (FULL, ANALYZE) t", "VACUUM"),
        ("CLUSTER", "CLUSTER of all tables"),
        ("CLUSTER VERBOSE", "CLUSTER of all tables"),
        ("ALTER TABLE t DETACH PARTITION p CONCURRENTLY", "DETACH PARTITION CONCURRENTLY"),
        ("DISCARD ALL", "DISCARD ALL"),
        ("ALTER SYSTEM SET work_mem = '1MB'", "ALTER SYSTEM"),
        ("ALTER SYSTEM RESET ALL", "ALTER SYSTEM"),
        ("CREATE DATABASE d", "CREATE DATABASE"),
        ("DROP DATABASE d", "DROP DATABASE"),
        ("ALTER DATABASE d SET TABLESPACE s", "ALTER DATABASE SET TABLESPACE"),
        ("CREATE TABLESPACE s LOCATION '/s'", "CREATE TABLESPACE"),
        ("DROP TABLESPACE s", "DROP TABLESPACE"),
        ("COMMIT PREPARED 'a'", "COMMIT PREPARED"),
        ("ROLLBACK PREPARED 'a'", "ROLLBACK PREPARED"),
        ("CREATE SUBSCRIPTION s CONNECTION 'c' PUBLICATION p", "CREATE SUBSCRIPTION with a replication slot"),
        ("DROP SUBSCRIPTION s", "DROP SUBSCRIPTION"),
        ("ALTER SUBSCRIPTION s REFRESH PUBLICATION", "ALTER SUBSCRIPTION REFRESH"),
        ("ALTER SUBSCRIPTION s SET PUBLICATION p", "ALTER SUBSCRIPTION with refresh"),
        ("ALTER SUBSCRIPTION s ADD PUBLICATION p WITH (refresh)", "ALTER SUBSCRIPTION with refresh"),
        ("ALTER SUBSCRIPTION s SET (two_phase = false)", "ALTER SUBSCRIPTION SET (failover, two_phase)"),
    ],
)
def test_what_refuses_a_transaction_block_says_why(sql: str, refusal: str) -> None:
    assert the_statement(sql).refuses_transaction_block == refusal


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE INDEX i ON t (a)",
        "DROP INDEX i",
        "REINDEX TABLE t",
        "REINDEX (CONCURRENTLY false) TABLE t",
        "REINDEX (CONCURRENTLY off) TABLE t",
        "ANALYZE t",
        "CLUSTER t USING i",
        "ALTER TABLE t DETACH PARTITION p",
        "ALTER TABLE t DETACH PARTITION p FINALIZE",
        "DISCARD TEMP",
        "ALTER DATABASE d SET work_mem = '1MB'",
        "ALTER DATABASE d CONNECTION LIMIT 5",
        "REFRESH MATERIALIZED VIEW CONCURRENTLY v",
        "ALTER TYPE e ADD VALUE 'x'",
        "CREATE SUBSCRIPTION s CONNECTION 'c' PUBLICATION p WITH (connect = false)",
        "CREATE SUBSCRIPTION s CONNECTION 'c' PUBLICATION p WITH (create_slot = 'off')",
        "ALTER SUBSCRIPTION s SET PUBLICATION p WITH (refresh = false)",
        "ALTER SUBSCRIPTION s SET (slot_name = none)",
        "ALTER SUBSCRIPTION s DISABLE",
    ],
)
def test_what_runs_in_a_transaction_block_is_not_refused(sql: str) -> None:
    assert the_statement(sql).refuses_transaction_block == ""


@pytest.mark.parametrize(
    ("sql", "created"),
    [
        (
            "CREATE TABLE s.t (a int CONSTRAINT c1 PRIMARY KEY, b int, CONSTRAINT c2 UNIQUE (b), CHECK (b > 0))",
            ["table s t", "column s t.a", "constraint s c1", "column s t.b", "constraint s c2"],
        ),
        (
            "ALTER TABLE t ADD a int, ADD CONSTRAINT c CHECK (true), DROP b",
            ["column  t.a", "constraint  c"],
        ),
        ("CREATE FOREIGN TABLE f (a int) SERVER s", ["table  f", "column  f.a"]),
        ("CREATE TABLE t AS SELECT 1", ["table  t"]),
        ("SELECT 1 AS a INTO s.t", ["table s t"]),
        ("CREATE TABLE p PARTITION OF t DEFAULT", ["table  p"]),
        ("CREATE VIEW s.v AS SELECT 1", ["view s v"]),
        ("CREATE MATERIALIZED VIEW v AS SELECT 1", ["view  v"]),
        ("CREATE SEQUENCE s", ["sequence  s"]),
        ("CREATE INDEX i ON s.t (a)", ["index s i"]),
        ("CREATE INDEX ON t (a)", []),
        ("CREATE TYPE s.e AS ENUM ('a')", ["type s e"]),
        ("CREATE TYPE c AS (a int)", ["type  c"]),
        ("CREATE TYPE r AS RANGE (subtype = int)", ["type  r"]),
        ("CREATE DOMAIN d AS int", ["type  d"]),
        ("CREATE FUNCTION s.f() RETURNS int LANGUAGE sql AS 'SELECT 1'", ["function s f"]),
        ("CREATE PROCEDURE p() LANGUAGE sql AS ''", ["function  p"]),
        ("CREATE SCHEMA s CREATE TABLE t (a int)", ["schema  s", "table  t", "column  t.a"]),
        ("CREATE SCHEMA AUTHORIZATION joe", ["schema  joe"]),
        ("CREATE EXTENSION x", ["extension  x"]),
        ("CREATE USER u", ["role  u"]),
        ("CREATE POLICY p ON s.t", ["policy s p"]),
        ("CREATE TRIGGER g BEFORE INSERT ON t EXECUTE FUNCTION f()", ["trigger  g"]),
        ("ALTER TABLE t RENAME TO u", ["table  u"]),
        ("ALTER TABLE s.t RENAME a TO b", ["column s t.b"]),
        ("ALTER INDEX i RENAME TO j", ["index  j"]),
        ("DROP TABLE t", []),
    ],
)
def test_what_a_statement_creates_is_named_as_it_is_written(sql: str, created: list[str]) -> None:
    assert [f"{one.kind} {one.schema} {one.name}" for one in the_statement(sql).creates] == created


@pytest.mark.parametrize(
    ("sql", "has"),
    [
        ("CREATE TABLE IF NOT EXISTS t (a int)", True),
        ("CREATE TABLE t (a int)", False),
        ("CREATE INDEX IF NOT EXISTS i ON t (a)", True),
        ("ALTER TABLE t ADD COLUMN a int, ADD COLUMN IF NOT EXISTS b int", True),
        ("ALTER TABLE IF EXISTS t ADD COLUMN a int, DROP COLUMN IF EXISTS b", False),
        ("CREATE SCHEMA IF NOT EXISTS s", True),
        ("SELECT 1", False),
    ],
)
def test_if_not_exists_is_noticed_wherever_it_stands(sql: str, has: bool) -> None:
    assert the_statement(sql).if_not_exists is has


# -- twins ---------------------------------------------------------------------------------------------------


def made(sql: str) -> list[tuple[str, str, str]]:
    """Return each twin's kind, the name of what exists, and the statement that makes the twin."""
    return [
        (one.kind, ".".join(filter(None, (one.schema, one.relation, one.name))), one.create)
        for one in twins(sql, "scratch", "twin_")
    ]


def test_a_relation_s_twin_is_made_in_the_scratch_schema() -> None:
    assert made("CREATE TABLE IF NOT EXISTS s.t (a int)") == [
        ("table", "s.t", "CREATE TABLE scratch.t (a int)"),
    ]
    assert made("CREATE SEQUENCE IF NOT EXISTS q") == [("sequence", "q", "CREATE SEQUENCE scratch.q")]
    assert made("CREATE TABLE IF NOT EXISTS t AS SELECT 1") == [
        ("table", "t", "CREATE TABLE scratch.t AS SELECT 1"),
    ]
    assert made("CREATE MATERIALIZED VIEW IF NOT EXISTS m AS SELECT 1") == [
        ("materialized view", "m", "CREATE MATERIALIZED VIEW scratch.m AS SELECT 1"),
    ]


def test_an_index_s_twin_is_made_beside_it_and_in_the_transaction() -> None:
    assert made("CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS i ON s.t (a)") == [
        ("index", "s.t.i", "CREATE UNIQUE INDEX twin_i ON s.t USING btree (a)"),
    ]


def test_each_column_s_twin_is_made_alone() -> None:
    sql = "ALTER TABLE s.t ADD COLUMN IF NOT EXISTS a int NOT NULL, DROP COLUMN c, ADD d int, ADD COLUMN IF NOT EXISTS b text"

    assert made(sql) == [
        ("column", "s.t.a", "ALTER TABLE s.t ADD COLUMN twin_a int NOT NULL"),
        ("column", "s.t.b", "ALTER TABLE s.t ADD COLUMN twin_b text"),
    ]


#: Deeper than protobuf decodes.
DEEP = " || ".join(["a"] * 500)


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE TABLE t (a int)",
        "CREATE INDEX i ON t (a)",
        "CREATE TEMPORARY TABLE IF NOT EXISTS t (a int)",
        "CREATE SCHEMA IF NOT EXISTS s",
        "ALTER TABLE t ADD COLUMN a int",
        "SELEC 1",
        f"CREATE TABLE IF NOT EXISTS t (a text, CHECK ({DEEP} <> ''))",
    ],
)
def test_what_names_nothing_comparable_has_no_twin(sql: str) -> None:
    assert made(sql) == []


# -- a file's statements -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sql", "body", "has_pair"),
    [
        ("BEGIN; SELECT 1; COMMIT;", ["SELECT 1"], True),
        ("-- why\nbegin;\nSELECT 1;\nEND", ["SELECT 1"], True),
        ("START TRANSACTION; COMMIT", [], True),
        ("SELECT 1; SELECT 2", ["SELECT 1", "SELECT 2"], False),
        ("BEGIN; SELECT 1", ["BEGIN", "SELECT 1"], False),
        ("SELECT 1; COMMIT", ["SELECT 1", "COMMIT"], False),
        ("BEGIN; COMMIT; BEGIN; COMMIT", ["BEGIN", "COMMIT", "BEGIN", "COMMIT"], False),
        ("BEGIN; SAVEPOINT a; COMMIT", ["BEGIN", "SAVEPOINT a", "COMMIT"], False),
        ("BEGIN; SELECT 1; ROLLBACK", ["BEGIN", "SELECT 1", "ROLLBACK"], False),
        (
            "BEGIN ISOLATION LEVEL SERIALIZABLE; COMMIT",
            ["BEGIN ISOLATION LEVEL SERIALIZABLE", "COMMIT"],
            False,
        ),
        ("BEGIN; COMMIT; SELECT 1", ["BEGIN", "COMMIT", "SELECT 1"], False),
        ("BEGIN", ["BEGIN"], False),
        ("", [], False),
    ],
)
def test_a_pair_around_the_whole_file_is_left_out_of_its_body(
    sql: str, body: list[str], has_pair: bool
) -> None:
    script = Script.whole(SourceText(sql), Manner(TransactionMode.TRANSACTION, ""))

    assert [one.text for one in script.body] == body
    assert script.has_transaction_pair is has_pair


def test_a_file_is_sent_without_its_mark_and_otherwise_as_it_is() -> None:
    source = SourceText("\ufeffSELECT 1;\r\nSELECT\r\n2;\r\n")
    script = Script.whole(source, Manner(TransactionMode.TRANSACTION, ""))
    first, second = script.statements
    (unit,) = script.units
    (part,) = unit.parts

    assert unit.text(part) == "SELECT 1;\r\nSELECT\r\n2;\r\n"
    assert (script.end_line(first), script.position(second.start).line, script.end_line(second)) == (1, 2, 3)


def test_what_a_later_server_writes_may_be_none_of_our_grammars() -> None:
    assert parse_if_possible("SELECT a ==> SOMEDAY(b") is None
    assert parse_if_possible("SELECT b") is not None
