"""Waivers: comments in a file's SQL that say which findings are known, and why they are no reason to stop.

``-- migsafe: allow RULE[, RULE] because REASON`` is a comment to the end of a line. It stands

- in the lines directly above a statement, in it, or behind it on its last line: then it covers this statement;
- above the first statement, with an empty line between, or directly above a BEGIN that opens the file: then it covers the
  whole file.

What stands in a string, and so in the body of a function or of DO, is no comment. What only looks like a waiver is kept, too,
with what is wrong with it: a waiver that is silently ignored would be looked for in vain.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from pytest_migsafe.migrations.lexemes import first_token, lexemes
from pytest_migsafe.migrations.model import Script
from pytest_migsafe.migrations.source import CharOffset, Position, SourceText
from pytest_migsafe.migrations.statements import Statement, TransactionControl

#: How one is written, for messages.
FORM = "-- migsafe: allow RULE because REASON"


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiver:
    """A comment that allows findings of some rules, or was meant to."""

    #: 1-based place of the comment in the file.
    line: int
    column: int
    #: The rules' ids, as they are written.
    rules: tuple[str, ...] = ()
    #: The reason; empty when none is given.
    because: str = ""
    #: The places of the first and the last character of the statement that it stands at; None: it covers the whole file.
    statement: tuple[Position, Position] | None = None
    #: Why the comment is no waiver; empty when it is one.
    problem: str = ""
    #: The line of the file that it stands on.
    text: str = ""

    def allows(self, rule: str) -> bool:
        """Whether findings of a rule are allowed, where it covers them."""
        return not self.problem and bool(self.because) and rule in self.rules

    def covers(self, line: int, column: int) -> bool:
        """Whether a place is covered; line 0 is that of findings which concern the whole file."""
        if self.statement is None:
            return True
        first, last = self.statement
        return (first.line, first.column) <= (line, column) <= (last.line, last.column)


def read_waivers(script: Script) -> tuple[Waiver, ...]:
    """Return the waivers that stand in a file, and what was meant to be one, in the order of the file."""
    if not _MENTION.search(_file(script.source).text):
        return ()
    found = {one.place: one for one in _directives(script.source)}
    # The header may stand outside of what is sent: above "-- +goose Up", or a changeset.
    found |= {one.place: one for one in _header(script)} if script.source.origin is not None else {}
    waivers = (waiver for one in found.values() for waiver in _waiver(script, one))
    return tuple(sorted(waivers, key=lambda one: (one.line, one.column)))


#: What stands in every file in which there is something to look for.
_MENTION = re.compile(r"(?:--|/\*)\s*migsafe\b", re.IGNORECASE)
#: What we are addressed with in a comment: with a colon, or by somebody who forgot it.
_ADDRESS = re.compile(r"\s*migsafe(?:\s*:|\s+(?=allow\b))\s*", re.IGNORECASE)
#: Another thing that a file can say of itself (``header.py``).
_NO_TRANSACTION = re.compile(r"no[-_ ]transaction", re.IGNORECASE)
_ALLOW = re.compile(r"allow\b\s*(?P<rules>.*?)\s*(?:\bbecause\b[\s:,]*(?P<because>.*))?", re.IGNORECASE)
_RULES = re.compile(r"[\w-]+(?:\s*,\s*[\w-]+)*")


@dataclass(frozen=True, slots=True)
class _Directive:
    """What a comment says to us."""

    place: Position
    text: str
    is_block: bool = False
    #: Where it is in the text that is sent; None where it is not in that.
    at: CharOffset | None = None


def _file(source: SourceText) -> SourceText:
    """Return the text just as it was written."""
    return source if source.origin is None else _file(source.origin)


def _directives(source: SourceText) -> Iterator[_Directive]:
    """Yield what the comments of a text say to us."""
    for kind, start, end in lexemes(source.text):
        if kind in ("blank", "comment"):
            for at, text in _comments(source.text[start:end]):
                found = _ADDRESS.match(text)
                if found and not _NO_TRANSACTION.fullmatch(said := text[found.end() :].strip()):
                    offset = CharOffset(start + at)
                    yield _Directive(source.position(offset), said, kind == "comment", offset)


_LINE_COMMENT = re.compile(r"--([^\n\r]*)")


def _comments(lexeme: str) -> Iterator[tuple[int, str]]:
    """Yield where the comments of a lexeme begin and what they say.

    Of one in ``/* */`` the first line: the others may be something that was commented out.
    """
    if lexeme.startswith("/*"):
        yield 0, re.split(r"[\n\r]", lexeme[2:])[0].removesuffix("*/")
    else:
        yield from ((one.start(), one[1]) for one in _LINE_COMMENT.finditer(lexeme))


def _header(script: Script) -> Iterator[_Directive]:
    """Yield what the comment on top of the file says to us, as far as it belongs to what is sent."""
    file = _file(script.source)
    end = next(
        (start for kind, start, _ in lexemes(file.text) if kind not in ("blank", "comment")), len(file.text)
    )
    first_line = file.position(CharOffset(end)).line
    is_of_first = bool(script.statements) and first_line == script.position(script.statements[0].start).line
    for one in _directives(SourceText(file.text[:end])):
        # What stands directly above a statement that is not sent, as one of the way back, is about that.
        if is_of_first or _is_apart(file, one.place.line, first_line):
            yield _Directive(one.place, one.text, one.is_block)


def _waiver(script: Script, directive: _Directive) -> Iterator[Waiver]:
    """Yield the waiver that a directive is; none if it stands at something that is not run, as what undoes a migration."""
    place = directive.place
    rules, because, problem = _read(directive)
    scope = _scope(script, directive)
    if scope is _Scope.NOT_RUN:
        return
    if scope is _Scope.NOWHERE and not problem:
        problem = "the waiver stands at no statement"
    yield Waiver(
        line=place.line,
        column=place.column,
        rules=rules,
        because=because,
        statement=_span(script, scope) if isinstance(scope, Statement) else None,
        problem=problem,
        text=script.source.line(place.line),
    )


def _read(directive: _Directive) -> tuple[tuple[str, ...], str, str]:
    """Return the rules, the reason, and what is wrong with a directive."""
    if directive.is_block:
        return (), "", "a comment in /* */ is no waiver"
    found = _ALLOW.fullmatch(directive.text)
    if found is None:
        return (), "", f"{directive.text.partition(' ')[0]!r} is nothing that migsafe understands"
    if not found["rules"]:
        return (), "", "the waiver names no rule"
    if not _RULES.fullmatch(found["rules"]):
        return (), "", f"{found['rules']!r} is no rule, nor several with commas between them"
    rules = re.split(r"\s*,\s*", found["rules"])
    return tuple(dict.fromkeys(rules)), (found["because"] or "").strip(), ""


class _Scope(Enum):
    """What a directive is about, if it is no statement."""

    FILE = "file"
    NOWHERE = "nowhere"
    #: A part of the file that its runner does not run now.
    NOT_RUN = "not run"


def _scope(script: Script, directive: _Directive) -> Statement | _Scope:
    """Return what a directive is about, by where it stands."""
    text = script.source.text
    before, after = _around(script, directive)
    following = after.start if after is not None else len(text)
    if directive.at is not None:
        if before is not None and (
            directive.at < before.end or script.end_line(before) == directive.place.line
        ):
            return before
        following = CharOffset(first_token(text, directive.at))
    if before is not None and text[following : following + 1] == ";":
        return before
    if following < len(text) and (after is None or following != after.start):
        return _Scope.NOT_RUN
    if after is None or _is_apart(script.source, directive.place.line, script.position(after.start).line):
        return _Scope.NOWHERE if before is not None else _Scope.FILE
    opens_file = before is None and after.transaction_control is TransactionControl.BEGIN
    return _Scope.FILE if opens_file else after


def _around(script: Script, directive: _Directive) -> tuple[Statement | None, Statement | None]:
    """Return the last statement that begins before a directive, and the first that begins after it."""
    before = after = None
    for statement in script.statements:
        if directive.at is not None and statement.start < directive.at:
            before = statement
        else:
            after = statement
            break
    return before, after


def _is_apart(source: SourceText, line: int, other: int) -> bool:
    """Whether an empty line stands between two lines of a file."""
    return any(not source.line(number).strip() for number in range(line + 1, other))


def _span(script: Script, statement: Statement) -> tuple[Position, Position]:
    return script.position(statement.start), script.position(CharOffset(statement.end - 1))
