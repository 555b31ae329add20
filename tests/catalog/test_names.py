"""Names that PostgreSQL chose make no difference where they are asked to make none."""

from collections.abc import Iterable, Iterator

import psycopg
import pytest

from pytest_migsafe import catalog
from pytest_migsafe.catalog import Schema
from pytest_migsafe.catalog.lexical import parent_of
from pytest_migsafe.catalog.names import chosen_name
from pytest_migsafe.postgres.database import create_database
from pytest_migsafe.postgres.server import Server

_TABLES = '''
create schema "Odd Schema";
create table "Odd Schema"."Größe ""Tabelle""" (
    "Número de identificación único del cliente internacional" serial primary key,
    "Ünïcode Spalte" text unique check ("Ünïcode Spalte" <> ''),
    short integer references "Odd Schema"."Größe ""Tabelle""",
    other integer, more integer, unique (other, more) include (short), check (other > more), check (1 > 0),
    exclude using gist (int4range(other, more) with &&)
);
create index on "Odd Schema"."Größe ""Tabelle""" (lower("Ünïcode Spalte"), (other + more), (more * 2), coalesce(other, 1));
create table orders_with_a_rather_long_name_that_leaves_no_room_at_all (
    id bigint generated always as identity primary key,
    another_column_with_a_name_of_the_same_kind_of_length integer unique,
    a_third_one_that_is_long_too integer, and_a_fourth_one_that_is_long integer,
    unique (a_third_one_that_is_long_too, and_a_fourth_one_that_is_long, id)
);
create domain d as integer check (value > 0);
create table parted (id integer not null, at date not null, d integer references orders_with_a_rather_long_name_that_leaves_no_room_at_all
    (another_column_with_a_name_of_the_same_kind_of_length), primary key (id, at), check (id > 0)) partition by range (at);
create table parted_1 partition of parted for values from ('2020-01-01') to ('2021-01-01');
create table parted_2 (like parted including all);
alter table parted attach partition parted_2 for values from ('2021-01-01') to ('2022-01-01');
create index on parted (at, d);
create table numbered (id serial, number integer);
do $$ declare numbers text := pg_get_serial_sequence('numbered', 'id'); begin
    execute format('alter table numbered alter column number set default nextval(%L)', numbers);
    execute format('grant usage on sequence %s to public', numbers);
end $$;
'''


_SCHEMAS = ("public", '"Odd Schema"')


def _in_the_way(schema: Schema) -> Iterator[str]:
    """Yield what takes the names that PostgreSQL chose, so that it must choose others."""
    relations = schema.indexes.keys() | schema.sequences.keys()
    for namespace in _SCHEMAS:
        checks = {
            one.name
            for one in schema.constraints.values()
            if parent_of(one.relation) == namespace and f"{namespace}.{one.name}" not in relations
        }
        constraints = ", ".join(f"constraint {name} check (true)" for name in sorted(checks))
        yield f"create table {namespace}.in_the_way ({constraints})"
    for name in sorted(relations):
        yield f"create sequence {name}"


def _out_of_the_way(schema: Schema) -> Iterator[str]:
    for namespace in _SCHEMAS:
        yield f"drop table {namespace}.in_the_way"
    for name in sorted(schema.indexes.keys() | schema.sequences.keys()):
        yield f"drop sequence {name}"


def _execute(connection: psycopg.Connection, texts: Iterable[str]) -> None:
    connection.execute(";".join(texts).encode(), prepare=False)


@pytest.fixture
def first(connection: psycopg.Connection) -> Schema:
    connection.execute(_TABLES.encode(), prepare=False)
    connection.execute(b"alter table parted_1 replica identity using index parted_1_pkey")
    return catalog.snapshot(connection)


def test_what_postgresql_would_choose_first_is_what_a_name_becomes(first: Schema) -> None:
    free = catalog.without_automatic_names(first)
    # Of two checks of one table, the second was numbered.
    assert {(one.action, one.name.rpartition("_")[2]) for one in catalog.diff(first, free)} == {
        ("removed", 'check1"'),
        ("added", 'check"#2'),
    }
    assert catalog.without_automatic_names(free).constraints.keys() >= free.constraints.keys()


def test_names_that_were_chosen_because_others_were_taken_are_no_difference(
    first: Schema, server: Server
) -> None:
    with create_database(server) as created, created.connect() as connection:
        connection.execute(b'create schema "Odd Schema"')
        _execute(connection, _in_the_way(first))
        connection.execute(_TABLES.replace('create schema "Odd Schema";', "").encode(), prepare=False)
        _execute(connection, _out_of_the_way(first))
        connection.execute(b"alter table parted_1 replica identity using index parted_1_pkey1")
        second = catalog.snapshot(connection)
    assert not first.indexes.keys() & second.indexes.keys()
    assert not first.sequences.keys() & second.sequences.keys()
    assert second.tables["public.parted_1"].replica_identity == "index public.parted_1_pkey1"
    assert len(catalog.diff(first, second)) > len(first.indexes) + len(first.constraints)
    assert [line.text for line in catalog.render(catalog.diff(first, second, names="free"))] == []


def test_down_and_up_again_is_no_difference(connection: psycopg.Connection) -> None:
    connection.execute(b"create table orders (email text unique, total integer check (total > 0))")
    before = catalog.snapshot(connection)
    connection.execute(
        b"alter table orders add unique (email); alter table orders drop constraint orders_email_key;"
        b"alter table orders add check (total > 0); alter table orders drop constraint orders_total_check;"
    )
    after = catalog.snapshot(connection)
    assert "public.orders.orders_email_key1" in after.constraints
    assert {one.action for one in catalog.diff(before, after)} == {"added", "removed"}
    assert catalog.diff(before, after, names="free") == []


@pytest.mark.parametrize(
    "text",
    [
        "alter table orders rename constraint orders_email_key to one_of_an_email",
        # It would be the name of another column's.
        "alter table orders rename constraint orders_email_key to orders_total_key",
        "alter table orders rename constraint orders_email_key to orders_email_key01",
        "alter table orders drop constraint orders_total_check, add check (total > 1)",
        "alter table orders add check (total > 0)",
        "alter sequence orders_id_seq rename to numbers",
        "alter index orders_total_idx rename to by_total",
        "alter table orders rename to order_",
    ],
)
def test_what_is_more_than_another_automatic_name_is_seen(text: str, connection: psycopg.Connection) -> None:
    connection.execute(
        b"create table orders (id serial, email text unique, total integer check (total > 0)); create index on orders (total)"
    )
    before = catalog.snapshot(connection)
    connection.execute(text.encode(), prepare=False)
    after = catalog.snapshot(connection)
    changes = catalog.diff(before, after, names="free")
    assert changes
    assert [one.inverted() for one in changes] == catalog.diff(after, before, names="free")


@pytest.mark.parametrize(
    ("table", "columns", "label", "name"),
    [
        ("orders", ["email"], "key", "orders_email_key"),
        ("orders", [], "pkey", "orders_pkey"),
        ("a" * 63, ["b" * 63], "idx", f"{'a' * 29}_{'b' * 29}_idx"),
        ("a" * 63, ["b"], "idx", f"{'a' * 57}_b_idx"),
        ("ä" * 31, [], "pkey1", f"{'ä' * 28}_pkey1"),
    ],
)
def test_the_name_that_postgresql_chooses(table: str, columns: list[str], label: str, name: str) -> None:
    assert chosen_name(table, columns, label) == name
