"""Input that nobody writes by hand: too deep, too big, broken in every way. It is read, in time and in bounds."""

import json
import subprocess
import sys
import tracemalloc
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_migsafe.errors import MigrationReadError
from pytest_migsafe.migrations.grammar import split_statements, twins
from pytest_migsafe.migrations.parse_tree import SHORT, can_be_parsed
from pytest_migsafe.migrations.psql import has_copy_from_stdin, read_as_psql
from pytest_migsafe.migrations.source import SourceText, decode_source

#: Statements with N levels of something; libpg_query ends the process at some 30,000 of those marked so, and takes
#: minutes for the comments.
DEEP = {
    "parentheses": "'SELECT ' + '(' * N + '1' + ')' * N",
    "open parentheses": "'SELECT ' + '(' * N",
    "sums (ends the process)": "'SELECT 1' + '+1' * N",
    "concatenations (ends the process)": "\"SELECT 'a'\" + \"||'a'\" * N",
    "unions (ends the process)": "'SELECT 1' + ' UNION ALL SELECT 1' * N",
    "joins (ends the process)": "'SELECT * FROM t' + ' JOIN t ON true' * N",
    "casts (ends the process)": "'SELECT 1' + '::int' * N",
    "negations": "'SELECT ' + 'NOT ' * N + 'true'",
    "conjunctions": "'SELECT true' + ' AND true' * N",
    "cases": "'SELECT ' + 'CASE WHEN true THEN ' * N + '1' + ' END' * N",
    "subqueries": "'SELECT ' + '(SELECT ' * N + '1' + ')' * N",
    "comments (takes minutes)": "'/*' * N + '*/' * N + 'SELECT 1'",
    "a broken one": "'SELEC 1' + '+1' * N",
}
CHILD = """
import json, sys
from pytest_migsafe.migrations.grammar import split_statements
from pytest_migsafe.migrations.source import SourceText
N = 60_000
for name, expression in json.load(sys.stdin).items():
    (statement,) = split_statements(SourceText(eval(expression) + ";"))
    print(name, statement.node or "-", sep=": ", flush=True)
"""


def test_no_depth_ends_the_process() -> None:
    child = subprocess.run(
        [sys.executable, "-c", CHILD],
        input=json.dumps(DEEP),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert child.stdout.splitlines() == [
        f"{name}: {'-' if name == 'a broken one' else 'SelectStmt'}" for name in DEEP
    ], child.stderr


def test_the_biggest_text_that_goes_to_the_parser_is_not_too_deep() -> None:
    child = subprocess.run(
        [sys.executable, "-c", CHILD.replace("60_000", "4_990")],
        input=json.dumps({name: expression for name, expression in DEEP.items() if "process" in name}),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert child.returncode == 0
    assert can_be_parsed("SELECT 1" + "+1" * 2000)
    assert not can_be_parsed("SELECT 1" + "+1" * 5000)


def test_what_is_too_deep_has_no_twins() -> None:
    deep = "CREATE TABLE IF NOT EXISTS t (a int DEFAULT 1" + "+1" * 60_000 + ")"

    assert twins(deep, "scratch", "x_") == ()


@pytest.mark.parametrize(
    ("beginning", "node"),
    [
        ("INSERT INTO t VALUES (", "InsertStmt"),
        ("create /* very */ or replace view v as select (", "ViewStmt"),
        ("Create Table t (", "CreateStmt"),
        ("COPY t (", "CopyStmt"),
        ("NOTIFY (", ""),
        ("INSERTED (", ""),
    ],
)
def test_a_statement_that_is_too_big_for_a_tree_is_known_by_its_first_words(
    beginning: str, node: str
) -> None:
    big = f"{beginning}{'1, ' * SHORT}1)"
    first, statement, last = split_statements(SourceText(f"SELECT 1; {big} ;SELECT 2"))

    assert (statement.text, statement.node, statement.syntax_error) == (big, node, "")
    assert (first.text, last.text, last.node) == ("SELECT 1", "SELECT 2", "SelectStmt")


def test_big_literals_do_not_hide_what_a_statement_is() -> None:
    big = "x" * (5 * SHORT)
    sql = f"COMMENT ON TABLE t IS '{big}'; CREATE TABLE IF NOT EXISTS t (a text DEFAULT $${big}$$);"
    comment, table = split_statements(SourceText(sql))

    assert (comment.node, table.node, table.if_not_exists) == ("CommentStmt", "CreateStmt", True)
    assert [one.name for one in table.creates] == ["t", "t.a"]


@pytest.mark.parametrize(
    ("sql", "count"),
    [
        (lambda: ";" * 500_000, 0),
        (lambda: "SELECT 1;" * 20_000, 20_000),
        (lambda: "CREATE RULE r AS ON INSERT TO t DO (;" * 20_000, 20_000),
        (lambda: "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1;" * 5_000, 5_000),
        (
            lambda: (
                "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC " + "SELECT CASE WHEN 1 THEN 1 END;" * 5_000
            ),
            5_000,
        ),
        (lambda: "SELECT '" + "x" * 10_000_000, 1),
        (lambda: "SELECT '" * 100_001, 1),
        (lambda: "$a$ " * 300_001, 1),
        (lambda: "E'\\'" * 300_001, 1),
        (lambda: '"' * 500_001, 1),
        (lambda: "/*" * 300_001, 1),
        (lambda: "$" * 500_001, 1),
    ],
    ids=lambda value: "" if callable(value) else str(value),
)
def test_what_is_pathological_takes_linear_time(sql: Callable[[], str], count: int) -> None:
    """Each takes a second or so; one quadratic step would take minutes, which the run's time limit shows."""
    assert len(split_statements(SourceText(sql()))) == count


def test_a_seed_of_one_big_statement_takes_little_more_room_than_its_text() -> None:
    rows = ",\n".join(f"({number}, 'name number {number}', now())" for number in range(150_000))
    source = SourceText(f"INSERT INTO t (a, b, c) VALUES\n{rows};\nSELECT 1;")

    tracemalloc.start()
    try:
        insert, select = split_statements(source)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (insert.node, insert.end, select.text) == ("InsertStmt", len(source.text) - 11, "SELECT 1")
    assert peak < 4 * len(source.text)


def test_a_seed_of_many_rows_for_copy_is_no_longer_than_it_is() -> None:
    data = "".join(f"{number}\tname '{number}; \\\\N\n" for number in range(300_000))
    read = read_as_psql(SourceText(f"\\restrict x\nCOPY t FROM stdin;\n{data}\\.\nSELECT 1;\n"))

    assert [one.data for one in read.copies] == [data]
    copy, select = split_statements(read.source)
    assert (copy.node, select.text) == ("CopyStmt", "SELECT 1")
    assert read.source.position(select.start).line == 300_004


def test_a_seed_of_many_inserts_is_few_statements() -> None:
    insert = "INSERT INTO t (a, b) VALUES (1, 'it''s; a name'); -- a row\n"
    text = f"SELECT 1;\n{insert * 30_000}SELECT 2;\n{insert}SELECT 3;"

    first, *inserts, two, alone, three = split_statements(SourceText(text))
    assert [one.text for one in (first, two, alone, three)] == [
        "SELECT 1",
        "SELECT 2",
        insert.partition("; --")[0],
        "SELECT 3",
    ]
    assert {one.node for one in (*inserts, alone)} == {"InsertStmt"}
    assert len(inserts) == 30
    assert sum(one.text.count("INSERT") for one in inserts) == 30_000
    assert all(text[one.start : one.end] == one.text for one in inserts)


# -- any bytes -----------------------------------------------------------------------------------------------

PLAIN = {
    "empty": b"",
    "only comments": b"-- a\n/* b */",
    "a mark": b"\xef\xbb\xbf",
    "a mark and a comment": b"\xef\xbb\xbf-- a",
    "a semicolon": b";",
    "semicolons": b";;;;\n;",
    "form feeds": b"\f\f",
}


@pytest.mark.parametrize("data", PLAIN.values(), ids=PLAIN.keys())
def test_a_file_without_a_statement_is_read(data: bytes) -> None:
    source = decode_source(data)

    assert split_statements(source) == ()
    assert read_as_psql(source).copies == ()
    assert source.line(1) == data.decode("utf-8-sig").split("\n")[0]


def test_line_endings_of_old_macs_are_line_endings_of_a_comment() -> None:
    source = decode_source(b"-- one\rSELECT 1;\r\fSELECT 2;\r")

    assert [one.text for one in split_statements(source)] == ["SELECT 1", "SELECT 2"]


@settings(max_examples=1500, deadline=None)
@given(
    st.binary(max_size=40)
    | st.text(max_size=40).map(str.encode)
    | st.text(max_size=20).map(lambda text: text.encode("utf-16", "surrogatepass"))
)
def test_law_any_bytes_are_read_or_refused_with_a_reason(data: bytes) -> None:
    try:
        source = decode_source(data)
        read = read_as_psql(source).source
    except MigrationReadError:
        return
    has_copy_from_stdin(source)
    for one in split_statements(read):
        place = read.position(one.start)
        assert 1 <= place.line <= data.count(b"\n") + 1
        assert place.column >= 1
        assert read.line(place.line)
