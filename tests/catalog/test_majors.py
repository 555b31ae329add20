"""The same SQL is the same schema on every major version; what cannot be made alike is listed in docs/snapshot.md."""

import json
import os
from dataclasses import fields
from pathlib import Path

import psycopg
import pytest

from pytest_migsafe import catalog
from pytest_migsafe.catalog import Schema
from pytest_migsafe.catalog.majors import unqualified, with_bare_values, without_no_indent
from pytest_migsafe.catalog.objects import CatalogObject
from pytest_migsafe.catalog.schema import KINDS

_HERE = Path(__file__).parent
#: What a snapshot of it was on PostgreSQL 18, an object a line.
_COMMITTED = _HERE / "portable.jsonl"


def _lines(schema: Schema) -> str:
    return "".join(f"{json.dumps([one.KIND, _unusual(one)], ensure_ascii=False)}\n" for one in schema)


def _unusual(one: CatalogObject) -> dict[str, object]:
    """Return the fields without those that hold their default."""
    defaults = {field.name: field.default for field in fields(one)}
    return {name: value for name, value in one.to_json().items() if getattr(one, name) != defaults[name]}


def _schema(lines: str) -> Schema:
    classes = {kind.KIND: kind for kind in KINDS}
    return Schema.of(
        classes[kind](**{name: tuple(one) if isinstance(one, list) else one for name, one in values.items()})
        for kind, values in map(json.loads, lines.splitlines())
    )


def test_the_snapshot_is_the_one_that_another_major_version_gave(portable: Schema) -> None:
    if os.environ.get("MIGSAFE_DOCS") == "update":
        _COMMITTED.write_text(_lines(portable), encoding="utf-8")
    committed = _schema(_COMMITTED.read_text(encoding="utf-8"))
    assert [line.text for line in catalog.render(catalog.diff(committed, portable))] == []
    assert portable == committed


@pytest.mark.parametrize(
    ("written", "alike"),
    [
        ("SELECT c.id\n   FROM app.customer c\n  ORDER BY c.id;", "SELECT id\n   FROM app.customer c\n  ORDER BY id;"),
        # A function, a type and an operator of a schema of the table's name are no columns.
        (
            "SELECT app.f(app.x) AS f, app.y::app.y, (app.z OPERATOR(app.+) 1), app.n COLLATE app.c\n   FROM app.app;",
            "SELECT app.f(x) AS f, y::app.y, (z OPERATOR(app.+) 1), n COLLATE app.c\n   FROM app.app;",
        ),
        # Text, quoted names, whole rows and fields.
        (
            """SELECT 't.a "t".b' AS a, E'\\'t.c' AS b, t."t.d" AS e, t.*::app.t AS w, (t.f).g\n   FROM app.t;""",
            """SELECT 't.a "t".b' AS a, E'\\'t.c' AS b, "t.d" AS e, t.*::app.t AS w, (f).g\n   FROM app.t;""",
        ),
        # Inside a subquery they bear their names.
        (
            "SELECT ( SELECT max(b.x) FROM b WHERE (b.y = a.y)) AS m, (a.y IN ( SELECT 1))\n   FROM ( SELECT c.y FROM c) a;",
            "SELECT ( SELECT max(b.x) FROM b WHERE (b.y = a.y)) AS m, (y IN ( SELECT 1))\n   FROM ( SELECT c.y FROM c) a;",
        ),
        # What is sorted by is not the view's column of that name; what is not sorted by cannot be mistaken.
        (
            "SELECT lower(t.a) AS b, t.c\n   FROM t\n  WHERE (t.b = 1)\n  GROUP BY t.b\n  ORDER BY t.b, (t.b + 1), t.c;",
            "SELECT lower(a) AS b, c\n   FROM t\n  WHERE (b = 1)\n  GROUP BY b\n  ORDER BY t.b, (b + 1), c;",
        ),
        (
            "SELECT DISTINCT ON (t.b) t.a AS b, rank() OVER (PARTITION BY t.b ORDER BY t.c) AS r\n   FROM t;",
            "SELECT DISTINCT ON (t.b) a AS b, rank() OVER (PARTITION BY t.b ORDER BY c) AS r\n   FROM t;",
        ),
    ],
)  # fmt: skip
def test_columns_of_the_only_table_are_written_bare(written: str, alike: str) -> None:
    assert unqualified(written) == alike
    assert unqualified(alike) == alike


@pytest.mark.parametrize(
    "written",
    [
        "SELECT a.x,\n    b.y\n   FROM app.a,\n    app.b;",
        "SELECT a.x\n   FROM (app.a\n     JOIN app.b USING (id));",
        "SELECT a.x\n   FROM app.a\n     JOIN app.b b(x) ON (true);",
        "SELECT a.x\n   FROM app.a\nUNION ALL\n SELECT b.x\n   FROM app.b;",
        "SELECT 1 AS one;",
        "VALUES (1, 'a'::text), (2, 'b'::text);",
    ],
)
def test_columns_keep_their_tables_names_where_there_are_several(written: str) -> None:
    assert unqualified(written) == written


def test_an_indentation_that_nobody_asked_for_is_not_mentioned() -> None:
    assert (
        without_no_indent("XMLSERIALIZE(CONTENT page AS text NO INDENT) || ' NO INDENT)'")
        == "XMLSERIALIZE(CONTENT page AS text) || ' NO INDENT)'"
    )
    assert (
        without_no_indent("XMLSERIALIZE(CONTENT a AS text INDENT)")
        == "XMLSERIALIZE(CONTENT a AS text INDENT)"
    )


def test_values_of_a_dump_are_written_as_those_that_it_was_made_of() -> None:
    assert (
        with_bare_values("SELECT 1, '( VALUES (' FROM ( VALUES (1), (2)) v")
        == "SELECT 1, '( VALUES (' FROM (VALUES (1), (2)) v"
    )


def test_all_privileges_are_all_on_every_major_version(connection: psycopg.Connection) -> None:
    connection.execute(
        b"create table t (); create table u (); grant all on t to public; grant select, insert on u to public"
    )
    grants = catalog.snapshot(connection).grants
    assert "MAINTAIN" in grants["table public.t to PUBLIC"].privileges
    assert grants["table public.u to PUBLIC"].privileges == ("INSERT", "SELECT")
