"""Liquibase's formatted SQL: changesets between ``--changeset author:id`` lines, each with what undoes it.

Facts: Liquibase's documentation ("SQL changelog examples"), and for what it leaves open ``AbstractFormattedChangeLogParser``
(which lines mean what), ``RawSQLChange`` and ``StringUtil.processMultiLineSQL`` (where a changeset's SQL is cut). It is cut at
semicolons, and of what stands in quotes Liquibase knows strings and names, not dollar quotes: it counts BEGIN and END, so a
function with END IF, or with DECLARE, falls to pieces unless ``splitStatements:false`` or an ``endDelimiter`` is given.

Every changeset is run as if Liquibase had been called without contexts and labels, which runs all, on PostgreSQL. What a
precondition asks is taken as given: a changeset is rehearsed because it is meant to be run.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache

from pytest_migsafe.errors import MigrationReadError
from pytest_migsafe.migrations.layouts.base import only
from pytest_migsafe.migrations.layouts.liquibase_changelog import is_for_postgresql
from pytest_migsafe.migrations.lexemes import first_token
from pytest_migsafe.migrations.model import Direction, Manner, Part, Runner, Script, TransactionMode, Unit
from pytest_migsafe.migrations.source import BYTE_ORDER_MARK, CharOffset, CharSpan, Replacement, SourceText

#: What the first line that is not empty has to be.
HEADER = re.compile(r"\A\ufeff?\s*--\s*liquibase\s*formatted", re.IGNORECASE)

# -- lines ---------------------------------------------------------------------------------------------------


def _line(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


_PROPERTY = _line(r"\s*--\s*property\s+(?=.*name:\s*(?P<name>\S+))(?=.*value:\s*(?P<value>\S+)).*")
_CHANGESET = _line(r'\s*--\s*changeset\s+(?P<author>"[^"]+"|[^:]+):(?P<id>"[^"]+"|\S+)(?P<attributes>.*)')
_IGNORE_LINES = _line(r"--\s*ignoreLines:(?P<count>\w+)\s*")
_ROLLBACK = _line(r"\s*--\s*rollback (?P<sql>.*)")
_ROLLBACK_BEGINS = _line(r"\s*/\*\s*liquibase\s*rollback\s*")
_PRECONDITION = _line(r"\s*--\s*precondition(?:s\b|-).*")
#: Lines in a changeset that say something of it.
_ABOUT = _line(r"--\s*(?:comment:?|validCheckSum:?) .*")
#: Lines that are nearly one of these; Liquibase ends with an error rather than take them for comments.
_NEARLY = (
    (_line(r"\s*-+\s*property\s.*"), "--property name:<name> value:<value>"),
    (_line(r"\s*--\s*changeset.*|-\s*changeset\s.*"), "--changeset <author>:<id>"),
    (_line(r"--\s*ignore:\w+|-\s*ignoreLines:\w+.*"), "--ignoreLines:<count> or --ignoreLines:start"),
)
_NEARLY_IN_CHANGESET = (
    (_line(r"-\s*comment:? .*|--\s*comments:? .*"), "--comment <text>"),
    (_line(r"\s*-\s*rollback\s.*"), "--rollback <SQL>"),
    (_line(r"\s*-\s*preconditions?[\s-].*"), "--preconditions or --precondition-sql-check"),
)
_ATTRIBUTE = re.compile(r'\b(?P<name>[A-Za-z]+):(?P<value>"[^"]*"|\S*)')
_NO_ROLLBACK = re.compile(r"\s*(?:not required|empty)", re.IGNORECASE)


@dataclass
class _Changeset:
    """A changeset as it is written."""

    name: str
    line: int
    #: In small letters.
    attributes: Mapping[str, str]
    body: list[CharSpan] = field(default_factory=list)
    rollback: list[CharSpan] = field(default_factory=list)
    has_preconditions: bool = False

    def is_on(self, attribute: str, *, default: bool) -> bool:
        return self.attributes.get(attribute.lower(), str(default)).lower() == "true"

    @property
    def is_repeatable(self) -> bool:
        """Whether it is run again whenever it has changed, or every time."""
        return self.is_on("runOnChange", default=False) or self.is_on("runAlways", default=False)

    @property
    def is_run(self) -> bool:
        """Whether it is meant for PostgreSQL, and not taken out."""
        return not self.is_on("ignore", default=False) and is_for_postgresql(self.attributes.get("dbms", ""))

    @property
    def is_always_run(self) -> bool:
        """Whether it is run whatever contexts and labels Liquibase is called with."""
        return self.is_run and not {"context", "contextfilter", "labels"} & set(self.attributes)


class _Reading:
    """One way through the lines of a file."""

    def __init__(self, source: SourceText) -> None:
        self._source = source
        self._lines = list(_lines(source.text))
        self._at = 0
        self.changesets: list[_Changeset] = []
        #: The names of those that are run in any case: a file may have thousands.
        self._always_run: set[str] = set()

    def read(self) -> list[_Changeset]:
        while self._at < len(self._lines):
            start, end = self._lines[self._at]
            self._take(self._source.text[start:end].removeprefix(BYTE_ORDER_MARK), start, end)
            self._at += 1
        return self.changesets

    def _take(self, line: str, start: int, end: int) -> None:
        if not line.lstrip().startswith(("-", "/*")):
            # Nearly every line of a seed; none of those below begins otherwise.
            if self.changesets:
                self._add(self.changesets[-1].body, start, end)
            return
        if _PROPERTY.fullmatch(line):
            return
        if found := _IGNORE_LINES.fullmatch(line):
            self._ignore(found["count"])
        elif found := _CHANGESET.fullmatch(line):
            self._begin(found)
        elif any(pattern.fullmatch(line) for pattern, _ in _NEARLY):
            self._refuse(line, _NEARLY)
        elif self.changesets:
            self._take_in(self.changesets[-1], line, start, end)
        elif _ABOUT.fullmatch(line):
            raise self._error("Liquibase allows --comment in a changeset only", "put it below --changeset")
        # What stands before the first changeset, Liquibase does not run.

    def _take_in(self, changeset: _Changeset, line: str, start: int, end: int) -> None:
        if found := _ROLLBACK.fullmatch(line):
            changeset.rollback.append((start + found.start("sql"), end))
        elif _ROLLBACK_BEGINS.fullmatch(line):
            self._take_rollback(changeset)
        elif _PRECONDITION.fullmatch(line):
            changeset.has_preconditions = True
        elif not _ABOUT.fullmatch(line):
            self._refuse(line, _NEARLY_IN_CHANGESET)
            self._add(changeset.body, start, end)

    def _add(self, spans: list[CharSpan], start: int, end: int) -> None:
        """Add a line to others, which it makes longer when it follows them."""
        if spans and self._lines[self._at - 1][1] == spans[-1][1]:
            spans[-1] = (spans[-1][0], end)
        else:
            spans.append((start, end))

    def _refuse(self, line: str, forms: tuple[tuple[re.Pattern[str], str], ...]) -> None:
        for pattern, form in forms:
            if pattern.fullmatch(line):
                raise self._error(f"Liquibase takes {line.strip()!r} for a mistake", f"write {form}")

    def _begin(self, found: re.Match[str]) -> None:
        author, name = found["author"].strip('"'), found["id"].strip('"')
        called = f"changeset {author}:{name}"
        if self.changesets and not self._has_sql(self.changesets[-1]):
            empty = self.changesets[-1]
            raise MigrationReadError(
                f"{empty.name} (line {empty.line}) has no SQL, which Liquibase refuses; take it out"
            )
        attributes = {one["name"].lower(): one["value"] for one in _ATTRIBUTE.finditer(found["attributes"])}
        changeset = _Changeset(called, self._number, attributes)
        if changeset.is_always_run:
            if called in self._always_run:
                raise self._error(
                    f"{called} is there twice, which Liquibase refuses", "give it an id of its own"
                )
            self._always_run.add(called)
        self.changesets.append(changeset)

    def _has_sql(self, changeset: _Changeset) -> bool:
        return any(self._source.text[start:end].strip() for start, end in changeset.body)

    def _ignore(self, count: str) -> None:
        if count.isdecimal():
            self._at += int(count)
            return
        if count.lower() != "start":
            raise self._error(
                f"Liquibase does not know --ignoreLines:{count}", "write a number, start or end"
            )
        ends = (
            at
            for at in range(self._at + 1, len(self._lines))
            if (found := _IGNORE_LINES.fullmatch(self._source.text, *self._lines[at]))
            and found["count"].lower() == "end"
        )
        self._at = next(ends, len(self._lines))

    def _take_rollback(self, changeset: _Changeset) -> None:
        for at in range(self._at + 1, len(self._lines)):
            start, end = self._lines[at]
            line = self._source.text[start:end].rstrip()
            if line.endswith("*/"):
                changeset.rollback.append((start, start + len(line) - len("*/")))
                self._at = at
                return
            changeset.rollback.append((start, end))
        raise self._error("/* liquibase rollback is not closed", "close it with */ at the end of a line")

    @property
    def _number(self) -> int:
        return self._source.line_of(self._lines[self._at][0])

    def _error(self, problem: str, way_out: str) -> MigrationReadError:
        return MigrationReadError(f"line {self._number}: {problem}; {way_out}")


def _lines(text: str) -> Iterator[CharSpan]:
    """Yield where each line begins and ends, before its line break."""
    start = 0
    while start < len(text):
        newline = text.find("\n", start)
        end = newline if newline >= 0 else len(text)
        yield start, end - 1 if end > start and text[end - 1] == "\r" else end
        start = end + 1


# -- parameters ----------------------------------------------------------------------------------------------

_EXPRESSION = re.compile(r"\$\{(?P<name>[^}:\n][^}\n]*)\}")


def _with_parameters(source: SourceText, given: Mapping[str, str]) -> SourceText:
    """Return a text with the parameters that have a value; Liquibase leaves the others as they stand."""
    if "${" not in source.text:
        return source
    own: dict[str, str] = {}
    for start, end in _lines(source.text):
        if found := _PROPERTY.fullmatch(source.text, start, end):
            # The first definition is the one that counts.
            own.setdefault(found["name"], found["value"])
    known = {name.lower(): value for name, value in {**own, **given}.items()}
    return source.replaced(
        [
            Replacement(CharOffset(one.start()), CharOffset(one.end()), known[one["name"].lower()])
            for one in _EXPRESSION.finditer(source.text)
            if one["name"].lower() in known
        ]
    )


# -- statements ----------------------------------------------------------------------------------------------

#: After these, BEGIN and END are no block's (of SQL Server's words, ``TRANSACTION`` is PostgreSQL's too).
_BLOCK = r"\b(?P<block>begin|end)\b(?!\s*(?:transaction|trans|tran|dialog|conversation|distributed)\b)"
#: A comment that is not closed goes on to the end: the server refuses it, wherever it is cut.
_QUOTED = r"""--[^\n\r]*|/\*(?:.*?\*/|.*+)|'[^']*+(?:''[^']*+)*'(?!')|"[^"]*+\""""


def _cut(text: str, start: int, end: int, delimiter: str | None) -> Iterator[Part]:
    """Yield the pieces between delimiters that stand outside of what Liquibase takes for a block."""
    depth, begin = 0, start
    for found in _points(delimiter).finditer(text, start, end):
        match found.lastgroup:
            case "block":
                depth = depth + 1 if found["block"].lower() == "begin" else max(depth - 1, 0)
            case "delimiter" if depth == 0:
                yield from _part(text, begin, found.start())
                begin = found.end()
    yield from _part(text, begin, end)


@cache
def _points(delimiter: str | None) -> re.Pattern[str]:
    """Return the pattern of what there is to notice in a text."""
    # A slash or GO alone on a line ends a statement as a semicolon does; a delimiter of one's own may be a regular
    # expression (``\\n/``).
    ends = r";|^(?:/|go)[ \t]*$"
    if delimiter:
        ends = delimiter if "\\" in delimiter else re.escape(delimiter)
    flags = re.IGNORECASE | re.MULTILINE | re.DOTALL
    try:
        return re.compile(rf"{_QUOTED}|{_BLOCK}|(?P<delimiter>{ends})", flags)
    except re.error as error:
        raise MigrationReadError(
            f"endDelimiter:{delimiter} is no regular expression ({error}); write the delimiter without backslashes"
        ) from error


def _part(text: str, start: int, end: int) -> Iterator[Part]:
    piece = text[start:end].rstrip()
    begin = len(piece) - len(piece.lstrip())
    # A piece of comments alone is nothing, for Liquibase strips them.
    if piece.startswith(("--", "/*", BYTE_ORDER_MARK), begin):
        begin = first_token(piece, 0)
    if begin < len(piece):
        yield Part(CharOffset(start + begin), CharOffset(start + len(piece)))


# -- the script ----------------------------------------------------------------------------------------------


def read_formatted(
    source: SourceText,
    runner: Runner,
    direction: Direction,
    *,
    parameters: Mapping[str, str] | None = None,
) -> Script:
    """Read a file of changesets, each its own unit; backwards, what undoes them, the last first.

    Raises:
        MigrationReadError: Liquibase would refuse the file.
    """
    replaced = _with_parameters(source, {**(parameters or {}), **runner.placeholders})
    changesets = [one for one in _Reading(replaced).read() if one.is_run]
    if direction is Direction.DOWN:
        sent = only(replaced, *(span for one in changesets for span in one.rollback))
        units = tuple(
            unit for one in reversed(changesets) for unit in _undoing(sent, one, runner.usual, changesets)
        )
    else:
        sent = only(replaced, *(span for one in changesets for span in one.body))
        units = tuple(unit for one in changesets for unit in _unit(sent, one, one.body, runner.usual))
    return Script(sent, units) if units else Script.whole(only(replaced), runner.usual)


def read_raw(
    source: SourceText,
    runner: Runner,
    direction: Direction,
    *,
    attributes: Mapping[str, str] | None = None,
    parameters: Mapping[str, str] | None = None,
) -> Script:
    """Read a file of plain SQL that a changelog names; Liquibase makes one changeset of it.

    ``attributes`` are those of the changeset and of ``sqlFile``, in small letters.
    """
    replaced = _with_parameters(source, {**(parameters or {}), **runner.placeholders})
    whole = [(0, len(replaced.text))]
    changeset = _Changeset("the changeset", 1, attributes or {})
    if direction is Direction.DOWN or not changeset.is_run:
        return Script.whole(only(replaced), runner.usual)
    units = tuple(_unit(replaced, changeset, whole, runner.usual))
    return Script(replaced, units) if units else Script.whole(replaced, runner.usual)


def _undoing(
    source: SourceText, changeset: _Changeset, usual: Manner, changesets: list[_Changeset]
) -> Iterator[Unit]:
    written = "\n".join(source.text[start:end] for start, end in changeset.rollback)
    if not written.strip():
        if any(one.rollback for one in changesets):
            raise MigrationReadError(
                f"Liquibase cannot undo {changeset.name} (line {changeset.line}): it has no --rollback; "
                "--rollback empty says that nothing is to be undone"
            )
        return
    if "changesetid" in written.lower():
        raise MigrationReadError(
            f"the rollback of {changeset.name} (line {changeset.line}) is another changeset, which a rehearsal cannot "
            "follow; write its SQL"
        )
    if not _NO_ROLLBACK.match(written):
        yield from _unit(source, changeset, changeset.rollback, usual, undoes="rollback")


def _unit(
    source: SourceText, changeset: _Changeset, spans: list[CharSpan], usual: Manner, undoes: str = ""
) -> Iterator[Unit]:
    if not spans:
        return
    start, end = spans[0][0], spans[-1][1]
    is_cut = changeset.is_on(f"{undoes}splitStatements", default=True)
    delimiter = changeset.attributes.get(f"{undoes}endDelimiter".lower())
    parts = tuple(_cut(source.text, start, end, delimiter) if is_cut else _part(source.text, start, end))
    if parts:
        name = changeset.name if not undoes else f"rollback of {changeset.name}"
        manner = _manner(changeset, usual, is_cut=is_cut)
        yield Unit(source, manner, parts, name, is_repeatable=changeset.is_repeatable)


def _manner(changeset: _Changeset, usual: Manner, *, is_cut: bool) -> Manner:
    mode, reason = usual.mode, usual.reason
    if not changeset.is_on("runInTransaction", default=True):
        # Sent in one message, statements are one implicit transaction.
        mode = TransactionMode.AUTOCOMMIT if is_cut else TransactionMode.SINGLE_QUERY
        reason = f"Liquibase gives none to runInTransaction:false of {changeset.name} (line {changeset.line})"
    if changeset.has_preconditions:
        reason += f"; the preconditions of {changeset.name} are taken as given"
    if not changeset.is_on("failOnError", default=True):
        reason += f"; after an error in {changeset.name} Liquibase would go on (failOnError:false)"
    return Manner(mode, reason)
