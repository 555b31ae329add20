"""What ``psql -f`` makes of a file beyond the SQL in it: its own commands, its variables, rows for COPY.

Facts: the manual's page on psql ("Meta-Commands", "Variables", "SQL Interpolation"), and of how data ends the page
on COPY and ``handleCopyIn`` in psql's source. Commands that only change what is shown are left out; one that
changes what is run ends the reading, as it would not be the truth without it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from pytest_migsafe.errors import MigrationReadError
from pytest_migsafe.migrations.lexemes import first_token, in_double_quotes, next_mark, tokens
from pytest_migsafe.migrations.source import CharOffset, CharSpan, Replacement, SourceText


@dataclass(frozen=True, slots=True)
class Copy:
    """A ``COPY ... FROM STDIN`` and the rows that follow it."""

    #: The statement's first and one after its last character (its semicolon), in the text as it is sent.
    start: CharOffset
    end: CharOffset
    #: The rows, without the line ``\\.`` that ends them.
    data: str


@dataclass(frozen=True)
class PsqlText:
    """A file as psql sends it: the SQL, and the rows that it sends between."""

    source: SourceText
    copies: tuple[Copy, ...]


def read_as_psql(source: SourceText, variables: Mapping[str, str] | None = None) -> PsqlText:
    """Return what psql would send; ``variables`` are those given on its command line (``psql -v``).

    Raises:
        MigrationReadError: a command of psql stands in the file without which it cannot be run truly.
    """
    reading = _Reading(source, dict(variables or {}))
    reading.read()
    without_data = source.masked(reading.masked)
    sent = without_data.replaced(reading.replacements)
    return PsqlText(sent, tuple(_moved(one, reading.replacements) for one in reading.copies))


def has_copy_from_stdin(source: SourceText) -> bool:
    """Return whether a ``COPY ... FROM STDIN`` stands in a text."""
    text = source.text
    # Nearly every file ends here.
    if _STDIN.search(text) is None:
        return False
    start = 0
    while start < len(text):
        end = next_mark(text, start, ";\\")
        if text.startswith("\\", end):
            # A command of psql; the file has come to the wrong runner, which is not what is asked here.
            newline = text.find("\n", end)
            end = newline if newline >= 0 else len(text)
        elif _copies_from_stdin(text, start, end):
            return True
        start = end + 1
    return False


_STDIN = re.compile(r"\bstdin\b", re.IGNORECASE)
_COPY = re.compile(r"copy\b", re.IGNORECASE)
#: A COPY's options are few; what goes on for longer is none.
_LONGEST_COPY = 100_000


def _copies_from_stdin(text: str, start: int, end: int) -> bool:
    """Whether the statement that stands between two places is ``COPY ... FROM STDIN``."""
    at = first_token(text, start)
    if end - at > _LONGEST_COPY or not _COPY.match(text, at, end):
        return False
    depth, word_before = 0, ""
    for token in tokens(text[at:end]):
        written = text[at + token.start : at + token.end].lower()
        depth += (written == "(") - (written == ")")
        if depth == 0 and (word_before, written) == ("from", "stdin"):
            return True
        word_before = written
    return False


def _moved(one: Copy, replacements: list[Replacement]) -> Copy:
    """Return a COPY with its place in the text after the replacements."""
    longer_before, longer_within = 0, 0
    for put in replacements:
        longer = len(put.by) - (put.end - put.start)
        if put.end <= one.start:
            longer_before += longer
        elif put.end <= one.end:
            longer_within += longer
    start, end = one.start + longer_before, one.end + longer_before + longer_within
    return Copy(CharOffset(start), CharOffset(end), one.data)


# -- the reading ---------------------------------------------------------------------------------------------

#: The line that ends rows, in CSV too. PostgreSQL 18 takes it for data in a CSV *file*; in a script psql still
#: ends the rows there (release notes of 18, "Migration to Version 18"). The end of the file ends them as well.
_END_OF_DATA = re.compile(r"^\\\.\r?$", re.MULTILINE)
#: A variable's place in SQL: its value as it is, as a string, or as a name. ``::`` and ``:=`` are operators.
_MAY_HAVE_VARIABLES = re.compile(r":['\"A-Za-z_]")
_VARIABLE = re.compile(r":(?:(?P<plain>\w+)|'(?P<string>\w+)'|\"(?P<name>\w+)\")")


class _Reading:
    """One way through a file from top to bottom."""

    def __init__(self, source: SourceText, variables: dict[str, str]) -> None:
        self._source = source
        self._text = source.text
        self._variables = variables
        #: Whether it goes through psql, which always has some; other runners know its rows for COPY at most.
        self._is_psqls = bool(variables)
        self._copies_data = _STDIN.search(self._text) is not None
        #: Whether the last command of psql sent the statement before it.
        self._sends = False
        self.masked: list[CharSpan] = []
        self.replacements: list[Replacement] = []
        self.copies: list[Copy] = []

    def read(self) -> None:
        text, statement, at = self._text, 0, 0
        marks = ":;\\" if _MAY_HAVE_VARIABLES.search(text) else ";\\"
        while at < len(text):
            at = next_mark(text, at, marks)
            match text[at : at + 1]:
                case "\\":
                    command, at = at, self._command(at, statement)
                    if self._sends or first_token(text, statement) >= command:
                        statement = at
                case ";":
                    at = statement = self._statement(statement, at)
                case ":":
                    at = self._variable(at)

    def _statement(self, start: int, end: int) -> int:
        """Take the statement that a semicolon ends; return where the next one begins."""
        text = self._text
        if not self._copies_data or not _copies_from_stdin(text, start, end):
            return end + 1
        newline = text.find("\n", end)
        begin = newline + 1 if newline >= 0 else len(text)
        self._refuse_more_on_the_line(end + 1, begin)
        closing = _END_OF_DATA.search(text, begin)
        stop = closing.start() if closing else len(text)
        after = closing.end() if closing else len(text)
        self.copies.append(Copy(CharOffset(first_token(text, start)), CharOffset(end), text[begin:stop]))
        if begin < after:
            self.masked.append((begin, after))
        return after

    def _refuse_more_on_the_line(self, start: int, end: int) -> None:
        # psql runs it after the rows, although it stands before them.
        for token in tokens(self._text[start:end]):
            if self._text[start + token.start : start + token.end] != ";":
                raise self._error(
                    start + token.start,
                    "follows COPY ... FROM STDIN on its line, before the rows",
                    "put it on a line of its own below the rows",
                )

    def _variable(self, at: int) -> int:
        text = self._text
        if text.startswith(("::", ":="), at):
            return at + 2
        found = _VARIABLE.match(text, at)
        if found is None:
            return at + 1
        name = found[found.lastgroup or 0]
        value = self._variables.get(name)
        if value is None and (found.lastgroup == "plain" or not self._is_psqls):
            # psql leaves it as it stands: it may be a slice of an array.
            return at + 1
        if value is None:
            # psql leaves this, too, and the server would complain of its colon.
            raise self._error(
                at,
                "is a variable of psql that has no value",
                f"set {name} in [tool.migsafe.placeholders]",
                found.group(),
            )
        self.replacements.append(Replacement(CharOffset(at), CharOffset(found.end()), _put_in(found, value)))
        return found.end()

    def _command(self, at: int, statement: int) -> int:
        """Take a command of psql in or behind a statement; return where the SQL goes on."""
        text = self._text
        self._sends = False
        named = _NAME.match(text, at + 1)
        name = named.group() if named else text[at + 1 : at + 2]
        arguments, end = self._arguments(name, at, named.end() if named else at + 2)
        self.masked.append((at, end))
        if name in ("g", "gx") and not arguments:
            if _copies_from_stdin(text, statement, at):
                begin = first_token(text, statement)
                raise self._error(begin, "... FROM STDIN ends with \\g", "end it with a semicolon")
            # As a semicolon does, it sends what stands before it.
            self.replacements.append(Replacement(CharOffset(at), CharOffset(at + 1), ";"))
            self._sends = True
            return end
        if name in ("q", "quit"):
            self.masked.append((at, len(text)))
            return len(text)
        if name in ("set", "unset") and arguments:
            self._set(at, name, arguments)
        elif name == "encoding" and arguments and arguments[0].lower() not in ("utf8", "utf-8", "unicode"):
            raise self._refusal(at, name, "save the file as UTF-8 and leave the command out")
        elif name not in _HARMLESS and not _LISTS.fullmatch(name):
            raise self._refusal(at, name, _INSTEAD.get(name, "leave it out, or say it in SQL"))
        return end

    def _set(self, at: int, name: str, arguments: list[str]) -> None:
        variable, *values = arguments
        if variable in _CHANGES_WHAT_IS_RUN:
            raise self._refusal(
                at, f"{name} {variable}", "leave it out, or say BEGIN and COMMIT where they belong"
            )
        if name == "unset":
            self._variables.pop(variable, None)
        else:
            self._variables[variable] = "".join(values)

    def _arguments(self, name: str, command: int, at: int) -> tuple[list[str], int]:
        r"""Return a command's arguments, and where the SQL goes on: behind ``\\``, or the line's end."""
        text, line_end = self._text, self._line_end(at)
        arguments: list[str] = []
        in_word = False
        while at < line_end and text[at] != "\\":
            # A quote that is not closed (``\echo Don't``) takes the rest of the line.
            found = _ARGUMENT.match(text, at, line_end) or _REST.match(text, at, line_end)
            if found is None or (found.lastgroup == "shell" and name == "set"):
                raise self._error(command, "runs a command of the shell", "write the value into the file")
            at = found.end()
            if found.lastgroup == "blank":
                in_word = False
                continue
            piece = self._argument(found)
            arguments = [*arguments[:-1], arguments[-1] + piece] if in_word else [*arguments, piece]
            in_word = True
        # Two backslashes end the arguments; one begins the next command.
        return arguments, at + 2 if at < line_end and text.startswith("\\\\", at) else at

    def _argument(self, found: re.Match[str]) -> str:
        written = found.group()
        if found.lastgroup == "string":
            return _ESCAPED.sub(_unescaped, written[1:-1].replace("''", "'"))
        if found.lastgroup == "variable" and (variable := _VARIABLE.fullmatch(written)):
            value = self._variables.get(variable[variable.lastgroup or 0])
            return written if value is None else _put_in(variable, value)
        return written

    def _line_end(self, at: int) -> int:
        """Return where a line ends, before its line break."""
        newline = self._text.find("\n", at)
        end = newline if newline >= 0 else len(self._text)
        return end - 1 if end > at and self._text[end - 1] == "\r" else end

    def _refusal(self, at: int, name: str, way_out: str) -> MigrationReadError:
        return self._error(at, "is a command of psql that a rehearsal cannot follow", way_out, f"\\{name}")

    def _error(self, at: int, problem: str, way_out: str, what: str = "") -> MigrationReadError:
        line = self._source.line_of(at)
        shown = what or self._text[at : self._line_end(at)].split(None, 1)[0]
        return MigrationReadError(f"line {line}: {shown} {problem}; {way_out}")


def _put_in(found: re.Match[str], value: str) -> str:
    match found.lastgroup:
        case "string":
            quoted = value.replace("'", "''")
            return " E'" + quoted.replace("\\", "\\\\") + "'" if "\\" in value else f"'{quoted}'"
        case "name":
            return in_double_quotes(value)
    return value


_NAME = re.compile(r"[A-Za-z_+?!]+")
_ARGUMENT = re.compile(
    r"""
      (?P<blank> \s+ )
    | (?P<string> ' (?: [^'\\] | '' | \\. )* ' )
    | (?P<name> "[^"]*" )
    | (?P<shell> `[^`]*` )
    | (?P<variable> :\w+ | :'\w+' | :"\w+" )
    | (?P<plain> [^\s'"`:\\]+ | : )
    """,
    re.VERBOSE,
)
_REST = re.compile(r".+", re.DOTALL)
_ESCAPED = re.compile(r"\\([0-7]{1,3}|x[0-9A-Fa-f]{1,2}|.)", re.DOTALL)
_LETTERS = {"n": "\n", "t": "\t", "b": "\b", "r": "\r", "f": "\f"}


def _unescaped(found: re.Match[str]) -> str:
    code = found[1]
    if code[0] == "x" and len(code) > 1:
        return chr(int(code[1:], 16))
    return chr(int(code, 8)) if code[0] in "01234567" else _LETTERS.get(code, code)


#: Commands that show something, or change how something is shown.
_HARMLESS = frozenset(
    {
        *(
            "echo",
            "qecho",
            "warn",
            "timing",
            "pset",
            "x",
            "t",
            "a",
            "C",
            "f",
            "H",
            "T",
            "o",
            "out",
            "p",
            "print",
        ),
        *("restrict", "unrestrict", "encoding", "set", "unset", "conninfo", "copyright", "errverbose", "s"),
        *("h", "help", "?", "html", "l", "list", "z", "dconfig", "sf", "sv", "\\"),
    }
)
#: ``\\dt``, ``\\d+``, ``\\l+``, ...: lists of what is there.
_LISTS = re.compile(r"d[A-Za-z]*\+?|(?:l|list|z|sf|sv|s)\+")
#: Variables of psql's own that decide what is run, and in which transaction.
_CHANGES_WHAT_IS_RUN = frozenset({"AUTOCOMMIT", "ON_ERROR_ROLLBACK", "SINGLELINE", "SINGLESTEP"})

_ANOTHER_FILE = "put that file's statements here, or make it a migration of its own"
_CONDITION = "write the condition into a DO block"
_INSTEAD = {
    "i": _ANOTHER_FILE,
    "include": _ANOTHER_FILE,
    "ir": _ANOTHER_FILE,
    "include_relative": _ANOTHER_FILE,
    "c": "a migration is applied to one database, leave it out",
    "connect": "a migration is applied to one database, leave it out",
    "copy": "use COPY ... FROM STDIN with the rows below it",
    "gexec": "use a DO block with EXECUTE",
    "gset": "use a DO block with variables",
    "g": "end the statement with a semicolon",
    "gx": "end the statement with a semicolon",
    "if": _CONDITION,
    "elif": _CONDITION,
    "else": _CONDITION,
    "endif": _CONDITION,
    "!": "do it outside of the migration",
    ";": "end the statement with a semicolon alone",
    ".": "it ends the rows of a COPY, and there is none before it",
}
