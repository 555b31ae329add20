"""Schemas, their differences and how these are shown, as values: no server takes part."""

import json
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_migsafe.catalog import (
    FORMAT_VERSION,
    Change,
    Line,
    Schema,
    coloured,
    diff,
    rarer,
    render,
    render_by_object,
)
from pytest_migsafe.catalog.lexical import parent_of
from pytest_migsafe.catalog.schema import (
    KINDS,
    Column,
    Constraint,
    Function,
    Grant,
    Index,
    Policy,
    Table,
    Type,
)
from pytest_migsafe.errors import SnapshotError

_ORDERS = Table(name="public.orders", owner="me", access_method="heap")
_ID = Column(relation="public.orders", name="id", type="bigint", not_null=True, position=1)
_TOTAL = Column(
    relation="public.orders", name="total", type="numeric", not_null=True, default="0", position=2
)
_PK = Constraint(
    relation="public.orders", name="orders_pkey", type="primary key", definition="PRIMARY KEY (id)"
)
_INDEX = Index(relation="public.orders", name="public.orders_pkey", definition="CREATE ...", primary=True)
_FUNCTION = Function(
    name="public.f()",
    kind="function",
    arguments="",
    language="sql",
    cost=1,
    rows=0,
    owner="me",
    body="begin\n  a;\n  b;\nend",
)
_SCHEMA = Schema.of([_ORDERS, _ID, _TOTAL, _PK, _INDEX, _FUNCTION])


def _text(changes: list[Change]) -> str:
    return "\n".join(line.text for line in render(changes))


def test_objects_are_found_by_kind_and_name() -> None:
    assert _SCHEMA.get("table", "public.orders") is _ORDERS
    assert _SCHEMA.get("column", "public.orders.total") is _TOTAL
    assert _SCHEMA.get("index", "public.orders_pkey") is _INDEX
    assert _SCHEMA.get("constraint", "public.orders.orders_pkey") is _PK
    assert _SCHEMA.get("column", "public.orders.nothing") is None
    assert list(_SCHEMA.columns) == ["public.orders.id", "public.orders.total"]
    assert len(_SCHEMA) == 6
    assert [one.KIND for one in _SCHEMA] == ["function", "table", "column", "column", "constraint", "index"]
    with pytest.raises(KeyError):
        _SCHEMA.get("no such kind", "x")


@pytest.mark.parametrize(
    ("name", "parent"),
    [
        ("public.orders.total", "public.orders"),
        ('public.orders."Odd.Name"', "public.orders"),
        ('public."a.b"."c ""d"". e"', 'public."a.b"'),
        ('"x""y"."z"""."""w"""', '"x""y"."z"""'),
    ],
)
def test_the_parent_of_a_quoted_name(name: str, parent: str) -> None:
    assert parent_of(name) == parent


@given(st.lists(st.text(alphabet='a."', min_size=1, max_size=5), min_size=2, max_size=3))
def test_the_parent_of_any_name(parts: list[str]) -> None:
    quoted = ['"' + part.replace('"', '""') + '"' for part in parts]
    assert parent_of(".".join(quoted)) == ".".join(quoted[:-1])


def test_json_is_plain_stable_and_versioned() -> None:
    plain = json.loads(json.dumps(_SCHEMA.to_json()))
    assert plain["version"] == FORMAT_VERSION
    assert Schema.from_json(plain) == _SCHEMA
    shuffled = Schema.of([_INDEX, _PK, _TOTAL, _ID, _FUNCTION, _ORDERS])
    assert json.dumps(shuffled.to_json()) == json.dumps(_SCHEMA.to_json())
    assert Schema.loads(_SCHEMA.dumps()) == _SCHEMA
    assert json.loads(_SCHEMA.dumps()) == plain


def _stored(**values: object) -> dict[str, object]:
    return {"version": FORMAT_VERSION, "objects": {"table": [{**_ORDERS.to_json(), **values}]}}


@pytest.mark.parametrize(
    ("stored", "cause"),
    [
        ('{"version": 2, "obj', "a stored schema is no JSON: Unterminated string starting at: line 1 column 16 (char 15)"),
        ("[" * 100_000, "a stored schema is no JSON: "),
        ("[]", 'this is no stored schema: it has no "objects"'),
        ({"version": FORMAT_VERSION}, 'this is no stored schema: it has no "objects"'),
        ({"objects": {}}, f"a stored schema has format version None, not {FORMAT_VERSION}: read the schema anew"),
        ({"version": 1, "objects": {}}, f"a stored schema has format version 1, not {FORMAT_VERSION}: read the schema anew"),
        (
            {"version": FORMAT_VERSION, "objects": {"tables": []}},
            "a stored schema has an unknown kind of objects, 'tables': another version of pytest-migsafe wrote it",
        ),
        ({"version": FORMAT_VERSION, "objects": {"table": {}}}, "a stored schema has no list of 'table'"),
        ({"version": FORMAT_VERSION, "objects": {"table": ["t"]}}, "a stored table is a text, not an object"),
        (_stored(colour="red"), "a stored table has an unknown field, 'colour': another version of pytest-migsafe wrote it"),
        (
            {"version": FORMAT_VERSION, "objects": {"extension": [{"name": "citext"}]}},
            "a stored extension has no 'comment': another version of pytest-migsafe wrote it",
        ),
        (_stored(name=None), "a stored table's name is null, which it cannot be"),
        (_stored(row_security=1), "a stored table's row_security is a number, which it cannot be"),
        (_stored(options=[1]), "a stored table's options is a list, which it cannot be"),
        (
            {"version": FORMAT_VERSION, "objects": {"table": [_ORDERS.to_json()] * 2}},
            "a stored schema has table public.orders twice",
        ),
    ],
)  # fmt: skip
def test_what_is_no_stored_schema_is_refused_in_a_line(stored: object, cause: str) -> None:
    with pytest.raises(SnapshotError) as caught:
        Schema.loads(stored if isinstance(stored, str) else json.dumps(stored))
    assert str(caught.value).startswith(cause)
    assert "\n" not in str(caught.value)


def test_a_fingerprint_is_the_same_everywhere() -> None:
    assert list(_SCHEMA.fingerprints()) == ["function", "table", "column", "constraint", "index"]
    command = "import sys, pytest_migsafe.catalog as c; print(c.Schema.loads(sys.stdin.read()).fingerprint())"
    done = subprocess.run(
        [sys.executable, "-c", command], input=_SCHEMA.dumps(), capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == _SCHEMA.fingerprint()
    moved = Column.from_json({**_ID.to_json(), "position": 7})
    assert Schema.of([moved]).fingerprint() == Schema.of([_ID]).fingerprint()
    assert Schema().fingerprints() == {}


def test_every_kind_has_a_name_of_its_own() -> None:
    assert len({one.KIND for one in KINDS}) == len(KINDS)


def test_a_new_table_is_shown_with_what_it_has() -> None:
    function_only = Schema.of([_FUNCTION])
    assert _text(diff(function_only, _SCHEMA)) == (
        "+ table public.orders\n"
        "    + column id bigint not null\n"
        "    + column total numeric not null default 0\n"
        "    + constraint orders_pkey: PRIMARY KEY (id)\n"
        "    + index public.orders_pkey: CREATE ..."
    )
    assert _text(diff(_SCHEMA, function_only)).startswith("- table public.orders\n    - column id bigint")


def test_a_changed_attribute_is_one_line() -> None:
    nullable = Column(relation="public.orders", name="total", type="numeric", position=2)
    after = Schema.of([_ORDERS, _ID, nullable, _PK, _INDEX, _FUNCTION])
    assert list(render(diff(_SCHEMA, after))) == [
        Line("~ column public.orders.total: not_null true -> false", "changed"),
        Line("~ column public.orders.total: default 0 -> none", "changed"),
    ]


def test_a_changed_body_is_a_unified_diff() -> None:
    changed = Function.from_json({**_FUNCTION.to_json(), "body": "begin\n  a;\n  c;\nend"})
    changes = diff(Schema.of([_FUNCTION]), Schema.of([changed]))
    assert list(render(changes)) == [
        Line("~ function public.f(): body", "changed"),
        Line("    @@ -1,4 +1,4 @@", "context"),
        Line("     begin", "context"),
        Line("       a;", "context"),
        Line("    -  b;", "removed"),
        Line("    +  c;", "added"),
        Line("     end", "context"),
    ]


def test_what_is_too_wide_for_a_line_has_several() -> None:
    usual = ("DELETE", "INSERT", "REFERENCES", "SELECT", "TRIGGER", "TRUNCATE", "UPDATE")
    grant = Grant(object_kind="table", object="public.orders", grantee="bob", privileges=usual)
    fewer = Grant.from_json({**grant.to_json(), "privileges": [*usual[1:], "MAINTAIN"]})
    by_text = Index.from_json(
        {**_INDEX.to_json(), "definition": "CREATE INDEX ON orders USING btree (lower(email))" * 2}
    )
    changes = diff(Schema.of([grant, _INDEX]), Schema.of([fewer, by_text]))
    assert list(render(changes)) == [
        Line("~ index public.orders_pkey: definition", "changed"),
        Line("    - CREATE ...", "removed"),
        Line(f"    + {by_text.definition}", "added"),
        Line("~ grant table public.orders to bob: privileges", "changed"),
        Line("    - DELETE", "removed"),
        Line("    + MAINTAIN", "added"),
    ]


def test_each_object_can_have_a_heading() -> None:
    commented = Table.from_json({**_ORDERS.to_json(), "comment": "two\nlines"})
    policy = Policy(relation="public.orders", name="mine", using="(a = 1)")
    changes = diff(Schema.of([_ORDERS, policy]), Schema.of([commented, _FUNCTION]))
    lines = list(render_by_object(changes))
    assert [line.text for line in lines] == [
        "+ function public.f()",
        "    kind function",
        "    language sql",
        "    cost 1",
        "    body",
        "        begin",
        "          a;",
        "          b;",
        "        end",
        "    owner me",
        "~ table public.orders",
        "    comment",
        "    @@ -0,0 +1,2 @@",
        "    +two",
        "    +lines",
        "- policy public.orders.mine",
        "    command all",
        "    roles (PUBLIC)",
        "    using (a = 1)",
    ]
    assert coloured(lines).splitlines()[-1] == "\x1b[31m    using (a = 1)\x1b[0m"


def test_an_index_that_moves_to_another_table_is_one_change() -> None:
    moved = Index(relation="public.other", name="public.orders_pkey", definition="CREATE ...", primary=True)
    (change,) = diff(Schema.of([_INDEX]), Schema.of([moved]))
    assert change.attributes == (("relation", "public.orders", "public.other"),)


def test_privileges_are_shown_in_words() -> None:
    changes = diff(
        Schema(),
        Schema.of(
            [
                Grant(
                    object_kind="table", object="public.t", grantee="bob", privileges=("SELECT", "UPDATE*")
                ),
                Grant(object_kind="function", object="public.f()", grantee="PUBLIC"),
            ]
        ),
    )
    assert _text(changes) == (
        "+ grant function public.f() to PUBLIC: none (the usual ones are revoked)\n"
        "+ grant table public.t to bob: SELECT, UPDATE*"
    )


def test_the_rarer_kinds_are_shown_in_a_line() -> None:
    changes = diff(
        Schema(),
        Schema.of(
            [
                rarer.EventTrigger(name="watch", event="ddl_command_end", function="app.f()", owner="me"),
                rarer.Publication(
                    name="news", tables=("app.t (id) where (id > 1)",), actions=("insert",), owner="me"
                ),
                rarer.Statistics(
                    name="app.s",
                    relation="app.t",
                    definition="CREATE STATISTICS app.s ON a, b FROM app.t",
                    owner="me",
                ),
                rarer.Cast(name="app.mood AS integer", method="inout", context="explicit"),
            ]
        ),
    )
    assert _text(changes) == (
        "+ cast app.mood AS integer (method inout, context explicit)\n"
        "+ statistics app.s: CREATE STATISTICS app.s ON a, b FROM app.t\n"
        "+ event trigger watch (event ddl_command_end, function app.f())\n"
        "+ publication news (tables (app.t (id) where (id > 1)), actions (insert))"
    )


def test_a_rarer_object_is_found_by_its_name() -> None:
    trigger = rarer.EventTrigger(name="watch", event="ddl_command_end", function="app.f()", owner="me")
    grant = Grant(object_kind="server", object="far", grantee="bob", privileges=("USAGE",))
    schema = Schema.of([trigger, grant])
    assert schema.get("event trigger", "watch") is trigger
    assert schema.get("event trigger", "look") is None
    assert grant.home.catalog == "foreign data"


_names = st.sampled_from(["public.a", "public.b", 'app."C d"'])
_texts = st.none() | st.sampled_from(["x", "y\nz"])
_objects = st.one_of(
    st.builds(
        Table,
        name=_names,
        owner=st.just("me"),
        row_security=st.booleans(),
        comment=_texts,
        options=st.sampled_from([(), ("fillfactor=70",)]),
    ),
    st.builds(
        Column,
        relation=_names,
        name=st.sampled_from(["one", "two"]),
        type=st.sampled_from(["text", "integer"]),
        default=_texts,
        not_null=st.booleans(),
        position=st.integers(1, 3),
    ),
    st.builds(
        Index, relation=_names, name=_names, definition=st.sampled_from(["p", "q"]), valid=st.booleans()
    ),
    st.builds(
        Type,
        name=_names,
        kind=st.just("enum"),
        labels=st.sampled_from([("a", "b"), ("b", "a")]),
        owner=st.just("me"),
    ),
    st.builds(
        Grant,
        object_kind=st.sampled_from(["table", "type"]),
        object=_names,
        grantee=st.just("PUBLIC"),
        privileges=st.sampled_from([(), ("SELECT",)]),
    ),
)
_schemas = st.lists(_objects, max_size=12).map(
    lambda some: Schema.of({one.key: one for one in some}.values())
)


@given(_schemas, _schemas)
def test_a_difference_turned_round_is_the_difference_the_other_way(one: Schema, other: Schema) -> None:
    changes = diff(one, other)
    assert [change.inverted() for change in changes] == diff(other, one)
    assert [change.inverted().inverted() for change in changes] == changes
    assert (one == other) == (not changes)
    assert [Change.from_json(json.loads(json.dumps(change.to_json()))) for change in changes] == changes
    assert bool(list(render(changes))) == bool(changes)
    assert diff(one, Schema.from_json(one.to_json())) == []
    assert (one.fingerprint() == other.fingerprint()) == (one == other)
    prints, others = one.fingerprints(), other.fingerprints()
    assert {change.kind for change in changes} == {
        kind for kind in prints.keys() | others.keys() if prints.get(kind) != others.get(kind)
    }
