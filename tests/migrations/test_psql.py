"""A file that psql runs is read as psql reads it: its commands, its variables, the rows for COPY."""

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from pytest_migsafe.errors import MigrationReadError
from pytest_migsafe.migrations.grammar import split_statements
from pytest_migsafe.migrations.psql import has_copy_from_stdin, read_as_psql
from pytest_migsafe.migrations.source import SourceText
from tests.migrations.test_split import any_text, sound_texts


def statements(sql: str, **variables: str) -> list[str]:
    return [one.text for one in split_statements(read_as_psql(SourceText(sql), variables).source)]


def places(sql: str) -> list[tuple[int, int, str]]:
    source = read_as_psql(SourceText(sql)).source
    found = []
    for one in split_statements(source):
        place = source.position(one.start)
        found.append((place.line, place.column, one.text))
    return found


def rows(sql: str) -> list[tuple[str, str]]:
    """Return each COPY's text, and its rows."""
    read = read_as_psql(SourceText(sql))
    return [(read.source.text[one.start : one.end], one.data) for one in read.copies]


DUMP = r"""--
-- PostgreSQL database dump
--

\restrict V8bEYm0kvtKnuQXH

-- Dumped from database version 18.1

SET statement_timeout = 0;
SELECT pg_catalog.set_config('search_path', '', false);

CREATE TABLE public.t (
    a integer,
    b text
);

COPY public.t (a, b) FROM stdin;
1	it's; -- \\. "
2	/* \N $$
\.


COPY public.empty (a) FROM stdin;
\.

SELECT pg_catalog.setval('public.t_a_seq', 2, true);

\unrestrict V8bEYm0kvtKnuQXH

"""


def test_a_dump_is_its_statements_and_its_rows() -> None:
    assert places(DUMP) == [
        (9, 1, "SET statement_timeout = 0"),
        (10, 1, "SELECT pg_catalog.set_config('search_path', '', false)"),
        (12, 1, "CREATE TABLE public.t (\n    a integer,\n    b text\n)"),
        (17, 1, "COPY public.t (a, b) FROM stdin"),
        (23, 1, "COPY public.empty (a) FROM stdin"),
        (26, 1, "SELECT pg_catalog.setval('public.t_a_seq', 2, true)"),
    ]
    assert rows(DUMP) == [
        ("COPY public.t (a, b) FROM stdin", "1\tit's; -- \\\\. \"\n2\t/* \\N $$\n"),
        ("COPY public.empty (a) FROM stdin", ""),
    ]


@pytest.mark.parametrize(
    "command",
    [
        r"\set ON_ERROR_STOP on",
        r"\echo Don't; SELECT `",
        r"\echo 'a; b' \\",
        r"\timing on",
        r"\pset pager off",
        r"\x",
        r"\encoding UTF8",
        r"\dt+ public.*",
        r"\o /dev/null",
        r"\?",
        r"\unset x",
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_commands_that_only_show_something_are_left_out(command: str, end: str) -> None:
    assert places(f"{command}{end}SELECT 1;{end}{command}{end}SELECT 2;{end}{command}") == [
        (2, 1, "SELECT 1"),
        (4, 1, "SELECT 2"),
    ]


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        (
            r"\i other.sql",
            (
                r"\i is a command of psql that a rehearsal cannot follow; put that file's statements here, or make it a "
                "migration of its own"
            ),
        ),
        (
            "\\c other\n",
            r"\c is a command of psql that a rehearsal cannot follow; a migration is applied to one database, leave it out",
        ),
        (
            r"\copy t from 'a.csv'",
            r"\copy is a command of psql that a rehearsal cannot follow; use COPY ... FROM STDIN with the rows below it",
        ),
        (
            "SELECT 'DROP TABLE t' \\gexec",
            r"\gexec is a command of psql that a rehearsal cannot follow; use a DO block with EXECUTE",
        ),
        (
            "\\if true\n\\endif",
            r"\if is a command of psql that a rehearsal cannot follow; write the condition into a DO block",
        ),
        (
            r"\! ls",
            r"\! is a command of psql that a rehearsal cannot follow; do it outside of the migration",
        ),
        (
            r"\set AUTOCOMMIT off",
            (
                r"\set AUTOCOMMIT is a command of psql that a rehearsal cannot follow; leave it out, or say BEGIN and "
                "COMMIT where they belong"
            ),
        ),
        (
            r"\encoding latin1",
            (
                r"\encoding is a command of psql that a rehearsal cannot follow; save the file as UTF-8 and leave the "
                "command out"
            ),
        ),
        (
            r"\nonsense",
            r"\nonsense is a command of psql that a rehearsal cannot follow; leave it out, or say it in SQL",
        ),
        ("COPY t FROM STDIN \\g\n1\n", r"COPY ... FROM STDIN ends with \g; end it with a semicolon"),
        (r"\set x `date`", r"\set runs a command of the shell; write the value into the file"),
        (
            "COPY t FROM stdin; SELECT 2;\n1\n\\.\n",
            "SELECT follows COPY ... FROM STDIN on its line, before the rows; put it on a line of its own below the rows",
        ),
    ],
)
def test_a_command_that_changes_what_is_run_is_named_with_its_line(sql: str, message: str) -> None:
    with pytest.raises(MigrationReadError) as raised:
        read_as_psql(SourceText(f"SELECT 1;\n\n{sql}"))

    assert str(raised.value) == f"line 3: {message}"


@pytest.mark.parametrize(
    "sql",
    [
        r"SELECT '\i'",
        r"SELECT E'\'\i'",
        r'SELECT "\i"',
        "SELECT $$ \\i $$",
        "SELECT $a$ \\i $$ $a$",
        "SELECT 1 -- \\i",
        "SELECT /* \\i /* */ \\i */ 1",
    ],
)
def test_a_backslash_in_quotes_and_comments_is_no_command(sql: str) -> None:
    source = SourceText(sql)

    assert read_as_psql(source).source is source


def test_a_command_inside_a_statement_does_not_end_it() -> None:
    assert places("SELECT 1 \\echo half\n + 2;\nSELECT 3 \\g\nSELECT 4 \\gx\n") == [
        (1, 1, "SELECT 1           \n + 2"),
        (3, 1, "SELECT 3"),
        (4, 1, "SELECT 4"),
    ]


def test_two_backslashes_end_a_command() -> None:
    assert statements("\\set x 1 \\\\ SELECT :x; \\echo a \\echo b\nSELECT 2;") == ["SELECT 1", "SELECT 2"]


def test_nothing_is_run_after_quit() -> None:
    assert statements("SELECT 1;\n\\q\nSELECT 2;") == ["SELECT 1"]


# -- variables -----------------------------------------------------------------------------------------------


def test_a_variable_is_put_in_outside_of_quotes() -> None:
    sql = (
        "\\set schema app\n\\set who 'O''Neil' ' & Sons'\n\\set n 3\n"
        "CREATE TABLE :schema.t (a text DEFAULT :'who', \":schema\" int, b int[]);\n"
        "SELECT ':n', b[1:n], :n::int, b[1 :n], :\"who\" FROM :schema.t;"
    )

    assert places(sql) == [
        (4, 1, "CREATE TABLE app.t (a text DEFAULT 'O''Neil & Sons', \":schema\" int, b int[])"),
        (5, 1, "SELECT ':n', b[13], 3::int, b[1 3], \"O'Neil & Sons\" FROM app.t"),
    ]


def test_a_variable_that_is_not_set_stays_as_it_is() -> None:
    assert statements("\\set a 1\n\\unset a\nSELECT a[1:a], 1::int, :a;\n\\set b 1\nSELECT x[1:a];") == [
        "SELECT a[1:a], 1::int, :a",
        "SELECT x[1:a]",
    ]


def test_variables_of_the_command_line_are_put_in_too() -> None:
    assert statements("SELECT :'a', :b;", a="x\\y'z", b="1 + 1") == ["SELECT  E'x\\\\y''z', 1 + 1"]


def test_a_quoted_variable_without_a_value_is_named_with_the_way_to_give_it_one() -> None:
    with pytest.raises(MigrationReadError) as error:
        statements('SELECT 1;\nGRANT app TO :"owner";', DBNAME="shop")

    assert str(error.value) == (
        'line 2: :"owner" is a variable of psql that has no value; set owner in [tool.migsafe.placeholders]'
    )


def test_a_copy_behind_a_variable_is_where_it_is_said_to_be() -> None:
    sql = "\\set long aaaaaaaaaaaaaaaa\nSELECT :'long';\nCOPY :long (a) FROM stdin;\n1\n\\.\n"

    assert rows(sql) == [("COPY aaaaaaaaaaaaaaaa (a) FROM stdin", "1\n")]


# -- rows ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ('copy t from stdin with (format csv);\na,"b;\n\\.x"\n\\.\nSELECT 1;', 'a,"b;\n\\.x"\n'),
        ("COPY t FROM STDIN;\n1\n2", "1\n2"),
        ("COPY t FROM STDIN;", ""),
        ("COPY t FROM STDIN;\n", ""),
        ("COPY t FROM STDIN;\n\\.", ""),
        ("COPY t FROM STDIN;\r\n1\r\n\\.\r\nSELECT 1;", "1\r\n"),
        ("COPY t FROM STDIN; -- rows\n1\n\\.\n", "1\n"),
        ("COPY t FROM STDIN;;\n1\n\\.\n", "1\n"),
        ("\\restrict a\nCOPY t\n  FROM /* x */ stdin\n;\n1\n\\.\n", "1\n"),
        ("COPY (SELECT * FROM stdin) TO STDOUT;\nSELECT 1;", None),
        ("COPY t TO STDOUT;\nSELECT 1;", None),
        ("COPY t FROM 'stdin';\nSELECT 1;", None),
        ("SELECT 'COPY t FROM stdin;';\nSELECT 1;", None),
        ("-- COPY t FROM stdin;\nSELECT 1;", None),
    ],
)
def test_the_rows_of_a_copy_end_with_their_mark_or_the_file(sql: str, expected: str | None) -> None:
    assert [data for _, data in rows(sql)] == ([] if expected is None else [expected])
    assert has_copy_from_stdin(SourceText(sql)) == (expected is not None)


def test_that_rows_follow_is_told_for_runners_that_are_not_psql() -> None:
    assert has_copy_from_stdin(SourceText("SELECT 1;\n  COPY t FROM stdin;\n1\n\\.\n"))
    assert not has_copy_from_stdin(SourceText("SELECT 1"))


# -- laws ----------------------------------------------------------------------------------------------------


@settings(max_examples=500, deadline=None)
@given(any_text | sound_texts())
def test_law_a_text_is_read_or_refused_and_keeps_its_places(text: str) -> None:
    source = SourceText(text)
    try:
        read = read_as_psql(source)
    except MigrationReadError as error:
        event(str(error).partition(": ")[2])
        return
    for one in split_statements(read.source):
        assert read.source.position(one.start).line <= text.count("\n") + 1
    if "\\" not in text:
        assert read.source is source


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.text("a1;'\"\\.$-/*\t", max_size=6).filter(lambda row: row != "\\."), max_size=5),
    st.booleans(),
)
def test_law_rows_are_sent_as_they_stand(lines: list[str], is_ended: bool) -> None:
    data = "".join(f"{line}\n" for line in lines)
    end = "\\.\nSELECT 2;" if is_ended else ""
    sql = f"SELECT 1;\nCOPY t FROM stdin;\n{data}{end}"

    assert rows(sql) == [("COPY t FROM stdin", data)]
    last = [(4 + len(lines), 1, "SELECT 2")] if is_ended else []
    assert places(sql) == [(1, 1, "SELECT 1"), (2, 1, "COPY t FROM stdin"), *last]
