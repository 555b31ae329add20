"""SQL as a person reads it: highlighted, with line numbers, and a mark where something is wrong."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from pytest_migsafe.reports.excerpt import around, before_caret, statement_lines
from pytest_migsafe.reports.html.markup import Content, Markup, element, joined, text


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Some lines of a file."""

    #: By their numbers in the file.
    lines: Mapping[int, str]
    #: Whether lines before and after them are left out.
    begins_later: bool = False
    ends_earlier: bool = False


def whole_statement(statement: Mapping[str, Any]) -> Excerpt:
    """Return the lines of a statement, as they stand in its file."""
    return Excerpt(statement_lines(statement["line"], statement["column"], statement["text"]))


def cut(excerpt: Excerpt, most: int, *, around: int | None = None) -> Excerpt:
    """Return an excerpt with so many lines at most: the first, or those around a line."""
    numbers = sorted(excerpt.lines)
    if len(numbers) <= most:
        return excerpt
    start = 0 if around is None else max(min(around - numbers[0] - most // 2, len(numbers) - most), 0)
    kept = numbers[start : start + most]
    return Excerpt(
        {number: excerpt.lines[number] for number in kept},
        begins_later=start > 0,
        ends_earlier=kept[-1] < numbers[-1],
    )


def sql_block(excerpt: Excerpt, *, mark: tuple[int, int] | None = None, label: str) -> Markup:
    """Return lines as a block; ``mark`` is a line with a column, and ``label`` what a screen reader calls the block."""
    numbers = sorted(excerpt.lines)
    highlighted = _highlighted([excerpt.lines[number] for number in numbers], mark, numbers)
    lines: list[Markup] = []
    for number, line in zip(numbers, highlighted, strict=True):
        is_marked = mark is not None and number == mark[0]
        head = element("span", "here: ", class_="unseen") if is_marked else None
        lines.append(
            element("span", head, line or " ", class_="line marked" if is_marked else "line", data_n=number)
        )
        if is_marked and mark is not None and mark[1]:
            pad = _pad(excerpt.lines[number], mark[1])
            lines.append(element("span", pad, element("b", "^"), class_="line caret", aria_hidden="true"))
    if excerpt.begins_later:
        lines.insert(0, _LEFT_OUT)
    if excerpt.ends_earlier:
        lines.append(_LEFT_OUT)
    return _block(lines, "sql", [excerpt.lines[number] for number in numbers], label)


def plain_sql(script: str, *, label: str) -> Markup:
    """Return SQL without line numbers, to be copied."""
    lines = script.replace("\r\n", "\n").split("\n")
    highlighted = "\n".join(_highlighted(lines, None, []))
    return _block(Markup(highlighted), "sql plain", lines, label)


def _block(content: Content, class_: str, lines: Sequence[str], label: str) -> Markup:
    # What may be wider than its box is scrolled, also by keyboard.
    is_wide = any(len(line) > _NARROW for line in lines)
    return element(
        "pre",
        element("code", content),
        class_=class_,
        tabindex=0 if is_wide else None,
        role="group",
        aria_label=label,
    )


#: As many characters fit a phone.
_NARROW = 36


_LEFT_OUT = element("span", "…", class_="line gap")


def _pad(line: str, column: int) -> str:
    return before_caret(*around(line, column))


def _highlighted(lines: Sequence[str], mark: tuple[int, int] | None, numbers: Sequence[int]) -> list[Markup]:
    """Return each line with its tokens' classes; long ones are cut before."""
    cut_lines = []
    for at, line in enumerate(lines):
        is_marked = mark is not None and numbers and numbers[at] == mark[0]
        shown, _ = around(line, mark[1] if is_marked and mark is not None else 1)
        cut_lines.append(shown)
    found: list[list[Markup]] = [[]]
    for kind, value in _tokens("\n".join(cut_lines)):
        for at, piece in enumerate(value.split("\n")):
            if at:
                found.append([])
            if piece:
                found[-1].append(element("i", piece, class_=kind) if kind else text(piece))
    return [joined(line) for line in found]


def _tokens(script: str) -> Iterator[tuple[str, str]]:
    """Yield the pieces of a script with their classes: k, s, n, c or none; neighbours of a class together."""
    waiting, known = "", ""
    for _, kind, value in _lexer().get_tokens_unprocessed(script):
        # A dot between names counts as a number.
        name = _class(kind) if value != "." else ""
        # Blanks have no colour of their own.
        if name != known and not value.isspace():
            if waiting:
                yield known, waiting
            waiting, known = "", name
        waiting += value
    if waiting:
        yield known, waiting


@cache
def _class(kind: Any) -> str:
    from pygments.token import Comment, Keyword, Name, Number, String  # as below  # noqa: PLC0415

    if kind in Comment:
        return "c"
    if kind in String and kind not in String.Name:
        return "s"
    if kind in Number:
        return "n"
    return "k" if kind in Keyword or kind in Name.Builtin else ""


@cache
def _lexer() -> Any:
    # Its tables of words are loaded only where a page is written.
    from pygments.lexers.sql import PostgresLexer  # noqa: PLC0415

    return PostgresLexer()
