"""Where the words, quotes and comments of a text are, by PostgreSQL's lexical rules.

PostgreSQL's own scanner gives up at the first defect, sometimes without saying where; this one never does,
so that a file with a defect still has statements before and after it. Where PostgreSQL's accepts a text, the
two agree (a law in the tests). Manual: "Lexical Structure"; source: ``src/backend/parser/scan.l``.
"""

import re
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

from pytest_migsafe.migrations.source import BYTE_ORDER_MARK

# Every character beyond ASCII may stand in a name, a no-break space too; blanks are ASCII's.
_LETTER = r"A-Za-z_\u0080-\U0010ffff"
_BLANK = r"[ \t\n\r\f\v]"
_LEXEME = re.compile(
    rf"""
      (?P<blank>   (?: {_BLANK}+ | --[^\n\r]* )+ )
    | (?P<comment> /\* )
    | (?P<escape>  [eE]' )
    | (?P<string>  ' )
    | (?P<quoted>  " )
    | (?P<dollar>  \$ (?: [{_LETTER}][{_LETTER}0-9]* )? \$ )
    | (?P<word>    [{_LETTER}][{_LETTER}0-9$]* )
    | (?P<number>  \$[0-9]+ | \.?[0-9][{_LETTER}0-9.]* )
    | (?P<mark>    . )
    """,
    re.VERBOSE | re.DOTALL,
)
#: From after a string's closing quote to the quotes in which it goes on: past a line break, and comments.
_GOES_ON = rf"[ \t\f\v]*(?:--[^\n\r]*)?[\n\r](?:{_BLANK}|--[^\n\r]*[\n\r])*'"
#: What closes a quote. No possessive groups: Python before 3.11.5 does not put the place back when the last round of
#: one fails (its changelog, gh-106052), and Debian 12 has 3.11.2. What follows the quote tells that it is the last.
_CLOSING = {
    "string": re.compile(r"[^']*+(?:''[^']*+)*'(?!')"),
    "quoted": re.compile(r'[^"]*+(?:""[^"]*+)*"(?!")'),
    # After a line break a string goes on in the next quotes, and E's backslashes with it.
    "escape": re.compile(
        rf"[^'\\]*+(?:(?:''|\\.|'{_GOES_ON})[^'\\]*+)*'(?!'|{_GOES_ON})",
        re.DOTALL,
    ),
}
_COMMENT_MARK = re.compile(r"/\*|\*/")


class Lexeme(NamedTuple):
    """A word, number, literal, comment or other mark of a text."""

    #: "blank" (white space and comments to the end of a line), "comment" (in ``/* */``), "word", "number",
    #: "string", "quoted" (a name), "dollar" (a string), "mark" (any other single character) or "unfinished" (a
    #: quote or comment that the text does not close).
    kind: str
    #: Where it begins, and one after its end, in characters.
    start: int
    end: int


def lexemes(text: str, start: int = 0) -> Iterator[Lexeme]:
    """Yield all lexemes from a place that is in none, in order; they make up the text without a gap."""
    at = start
    if at == 0 and text.startswith(BYTE_ORDER_MARK):
        yield Lexeme("blank", 0, 1)
        at = 1
    while match := _LEXEME.match(text, at):
        kind, end = match.lastgroup or "", match.end()
        if kind == "comment":
            end = _end_of_comment(text, at)
        elif kind == "dollar":
            closing_at = text.find(match.group(), end)
            end = closing_at + len(match.group()) if closing_at >= 0 else -1
        elif closing := _CLOSING.get(kind):
            closed = closing.match(text, end)
            end = closed.end() if closed else -1
            kind = "string" if kind == "escape" else kind
        if end < 0:
            yield Lexeme("unfinished", at, len(text))
            return
        yield Lexeme(kind, at, end)
        at = end


def next_mark(text: str, start: int, marks: str) -> int:
    """Return where the next of some marks stands that is no part of a word, quote or comment.

    The text's end, if none does. ``start`` is in no lexeme. As ``lexemes`` does it, but a hundred times faster:
    seeds have tens of megabytes.
    """
    return _passed(text, start, marks)[0]


def is_closed(text: str, start: int) -> bool:
    """Whether every quote and comment from a place on, which is in none, is closed before the text ends."""
    return _passed(text, start, "")[1]


def _passed(text: str, start: int, marks: str) -> tuple[int, bool]:
    """Return where the next mark is, or the end; and whether all before it is closed."""
    without = _without(marks)
    at = start + (start == 0 and text.startswith(BYTE_ORDER_MARK))
    while at < len(text):
        while passed := without.match(text, at):
            at = passed.end()
        if at == len(text) or text[at] in marks:
            break
        # A comment, which no regular expression can follow as it nests, a dollar quote, or what is not closed.
        lexeme = next(lexemes(text, at))
        if lexeme.kind == "unfinished":
            return len(text), False
        at = lexeme.end
    return at, True


#: So many pieces are passed in one match, for which its way back is kept; a file may have millions.
_AT_ONCE = 1000


@cache
def _without(marks: str) -> re.Pattern[str]:
    """Return the pattern of a text in which some marks do not stand, up to a block comment or a dollar quote."""
    return re.compile(
        rf"""
        (?: [^'"$/\-.A-Za-z_0-9\u0080-\U0010ffff{re.escape(marks)}]++
          | -- [^\n\r]*+
          | (?! [eE]' ) [{_LETTER}][{_LETTER}0-9$]*+
          | \$[0-9]++ | \.?[0-9][{_LETTER}0-9.]*+
          | [eE]' {_CLOSING["escape"].pattern}
          | ' {_CLOSING["string"].pattern}
          | " {_CLOSING["quoted"].pattern}
          | /(?!\*) | -(?!-) | \.(?![0-9]) | \$(?![0-9]) (?! (?: [{_LETTER}][{_LETTER}0-9]*+ )? \$ )
        ){{1,{_AT_ONCE}}}
        """,
        re.VERBOSE,
    )


def tokens(text: str, start: int = 0) -> Iterator[Lexeme]:
    """Yield the lexemes that are neither white space nor comment."""
    return (lexeme for lexeme in lexemes(text, start) if lexeme.kind not in ("blank", "comment"))


def first_token(text: str, start: int) -> int:
    """Return where the first token at or after a place begins, which is in none; the text's end if none does."""
    return next((token.start for token in tokens(text, start)), len(text))


def in_double_quotes(name: str) -> str:
    """Return a name as SQL takes it in any place, whatever it consists of."""
    doubled = name.replace('"', '""')
    return f'"{doubled}"'


def headline(text: str, width: int = 72) -> str:
    """Return a statement on one line, without comments, cut at ``width`` characters."""
    parts = (
        " " if lexeme.kind in ("blank", "comment") else text[lexeme.start : lexeme.end]
        for lexeme in lexemes(text[:_HEADLINE_READS])
    )
    plain = " ".join("".join(parts).split())
    return plain if len(plain) <= width else plain[: width - 1].rstrip() + "…"


#: Enough of a statement for a headline, whatever comments stand in it.
_HEADLINE_READS = 10_000


def _end_of_comment(text: str, at: int) -> int:
    # Comments nest (manual: "Comments" in "Lexical Structure").
    depth = 0
    for mark in _COMMENT_MARK.finditer(text, at):
        depth += 1 if mark.group() == "/*" else -1
        if depth == 0:
            return mark.end()
    return -1
