"""Where the statements of a text end, told by its semicolons.

For texts that the grammar rejects, and for long ones: a parse tree takes a hundred times the room of its text. One
pass, in which only two kinds of statement need a closer look.
"""

import re
from collections import deque
from collections.abc import Callable, Iterator
from itertools import islice, pairwise
from typing import NamedTuple

from pytest_migsafe.migrations.lexemes import Lexeme, first_token, is_closed, next_mark, tokens


class Span(NamedTuple):
    """Where a statement stands."""

    start: int
    #: One after its last token.
    end: int
    #: One after its semicolon; the text's end for the last one, which may have none.
    semicolon_end: int


#: Tells whether the grammar accepts a text as it is.
IsAccepted = Callable[[str], bool]

#: What may stand between two statements besides comments.
_NOTHING = re.compile(r"[; \t\n\r\f\v]+")
_CREATE = re.compile(r"create\b", re.IGNORECASE)
#: How many tokens one statement may be looked through for its end, and all of a text together. What is longer
#: ends at its first semicolon: only a broken or a hostile file has that.
_LONGEST_BODY = 50_000
_LOOKED_THROUGH = 1_000_000
#: How often the grammar is asked about one statement whether it is complete.
_MOST_QUESTIONS = 100


def statement_spans(text: str, is_accepted: IsAccepted) -> Iterator[Span]:
    """Yield where each statement of a text stands, in order."""
    budget = _LOOKED_THROUGH
    at = 0
    while True:
        nothing = _NOTHING.match(text, at)
        start = first_token(text, nothing.end() if nothing else at)
        if start == len(text):
            return
        end = next_mark(text, start, ";")
        if budget > 0 and _CREATE.match(text, start):
            end, looked_through = _end_of_creation(text, start, end, is_accepted)
            budget -= looked_through
        if end > start:
            yield Span(start, _end_of_tokens(text, start, end), min(end + 1, len(text)))
        at = end + 1


def _end_of_tokens(text: str, start: int, end: int) -> int:
    # What is not closed takes the white space at the end, too.
    if end == len(text) and not is_closed(text, start):
        return end
    return start + _length(text[start:end])


#: What is white space to PostgreSQL; a no-break space, which is to Python, may stand in a name.
_BLANKS = " \t\n\r\f\v"


def without_trailing_comment(statement: str) -> str:
    """Return a statement to its last token, which a comment may follow before the semicolon does."""
    return statement[: _length(statement)]


def _length(statement: str) -> int:
    text = statement.rstrip(_BLANKS)
    if text.endswith("*/") or "--" in text[text.rfind("\n") + 1 :]:
        # A byte order mark in the middle of a file is a token, though at the beginning of a text it is none.
        return next((last.end for last in deque(tokens(text), maxlen=1)), 1)
    return len(text)


def _end_of_creation(text: str, start: int, first: int, is_accepted: IsAccepted) -> tuple[int, int]:
    """Return where the semicolon stands that ends a CREATE, and how many tokens were looked through for it.

    Two statements hold semicolons of their own: ``CREATE RULE ... DO (...; ...)`` and routines whose body is
    ``BEGIN ATOMIC ...; ...; END``. One that is not closed ends at its first semicolon, so as not to take the rest
    of the file with it.
    """
    if not _HOLDS_SEMICOLONS.search(text, start, first):
        return first, 0
    ahead = islice(tokens(text, start), _LONGEST_BODY)
    beginning = list(islice(ahead, 4))
    match _words(text, beginning):
        case ["create", "rule", *_] | ["create", "or", "replace", "rule"]:
            found = [*beginning, *ahead]
            end = _semicolon_outside_parentheses(text, found)
        case ["create", "function" | "procedure", *_] | ["create", "or", "replace", "function" | "procedure"]:
            found = [*beginning, *ahead]
            end = _semicolon_after_body(text, found, first, is_accepted)
        case _:
            return first, len(beginning)
    return first if end is None else end, len(found)


#: The words without which a CREATE holds no semicolon of its own, in quotes and comments too.
_HOLDS_SEMICOLONS = re.compile(r"\b(?:rule|atomic)\b", re.IGNORECASE)


def _words(text: str, found: list[Lexeme]) -> list[str]:
    return [text[one.start : one.end].lower() if one.kind == "word" else "" for one in found]


def _is_mark(text: str, lexeme: Lexeme, mark: str) -> bool:
    return lexeme.kind == "mark" and text[lexeme.start] == mark


def _semicolon_outside_parentheses(text: str, found: list[Lexeme]) -> int | None:
    depth = 0
    for one in found:
        depth += _is_mark(text, one, "(") - _is_mark(text, one, ")")
        if depth <= 0 and _is_mark(text, one, ";"):
            return one.start
    return None if depth > 0 else _end_of_text(text, found)


def _end_of_text(text: str, found: list[Lexeme]) -> int | None:
    return len(text) if len(found) < _LONGEST_BODY else None


def _semicolon_after_body(text: str, found: list[Lexeme], first: int, is_accepted: IsAccepted) -> int | None:
    """Return the semicolon after the END with which the statement is a complete one; None when there is none.

    END may end a CASE or be a column's label as well, which only the grammar can tell. For a statement that it
    rejects the number of CASEs has to do.
    """
    words = _words(text, found)
    if not any(
        pair == ("begin", "atomic") and one.start < first
        for pair, one in zip(pairwise(words), found, strict=False)
    ):
        return None
    balanced = None
    depth = questions = 0
    for here, word in enumerate(words):
        depth += (word in ("atomic", "case")) - (word == "end")
        if word != "end":
            continue
        follows = found[here + 1] if here + 1 < len(found) else None
        if follows is not None and (follows.start < first or not _is_mark(text, follows, ";")):
            continue
        end = follows.start if follows is not None else _end_of_text(text, found)
        if end is None:
            break
        questions += 1
        if questions <= _MOST_QUESTIONS and is_accepted(text[found[0].start : found[here].end]):
            return end
        if depth <= 0 and balanced is None:
            balanced = end
    return balanced
