"""Runners whose files hold the way up and the way back, with a line of comment between.

- node-pg-migrate's SQL files (``src/sqlMigration.ts``, ``src/migration.ts``)
- tern (``migrate/migrate.go``, version 2)
- MyBatis Migrations (``MigrationReader.java`` and the template of its environment)
- Play's evolutions (``EvolutionsApi.scala`` and ``Evolutions.scala``)
- the many small runners with ``-- UP`` and ``-- DOWN``, of which nothing else is known
"""

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from pytest_migsafe.errors import MigrationReadError
from pytest_migsafe.migrations.layouts.base import (
    FoundFile,
    Layout,
    Listing,
    files_named,
    first_file_has,
    manner_by_header,
    only,
)
from pytest_migsafe.migrations.layouts.project_files import text_of
from pytest_migsafe.migrations.model import (
    Direction,
    Manner,
    Part,
    Remark,
    Runner,
    Script,
    TransactionMode,
)
from pytest_migsafe.migrations.placeholders import substituted
from pytest_migsafe.migrations.source import BYTE_ORDER_MARK, CharOffset, SourceText

# -- node-pg-migrate ---------------------------------------------------------------------------------------

_NODE_UP = re.compile(r"^[^\S\n]*--[ \t\r\f\v-]*+up\s+migration", re.IGNORECASE | re.MULTILINE)
_NODE_DOWN = re.compile(r"^[^\S\n]*--[ \t\r\f\v-]*+down\s+migration", re.IGNORECASE | re.MULTILINE)
_NODE_NAME = re.compile(r"(?P<version>\d+)_.*\.sql")
#: Two ways to write the moment: milliseconds since 1970, and year to millisecond.
_MILLISECONDS, _UTC = 13, 17


def read_node(source: SourceText, runner: Runner, direction: Direction) -> Script:
    """Return the half of a file for one direction; without ``Up Migration`` the way up is the whole file."""
    up, down = _NODE_UP.search(source.text), _NODE_DOWN.search(source.text)
    if direction is Direction.UP:
        if up is None:
            return Script.whole(source, runner.usual)
        end = down.start() if down is not None and down.start() > up.start() else len(source.text)
        return Script.whole(only(source, (up.start(), end)), runner.usual)
    if down is None:
        return Script.whole(only(source), runner.usual)
    end = up.start() if up is not None and up.start() > down.start() else len(source.text)
    return Script.whole(only(source, (down.start(), end)), runner.usual)


def _moment(name: re.Match[str]) -> tuple[int]:
    """Return what node-pg-migrate orders by: milliseconds, or whatever the number is."""
    version = name["version"]
    if len(version) != _UTC:
        return (int(version),)
    # Only the order counts, so that months of 31 days do as well as a calendar.
    year, month, day, hour, minute, second = (
        int(version[:4]), *(int(version[at : at + 2]) for at in range(4, 14, 2)),
    )  # fmt: skip
    days = _days_since_1970(year, month, day)
    return ((((days * 24 + hour) * 60 + minute) * 60 + second) * 1000 + int(version[14:]),)


def _days_since_1970(year: int, month: int, day: int) -> int:
    from datetime import date  # noqa: PLC0415 - few histories have such names

    try:
        return (date(year, month, 1) - date(1970, 1, 1)).days + day - 1
    except ValueError:
        return 0


_NODE_MARK = re.compile(f"{_NODE_UP.pattern}|{_NODE_DOWN.pattern}", _NODE_UP.flags)


def _is_node_pg_migrate_s(listing: Listing) -> bool:
    return first_file_has(_NODE_MARK)(listing) or (
        # Without a way back a file needs no mark; then the package that is installed tells.
        any(re.match(rf"(?:\d{{{_MILLISECONDS}}}|\d{{{_UTC}}})_.*\.sql$", name) for name in listing.files)
        and any(
            _names_it(folder / "package.json") for folder in (listing.folder, *listing.folder.parents[:2])
        )
    )


def _names_it(package: Path) -> bool:
    return '"node-pg-migrate"' in text_of(package)


NODE_PG_MIGRATE = Layout(
    name="node-pg-migrate",
    files="`<timestamp>_<name>.sql`",
    order="the timestamp",
    transactions="one a file",
    down="below `-- Down Migration`",
    detected_by=(
        "`-- Up Migration` or `-- Down Migration` in the first file, or `node-pg-migrate` in a `package.json` up to two above"
    ),
    manner=Manner(TransactionMode.TRANSACTION, "node-pg-migrate wraps each file in a transaction"),
    read=lambda listing: files_named(listing, _NODE_NAME, order=_moment),
    reader=read_node,
    is_detected_in=_is_node_pg_migrate_s,
    refuses_duplicates=False,
)


# -- tern --------------------------------------------------------------------------------------------------

_TERN_BETWEEN = "---- create above / drop below ----"
_TERN_DISABLES = re.compile(r"^---- tern: disable-tx ----$", re.MULTILINE)
_TERN_NAME = re.compile(r"(?P<version>\d+)_.+\.sql")


def read_tern(source: SourceText, runner: Runner, direction: Direction) -> Script:
    """Return the half of a file for one direction.

    Raises:
        MigrationReadError: the file has templates, or nothing that goes up.
    """
    above, _, below = source.text.partition(_TERN_BETWEEN)
    start = 0 if direction is Direction.UP else len(source.text) - len(below)
    end = len(above) if direction is Direction.UP else len(source.text)
    half = substituted(only(source, (start, end)), runner.placeholders, prefix="{{.", suffix="}}")
    if "{{" in half.text:
        raise MigrationReadError(
            f"line {half.line_of(half.text.index('{{'))} has a template, which tern alone can fill in; only "
            "{{.name}} gets its value here, from [tool.migsafe.placeholders]"
        )
    if direction is Direction.UP and all(line.strip()[:2] in ("", "--") for line in half.text.split("\n")):
        raise MigrationReadError(f"tern refuses a file without SQL above `{_TERN_BETWEEN}`")
    disables = _TERN_DISABLES.search(half.text)
    if disables is None:
        return Script.whole(half, runner.usual)
    reason = f"---- tern: disable-tx ---- in line {half.line_of(disables.start())}"
    return Script.whole(half, Manner(TransactionMode.AUTOCOMMIT, reason))


def _is_tern_s(listing: Listing) -> bool:
    is_configured = "tern.conf" in listing.file_set or (listing.folder.parent / "tern.conf").is_file()
    return is_configured or first_file_has(re.compile(re.escape(_TERN_BETWEEN)))(listing)


TERN = Layout(
    name="tern",
    files="`<number>_<name>.sql`",
    order="the number",
    transactions="one a file; with `---- tern: disable-tx ----` each statement alone",
    down=f"below `{_TERN_BETWEEN}`",
    detected_by="`tern.conf` in the folder or above, or the line between the halves in the first file",
    manner=Manner(TransactionMode.TRANSACTION, "tern wraps each file in a transaction"),
    read=lambda listing: files_named(listing, _TERN_NAME, order=lambda name: (int(name["version"]),)),
    reader=read_tern,
    is_detected_in=_is_tern_s,
)


# -- MyBatis Migrations ------------------------------------------------------------------------------------

_UNDO = re.compile(r"^[^\S\n]*--\s*//.*@UNDO.*$", re.MULTILINE)
_MYBATIS_NAME = re.compile(r"(?P<version>\d+)_.*\.sql")


def read_mybatis(source: SourceText, runner: Runner, direction: Direction) -> Script:
    """Return the half of a file for one direction, with the values of ``${name}``."""
    undo = _UNDO.search(source.text)
    cut = undo.start() if undo is not None else len(source.text)
    start, end = (0, cut) if direction is Direction.UP else (cut, len(source.text))
    # The name of its own table is the one that every project has.
    values = {"changelog": "CHANGELOG", **runner.placeholders}
    return Script.whole(substituted(only(source, (start, end)), values), runner.usual)


def _is_repository(listing: Listing) -> bool:
    # `migrate init` makes drivers/, environments/ and scripts/.
    return (
        listing.folder.name == "scripts"
        and (listing.folder.parent / "environments" / "development.properties").is_file()
    )


def _is_mybatis_s(listing: Listing) -> bool:
    return _is_repository(listing) or first_file_has(_UNDO)(listing)


MYBATIS = Layout(
    name="mybatis",
    files="`<timestamp>_<name>.sql`",
    order="the number",
    transactions="one a file, sent whole (`send_full_script=true`, `auto_commit=false`)",
    down="below `-- //@UNDO`",
    detected_by="`scripts/` beside `environments/development.properties`, or `-- //@UNDO` in the first file",
    manner=Manner(TransactionMode.TRANSACTION, "MyBatis Migrations wraps each file in a transaction"),
    read=lambda listing: files_named(listing, _MYBATIS_NAME, order=lambda name: (int(name["version"]),)),
    reader=read_mybatis,
    is_detected_in=_is_mybatis_s,
    is_marked=_is_repository,
)


# -- Play's evolutions -------------------------------------------------------------------------------------

_PLAY_MARKER = re.compile(r"^[^\S\n]*(?:#|--).*!(?P<half>Ups|Downs).*$", re.MULTILINE)
_PLAY_NAME = re.compile(r"(?P<version>\d{1,15})\.sql")
#: Semicolons that stand alone end a statement, wherever they stand; two are one that does not.
_PLAY_END = re.compile(r"(?<!;);(?!;)")


def read_play(source: SourceText, runner: Runner, direction: Direction) -> Script:
    """Return the statements of one direction, cut at every single semicolon."""
    wanted = "Ups" if direction is Direction.UP else "Downs"
    marks = list(_PLAY_MARKER.finditer(source.text))
    edges = [*((mark.end(), mark.start(), mark["half"]) for mark in marks), (0, len(source.text), "")]
    spans = [(start, end) for (start, _, half), (_, end, _) in pairwise(edges) if half == wanted]
    text = source.text
    parts = [part for start, end in spans for part in _play_statements(text, start, end)]
    # Of two semicolons the server gets one; the blank in place of the other keeps every place.
    sent = source.masked([(match.start() + 1, match.end()) for match in re.finditer(";;", text)])
    return Script.whole(sent if parts else only(source), runner.usual, tuple(parts))


def _play_statements(text: str, start: int, end: int) -> Iterator[Part]:
    edges = [start, *(match.end() for match in _PLAY_END.finditer(text, start, end)), end]
    for low, high in pairwise(edges):
        if text[low:high].strip(" \t\r\n;"):
            yield Part(CharOffset(low), CharOffset(high))


def _read_play(listing: Listing) -> tuple[FoundFile, ...]:
    """Return 1.sql, 2.sql and so on, until a number is missing: there Play ends."""
    files = files_named(listing, _PLAY_NAME, order=lambda name: (int(name["version"]),))
    numbers = {int(file.version) for file in files}
    until = next(number for number in range(1, len(numbers) + 2) if number not in numbers)
    return tuple(file for file in files if 0 < int(file.version) < until)


def _play_remarks(listing: Listing, found: tuple[FoundFile, ...]) -> tuple[Remark, ...]:
    known = {file.path.name for file in found}
    return tuple(
        Remark(name, f"behind the gap at {len(found) + 1}.sql, where Play stops reading")
        for name in listing.files
        if _PLAY_NAME.fullmatch(name) and name not in known
    )


def _is_evolutions(listing: Listing) -> bool:
    return listing.folder.parent.name == "evolutions" and any(
        name in listing.file_set for name in ("1.sql", "01.sql", "001.sql", "0001.sql")
    )


PLAY = Layout(
    name="play",
    files="`<number>.sql`",
    order="the number, until one is missing",
    transactions="each statement alone, cut at every `;` (`;;` is one that does not cut)",
    down="below `!Downs`",
    detected_by="a folder in `evolutions/` with `1.sql`, or `!Ups` in the first file",
    manner=Manner(
        TransactionMode.AUTOCOMMIT, "Play's evolutions run each statement in a transaction of its own"
    ),
    read=_read_play,
    reader=read_play,
    is_detected_in=lambda listing: _is_evolutions(listing) or first_file_has(_PLAY_MARKER)(listing),
    is_marked=_is_evolutions,
    remarks=_play_remarks,
)


# -- others ------------------------------------------------------------------------------------------------

_MARKER = re.compile(
    rf"^{BYTE_ORDER_MARK}?[^\S\n]*--[^\w\n]*(?:(?:migrate|rambler|migration)[^\w\n]+)?(?P<half>up|down)(?!\w)[^\w\n]*$",
    re.MULTILINE | re.IGNORECASE,
)


def read_sections(source: SourceText, runner: Runner, direction: Direction) -> Script:
    """Return what stands below the markers of one direction; what stands above them all goes up."""
    marks = list(_MARKER.finditer(source.text))
    edges = [(0, 0, "up"), *((mark.start(), mark.end(), mark["half"].lower()) for mark in marks)]
    ends = [*(start for start, _, _ in edges[1:]), len(source.text)]
    others = [
        (start, end) for (start, _, half), end in zip(edges, ends, strict=True) if half != direction.value
    ]
    return Script.whole(source.masked(others), manner_by_header(source, runner.usual))


SECTIONS = Layout(
    name="sections",
    files="`<number>_<name>.sql`",
    order="the number",
    transactions="one a file; `-- no-transaction` on top opts out",
    down="below `-- DOWN`",
    detected_by="`-- UP` or `-- DOWN` in the first file",
    manner=Manner(TransactionMode.TRANSACTION, "what stands below `-- UP` is one transaction, the default"),
    read=lambda listing: files_named(
        listing,
        re.compile(r"(?P<version>\d+)(?:[_\-. ].*)?\.sql"),
        order=lambda name: (int(name["version"]),),
    ),
    reader=read_sections,
    is_detected_in=first_file_has(_MARKER),
    refuses_duplicates=False,
)
