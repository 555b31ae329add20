"""The schema file's text: what stands in it, what does not, and that nothing is lost on the way there and back."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_migsafe import catalog
from pytest_migsafe.catalog import Schema, rarer
from pytest_migsafe.catalog.document import from_document, to_document
from pytest_migsafe.catalog.objects import CatalogObject
from pytest_migsafe.catalog.schema import (
    Column,
    DefaultPrivileges,
    Extension,
    Function,
    Grant,
    Namespace,
    Policy,
    Sequence,
    Table,
)
from pytest_migsafe.catalog.surroundings import Surroundings
from pytest_migsafe.errors import SchemaFileError
from pytest_migsafe.postgres.database import create_database
from pytest_migsafe.postgres.server import Server
from tests.catalog import mutations, rarer_mutations

_PUBLIC = Namespace(name="public", owner="pg_database_owner", comment="standard public schema")
_PLPGSQL = Extension(name="plpgsql", schema="pg_catalog", version="1.0", comment="PL/pgSQL")
_PGCRYPTO = Extension(name="pgcrypto", schema="", version="1.3", comment="cryptographic functions")


def around(*base: CatalogObject, role: str = "me", offered: Extension = _PGCRYPTO) -> Surroundings:
    return Surroundings(
        base=Schema.of(base or (_PUBLIC, _PLPGSQL)),
        role=role,
        extensions={offered.name: offered},
    )


def test_a_file_holds_what_the_history_made_changed_and_dropped() -> None:
    schema = Schema.of(
        [
            replace(_PUBLIC, comment=None),
            Namespace(name="app", owner="me"),
            replace(_PGCRYPTO, schema="app"),
            Sequence(
                name="app.orders_id_seq",
                type="integer",
                start=1,
                increment=1,
                minimum=1,
                maximum=2147483647,
                cache=1,
                cycle=False,
                owned_by="app.orders.id",
                owner="me",
            ),
            Function(
                name="app.total(integer)",
                kind="function",
                arguments="of integer",
                returns="numeric",
                language="sql",
                cost=100.0,
                rows=0.0,
                body="\n    select 1 -- größer\n",
                owner="me",
            ),
            Table(name="app.orders", owner="me", access_method="heap", comment="What was ordered"),
            Column(relation="app.orders", name="id", type="integer", not_null=True, position=1),
            Column(relation="app.orders", name='"Odd.Name"', type="text", position=2),
            Policy(relation="app.orders", name="mine", roles=("me", "reader"), using="true"),
            Grant(object_kind="table", object="app.orders", grantee="reader", privileges=("SELECT",)),
            DefaultPrivileges(role="me", objects="tables", grantee="me", privileges=("SELECT",)),
        ]
    )
    text = to_document(schema, around())
    assert (
        text
        == """\
{
  "pytest-migsafe schema": 1,
  "objects": {
    "schema": {
      "app": {}
    },
    "extension": {
      "pgcrypto": {
        "schema": "app"
      }
    },
    "sequence": {
      "app.orders_id_seq": {
        "type": "integer",
        "owned_by": "app.orders.id"
      }
    },
    "function": {
      "app.total(integer)": {
        "arguments": "of integer",
        "returns": "numeric",
        "language": "sql",
        "body": [
          "",
          "    select 1 -- größer",
          ""
        ]
      }
    },
    "table": {
      "app.orders": {
        "comment": "What was ordered"
      }
    },
    "column": {
      "app.orders.\\"Odd.Name\\"": {
        "type": "text"
      },
      "app.orders.id": {
        "type": "integer",
        "not_null": true
      }
    },
    "policy": {
      "app.orders.mine": {
        "roles": ["CURRENT_ROLE", "reader"],
        "using": "true"
      }
    },
    "grant": {
      "table app.orders to reader": {
        "privileges": ["SELECT"]
      }
    },
    "default privileges": {
      "on tables of CURRENT_ROLE to CURRENT_ROLE": {
        "privileges": ["SELECT"]
      }
    }
  },
  "changed": {
    "schema": {
      "public": {
        "comment": null
      }
    }
  },
  "dropped": {
    "extension": ["plpgsql"]
  }
}
"""
    )
    assert from_document(text, around()) == schema


def test_a_history_that_makes_nothing_has_a_file_that_says_so() -> None:
    text = to_document(Schema.of([_PUBLIC, _PLPGSQL]), around())
    assert text == '{\n  "pytest-migsafe schema": 1,\n  "objects": {}\n}\n'


def test_the_role_that_runs_the_migrations_may_be_called_otherwise_elsewhere() -> None:
    objects = [
        _PUBLIC,
        Grant(object_kind="schema", object="public", grantee="me", privileges=("CREATE",)),
        Policy(relation="public.t", name="p", roles=("a", "me", "z")),
        rarer.UserMapping(name="me on far", foreign_options=("user=x",)),
        DefaultPrivileges(role="me", schema='"in schema to"', objects="types", grantee="z to a"),
        Namespace(name="app", owner="somebody"),
    ]
    here = around(_PUBLIC, Grant(object_kind="schema", object="public", grantee="me"))
    there = replace(here, role="ci_1", base=Schema.of([_PUBLIC]))
    text = to_document(Schema.of(objects), here)
    assert '"me' not in text
    declared = from_document(text, replace(there, base=Schema.of([_PUBLIC])))
    assert {one.owner for one in declared.namespaces.values()} == {"pg_database_owner", "somebody"}
    assert declared.policies["public.t.p"].roles == ("a", "ci_1", "z")
    assert declared.get("user mapping", "ci_1 on far") is not None
    assert set(declared.default_privileges) == {'on types of ci_1 in schema "in schema to" to z to a'}
    assert declared.grants == {}, "what the base there lacks cannot be changed"


def test_an_extension_has_the_version_that_the_server_offers_unless_the_history_chose_one() -> None:
    newer = replace(_PGCRYPTO, version="1.4", comment="other words", configuration_tables=("t",))
    offered = Schema.of([_PUBLIC, replace(_PGCRYPTO, schema="public")])
    chosen = Schema.of([_PUBLIC, replace(_PGCRYPTO, schema="public", version="1.2")])
    here, there = around(_PUBLIC), around(_PUBLIC, offered=newer)

    assert from_document(to_document(offered, here), there).extensions == {
        "pgcrypto": replace(newer, schema="public")
    }
    assert from_document(to_document(chosen, here), there).extensions["pgcrypto"].version == "1.2"
    lacking = replace(there, extensions={})
    with pytest.raises(SchemaFileError, match="extension pgcrypto has no version"):
        from_document(to_document(offered, here), lacking)


def test_all_privileges_are_one_word() -> None:
    here = around(
        _PUBLIC, Grant(object_kind="schema", object="public", grantee="PUBLIC", privileges=("USAGE",))
    )
    all_on_sequences = ("SELECT", "UPDATE", "USAGE")
    with_option = tuple(f"{privilege}*" for privilege in all_on_sequences)
    schema = Schema.of(
        [
            _PUBLIC,
            Grant(object_kind="schema", object="public", grantee="PUBLIC", privileges=("CREATE", "USAGE")),
            Grant(object_kind="sequence", object="a.s", grantee="bob", privileges=with_option),
            Grant(
                object_kind="sequence", object="a.s", grantee="eve", privileges=("SELECT*", "UPDATE", "USAGE")
            ),
            Grant(object_kind="sequence", object="a.s", grantee="tom", privileges=("SELECT", "UPDATE")),
            Grant(object_kind="type", object="a.s", grantee="eve", privileges=("USAGE",)),
            DefaultPrivileges(role="me", objects="sequences", grantee="eve", privileges=all_on_sequences),
        ]
    )
    text = to_document(schema, here)
    document = json.loads(text)
    assert document["changed"]["grant"] == {"schema public to PUBLIC": {"privileges": ["ALL"]}}
    assert {name: one["privileges"] for name, one in document["objects"]["grant"].items()} == {
        "sequence a.s to bob": ["ALL*"],
        "sequence a.s to eve": ["ALL", "SELECT*"],
        "sequence a.s to tom": ["SELECT", "UPDATE"],
        "type a.s to eve": ["USAGE"],
    }
    assert from_document(text, here) == schema


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "is not valid JSON (line 1: Expecting value)"),
        ('{\n"pytest-migsafe schema": 1\n', "is not valid JSON (line 3: Expecting ',' delimiter)"),
        ("[" * 100_000, "is not valid JSON (maximum recursion depth exceeded"),
        ("9" * 5000, "is not valid JSON (Exceeds the limit"),
        ("[]", "is no schema file: it does not begin with"),
        ('{"name": "package"}', "is no schema file: it does not begin with"),
        ('{"pytest-migsafe schema": 2}', "has format 2, and this version of pytest-migsafe reads 1"),
        ('{\n<<<<<<< HEAD\n"a": 1\n=======', "has merge conflict markers (line 2)"),
        ({"objects": []}, 'is damaged: "objects" does not hold objects by kind'),
        ({"objects": {"table": []}}, 'is damaged: "objects" does not hold objects by kind'),
        ({"dropped": {"table": {}}}, 'is damaged: "dropped" does not hold objects by kind'),
        ({"dropped": {"table": [[]]}}, 'is damaged: "dropped" does not hold names'),
        ({"dropped": {"colour": []}}, ""),
        ({"dropped": {"colour": ["red"]}}, 'names a kind of object that is not known, "colour": was it written by'),
        ({"objects": {"table": {"a.t": 1}}}, "is damaged: table a.t is not an object of JSON"),
        ({"objects": {"table": {"a.t": {"colour": 1}}}}, 'gives table a.t an attribute that is not known, "colour"'),
        ({"objects": {"column": {"a.t.c": {}}}}, "is damaged: column a.t.c has no type"),
        ({"objects": {"column": {"c": {"type": "text"}}}}, "is damaged: c is no name of a column"),
        ({"objects": {"column": {'"a.c"': {"type": "text"}}}}, 'is damaged: "a.c" is no name of a column'),
        ({"objects": {"table": {"a.t": {"parents": "b"}}}}, 'is damaged: table a.t has no such parents as "b"'),
        ({"objects": {"table": {"a.t": {"comment": {}}}}}, "is damaged: table a.t has no such comment as {}"),
        ({"objects": {"table": {"a.t": {"comment": [1]}}}}, "is damaged: table a.t has no such comment as [1]"),
        (
            '{"pytest-migsafe schema": 1, "objects": {"table": {"a.t": {}, "a.t": {}}}}',
            'has "a.t" twice in the same place, as after a merge',
        ),
    ],
    ids=lambda value: str(value)[:40],
)  # fmt: skip
def test_what_is_wrong_with_a_file_is_one_line(text: str | dict[str, Any], problem: str) -> None:
    if isinstance(text, dict):
        text = json.dumps({"pytest-migsafe schema": 1, **text})
    if not problem:
        from_document(text, around())
        return
    with pytest.raises(SchemaFileError) as raised:
        from_document(text, around())
    assert problem in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.fixture(scope="module")
def rich(server: Server) -> Iterator[Schema]:
    """All kinds of objects; an extension, too."""
    with create_database(server) as created, created.connect() as connection:
        connection.execute(b"drop role if exists migsafe_reader; create role migsafe_reader")
        connection.execute(mutations.RICH.encode() + rarer_mutations.RICH.encode(), prepare=False)
        connection.execute(b"create extension hstore schema app")
        yield catalog.snapshot(connection)
        connection.execute(b"drop subscription paper; drop owned by migsafe_reader; drop role migsafe_reader")


def _with_another_comment(one: CatalogObject, comment: str | None) -> CatalogObject:
    return replace(one, comment=comment) if hasattr(one, "comment") else one  # type: ignore[call-arg]


_COMMENTS = st.sampled_from([None, "x", "y\nz\n", "\n", "\r\n", 'ä "quoted" \\ \t\u2028'])


@given(data=st.data(), role=st.sampled_from(["postgres", "migsafe_reader", "nobody", "PUBLIC", "at on far"]))
def test_nothing_is_lost_whatever_was_there_before(rich: Schema, data: st.DataObject, role: str) -> None:
    objects = list(rich)
    at = st.lists(st.sampled_from(objects), max_size=30)
    changed = data.draw(st.lists(st.tuples(st.sampled_from(objects), _COMMENTS), max_size=10))
    before = {one.key: one for one in data.draw(at)} | {
        one.key: _with_another_comment(one, comment) for one, comment in changed
    }
    gone = {one.key for one in data.draw(at)}
    now = Schema.of(one for one in objects if one.key not in gone)
    here = around(*before.values(), role=role, offered=rich.extensions["hstore"])

    text = to_document(now, here)

    assert [line.text for line in catalog.render(catalog.diff(from_document(text, here), now))] == []
    assert to_document(from_document(text, here), here) == text
    assert text.endswith("\n}\n")


def test_every_attribute_that_is_not_as_usual_stands_in_a_line(rich: Schema) -> None:
    here = around(_PLPGSQL, role="postgres", offered=rich.extensions["hstore"])
    text = to_document(rich, here)
    document = json.loads(text)
    assert set(document) == {"pytest-migsafe schema", "objects", "changed"}
    assert document["objects"]["table"]["app.base"] == {}
    assert document["objects"]["view"]["app.sums"]["definition"][0].startswith(" SELECT ")
    assert "secret" not in text
    # Nothing is told twice: neither by the name nor as a default.
    for kind in ("grant", "default privileges"):
        assert {name for one in document["objects"][kind].values() for name in one} <= {"privileges"}
