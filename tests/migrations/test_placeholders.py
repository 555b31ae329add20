"""What the runner puts in or leaves out changes no position: places are those of the file as written."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_migsafe.errors import MigrationReadError
from pytest_migsafe.migrations.grammar import split_statements
from pytest_migsafe.migrations.placeholders import substituted, with_environment
from pytest_migsafe.migrations.source import CharOffset, SourceText


def places(source: SourceText) -> list[tuple[int, int, str]]:
    found = []
    for one in split_statements(source):
        place = source.position(one.start)
        found.append((place.line, place.column, one.text))
    return found


def test_values_are_put_in_wherever_a_placeholder_stands() -> None:
    source = substituted(
        SourceText("CREATE TABLE ${Schema}.t (a text DEFAULT '${flyway:user}' /* ${schema} */);\nSELECT 1;"),
        {"schema": "app", "flyway:user": "ann"},
    )

    assert places(source) == [
        (1, 1, "CREATE TABLE app.t (a text DEFAULT 'ann' /* app */)"),
        (2, 1, "SELECT 1"),
    ]


def test_lines_are_counted_in_the_file_whatever_the_values_hold() -> None:
    written = "\ufeffSELECT ${a};  SELECT 2;\nSELECT ${b} + 1;"
    source = substituted(SourceText(written), {"a": "1,\n  2,\n  3", "b": ""})

    assert places(source) == [
        (1, 1, "SELECT 1,\n  2,\n  3"),
        (1, 15, "SELECT 2"),
        (2, 1, "SELECT  + 1"),
    ]
    assert source.line(2) == "SELECT ${b} + 1;"
    assert source.position(CharOffset(source.text.index("3"))).column == written.index("$")


def test_all_placeholders_without_a_value_are_named_at_once() -> None:
    with pytest.raises(MigrationReadError) as raised:
        substituted(SourceText("GRANT ${role} TO ${known};\n-- ${role}\nSET ${a b};"), {"known": "x"})

    assert str(raised.value) == (
        "no values for the placeholders ${role} (line 1), ${a b} (line 3); set them in [tool.migsafe.placeholders]"
    )


def test_one_placeholder_without_a_value_is_named_with_the_way_out() -> None:
    with pytest.raises(MigrationReadError) as raised:
        substituted(SourceText("SELECT 1;\nSELECT #(x);"), {}, prefix="#(", suffix=")")

    assert str(raised.value) == (
        "no value for the placeholder #(x) (line 2); set it in [tool.migsafe.placeholders]"
    )


def test_a_placeholder_that_is_not_closed_is_said_to_be_open() -> None:
    with pytest.raises(
        MigrationReadError,
        match=r"^the placeholder that begins with \$\{ in line 2 is not closed with \}$",
    ):
        substituted(SourceText("SELECT 1;\nSELECT '${x';"), {"x": "y"})


def test_a_text_without_placeholders_is_left_alone() -> None:
    source = SourceText("DO $$ BEGIN RAISE NOTICE '%', $1; END $$")

    assert substituted(source, {"a": "b"}) is source
    assert with_environment(source, {"a": "b"}, [(0, len(source.text))]) is source


def test_variables_of_the_environment_are_put_in_between_the_marks_only() -> None:
    text = "SELECT '$USER', '${USER}', '${NO:-none}', '${EMPTY:-x}', '${EMPTY-x}', $tag$ $1 $$ $tag$; '$USER'"
    source = with_environment(SourceText(text), {"USER": "ann", "EMPTY": ""}, [(0, text.index(";"))])

    assert source.text == "SELECT 'ann', 'ann', 'none', 'x', '', $tag$ $1 $$ $tag$; '$USER'"


def test_a_masked_text_keeps_its_places() -> None:
    source = SourceText("SELECT 1;\r\n-- down\r\nDROP TABLE é;\r\n-- up\r\nSELECT 2;")
    start, end = source.text.index("-- down"), source.text.index("-- up")
    masked = source.masked([(start, end)])

    assert len(masked.text) == len(source.text)
    assert places(masked) == [(1, 1, "SELECT 1"), (5, 1, "SELECT 2")]
    assert masked.line(3) == "DROP TABLE é;"


def test_overlapping_spans_are_masked_once() -> None:
    assert SourceText("abcdefgh").masked([(3, 6), (1, 4)]).text == "a     gh"


# -- laws ----------------------------------------------------------------------------------------------------

pieces = st.lists(
    st.text("ab é🦆\n\r;", max_size=5) | st.sampled_from(["${x}", "${Y}", "${z:1}"]), max_size=12
)
values = st.fixed_dictionaries({name: st.text("uv\n${}", max_size=8) for name in ("x", "y", "z:1")})


@settings(max_examples=500, deadline=None)
@given(pieces, values, st.booleans())
def test_law_what_is_no_placeholder_stands_where_it_stands_in_the_file(
    parts: list[str], given_values: dict[str, str], mark: bool
) -> None:
    parts = ["\ufeff", *parts] if mark else parts
    file = SourceText("".join(parts))
    source = substituted(file, given_values)

    at_file = at_text = 0
    for part in parts:
        is_placeholder = part.startswith("${")
        put_in = given_values[part[2:-1].lower()] if is_placeholder else part
        assert source.text[at_text : at_text + len(put_in)] == put_in
        for inside in range(len(put_in)):
            expected = file.position(CharOffset(at_file + (0 if is_placeholder else inside)))
            assert source.position(CharOffset(at_text + inside)) == expected
        at_file, at_text = at_file + len(part), at_text + len(put_in)
    assert source.position(CharOffset(at_text)) == file.position(CharOffset(at_file))
    for number in range(1, file.text.count("\n") + 2):
        assert source.line(number) == file.line(number)


@settings(max_examples=300, deadline=None)
@given(
    pieces.map("".join),
    st.lists(st.tuples(st.integers(0, 30), st.integers(0, 10)), max_size=4),
    values,
)
def test_law_a_masked_text_with_values_has_the_file_s_places(
    text: str, drawn: list[tuple[int, int]], given_values: dict[str, str]
) -> None:
    file = SourceText(text)
    masked = file.masked([(start, start + length) for start, length in drawn])

    assert len(masked.text) == len(text)
    assert masked.text.count("\n") == text.count("\n")
    for at, (now, then) in enumerate(zip(masked.text, text, strict=True)):
        hidden = any(start <= at < start + length for start, length in drawn)
        assert now == (" " if hidden and then not in "\r\n" else then)
        assert masked.position(CharOffset(at)) == file.position(CharOffset(at))
    if "${" not in masked.text.replace("${x}", "").replace("${Y}", "").replace("${z:1}", ""):
        both = substituted(masked, given_values)
        assert both.position(CharOffset(len(both.text))) == file.position(CharOffset(len(text)))
