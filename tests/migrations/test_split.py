"""Statements are split exactly as PostgreSQL's grammar does, and stand where they are said to stand."""

from pathlib import Path

import postgast
import pytest
from hypothesis import event, example, given, settings
from hypothesis import strategies as st

from pytest_migsafe.errors import MigrationReadError
from pytest_migsafe.migrations.grammar import _statements_by_semicolons, split_statements
from pytest_migsafe.migrations.lexemes import headline, lexemes, next_mark, tokens
from pytest_migsafe.migrations.source import CharOffset, SourceText, decode_source, read_source


def texts(sql: str) -> list[str]:
    return [statement.text for statement in split_statements(SourceText(sql))]


def places(sql: str) -> list[tuple[int, int, str]]:
    """Return each statement's line, column and text."""
    source = SourceText(sql)
    found = split_statements(source)
    return [(source.position(one.start).line, source.position(one.start).column, one.text) for one in found]


def rejected(sql: str) -> list[tuple[str, str, int, int]]:
    """Return the text, message, line and column of each statement that the grammar rejects."""
    source = SourceText(sql)
    found = []
    for one in split_statements(source):
        if one.syntax_error_at is not None:
            place = source.position(one.syntax_error_at)
            found.append((one.text, one.syntax_error, place.line, place.column))
    return found


# -- where statements end ------------------------------------------------------------------------------------

WHOLE = {
    "dollar quotes": "DO $$ BEGIN PERFORM 1; PERFORM 2; END $$",
    "nested dollar tags": "CREATE FUNCTION f() RETURNS text LANGUAGE sql AS $a$ SELECT $b$ ; $$ ; $b$; $a$",
    "a tag of letters beyond ASCII": "SELECT $é1$;$é1$",
    "a quoted string": "SELECT 'a;''b;'",
    "an escape string": r"SELECT E'a\';b'",
    "an escape string that goes on in the next line": "SELECT E'a'\n  'b\\';c'",
    "a backslash in a plain string": "SELECT 'a\\'",
    "a quoted name": 'CREATE TABLE "a;b""c;" (x int)',
    "a line comment": "SELECT 1 -- a;\n + 2",
    "nested comments": "SELECT /* ; /* ; */ ; */ 1",
    "a comment in an operator": "SELECT 1 +/*;*/ 2",
    "a rule of several commands": "CREATE RULE r AS ON INSERT TO t DO ALSO (DELETE FROM a; DELETE FROM b)",
    "a replaced rule": "CREATE OR REPLACE RULE r AS ON DELETE TO t DO INSTEAD (SELECT (1); SELECT 2;)",
    "a body of statements": "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT 2; END",
    "a body with CASE": (
        "CREATE OR REPLACE PROCEDURE p() BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; SELECT 2; END"
    ),
    "a body with columns called end": (
        "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1 end; SELECT 2 AS end; SELECT CASE 1 WHEN 1 THEN 1 END; END"
    ),
    "a body with a column called begin": "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT begin FROM t; END",
    "an empty body": "CREATE PROCEDURE p() BEGIN ATOMIC END",
    "a no-break space in a name": "SELECT 1 AS a\u00a0",
}


@pytest.mark.parametrize("statement", WHOLE.values(), ids=WHOLE.keys())
@pytest.mark.parametrize("other", ["SELECT 0", "SELEC 0"], ids=["beside a sound one", "beside a broken one"])
def test_a_semicolon_inside_a_statement_ends_nothing(statement: str, other: str) -> None:
    assert texts(f"{other};\n{statement};\n{other}") == [other, statement, other]


@pytest.mark.parametrize(
    "sql", ["", " \n\t", ";", " ; ;;\n", "-- only a comment", "/* ; */ ;", "\ufeff", "\ufeff;\r\n"]
)
def test_a_file_without_statements_has_none(sql: str) -> None:
    assert texts(sql) == []


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1",
        "SELECT 1;",
        ";;SELECT 1;;",
        "/* a */ -- b\nSELECT 1 /* c */ -- d",
        "SELECT 1 /* before the semicolon */;",
        "SELECT 1 -- before the semicolon\n;",
        "SELECT 1\n-- at the end",
        "\ufeffSELECT 1",
        "\ufeff\r\n/* é */ SELECT 1\r\n;\r\n",
    ],
)
def test_comments_blanks_and_semicolons_belong_to_no_statement(sql: str) -> None:
    assert texts(sql) == ["SELECT 1"]


def test_lines_and_columns_count_characters() -> None:
    sql = "-- é€🦆\r\nSELECT 'é€🦆'; SELECT 2;\r\n\r\n  /* 🦆 */ SELECT 3"

    assert places(sql) == [(2, 1, "SELECT 'é€🦆'"), (2, 15, "SELECT 2"), (4, 11, "SELECT 3")]


def test_a_byte_order_mark_takes_no_column() -> None:
    assert places("\ufeffSELECT 1; SELECT 2;\nSELECT 3") == [
        (1, 1, "SELECT 1"),
        (1, 11, "SELECT 2"),
        (2, 1, "SELECT 3"),
    ]


def test_carriage_returns_are_kept_in_the_text_and_not_shown_in_the_line() -> None:
    source = SourceText("\ufeffSELECT 1\r\n  + 1;\r\nSELECT 2")
    first, _ = split_statements(source)

    assert first.text == "SELECT 1\r\n  + 1"
    assert [source.line(number) for number in (1, 2, 3)] == ["SELECT 1", "  + 1;", "SELECT 2"]


# -- statements that the grammar rejects ---------------------------------------------------------------------


def test_a_rejected_statement_does_not_hide_the_others() -> None:
    source = SourceText("CREATE TABLE a (x int);\nCREATE TABEL b (x int);\nCREATE INDEX i ON a (x);\n")
    first, second, third = split_statements(source)

    assert (first.node, second.node, third.node) == ("CreateStmt", "", "IndexStmt")
    assert second.syntax_error == 'syntax error at or near "TABEL"'
    assert rejected(source.text) == [("CREATE TABEL b (x int)", 'syntax error at or near "TABEL"', 2, 8)]


def test_a_rejected_statement_is_located_in_characters_behind_mark_and_multibyte_text() -> None:
    sql = "\ufeff-- é🦆\r\nSELECT 'é🦆'; SELECT 'é🦆' FORM t;\r\nSELECT 3"

    assert rejected(sql) == [("SELECT 'é🦆' FORM t", 'syntax error at or near "t"', 2, 31)]
    assert rejected("\ufeffSELEC 1") == [("SELEC 1", 'syntax error at or near "SELEC"', 1, 1)]


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        ("SELECT 1 +", 'syntax error at or near ";"'),
        ("CREATE TABLE a (x int", 'syntax error at or near ";"'),
        ("CREATE TABLE a (x int,)", 'syntax error at or near ")"'),
        ("SELECT 1)", 'syntax error at or near ")"'),
        ("SELECT 12abc", 'trailing junk after numeric literal at or near "12abc"'),
        ('SELECT ""', 'zero-length delimited identifier at or near """"'),
        (r"SELECT E'\xff'", 'invalid byte sequence for encoding "UTF8": 0xff'),
        (r"SELECT E'\u12'", "invalid Unicode escape"),
        (r"SELECT U&'\zzzz'", "invalid Unicode escape"),
        ("SELECT é€ é€ é€", 'syntax error at or near "é€"'),
        (r"\connect other", 'syntax error at or near "\\"'),
        ("CREATE RULE r AS ON INSERT TO t DO (SELEC 1; SELECT 2)", 'syntax error at or near "SELEC"'),
        (
            "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; SELEC 2; END",
            'syntax error at or near "SELEC"',
        ),
    ],
)
def test_each_kind_of_defect_is_kept_to_its_statement(broken: str, message: str) -> None:
    sql = f"SELECT 0;\n{broken};\nSELECT 2"

    assert texts(sql) == ["SELECT 0", broken, "SELECT 2"]
    assert [one[:2] for one in rejected(sql)] == [(broken, message)]


def test_a_routine_body_that_is_not_closed_ends_at_its_first_semicolon() -> None:
    sql = "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1;\nCREATE TABLE a ();\nSELECT 2;"

    assert texts(sql) == [
        "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1",
        "CREATE TABLE a ()",
        "SELECT 2",
    ]


def test_a_rule_that_is_not_closed_ends_at_its_first_semicolon() -> None:
    assert texts("CREATE RULE r AS ON INSERT TO t DO (SELECT 1; SELECT 2; SELECT 3") == [
        "CREATE RULE r AS ON INSERT TO t DO (SELECT 1",
        "SELECT 2",
        "SELECT 3",
    ]


@pytest.mark.parametrize(
    ("unfinished", "message"),
    [
        ("SELECT 'a; b;", "unterminated quoted string"),
        ('SELECT "a; b;', "unterminated quoted identifier"),
        ("SELECT E'a\\'; b;", "unterminated quoted string"),
        ("DO $x$ a; $$ b;", "unterminated dollar-quoted string"),
        ("SELECT 1 /* a; /* */ b;", "unterminated /* comment"),
        ("/* a; b;", "unterminated /* comment"),
        ("SELECT b'1; b;", "unterminated bit string literal"),
    ],
)
def test_what_is_not_closed_takes_the_rest_of_the_file(unfinished: str, message: str) -> None:
    sql = f"SELECT 'é';\n  {unfinished}\nSELECT 2;\n"
    first, last = split_statements(SourceText(sql))

    assert (first.text, last.text) == ("SELECT 'é'", f"{unfinished}\nSELECT 2;\n")
    assert last.syntax_error.startswith(f"{message} at or near ")
    assert last.syntax_error_at is not None
    near = last.syntax_error.removeprefix(f'{message} at or near "').removesuffix('"')
    assert sql[last.syntax_error_at :] == near


def test_the_commands_of_psql_are_rejected_where_they_stand() -> None:
    sql = "\\restrict abc\nSET lock_timeout = 0;\nCOPY t FROM stdin;\n1\ta;b\n\\.\n\nSELECT 1;\n"

    assert [(message, line) for _, message, line, _ in rejected(sql)] == [
        ('syntax error at or near "\\"', 1),
        ('syntax error at or near "1"', 4),
        ('syntax error at or near "b"', 4),
    ]


def test_an_expression_nested_deeper_than_protobuf_decodes_is_no_obstacle() -> None:
    """Fifty terms joined with ``||`` ended the whole run: ``Exceeded upb_DecodeOptions_MaxDepth``."""
    terms = " || ".join(f"'{number}'" for number in range(500))
    sql = f"CREATE TABLE IF NOT EXISTS t (kind text DEFAULT {terms});\nSELECT 1;"
    table, select = split_statements(SourceText(sql))

    assert (table.node, table.if_not_exists, table.syntax_error) == ("CreateStmt", True, "")
    assert [one.name for one in table.creates] == ["t", "t.kind"]
    assert select.text == "SELECT 1"


# -- files that are no text ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"SELECT 1;\nSELECT '\xe9';", "the file is not UTF-8: line 2 holds the byte 0xe9; save it as UTF-8"),
        ("SELECT 1".encode("utf-16"), "the file is UTF-16; save it as UTF-8"),
        ("SELECT 1".encode("utf-16-be"), "the file is UTF-16; save it as UTF-8"),
        ("SELECT 1".encode("utf-16-le"), "the file is UTF-16; save it as UTF-8"),
        (b"SELECT 1;\n\nSELECT '\0';", "line 3 holds a NUL byte, which PostgreSQL cannot take; remove it"),
    ],
)
def test_a_file_that_is_no_text_is_said_to_be_none(tmp_path: Path, data: bytes, message: str) -> None:
    path = tmp_path / "0001_x.sql"
    path.write_bytes(data)

    with pytest.raises(MigrationReadError) as raised:
        read_source(path)
    assert str(raised.value) == message


def test_a_file_that_is_gone_is_said_to_be_unreadable(tmp_path: Path) -> None:
    with pytest.raises(MigrationReadError, match=r"^cannot read the file: No such file or directory$"):
        read_source(tmp_path / "0001_x.sql")


# -- laws ----------------------------------------------------------------------------------------------------

FRAGMENTS = [
    *(
        "SELECT 1;",
        "select a from t where b = 'x;y';",
        "CREATE TABLE t (a int, b text);",
        "create index on t (a)",
        "BEGIN;",
        "COMMIT;",
        "SELEC 1;",
        "CREATE TABLE (;",
        "INSERT INTO t VALUES (1, 'é🦆');",
        "SELECT 1 end;",
        "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $$ SELECT 1; $$;",
    ),
    *("CREATE", "OR REPLACE", "FUNCTION f() RETURNS int", "PROCEDURE p()", "BEGIN ATOMIC", "BEGIN", "CASE"),
    *("WHEN true THEN 1", "END", "END;", "AS", "SELECT", "1", "a", "CREATE RULE r AS ON INSERT TO t DO ALSO"),
    *("(", ")", ";", ",", "'", '"', "''", "E'", "e'\\''", "\\'", "\\", "$$", "$a$", "$1", "$", "U&'", "b'1'"),
    *(
        "--",
        "-- c;",
        "--\n",
        "/*",
        "*/",
        "/* ; */",
        "*",
        "/",
        "-",
        "+",
        "||",
        "::",
        "12abc",
        "1.5",
        ".5",
        '""',
    ),
    *(
        " ",
        "\n",
        "\r\n",
        "\t",
        "\v",
        "\ufeff",
        "\u00a0",
        "\u2028",
        "\x1c",
        "\x85",
        "é",
        "🦆",
        "0x",
        "E'\\xff'",
    ),
]
SOUND = [
    "SELECT 1",
    "SELECT 'a;''é'",
    "SELECT E'\\';'",
    "SELECT $$;$$, $a$ $$;$$ $a$",
    'SELECT ";", "a""b"',
    "SELECT /* ; /* */ */ 1 -- ;\n",
    "BEGIN",
    "END",
    "CREATE RULE r AS ON INSERT TO t DO ALSO (SELECT 1; SELECT (2);)",
    "CREATE FUNCTION f(a int DEFAULT (1)) RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; SELECT 1 end; END",
    "CREATE OR REPLACE PROCEDURE p() BEGIN ATOMIC INSERT INTO t VALUES (';'); END",
    "CREATE PROCEDURE p(begin int, case_ text) LANGUAGE sql AS 'SELECT 1; SELECT 2'",
    "SELECT 'é🦆' AS a\u00a0",
]
GAPS = ["", ";", " ", "\n", "\r\n", "\t\v\f", "-- ; é\n", "/* ; 🦆 /* */ */", ";;", " ; "]

fragments = st.lists(st.sampled_from(FRAGMENTS) | st.text(max_size=3), max_size=14).map(" ".join)
joined = st.lists(st.sampled_from(FRAGMENTS), max_size=14).map("".join)
any_text = (fragments | joined | st.text(max_size=60)).filter(lambda text: "\0" not in text)


@st.composite
def sound_texts(draw: st.DrawFn) -> str:
    """Draw a text that the grammar accepts."""
    gap = st.lists(st.sampled_from(GAPS), max_size=3).map("".join)
    parts = [draw(st.sampled_from(["", "\ufeff"])), draw(gap)]
    for statement in draw(st.lists(st.sampled_from(SOUND), max_size=5)):
        parts += [statement, draw(gap), ";", draw(gap)]
    if draw(st.booleans()):
        parts += [draw(st.sampled_from(SOUND)), draw(gap)]
    return "".join(parts)


def is_accepted(text: str) -> bool:
    try:
        postgast.split(without_mark(text), method="parser")
    except postgast.PgQueryError:
        return False
    return True


def without_mark(text: str) -> str:
    return " " + text[1:] if text.startswith("\ufeff") else text


def bare(text: str) -> str:
    """Return a text without blanks and comments around its tokens."""
    found = list(tokens(text))
    return text[found[0].start : found[-1].end] if found else ""


@settings(max_examples=500, deadline=None)
@given(any_text | sound_texts())
@example("SELECT 1 AS a\u00a0;")
@example("\ufeff\ufeff")
@example("\x1c;SELECT 1")
def test_law_statements_and_what_is_between_them_give_back_the_text(text: str) -> None:
    statements = split_statements(SourceText(text))

    at, gaps = 0, []
    for one in statements:
        assert at <= one.start < one.end <= len(text)
        assert text[one.start : one.end] == one.text
        gaps.append(text[at : one.start])
        at = one.end
    gaps.append(text[at:])
    pieces = [one.text for one in statements]
    assert "".join(part for pair in zip(gaps, [*pieces, ""], strict=True) for part in pair) == text

    between = [
        gap[1:] if number == 0 and gap.startswith("\ufeff") else gap for number, gap in enumerate(gaps)
    ]
    assert {gap[token.start : token.end] for gap in between for token in tokens(gap)} <= {";"}
    for one in statements:
        assert (one.node == "") == bool(one.syntax_error) == (one.syntax_error_at is not None)
        assert one.syntax_error_at is None or one.start <= one.syntax_error_at <= one.end


@settings(max_examples=500, deadline=None)
@given(sound_texts() | any_text.filter(is_accepted))
def test_law_the_split_is_that_of_postgresql_and_the_same_without_the_grammar(text: str) -> None:
    found = split_statements(SourceText(text))

    assert [one.text for one in found] == [
        bare(one) for one in postgast.split(without_mark(text), method="parser")
    ]
    assert not any(one.syntax_error for one in found)
    assert tuple(_statements_by_semicolons(text)) == found


@settings(max_examples=300, deadline=None)
@given(
    sound_texts(), st.sampled_from(["SELEC 1", "CREATE TABLE a (x int", "SELECT 1a", r"SELECT E'\xff'", ")"])
)
def test_law_a_broken_statement_changes_nothing_of_those_around_it(text: str, broken: str) -> None:
    before = [one.text for one in split_statements(SourceText(text))]

    assert texts(f"{text};{broken};{text.removeprefix(chr(0xFEFF))}") == [*before, broken, *before]


def _scanned(text: str) -> list[tuple[int, int]] | None:
    """Return the bounds of PostgreSQL's own tokens, in characters; None when it rejects one."""
    source = SourceText(without_mark(text))
    try:
        found = postgast.scan(source.text).tokens
    except postgast.PgQueryError:
        return None
    comments = [postgast.pg_query_pb2.Token.Value(name) for name in ("SQL_COMMENT", "C_COMMENT")]
    found = [one for one in found if one.token not in comments]
    edges = source.characters([edge for one in found for edge in (one.start, one.end)])
    return list(zip(edges[::2], edges[1::2], strict=True))


@settings(max_examples=500, deadline=None)
@given(any_text | sound_texts())
def test_law_quotes_names_and_semicolons_are_where_postgresql_sees_them(text: str) -> None:
    scanned = _scanned(text)
    if scanned is None:
        return
    ours = list(lexemes(text))

    assert "".join(text[one.start : one.end] for one in ours) == text
    assert [one.kind for one in ours if one.kind == "unfinished"] == []
    marks = {bounds for bounds in scanned if text[slice(*bounds)] in (";", "(", ")")}
    assert {
        (one.start, one.end) for one in tokens(text) if text[one.start : one.end] in (";", "(", ")")
    } == marks
    assert {one.start for one in tokens(text) if one.kind == "word"} <= {
        at for low, high in scanned for at in range(low, high)
    }


@given(st.binary(max_size=40) | any_text.map(str.encode))
def test_law_bytes_are_text_that_can_be_split_or_are_refused_with_a_reason(data: bytes) -> None:
    try:
        source = decode_source(data)
    except MigrationReadError as error:
        event(str(error).splitlines()[0])
        return
    assert source.encoded == data
    for one in split_statements(source):
        place = source.position(one.start)
        assert source.position(CharOffset(one.end - 1)).line >= place.line >= 1


@given(any_text, st.integers(min_value=1, max_value=80))
def test_law_a_headline_is_one_short_line(text: str, width: int) -> None:
    line = headline(text, width)

    assert len(line) <= width
    assert len(line.splitlines()) <= 1


def test_a_headline_leaves_out_comments_and_keeps_what_only_looks_like_one() -> None:
    assert headline("-- why\nSELECT  '--x',\n  /* y */ 2") == "SELECT '--x', 2"
    assert headline("INSERT INTO t VALUES " + "(1), " * 50, 30) == "INSERT INTO t VALUES (1), (1)…"


# -- real files ----------------------------------------------------------------------------------------------


def test_real_files_are_split_as_postgresql_splits_them(corpora: Path) -> None:
    files = sorted(corpora.rglob("*.sql"))
    assert len(files) > 1000
    for path in files:
        try:
            source = read_source(path)
        except MigrationReadError:
            continue
        found = split_statements(source)
        if is_accepted(source.text):
            split = postgast.split(without_mark(source.text), method="parser")
            assert [one.text for one in found] == [bare(one) for one in split], path
            assert tuple(_statements_by_semicolons(source.text)) == found, path


@settings(max_examples=500, deadline=None)
@given(any_text | sound_texts(), st.sampled_from([";", "\\;", ":\\;"]))
def test_law_the_next_mark_is_the_next_lexeme_that_is_one(text: str, marks: str) -> None:
    expected = [
        one.start for one in lexemes(text) if one.kind == "mark" and text[one.start : one.end] in marks
    ]

    found, at = [], 0
    while (at := next_mark(text, at, marks)) < len(text):
        found.append(at)
        at += 1
    assert found == expected
