"""Numbered or timestamped files in one folder: ``0001_x.sql``, ``20240101120000_x.sql``, ``20231223_001_x.sql``.

The order is that of the numbers, not of the text (``10_x`` comes after ``9_x``, ``1.10_x`` after ``1.9_x``). What
undoes a file stands beside it as ``<name>.down.sql`` or ``<name>_down.sql``, or in ``rollback/``.

No runner is known, so the layout stands for psql in somebody's script: its commands and the rows of COPY are read.
"""

import re
from pathlib import Path

from pytest_migsafe.errors import MigrationReadError
from pytest_migsafe.migrations.layouts.base import (
    FoundFile,
    Layout,
    Listing,
    as_psql_sends,
    in_order,
    manner_by_header,
)
from pytest_migsafe.migrations.model import Direction, Manner, Runner, Script, TransactionMode
from pytest_migsafe.migrations.psql import read_as_psql
from pytest_migsafe.migrations.source import SourceText

#: A date and a number of the day, or one number, or numbers with dots between; then the name.
_NAME = re.compile(
    r"(?P<date>\d{8})[_-](?P<serial>\d+)(?:[_\-. ].*)?"
    r"|(?P<dotted>\d+(?:\.\d+)+)(?:[_\- ].*)?"
    r"|(?P<number>\d+)(?:[_\-. ].*)?"
)


def read(listing: Listing) -> tuple[FoundFile, ...]:
    """Return the numbered ``.sql`` files of a folder."""
    found = []
    for name in listing.files:
        stem, suffix = name[:-4], name[-4:]
        match = _NAME.fullmatch(stem)
        if suffix.lower() != ".sql" or match is None or _undoes_another(stem, listing):
            continue
        numbers = [part for part in match.group("date", "serial", "dotted", "number") if part]
        found.append(
            FoundFile(
                order=tuple(int(number) for part in numbers for number in part.split(".")),
                version="_".join(numbers),
                path=listing.folder / name,
                down=_down(stem, suffix, listing),
            )
        )
    return in_order(found)


def read_for_psql(source: SourceText, runner: Runner, direction: Direction) -> Script:  # noqa: ARG001
    """Read a whole file as psql does; ``-- no-transaction`` on its top opts out of the transaction.

    Raises:
        MigrationReadError: a command of psql stands in the file without which it cannot be run truly, or the way
            back of another runner, which must not be run.
    """
    _refuse_way_back(source)
    variables = {**runner.connected, **runner.placeholders}
    return as_psql_sends(read_as_psql(source, variables), manner_by_header(source, runner.usual))


#: Where the way back begins in the files of runners that are told by their first file: it may lack the mark.
_WAY_BACK = re.compile(
    r"""^(?:
      (?P<dbmate> --\s*migrate:down\b )
    | (?P<goose> --\s*\+goose\s+down\b )
    | (?P<sql_migrate> --\ \+migrate\ Down\b )
    | (?P<tern> ----\ create\ above\ /\ drop\ below\ ---- )
    | (?P<mybatis> --\s*//\s*@UNDO )
    | (?P<play> (?:\#|--)[ \t\r\f\v-]*+!Downs\b )
    )""",
    re.VERBOSE | re.MULTILINE | re.IGNORECASE,
)


def _refuse_way_back(source: SourceText) -> None:
    found = _WAY_BACK.search(source.text)
    if found is not None:
        name = (found.lastgroup or "").replace("_", "-")
        line = source.line_of(found.start())
        raise MigrationReadError(
            f"line {line} begins the way back as {name} has it, but nothing in the folder's first file tells {name}'s "
            f"layout, so all of the file would be run; name the layout: --migsafe-layout={name}"
        )


def _undoes_another(stem: str, listing: Listing) -> bool:
    # `0007_tear_down.sql` is a migration like any other, unless there is a `0007_tear.sql`.
    return stem.endswith(".down") or (
        stem.endswith("_down")
        and (listing.folder.name == "rollback" or f"{stem.removesuffix('_down')}.sql" in listing.file_set)
    )


def _down(stem: str, suffix: str, listing: Listing) -> Path | None:
    for beside in (f"{stem.removesuffix('.up')}.down{suffix}", f"{stem}_down{suffix}"):
        if beside in listing.file_set:
            return listing.folder / beside
    if "rollback" in listing.folders:
        rollback = listing.below("rollback")
        for behind in (f"{stem}_down{suffix}", f"{stem}.down{suffix}"):
            if behind in rollback.file_set:
                return rollback.folder / behind
    return None


LAYOUT = Layout(
    name="flat",
    files="`<number>_<name>.sql`",
    order="the number",
    transactions="one a file; `-- no-transaction` on top opts out",
    down="`<name>.down.sql` or `<name>_down.sql` beside, `rollback/<name>_down.sql`",
    detected_by="the names, when no other layout is found",
    manner=Manner(TransactionMode.TRANSACTION, "each file is one transaction, the default"),
    read=read,
    reader=read_for_psql,
    refuses_duplicates=False,
)
