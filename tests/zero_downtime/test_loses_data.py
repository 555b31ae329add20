"""Rows and values that are gone after a file, and what CASCADE took."""

from dataclasses import replace

import pytest

from pytest_migsafe import catalog
from pytest_migsafe.findings import Severity
from tests.zero_downtime.conftest import MAJORS, History

FAMILY = "loses-data"
ERROR, WARNING = Severity.ERROR, Severity.WARNING

GROUND = """
    CREATE TYPE mood AS ENUM ('sad', 'ok');
    CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
    CREATE TABLE parent (id bigint PRIMARY KEY, name text, feeling mood);
    CREATE TABLE child (id bigint PRIMARY KEY, parent_id bigint REFERENCES parent, note text);
    CREATE TABLE alone (
        id bigint PRIMARY KEY, name varchar(50), at timestamptz, price numeric(10, 4), exact double precision, k integer,
        twice integer GENERATED ALWAYS AS (k * 2) STORED, list text[]
    );
    CREATE VIEW names AS SELECT id, name FROM parent;
    CREATE TRIGGER stamped BEFORE UPDATE ON alone FOR EACH ROW EXECUTE FUNCTION stamp();
    CREATE TABLE parts (id bigint, at date) PARTITION BY RANGE (id);
    CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (10);
"""


# Nothing of it depends on the major version; what CASCADE took is tried on each below.
@pytest.mark.parametrize("major_server", MAJORS[-1:], indirect=True)
@pytest.mark.parametrize(
    ("migration", "expected"),
    [
        # Tables.
        ("DROP TABLE child, alone", [("table-dropped", WARNING, ("public.alone", "public.child"))]),
        ("DO $$ BEGIN EXECUTE 'DROP TABLE ' || 'al' || 'one'; END $$", [("table-dropped", WARNING, ("public.alone",))]),
        ("DROP TABLE parts", [("table-dropped", WARNING, ("public.parts",))]),
        ("DROP TABLE parts_1", [("table-dropped", WARNING, ("public.parts_1",))]),
        ("ALTER TABLE alone RENAME TO n; DROP TABLE n", [("table-dropped", WARNING, ("public.alone",))]),
        ("CREATE TABLE n (id int); DROP TABLE n; CREATE TEMP TABLE t (id int); DROP TABLE t", []),
        ("ALTER TABLE alone RENAME TO n", []),
        ("DROP VIEW names", []),
        # What was copied first is not lost; what was copied from another table is.
        ("CREATE TABLE n AS SELECT * FROM alone; DROP TABLE alone", []),
        ("CREATE TABLE n (id bigint); INSERT INTO n SELECT id FROM alone; DROP TABLE alone; ALTER TABLE n RENAME TO alone", []),
        ("UPDATE parent SET name = c.note FROM child c WHERE c.parent_id = parent.id; DROP TABLE child", []),
        ("CREATE TABLE n AS SELECT * FROM child; DROP TABLE alone", [("table-dropped", WARNING, ("public.alone",))]),
        ("DROP TABLE alone; CREATE TABLE n (id int)", [("table-dropped", WARNING, ("public.alone",))]),
        # Made anew under the same name.
        ("DROP TABLE alone; CREATE TABLE alone (id bigint)", [("table-remade", ERROR, ("public.alone",))]),
        ("CREATE TABLE n (id bigint); DROP TABLE alone; ALTER TABLE n RENAME TO alone", [("table-remade", ERROR, ("public.alone",))]),
        ("CREATE TEMP TABLE t AS TABLE alone; DROP TABLE alone; CREATE TABLE alone (id bigint); INSERT INTO alone SELECT id FROM t", []),
        ("SAVEPOINT s; DROP TABLE alone; ROLLBACK TO s", []),
        # Columns.
        ("ALTER TABLE alone DROP name, DROP price", [("column-dropped", WARNING, ("public.alone.name", "public.alone.price"))]),
        ("ALTER TABLE alone RENAME name TO title", []),
        ("ALTER TABLE alone DROP twice", []),
        ("ALTER TABLE alone ADD n text; UPDATE alone SET n = name; ALTER TABLE alone DROP name", []),
        ("ALTER TABLE alone ADD n text; UPDATE alone SET n = price; ALTER TABLE alone DROP name", [("column-dropped", WARNING, ("public.alone.name",))]),
        ("ALTER TABLE alone DROP name; ALTER TABLE alone ADD name text", [("column-remade", ERROR, ("public.alone.name",))]),
        ("ALTER TABLE alone ADD n text; UPDATE alone SET n = name; ALTER TABLE alone DROP name; ALTER TABLE alone RENAME n TO name", []),
        ("CREATE TABLE n (a int); ALTER TABLE n DROP a", []),
        # Rows.
        ("TRUNCATE alone", [("rows-truncated", WARNING, ("public.alone",))]),
        ("DO $$ BEGIN EXECUTE 'TRUNCATE alone'; END $$", [("rows-truncated", WARNING, ("public.alone",))]),
        ("CREATE TABLE n (id int); TRUNCATE n; DELETE FROM n", []),
        ("CREATE TABLE n AS TABLE alone; TRUNCATE alone", []),
        (
            "TRUNCATE parent CASCADE",
            [("cascade-took-more", ERROR, ("public.child",)), ("rows-truncated", WARNING, ("public.parent",))],
        ),
        ("TRUNCATE parent, child CASCADE", [("rows-truncated", WARNING, ("public.parent", "public.child"))]),
        ("DELETE FROM alone", [("rows-deleted", WARNING, ("public.alone",))]),
        ("DO $$ BEGIN DELETE FROM public.alone; END $$", [("rows-deleted", WARNING, ("public.alone",))]),
        ("DELETE FROM alone WHERE id = 1; DELETE FROM child USING parent WHERE parent.id = 1", []),
        ("CREATE TABLE n (LIKE alone); WITH moved AS (DELETE FROM alone RETURNING id) INSERT INTO n (id) SELECT id FROM moved", []),
        # Types.
        ("ALTER TABLE alone ALTER at TYPE date", [("values-cut", WARNING, ("public.alone.at",))]),
        ("ALTER TABLE alone ALTER price TYPE integer", [("values-cut", WARNING, ("public.alone.price",))]),
        ("ALTER TABLE alone ALTER price TYPE numeric(10, 2)", [("values-cut", WARNING, ("public.alone.price",))]),
        ("ALTER TABLE alone ALTER exact TYPE real", [("values-cut", WARNING, ("public.alone.exact",))]),
        ("ALTER TABLE alone ALTER name TYPE varchar(5) USING left(name, 5)", [("values-cut", WARNING, ("public.alone.name",))]),
        ("ALTER TABLE alone ALTER name TYPE varchar(5) USING name::varchar(5)", [("values-cut", WARNING, ("public.alone.name",))]),
        ("ALTER TABLE alone ALTER list TYPE text USING list[1]", [("values-cut", WARNING, ("public.alone.list",))]),
        ("ALTER TABLE alone ALTER name TYPE integer USING NULL", [("values-cut", WARNING, ("public.alone.name",))]),
        # What does not fit is refused, not lost; and what is wider loses nothing.
        (
            ("ALTER TABLE alone ALTER name TYPE varchar(5), ALTER price TYPE numeric(12, 4), ALTER exact TYPE numeric;"
            "ALTER TABLE parent ALTER feeling TYPE text USING feeling::text"),
            [],
        ),
        # CASCADE.
        (
            "DROP TABLE parent CASCADE",
            [
                ("cascade-took-more", ERROR, ("public.names", "public.child.child_parent_id_fkey")),
                ("table-dropped", WARNING, ("public.parent",)),
            ],
        ),
        ("DROP TABLE alone CASCADE", [("table-dropped", WARNING, ("public.alone",))]),
        ("DROP VIEW names; DROP TABLE parent CASCADE; DROP TABLE child", [("table-dropped", WARNING, ("public.parent",)), ("table-dropped", WARNING, ("public.child",))]),
        (
            "ALTER TABLE child DROP CONSTRAINT child_parent_id_fkey; DROP VIEW names; DROP TABLE parent CASCADE",
            [("table-dropped", WARNING, ("public.parent",))],
        ),
        (
            ("ALTER TABLE child DROP CONSTRAINT child_parent_id_fkey; DROP TABLE parent CASCADE; CREATE TABLE parent (id int, name text);"
            "CREATE VIEW names AS SELECT id, name FROM parent"),
            [("table-remade", ERROR, ("public.parent",))],
        ),
        (
            "DROP TYPE mood CASCADE",
            [
                ("cascade-took-more", ERROR, ("public.parent.feeling",)),
                ("column-dropped", WARNING, ("public.parent.feeling",)),
            ],
        ),
        ("DROP FUNCTION stamp CASCADE", [("cascade-took-more", WARNING, ("public.alone.stamped",))]),
        (
            "ALTER TABLE parent DROP name CASCADE",
            [
                ("cascade-took-more", ERROR, ("public.names",)),
                ("column-dropped", WARNING, ("public.parent.name",)),
            ],
        ),
        ("CREATE TABLE n (id bigint REFERENCES parent ON DELETE CASCADE); DROP VIEW names", []),
    ],
)  # fmt: skip
def test_what_is_lost_is_told_and_nothing_else(
    history: History, migration: str, expected: list[tuple[str, Severity, tuple[str, ...]]]
) -> None:
    judged = history.judge(GROUND, migration)
    assert judged.evidence.applied, judged.evidence.error
    found = [(one.rule, one.severity, one.objects) for one in judged.of_family(FAMILY)]
    assert found == expected


def test_cascade_stops_at_no_schema_and_names_what_it_took(history: History) -> None:
    judged = history.judge(
        "CREATE SCHEMA app; CREATE TABLE app.a (id bigint PRIMARY KEY); CREATE VIEW app.v AS TABLE app.a;"
        "CREATE TABLE b (a_id bigint REFERENCES app.a)",
        "SELECT 1;\nDROP SCHEMA app CASCADE",
    )
    cascade, dropped = judged.of_family(FAMILY)
    assert cascade.message == (
        "CASCADE also took constraint public.b.b_a_id_fkey, which the file does not name"
    )
    assert (cascade.line, dropped.line) == (2, 2)
    assert dropped.message == "the rows of app.a are gone for good"
    assert "pg_dump --table='app.a' --file=a.sql" in dropped.remedy


def test_rows_and_old_code_are_two_matters(history: History) -> None:
    judged = history.judge(GROUND, "DROP TABLE alone")
    assert [one.message for one in judged.findings if one.family in {FAMILY, "breaks-old-code"}] == [
        "the rows of public.alone are gone for good",
        "old code that uses table public.alone fails: it is gone",
    ]


@pytest.mark.parametrize(
    "migration",
    [
        "DROP TABLE parent CASCADE",
        "DROP TYPE mood CASCADE",
        "DROP FUNCTION stamp() CASCADE",
        "ALTER TABLE parent DROP COLUMN name CASCADE",
        "TRUNCATE parent CASCADE",
    ],
)
def test_what_cascade_took_can_be_named_instead(history: History, migration: str) -> None:
    judged = history.judge(GROUND, migration)
    (finding,) = judged.of_rule("cascade-took-more")
    (file,) = finding.files
    elsewhere = replace(history, folder=history.folder.with_name("remedy"))
    cured = elsewhere.judge(GROUND, file.sql)
    assert cured.evidence.applied, (file.sql, cured.evidence.error)
    assert cured.of_rule("cascade-took-more") == ()
    assert catalog.diff(judged.evidence.after, cured.evidence.after) == []
