"""What the previous version of the application could use before a file, and cannot after it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import psycopg
import pytest

from pytest_migsafe import catalog
from pytest_migsafe.findings import Severity
from pytest_migsafe.postgres.database import create_database
from pytest_migsafe.postgres.server import Server
from pytest_migsafe.rules import judge
from pytest_migsafe.rules.builtin import RULES
from pytest_migsafe.rules.compatibility.check import NO_OLD_CODE
from pytest_migsafe.rules.compatibility.types import changed
from pytest_migsafe.rules.compatibility.values import constraint_added
from tests.zero_downtime.conftest import MAJORS, History, Judged
from tests.zero_downtime.remedies import as_file

FAMILY = "breaks-old-code"
ERROR, WARNING = Severity.ERROR, Severity.WARNING

GROUND = """
    CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
    CREATE TYPE pair AS (a integer, b text);
    CREATE DOMAIN positive AS integer CHECK (VALUE > 0);
    CREATE TABLE parent (id bigint PRIMARY KEY, name text UNIQUE);
    CREATE TABLE busy (
        id bigint PRIMARY KEY, k integer, name varchar(50), price numeric(10, 2), feeling mood DEFAULT 'ok',
        needed text NOT NULL, filled text NOT NULL DEFAULT 'x', at timestamp, data json
    );
    CREATE TABLE unrelated (id bigint PRIMARY KEY, one text);
    CREATE SEQUENCE tickets;
    CREATE VIEW seen AS SELECT id, k, name FROM busy;
    CREATE VIEW counted AS SELECT k, count(*) AS many FROM busy GROUP BY k;
    CREATE FUNCTION total(a integer, b integer DEFAULT 1) RETURNS integer LANGUAGE sql AS 'SELECT a + b';
    CREATE FUNCTION listed(n integer) RETURNS TABLE (id bigint, name text) LANGUAGE sql AS 'SELECT 1::bigint, ''x''';
    CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.k := 1; RETURN NEW; END $$;
"""


def told(judged: Judged) -> list[tuple[str, Severity, str]]:
    """Return the findings of the family: rule, severity and the object."""
    assert judged.evidence.applied, judged.evidence.error
    return [(one.rule, one.severity, one.objects[0]) for one in judged.of_family(FAMILY)]


#: A file after the ground, and what is said of it.
CASES: list[tuple[str, list[tuple[str, Severity, str]]]] = [
    # Tables: renamed, moved, dropped; whoever did it, and once only.
    ("ALTER TABLE busy RENAME TO hectic", [("table-renamed", ERROR, "public.busy")]),
    ("CREATE SCHEMA app; ALTER TABLE busy SET SCHEMA app", [("table-renamed", ERROR, "public.busy")]),
    (
        "DO $$ BEGIN EXECUTE 'ALTER TABLE unrelated RENAME TO n'; END $$; ALTER TABLE n ADD c int",
        [("table-renamed", ERROR, "public.unrelated")],
    ),
    (
        # Two of the same shape: the statements tell which became which.
        "CREATE TABLE twin (LIKE unrelated); ALTER TABLE unrelated RENAME TO a; ALTER TABLE parent RENAME TO b",
        [("table-renamed", ERROR, "public.unrelated"), ("table-renamed", ERROR, "public.parent")],
    ),
    ("ALTER VIEW seen RENAME TO shown", [("table-renamed", ERROR, "public.seen")]),
    ("ALTER TABLE busy RENAME TO hectic; ALTER TABLE hectic RENAME TO busy", []),
    ("DROP TABLE unrelated", [("table-removed", WARNING, "public.unrelated")]),
    ("CREATE TABLE n (LIKE unrelated); DROP TABLE unrelated", [("table-removed", WARNING, "public.unrelated")]),
    ("DROP TABLE busy CASCADE", [("table-removed", WARNING, "public.busy")]),
    ("CREATE TABLE n (id int); CREATE VIEW nv AS TABLE n; DROP TABLE n CASCADE", []),
    ("CREATE TABLE n (id int, a int); ALTER TABLE n RENAME a TO b; ALTER TABLE n RENAME TO m", []),
    ("SAVEPOINT s; DROP TABLE unrelated; ROLLBACK TO s; CREATE TABLE n (id int)", []),
    # The same name, for a table of the same columns.
    (
        ("ALTER TABLE unrelated RENAME TO former; CREATE TABLE unrelated (LIKE former INCLUDING ALL) PARTITION BY RANGE (id);"
        "ALTER TABLE unrelated ATTACH PARTITION former DEFAULT"),
        [],
    ),
    ("DROP TABLE unrelated; CREATE TABLE unrelated (id bigint PRIMARY KEY)", [("column-removed", WARNING, "public.unrelated.one")]),
    # A view in its place.
    ("ALTER TABLE unrelated RENAME TO n; CREATE VIEW unrelated AS SELECT * FROM n", []),
    ("CREATE SCHEMA app; ALTER TABLE unrelated SET SCHEMA app; CREATE VIEW unrelated AS SELECT id, one FROM app.unrelated", []),
    (
        "ALTER TABLE unrelated RENAME TO n; CREATE VIEW unrelated AS SELECT id FROM n",
        [("column-removed", WARNING, "public.unrelated.one")],
    ),
    (
        "ALTER TABLE unrelated RENAME TO n; CREATE VIEW unrelated AS SELECT DISTINCT * FROM n",
        [("table-not-writable", ERROR, "public.unrelated")],
    ),
    (
        "ALTER TABLE unrelated RENAME TO n; CREATE VIEW unrelated AS SELECT id, lower(one) AS one FROM n",
        [("column-not-writable", ERROR, "public.unrelated")],
    ),
    (
        "ALTER TABLE unrelated RENAME TO n; CREATE MATERIALIZED VIEW unrelated AS SELECT * FROM n",
        [("table-not-writable", ERROR, "public.unrelated")],
    ),
    (
        "ALTER TABLE unrelated RENAME TO n; ALTER TABLE n ADD c int NOT NULL; CREATE VIEW unrelated AS SELECT id, one FROM n",
        [("required-column-added", ERROR, "public.n.c")],
    ),
    # Views.
    ("DROP VIEW counted", [("view-removed", WARNING, "public.counted")]),
    ("CREATE OR REPLACE VIEW seen AS SELECT id, k, name, price FROM busy", []),
    ("DROP VIEW seen; CREATE VIEW seen AS SELECT id, k FROM busy", [("column-removed", WARNING, "public.seen.name")]),
    ("CREATE OR REPLACE VIEW seen AS SELECT DISTINCT id, k, name FROM busy", [("table-not-writable", WARNING, "public.seen")]),
    ("CREATE OR REPLACE VIEW counted AS SELECT k, count(*) AS many FROM busy WHERE k > 0 GROUP BY k", []),
    # Columns: renamed, dropped.
    ("ALTER TABLE busy RENAME needed TO wanted", [("column-renamed", ERROR, "public.busy.needed")]),
    ("ALTER TABLE busy RENAME k TO l", [("column-renamed", ERROR, "public.busy.k")]),
    (
        "DROP VIEW seen; ALTER TABLE busy RENAME name TO title; CREATE VIEW seen AS SELECT id, k, title FROM busy",
        [("column-renamed", ERROR, "public.busy.name")],
    ),
    ("ALTER TABLE busy DROP price", [("column-removed", WARNING, "public.busy.price")]),
    ("ALTER TABLE busy DROP price, DROP at", [("column-removed", WARNING, "public.busy.price")]),
    (
        "DROP VIEW seen; ALTER TABLE busy DROP name; CREATE VIEW seen AS SELECT id, k FROM busy",
        [("column-removed", WARNING, "public.busy.name")],
    ),
    ("ALTER TABLE busy DROP k CASCADE", [("column-removed", WARNING, "public.busy.k")]),
    # Columns: what writers have to give.
    ("ALTER TABLE busy ADD c int NOT NULL", [("required-column-added", ERROR, "public.busy.c")]),
    ("ALTER TABLE busy ADD c int NOT NULL DEFAULT 0; ALTER TABLE busy ALTER c DROP DEFAULT", [("required-column-added", ERROR, "public.busy.c")]),
    ("ALTER TABLE busy ADD c int NOT NULL DEFAULT 0, ADD d int, ADD e int NOT NULL GENERATED ALWAYS AS (coalesce(k, 0)) STORED", []),
    ("ALTER TABLE busy ADD c bigint GENERATED ALWAYS AS IDENTITY", []),
    (
        ("CREATE FUNCTION fill() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.c := 1; RETURN NEW; END $$;"
        "CREATE TRIGGER fill BEFORE INSERT ON busy FOR EACH ROW EXECUTE FUNCTION fill();"
        "ALTER TABLE busy ADD c int NOT NULL"),
        [],
    ),
    ("ALTER TABLE busy ALTER price SET NOT NULL", [("not-null-added", WARNING, "public.busy.price")]),
    ("ALTER TABLE busy ADD CONSTRAINT c CHECK (price IS NOT NULL) NOT VALID", [("not-null-added", WARNING, "public.busy.price")]),
    ("ALTER TABLE busy ALTER feeling SET NOT NULL", []),
    ("ALTER TABLE busy ALTER needed DROP NOT NULL, ALTER filled SET DEFAULT 'y'", []),
    ("ALTER TABLE busy ALTER filled DROP DEFAULT", [("default-removed", WARNING, "public.busy.filled")]),
    ("ALTER TABLE busy ALTER feeling DROP DEFAULT", []),
    ("ALTER TABLE busy DROP price, ADD price int GENERATED ALWAYS AS (k * 2) STORED", [("column-not-writable", ERROR, "public.busy.price"), ("column-type-changed", WARNING, "public.busy.price")]),
    ("ALTER TABLE unrelated ALTER id ADD GENERATED ALWAYS AS IDENTITY", [("column-not-writable", WARNING, "public.unrelated.id")]),
    ("ALTER TABLE unrelated ALTER id ADD GENERATED BY DEFAULT AS IDENTITY", []),
    ("ALTER TABLE unrelated RENAME one TO two; ALTER TABLE unrelated ADD one text GENERATED ALWAYS AS (two) STORED", [("column-not-writable", ERROR, "public.unrelated.one")]),
    # Types of columns.
    ("ALTER TABLE busy ALTER price TYPE numeric(12, 2), ALTER data TYPE json, ALTER at TYPE timestamp(3)", []),
    ("DROP VIEW seen; ALTER TABLE busy ALTER name TYPE varchar(80); CREATE VIEW seen AS SELECT id, k, name FROM busy", []),
    ("DROP VIEW seen; ALTER TABLE busy ALTER name TYPE text; CREATE VIEW seen AS SELECT id, k, name FROM busy", []),
    ("ALTER TABLE busy ALTER needed TYPE varchar(10)", [("column-type-changed", WARNING, "public.busy.needed")]),
    ("ALTER TABLE busy ALTER price TYPE numeric(8, 2)", [("column-type-changed", WARNING, "public.busy.price")]),
    ("ALTER TABLE unrelated ALTER one TYPE integer USING one::integer", [("column-type-changed", ERROR, "public.unrelated.one")]),
    ("ALTER TABLE busy ALTER at TYPE timestamptz", [("column-type-changed", WARNING, "public.busy.at")]),
    ("ALTER TABLE busy ALTER data TYPE jsonb", [("column-type-changed", WARNING, "public.busy.data")]),
    ("ALTER TABLE busy ALTER needed TYPE text[] USING ARRAY[needed]", [("column-type-changed", ERROR, "public.busy.needed")]),
    (
        ("DROP VIEW seen, counted; ALTER TABLE busy ALTER k TYPE bigint; CREATE VIEW seen AS SELECT id, k, name FROM busy;"
        "CREATE VIEW counted AS SELECT k, count(*) AS many FROM busy GROUP BY k"),
        [("column-type-changed", WARNING, "public.busy.k")],
    ),
    ("DROP VIEW seen, counted; ALTER TABLE busy ALTER k TYPE positive; CREATE VIEW seen AS SELECT id, k, name FROM busy; CREATE VIEW counted AS SELECT k, count(*) AS many FROM busy GROUP BY k", [("column-type-changed", WARNING, "public.busy.k")]),
    # Functions.
    ("DROP FUNCTION touch(); DROP FUNCTION total(integer, integer)", [("function-removed", WARNING, "public.total(integer,integer)")]),
    ("ALTER FUNCTION total(integer, integer) RENAME TO added", [("function-renamed", ERROR, "public.total(integer,integer)")]),
    ("CREATE OR REPLACE FUNCTION total(a integer, b integer DEFAULT 2) RETURNS integer LANGUAGE sql AS 'SELECT a - b'", []),
    (
        ("DROP FUNCTION total; CREATE FUNCTION total(a integer, b integer DEFAULT 1, c integer DEFAULT 1) RETURNS integer"
        " LANGUAGE sql AS 'SELECT a + b + c'"),
        [],
    ),
    (
        "DROP FUNCTION total; CREATE FUNCTION total(a integer, b integer) RETURNS integer LANGUAGE sql AS 'SELECT a + b'",
        [("function-signature-changed", ERROR, "public.total(integer,integer)")],
    ),
    (
        "DROP FUNCTION total; CREATE FUNCTION total(x integer, b integer DEFAULT 1) RETURNS integer LANGUAGE sql AS 'SELECT x'",
        [("function-signature-changed", ERROR, "public.total(integer,integer)")],
    ),
    (
        "DROP FUNCTION total; CREATE FUNCTION total(a text) RETURNS integer LANGUAGE sql AS 'SELECT 1'",
        [("function-signature-changed", ERROR, "public.total(integer,integer)")],
    ),
    (
        ("DROP FUNCTION listed; CREATE FUNCTION listed(n integer) RETURNS TABLE (id bigint, name text, more text) LANGUAGE sql"
        " AS 'SELECT 1::bigint, ''x'', ''y'''"),
        [],
    ),
    (
        "DROP FUNCTION listed; CREATE FUNCTION listed(n integer) RETURNS TABLE (id bigint) LANGUAGE sql AS 'SELECT 1::bigint'",
        [("function-signature-changed", ERROR, "public.listed(integer)")],
    ),
    # Types, sequences, schemas, extensions.
    ("ALTER TYPE mood RENAME VALUE 'ok' TO 'fine'", [("enum-value-renamed", ERROR, "public.mood")]),
    ("ALTER TYPE mood ADD VALUE 'great'", []),
    ("ALTER TYPE mood RENAME VALUE 'sad' TO 'low'; ALTER TYPE mood ADD VALUE 'great'", [("enum-value-renamed", ERROR, "public.mood")]),
    (
        ("ALTER TYPE mood RENAME TO old; CREATE TYPE mood AS ENUM ('sad', 'ok'); ALTER TABLE busy ALTER feeling DROP DEFAULT,"
        " ALTER feeling TYPE mood USING feeling::text::mood, ALTER feeling SET DEFAULT 'ok'; DROP TYPE old"),
        [("enum-value-removed", WARNING, "public.mood")],
    ),
    ("ALTER TYPE mood RENAME TO moods", [("type-renamed", ERROR, "public.mood")]),
    ("ALTER TYPE pair DROP ATTRIBUTE b", [("type-changed", WARNING, "public.pair")]),
    ("ALTER TYPE pair ADD ATTRIBUTE c text", [("type-changed", WARNING, "public.pair")]),
    ("DROP TYPE pair", [("type-removed", WARNING, "public.pair")]),
    ("ALTER TABLE busy DROP feeling; DROP TYPE mood", [("column-removed", WARNING, "public.busy.feeling")]),
    ("ALTER SEQUENCE tickets RENAME TO numbers", [("sequence-renamed", ERROR, "public.tickets")]),
    ("DROP SEQUENCE tickets", [("sequence-removed", WARNING, "public.tickets")]),
    # Keys on which conflicts are resolved.
    ("ALTER TABLE parent DROP CONSTRAINT parent_name_key", [("unique-removed", WARNING, "public.parent")]),
    ("ALTER TABLE parent DROP CONSTRAINT parent_name_key; CREATE UNIQUE INDEX n ON parent (name)", []),
    # Normal work.
    ("ALTER TABLE busy ADD CONSTRAINT c CHECK (k > 0); CREATE UNIQUE INDEX ON busy (name)", []),
    ("CREATE TABLE n (id int NOT NULL REFERENCES parent); ALTER TABLE busy ADD parent_id bigint REFERENCES parent", []),
]  # fmt: skip


# That old code fails is asked of every major version below; what is said of it depends on none.
@pytest.mark.parametrize("major_server", MAJORS[-1:], indirect=True)
@pytest.mark.parametrize(("migration", "expected"), CASES)
def test_what_old_code_could_use_is_told_once(
    history: History, migration: str, expected: list[tuple[str, Severity, str]]
) -> None:
    assert told(history.judge(GROUND, migration)) == expected


#: What the previous version of the application does with the ground: all of it works before the file.
OLD_CODE = (
    "SELECT id, k + 1, lower(name), price, feeling, lower(needed), filled, at, data FROM busy WHERE at IS NULL",
    "INSERT INTO busy (id, needed) VALUES (1, 'x')",
    "INSERT INTO busy VALUES (2, 1, repeat('n', 50), 99999999.99, 'ok', repeat('x', 100), 'x', now(), '{}')",
    "INSERT INTO busy (id, k, needed, price, at, data) VALUES (3, -1, 'y', NULL, now(), '{}')",
    "UPDATE busy SET k = 2, name = 'm', price = 1.5, feeling = 'sad', at = NULL WHERE needed = 'x'",
    "DELETE FROM busy WHERE id = 1",
    "INSERT INTO unrelated (id, one) VALUES (1, 'x')",
    "INSERT INTO unrelated (id, one) VALUES (1, 'x') ON CONFLICT DO NOTHING",
    "UPDATE unrelated SET one = 'y' WHERE lower(one) = 'x'",
    "DELETE FROM unrelated WHERE id = 1",
    "INSERT INTO parent (id, name) VALUES (1, 'x') ON CONFLICT (name) DO UPDATE SET name = 'y'",
    "SELECT id, k, name FROM seen",
    "UPDATE seen SET name = 'q'",
    "SELECT k, many FROM counted",
    "SELECT total(1), total(1, 2), total(a => 1)",
    "SELECT id, name FROM listed(1)",
    "SELECT nextval('tickets')",
    "SELECT 'sad'::mood, 'ok'::mood, 'happy'::mood",
    "SELECT (ROW(1, 'x')::pair).b, 1::positive",
)
#: What is said because of drivers, which no SQL shows.
FOR_DRIVERS = ("TYPE timestamptz", "TYPE jsonb", "TYPE bigint")
#: Normal work, which old code may or may not keep to.
MAY_VIOLATE = ("ADD CONSTRAINT c CHECK (k > 0)",)


def test_the_statements_of_old_code_fail_exactly_where_that_is_said(major_server: Server) -> None:
    with create_database(major_server) as database, database.connect() as connection:
        connection.execute(GROUND.encode())
        assert failing(connection) == []
        wrong = []
        for migration, expected in CASES:
            with rolled_back(connection):
                connection.execute(migration.encode())
                failed = failing(connection)
            if bool(failed) != bool(expected) and not any(
                one in migration for one in (*FOR_DRIVERS, *MAY_VIOLATE)
            ):
                wrong.append((migration, expected, failed))
        assert wrong == []


def failing(connection: psycopg.Connection[Any]) -> list[str]:
    """Return the statements of old code that fail; nothing of them remains."""
    failed = []
    with rolled_back(connection):
        for statement in OLD_CODE:
            try:
                with connection.transaction():
                    connection.execute(statement.encode())
            except psycopg.Error as error:
                failed.append(f"{statement}: {error}")
    return failed


@contextmanager
def rolled_back(connection: psycopg.Connection[Any]) -> Iterator[None]:
    """Undo what is done inside."""
    with connection.transaction(force_rollback=True):
        yield


@pytest.mark.parametrize(
    ("before", "migration", "expected"),
    [
        (
            "CREATE SCHEMA app; CREATE TABLE app.a (id int); CREATE FUNCTION app.f() RETURNS int LANGUAGE sql AS 'SELECT 1';",
            "DROP SCHEMA app CASCADE",
            [("schema-removed", WARNING, "app")],
        ),
        (
            "CREATE SCHEMA app; CREATE TABLE app.a (id int); CREATE FUNCTION app.f() RETURNS int LANGUAGE sql AS 'SELECT 1';",
            "ALTER SCHEMA app RENAME TO core",
            [("schema-renamed", ERROR, "app")],
        ),
        (
            "CREATE EXTENSION pg_trgm",
            "DROP EXTENSION pg_trgm",
            [("extension-removed", WARNING, "pg_trgm")],
        ),
        # A column of the constraint's proof, and one that could not be NULL before.
        (
            "CREATE TABLE t (id int, c int, CONSTRAINT c CHECK (c IS NOT NULL))",
            "ALTER TABLE t ALTER c SET NOT NULL",
            [],
        ),
        # Partitions are used by way of their table, and what is inherited is told of the parent.
        (
            "CREATE TABLE p (id int, c int) PARTITION BY RANGE (id); CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (1) TO (9)",
            "ALTER TABLE p DROP c; DROP TABLE p1",
            [("column-removed", WARNING, "public.p.c")],
        ),
        # Outside a transaction nobody says what became of a relation: what is alike is taken for it.
        ("CREATE TABLE t (id int, c int)", "-- no-transaction\nALTER TABLE t RENAME TO u", [("table-renamed", ERROR, "public.t")]),
        (
            "CREATE TABLE t (id int); CREATE ROLE oldcode_reader; GRANT SELECT, INSERT ON t TO oldcode_reader",
            "REVOKE INSERT ON t FROM oldcode_reader; DROP OWNED BY oldcode_reader; DROP ROLE oldcode_reader",
            [],
        ),
    ],
)  # fmt: skip
def test_objects_that_need_a_ground_of_their_own(
    history: History, before: str, migration: str, expected: list[tuple[str, Severity, str]]
) -> None:
    assert told(history.judge(before, migration)) == expected


def test_what_a_role_may_not_do_any_more_is_told_once_a_statement(history: History) -> None:
    judged = history.judge(
        "CREATE TABLE a (id int); CREATE TABLE b (id int); GRANT SELECT, INSERT ON a, b TO pg_monitor",
        "REVOKE INSERT ON a, b FROM pg_monitor",
    )
    (finding,) = judged.of_rule("privilege-revoked")
    assert finding.message == (
        "old code that runs as pg_monitor fails on public.a and public.b: it may not INSERT any more"
    )
    assert judged.of_rule("privileges-lost") == ()


def test_everything_that_one_statement_took_is_one_finding(history: History) -> None:
    (finding,) = history.judge(GROUND, "SELECT 1;\n DROP TABLE busy, unrelated CASCADE").of_family(FAMILY)
    assert finding.message == (
        "old code that uses tables public.busy, public.unrelated, view public.counted and view public.seen fails: they are gone"
    )
    assert finding.line == 2
    assert finding.evidence[-1] == "gone: view public.seen"


def test_a_required_column_fails_old_writers_and_the_file_itself(history: History) -> None:
    (finding,) = history.judge(GROUND, "ALTER TABLE busy ADD c int NOT NULL").of_family(FAMILY)
    assert finding.message == (
        "old code that inserts into public.busy fails: public.busy.c is new, is NOT NULL and has no default; and the file "
        "itself fails where the table has rows"
    )
    filled = "ALTER TABLE busy ADD c int; UPDATE busy SET c = 1; ALTER TABLE busy ALTER c SET NOT NULL"
    (filled_finding,) = history.judge(GROUND, filled).of_family(FAMILY)
    assert filled_finding.message.endswith("has no default")


@pytest.mark.parametrize(
    ("was", "now", "severity"),
    [
        ("character varying(50)", "character varying(80)", None),
        ("character varying(50)", "character varying", None),
        ("character varying(50)", "text", None),
        ("text", "character varying", None),
        ("text", "public.citext", None),
        ("numeric(10,2)", "numeric", None),
        ("numeric(10,2)", "numeric(12,2)", None),
        ("timestamp(3) without time zone", "timestamp without time zone", None),
        ("bit varying(5)", "bit varying(8)", None),
        ("character varying(10)[]", "text[]", None),
        ("character varying(50)", "character varying(10)", WARNING),
        ("text", "character varying(50)", WARNING),
        ("numeric", "numeric(10,2)", WARNING),
        ("numeric(10,2)", "numeric(10,4)", WARNING),
        ("integer", "bigint", WARNING),
        ("bigint", "integer", WARNING),
        ("integer", "numeric", WARNING),
        ("timestamp without time zone", "timestamp with time zone", WARNING),
        ("date", "timestamp without time zone", WARNING),
        ("json", "jsonb", WARNING),
        ("text", "integer", ERROR),
        ("integer", "text", ERROR),
        ("text", "uuid", ERROR),
        ("boolean", "integer", ERROR),
        ("text", "jsonb", ERROR),
        ("integer", "integer[]", ERROR),
        ("timestamp without time zone", "bigint", ERROR),
    ],
)
def test_another_type_weighs_what_it_breaks(was: str, now: str, severity: Severity | None) -> None:
    change = changed(catalog.Schema(), was, catalog.Schema(), now, {})
    assert (change and change.severity) == severity


def test_constraints_that_old_code_may_violate_are_told_to_whoever_asks(history: History) -> None:
    judged = history.judge(
        GROUND,
        "ALTER TABLE busy ADD CONSTRAINT c CHECK (k > 0), ADD n int CHECK (n > 0); CREATE UNIQUE INDEX u ON unrelated (one)",
    )
    asked = judge(judged.evidence, [constraint_added], {"constraint-added": ERROR})
    assert [one.message for one in asked] == [
        "old code that writes to public.busy may violate the new check constraint c: CHECK ((k > 0))",
        (
            "old code that writes to public.unrelated may violate the new unique index public.u: "
            "CREATE UNIQUE INDEX u ON public.unrelated USING btree (one)"
        ),
    ]


#: The view in a table's place needs the privileges of the table.
GRANTS = (
    "GRANT SELECT, INSERT ON busy TO pg_monitor; GRANT UPDATE (k) ON busy TO pg_monitor; CREATE SCHEMA app;"
)
#: A row in what the remedies change.
ROWS = """
    INSERT INTO busy (id, k, name, price, needed) VALUES (1, 1, 'n', 1, 'x');
    INSERT INTO unrelated VALUES (1, 'x');
"""


@pytest.mark.parametrize(
    ("migration", "backfill"),
    [
        ("ALTER TABLE busy RENAME TO hectic", ""),
        ("ALTER TABLE unrelated SET SCHEMA app", ""),
        ("ALTER VIEW seen RENAME TO shown", ""),
        ("ALTER TABLE busy RENAME needed TO wanted", ""),
        ("ALTER TABLE busy RENAME data TO details", ""),
        ("ALTER TABLE busy DROP needed", ""),
        ("ALTER TABLE busy ADD c int NOT NULL", "UPDATE busy SET c = 1"),
        ("ALTER TABLE busy ALTER price SET NOT NULL", ""),
        ("ALTER FUNCTION total(integer, integer) RENAME TO added", ""),
        ("ALTER FUNCTION listed(integer) RENAME TO shown", ""),
        (
            "DROP FUNCTION listed(integer); CREATE FUNCTION listed(n text) RETURNS integer LANGUAGE sql AS 'SELECT 1'",
            "",
        ),
    ],
)
def test_remedies_break_no_old_code_before_it_is_gone(
    history: History, migration: str, backfill: str
) -> None:
    judged = history.judge(f"{GROUND} {GRANTS}", migration)
    (finding,) = judged.of_family(FAMILY)
    whens = [one.when for one in finding.files]
    texts = [as_file(one) for one in finding.files]
    if backfill:
        whens, texts = [whens[0], "", *whens[1:]], [texts[0], backfill, *texts[1:]]
    elsewhere = replace(history, folder=history.folder.with_name("remedy"))
    cured = elsewhere.evidences(f"{GROUND} {GRANTS} {ROWS}", *texts)
    assert whens
    for when, evidence in zip(whens, cured[1:], strict=True):
        assert evidence.applied, evidence.error
        if when.startswith(NO_OLD_CODE):
            break
        families = {FAMILY, "ownership", "exposure"}
        broken = [one for one in judge(evidence, RULES, {}) if one.fails and one.family in families]
        assert not broken, broken
    assert cured[-1].applied, cured[-1].error
    assert not (left := catalog.diff(judged.evidence.after, cured[-1].after)), left
