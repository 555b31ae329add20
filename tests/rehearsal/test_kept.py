"""What IF NOT EXISTS kept is compared with what the statement describes."""

import pytest

from pytest_migsafe.rehearsal.evidence import Kept

from .conftest import Rehearse

GROUND = """
    CREATE TABLE t (id bigserial PRIMARY KEY, name text NOT NULL DEFAULT 'x', k int CHECK (k > 0));
    CREATE INDEX t_name ON t (name);
    CREATE SEQUENCE s INCREMENT 2;
    CREATE SCHEMA "Other"; CREATE TABLE "Other"."Mixed" ("A" int, "b c" text);
    CREATE MATERIALIZED VIEW m AS SELECT id FROM t;
"""


def kept(rehearse: Rehearse, sql: str) -> tuple[Kept, ...]:
    evidence = rehearse.last(GROUND, sql)
    assert evidence.error is None
    assert evidence.after == evidence.before
    (statement,) = evidence.statements
    return statement.kept


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE TABLE IF NOT EXISTS t (id bigserial PRIMARY KEY, name text NOT NULL DEFAULT 'x', k int CHECK (k > 0))",
        (
            "CREATE TABLE IF NOT EXISTS t (k integer, name text DEFAULT 'x' NOT NULL, id bigserial, PRIMARY KEY (id),"
            " CONSTRAINT named CHECK (k > 0))"
        ),
        "CREATE INDEX IF NOT EXISTS t_name ON t USING btree (name)",
        "CREATE SEQUENCE IF NOT EXISTS s INCREMENT BY 2",
        'CREATE TABLE IF NOT EXISTS "Other"."Mixed" ("A" int, "b c" text)',
        "CREATE MATERIALIZED VIEW IF NOT EXISTS m AS SELECT id FROM t",
        "ALTER TABLE t ADD COLUMN IF NOT EXISTS name text NOT NULL DEFAULT 'x'",
        'ALTER TABLE "Other"."Mixed" ADD COLUMN IF NOT EXISTS "b c" text',
    ],
)
def test_the_same_object_does_not_differ(rehearse: Rehearse, sql: str) -> None:
    (one,) = kept(rehearse, sql)
    assert one.not_compared == ""
    assert one.existing == one.wanted != ()


@pytest.mark.parametrize(
    ("sql", "wanted"),
    [
        (
            "CREATE TABLE IF NOT EXISTS t (id bigserial PRIMARY KEY, name varchar(5))",
            "column name character varying(5)",
        ),
        ("CREATE INDEX IF NOT EXISTS t_name ON t (k)", "index USING btree (k)"),
        ("CREATE UNIQUE INDEX IF NOT EXISTS t_name ON t (name)", "unique index USING btree (name)"),
        (
            "CREATE INDEX IF NOT EXISTS t_name ON t (name) WHERE k > 1",
            "index USING btree (name) WHERE (k > 1)",
        ),
        ("ALTER TABLE t ADD COLUMN IF NOT EXISTS k bigint", "column k bigint"),
        ('CREATE TABLE IF NOT EXISTS "Other"."Mixed" ("A" bigint)', 'column "A" bigint'),
        ("CREATE MATERIALIZED VIEW IF NOT EXISTS m AS SELECT name FROM t", "column name text"),
    ],
)
def test_a_different_object_differs(rehearse: Rehearse, sql: str, wanted: str) -> None:
    (one,) = kept(rehearse, sql)
    assert one.differs
    assert wanted in one.wanted
    assert wanted not in one.existing


def test_only_the_columns_that_were_there_are_compared(rehearse: Rehearse) -> None:
    evidence = rehearse.last(
        GROUND, "ALTER TABLE t ADD COLUMN IF NOT EXISTS k int, ADD COLUMN IF NOT EXISTS z int"
    )
    (statement,) = evidence.statements
    assert [(one.name, one.differs) for one in statement.kept] == [("t.k", False)]
    assert "public.t.z" in evidence.after.columns


def test_an_invalid_index_is_not_the_one_that_is_wanted(rehearse: Rehearse) -> None:
    evidence = rehearse.last(
        "CREATE TABLE d (a int); INSERT INTO d VALUES (1), (1)",
        # The first fails and leaves an invalid index; a second try finds its name taken.
        "DO $$ BEGIN CREATE INDEX d_a ON d (a); UPDATE pg_index SET indisvalid = false "
        "WHERE indexrelid = 'd_a'::regclass; END $$",
        "CREATE INDEX IF NOT EXISTS d_a ON d (a)",
    )
    ((one,),) = [statement.kept for statement in evidence.statements]
    assert one.existing == ("index USING btree (a) (INVALID)",)
    assert one.differs


def test_what_cannot_be_compared_says_why(rehearse: Rehearse) -> None:
    (one,) = kept(rehearse, "CREATE TABLE IF NOT EXISTS t (id missing_type)")
    assert not one.differs
    assert one.not_compared == 'type "missing_type" does not exist'


def test_without_a_transaction_the_comparison_leaves_nothing_either(rehearse: Rehearse) -> None:
    evidence = rehearse.last(
        GROUND, "-- no-transaction\nCREATE INDEX CONCURRENTLY IF NOT EXISTS t_name ON t (k);"
    )
    assert evidence.error is None
    assert evidence.after == evidence.before
    ((one,),) = [statement.kept for statement in evidence.statements]
    assert one.differs
