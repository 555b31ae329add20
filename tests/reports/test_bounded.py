"""A text of parts in a room: what matters most is there, each part whole."""

from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st

from pytest_migsafe.reports.bounded import Part, fitted


def left_out(counted: str) -> str:
    return f"left out: {counted}\n"


def test_what_fits_is_all_there_and_nothing_is_said() -> None:
    parts = [Part("head\n", 0), Part("(", 5, (Part("a", 5), Part("b", 9)), end=")")]

    assert fitted(parts, 100, left_out) == "head\n(ab)"


def test_what_matters_least_is_left_out_and_counted() -> None:
    parts = [Part("head\n", 0), *(Part("x" * 300, at, noun="thing") for at in (3, 1, 2))]

    assert fitted(parts, 800, left_out) == f"head\n{'x' * 300}left out: 2 things\n"


def test_a_frame_is_there_only_around_something() -> None:
    frame = Part("<", 1, (Part("x" * 2000, 1, noun="thing"),), end=">")

    assert fitted([Part("head\n", 0), frame], 1000, left_out) == "head\nleft out: 1 thing\n"


def test_what_belongs_to_a_part_is_there_only_with_it() -> None:
    inner = Part("inner", 2, noun="proof")
    assert fitted([Part("h\n", 0), Part("x" * 2000, 1, (inner,), noun="error")], 1000, left_out) == (
        "h\nleft out: 1 error\n"
    )


def _parts(depth: int = 2) -> st.SearchStrategy[list[Part]]:
    inner = _parts(depth - 1) if depth else st.just([])
    return st.lists(
        st.builds(
            lambda text, importance, parts, is_frame: Part(
                f"<{text}" if parts and is_frame else text,
                importance,
                tuple(parts),
                end=">" if parts and is_frame else None,
                noun="thing",
            ),
            text=st.text("abc\n", max_size=300),
            importance=st.integers(1, 4),
            parts=inner,
            is_frame=st.booleans(),
        ),
        max_size=4,
    )


def _all(parts: list[Part]) -> Iterator[Part]:
    for part in parts:
        yield part
        yield from _all(list(part.parts))


@given(_parts(), st.integers(500, 2000))
def test_it_never_takes_more_room_and_every_frame_is_closed(parts: list[Part], most: int) -> None:
    text = fitted([Part("head\n", 0), *parts], most, left_out)

    assert len(text) <= most
    assert text.startswith("head\n")
    assert text.count("<") == text.count(">")
    if len("head\n") + sum(part.length for part in _all(parts)) <= most:
        assert "left out" not in text
