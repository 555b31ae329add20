"""Whether two texts of a file are the same to PostgreSQL."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_migsafe.migrations.layouts import LAYOUTS
from pytest_migsafe.migrations.lexemes import lexemes
from pytest_migsafe.migrations.model import Migration, Runner
from pytest_migsafe.migrations.origin import Change
from pytest_migsafe.migrations.sameness import compare, digests

_FUNCTION = "create function f() returns int language sql as $$ select 1 -- one\n$$"


def migration(layout: str = "flat", *, is_repeatable: bool = False) -> Migration:
    found = next(one for one in LAYOUTS if one.name == layout)
    return Migration(
        id="1",
        path=Path("1.sql"),
        relative_path="1.sql",
        runner=Runner(usual=found.manner),
        reader=found.reader,
        is_repeatable=is_repeatable,
    )


def change(was: str, now: str, layout: str = "flat") -> Change:
    one = migration(layout)
    found = compare(one, was.encode(), now.encode()).change
    if layout == "flat" and found is not Change.UNCHANGED:
        is_same = digests(one, was.encode()) == digests(one, now.encode())
        assert is_same == (found is not Change.EDITED)
    return found


@pytest.mark.parametrize(
    ("was", "now", "expected"),
    [
        ("select 1;", "select 1;", Change.UNCHANGED),
        ("select 1;\n", "select 1;\r\n", Change.UNCHANGED),
        ("select 1;", "select 1", Change.COMMENTS),
        ("select 1;", "select\n1 ;\n\n", Change.COMMENTS),
        ("select 1;\nselect 2;", "  select 1;\n\n\nselect 2;", Change.WHITE_SPACE),
        ("select 1;", "-- one\nselect /* the */ 1; -- first", Change.COMMENTS),
        ("create table T (a INT);", "CREATE TABLE t (A int);", Change.COMMENTS),
        ('create table "T" (a int);', 'create table "t" (a int);', Change.EDITED),
        ("select 'a  b';", "select 'a b';", Change.EDITED),
        ("select '--a';", "select '--b';", Change.EDITED),
        ("select a @> b;", "select a @ > b;", Change.EDITED),
        ("select b'1';", "select b '1';", Change.EDITED),
        (_FUNCTION, _FUNCTION.replace("one", "two"), Change.EDITED),
        (_FUNCTION, _FUNCTION.replace(" $$", "  $$"), Change.WHITE_SPACE),
        ("select 1;", "-- no-transaction\nselect 1;", Change.EDITED),
        ("copy t from stdin;\na\tb\n\\.\n", "copy t from stdin;\na b\n\\.\n", Change.EDITED),
        ("select 'open", "select 'open ", Change.EDITED),
        ("select 1;", "", Change.EDITED),
        ("\ufeffselect 1;", "select 1;", Change.COMMENTS),
    ],
)
def test_comments_and_white_space_are_told_from_statements(was: str, now: str, expected: Change) -> None:
    assert change(was, now) is expected
    assert change(now, was) is expected


def test_the_way_back_may_change() -> None:
    was = "-- migrate:up\nselect 1;\n-- migrate:down\nselect 2;\n"
    assert change(was, was.replace("2", "3"), "dbmate") is Change.ALLOWED
    assert change(was, was.replace("1", "3"), "dbmate") is Change.EDITED
    assert change(was, was.replace("migrate:up", "migrate:up transaction:false"), "dbmate") is Change.EDITED


def test_changesets_may_be_added_and_those_that_run_on_change_edited() -> None:
    was = (
        "--liquibase formatted sql\n--changeset ann:1\nselect 1;\n"
        "--changeset ann:2 runOnChange:true\ncreate or replace view v as select 1;\n"
    )
    assert change(was, f"{was}--changeset bob:3\nselect 3;\n", "liquibase") is Change.ALLOWED
    assert change(was, was.replace("as select 1", "as select 2"), "liquibase") is Change.ALLOWED
    assert change(was, was.replace("\nselect 1", "\nselect 2"), "liquibase") is Change.EDITED
    assert change(was, was.replace("ann:1", "ann:one"), "liquibase") is Change.EDITED


def test_a_repeatable_file_is_meant_to_be_edited() -> None:
    assert compare(migration(is_repeatable=True), b"select 1", b"select 2").change is Change.ALLOWED


def test_bytes_that_are_no_text_are_compared_all_the_same() -> None:
    assert compare(migration(), b"select '\xe9';", b"select '\xe8';").change is Change.EDITED
    assert compare(migration(), b"select '\xe9';", b"select  '\xe9';").change is Change.WHITE_SPACE


def test_the_differences_are_few_and_their_line_is_that_of_the_file_as_it_is() -> None:
    was = "\n".join(f"select {n};" for n in range(50))
    found = compare(migration(), was.encode(), was.replace("select 7;", "select 70;").encode())
    assert (found.line, found.differences) == (8, ("-select 7;", "+select 70;"))
    found = compare(migration(), was.encode(), was.replace("select", "SELECT DISTINCT").encode())
    assert found.line == 1
    assert found.differences[-1] == "... and 88 lines more"
    assert compare(migration(), b"select 1;\nselect 2;", b"select 1;").line == 1


_STATEMENTS = st.lists(
    st.sampled_from(
        [
            "create table t (a int, b text default 'it''s -- here')",
            'alter table "T" add column "x y" int',
            "insert into t values (1, E'\\'--', $1, $x$ /* body */ ; $x$)",
            "select 1 + -2 * 3, a @> b, x::int, u&'d\\0061t'",
            _FUNCTION,
        ]
    ),
    min_size=1,
    max_size=4,
)
_BETWEEN = st.text(alphabet=" \t\n", max_size=3).flatmap(
    lambda blanks: st.sampled_from(
        [
            blanks,
            f"{blanks}-- a 'comment\n",
            f'{blanks}/* a /* nested */ "one */',
            f"{blanks}-- ; $$\n{blanks}",
        ]
    )
)


@given(_STATEMENTS, st.data())
def test_what_stands_between_statements_never_changes_them(
    statements: list[str], data: st.DataObject
) -> None:
    was = "".join(f"{one};\n" for one in statements)
    now = "".join(f"{data.draw(_BETWEEN)}{one}{data.draw(_BETWEEN)};\n" for one in statements)
    assert change(was, now) in {Change.UNCHANGED, Change.COMMENTS, Change.WHITE_SPACE}


@given(_STATEMENTS, st.data())
def test_a_word_more_always_changes_them(statements: list[str], data: st.DataObject) -> None:
    was = "".join(f"{one};\n" for one in statements)
    places = [one.start for one in lexemes(was) if one.kind not in ("blank", "comment")]
    at = data.draw(st.sampled_from(places))
    assert change(was, f"{was[:at]} more {was[at:]}") is Change.EDITED
