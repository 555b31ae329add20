"""What a layout is: how one runner names, orders and applies its files."""

import os
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Self

from pytest_migsafe.errors import MigrationReadError
from pytest_migsafe.migrations.header import no_transaction_line
from pytest_migsafe.migrations.model import (
    Direction,
    Manner,
    Part,
    Reader,
    Remark,
    Runner,
    Script,
    TransactionMode,
)
from pytest_migsafe.migrations.psql import PsqlText
from pytest_migsafe.migrations.source import CharOffset, CharSpan, SourceText

#: What projects for several databases call the folders of those that are not PostgreSQL, in small letters.
OTHER_DATABASES = frozenset(
    {
        "clickhouse",
        "cockroachdb",
        "db2",
        "derby",
        "duckdb",
        "h2",
        "hsqldb",
        "mariadb",
        "mssql",
        "mysql",
        "oracle",
        "snowflake",
        "sqlite",
        "sqlite3",
        "sqlserver",
    }
)
#: Enough to meet a runner's mark, be it the one between up and down in a first migration that is long.
_BEGINNING = 1 << 18
#: Folders that hold other people's code or built things.
_OTHERS = frozenset(
    {"node_modules", "__pycache__", "build", "dist", "target", "vendor", "venv", "site-packages"}
)


@dataclass(frozen=True)
class Listing:
    """A folder's entries, read once and sorted by name; hidden folders are left out."""

    folder: Path
    files: tuple[str, ...]
    folders: tuple[str, ...]
    #: Those of the folders that are symbolic links.
    links: frozenset[str] = frozenset()
    _below: dict[str, Self] = field(default_factory=dict, compare=False, repr=False)
    _beginnings: dict[str, str] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def of(cls, folder: Path) -> Self:
        """Read a folder; one that cannot be read is empty."""
        files, folders, links = [], [], set()
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    if entry.is_file():
                        files.append(entry.name)
                    elif entry.is_dir() and not entry.name.startswith("."):
                        folders.append(entry.name)
                        if entry.is_symlink():
                            links.add(entry.name)
        except OSError:
            return cls(folder, (), ())
        return cls(folder, tuple(sorted(files)), tuple(sorted(folders)), frozenset(links))

    def below(self, name: str) -> Self:
        """Return the listing of a folder in this one, read once however many layouts look at it."""
        if name not in self._below:
            self._below[name] = self.of(self.folder / name)
        return self._below[name]

    def leads_back(self, name: str) -> bool:
        """Whether a folder is a link to this one, or to one above it."""
        if name not in self.links:
            return False
        here, there = os.path.realpath(self.folder), os.path.realpath(self.folder / name)
        return here == there or here.startswith(there + os.sep)

    def beginning(self, name: str) -> str:
        """Return the beginning of a file's text, read once however many layouts look at it."""
        if name not in self._beginnings:
            try:
                with (self.folder / name).open("rb") as file:
                    data = file.read(_BEGINNING)
            except OSError:
                data = b""
            self._beginnings[name] = data.decode(errors="replace")
        return self._beginnings[name]

    def file(self, name: str) -> Path | None:
        """Return a file's path; None when there is none of that name."""
        return self.folder / name if name in self.file_set else None

    def holds_others_code(self, name: str) -> bool:
        """Whether a folder in this one holds other people's code, or built things."""
        return name in _OTHERS or "pyvenv.cfg" in self.below(name).file_set

    @cached_property
    def file_set(self) -> frozenset[str]:
        """The files' names, for asking whether one is there."""
        return frozenset(self.files)


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundFile:
    """A migration as a layout finds it, before it is placed in a history."""

    #: What the runner orders by; equal keys keep the order of names.
    order: tuple[Any, ...]
    version: str
    path: Path
    #: The file that undoes it; the file itself where both directions stand in one.
    down: Path | None = None
    #: How the file is sent, where something beside it says so (Diesel's ``metadata.toml``).
    manner: Manner | None = None
    #: What its runner makes of it, where that is not what it makes of the layout's other files.
    reader: Reader | None = None
    #: What the project says that it is encoded in.
    encoding: str = "utf-8"
    #: Whether the runner runs it again whenever it has changed, or every time.
    is_repeatable: bool = False


def _always(listing: Listing) -> bool:  # noqa: ARG001 - the signature is Layout.is_detected_in's
    return True


def _never(listing: Listing) -> bool:  # noqa: ARG001 - the signature is Layout.is_marked's
    return False


def _no_remarks(listing: Listing, found: tuple[FoundFile, ...]) -> tuple[Remark, ...]:  # noqa: ARG001
    return ()


def read_whole(source: SourceText, runner: Runner, direction: Direction) -> Script:  # noqa: ARG001
    """Read a file that is one migration, or what undoes one, from its first character to its last."""
    return Script.whole(source, runner.usual)


def manner_by_header(source: SourceText, usual: Manner) -> Manner:
    """Return how a file is sent: the usual way, unless ``-- no-transaction`` stands on top of it."""
    line = no_transaction_line(source.text)
    if line is None:
        return usual
    return Manner(TransactionMode.AUTOCOMMIT, f"-- no-transaction in line {line}")


@dataclass(frozen=True, kw_only=True)
class Layout:
    """One runner's conventions."""

    #: The name in settings, in the header and in reports.
    name: str
    #: For the table in the documentation, a phrase each: which files are migrations, in which order,
    #: what is one transaction, what undoes a file, and what tells the layout from others.
    files: str
    order: str
    transactions: str
    down: str
    detected_by: str
    #: How the runner sends a file that says nothing of it itself.
    manner: Manner
    #: Return a folder's migrations in the runner's order; empty when there are none.
    read: Callable[[Listing], tuple[FoundFile, ...]]
    #: What the runner makes of a file.
    reader: Reader = read_whole
    #: Whether a folder that ``read`` could read is this layout's, when nobody names the layout.
    is_detected_in: Callable[[Listing], bool] = _always
    #: Whether a folder is this layout's beyond doubt, whatever it is called.
    is_marked: Callable[[Listing], bool] = _never
    #: Whether a folder of this layout may lie inside another one's, as a history of its own.
    is_nested: bool = False
    #: Whether the runner gives each file a session of its own.
    session_per_file: bool = False
    #: Whether the runner ends with an error when two files have the same version.
    refuses_duplicates: bool = True
    #: What else the owner of a folder should know: files that the runner would pass over, and why.
    remarks: Callable[[Listing, tuple[FoundFile, ...]], tuple[Remark, ...]] = _no_remarks


def in_order(found: list[FoundFile]) -> tuple[FoundFile, ...]:
    """Return files in their runner's order."""
    return tuple(sorted(found, key=lambda file: (file.order, file.path.name)))


def files_named(
    listing: Listing, name: re.Pattern[str], order: Callable[[re.Match[str]], tuple[Any, ...]]
) -> tuple[FoundFile, ...]:
    """Return the files whose name matches, each with its own way back in it; ``version`` is a group of the name."""
    matches = (name.fullmatch(file) for file in listing.files)
    return in_order(
        [
            FoundFile(
                order=order(match),
                version=match["version"],
                path=listing.folder / match.string,
                down=listing.folder / match.string,
            )
            for match in matches
            if match is not None
        ]
    )


def first_file_has(mark: re.Pattern[str]) -> Callable[[Listing], bool]:
    """Return whether a runner's mark stands in the first SQL file of a folder, as a function of the folder."""

    def is_detected_in(listing: Listing) -> bool:
        # Of a pair of files, neither has both directions in it.
        names = (name for name in listing.files if not name.endswith((".up.sql", ".down.sql")))
        first = next((name for name in names if name.endswith(".sql")), None)
        return first is not None and mark.search(listing.beginning(first)) is not None

    return is_detected_in


def between(spans: Iterable[CharSpan], end: int) -> list[CharSpan]:
    """Return what lies before, between and behind some spans of a text, which are in order; some may be empty."""
    edges = [0, *(edge for span in spans for edge in span), end]
    return list(zip(edges[::2], edges[1::2], strict=True))


def only(source: SourceText, *spans: CharSpan) -> SourceText:
    """Return a text with blanks in place of what stands outside some spans, which are in order."""
    return source.masked(between(spans, len(source.text)))


def as_psql_sends(text: PsqlText, manner: Manner) -> Script:
    """Return a file that goes through psql: rows follow each ``COPY ... FROM STDIN`` in it."""
    if not text.copies:
        return Script.whole(text.source, manner)
    others = tuple(
        Part(CharOffset(low), CharOffset(high))
        for low, high in between([(one.start, one.end) for one in text.copies], len(text.source.text))
        if text.source.text[low:high].strip("; \t\r\n\f\v\ufeff")
    )
    if manner.mode is TransactionMode.AUTOCOMMIT:
        statements = Script.whole(text.source, manner, others).statements if others else ()
        others = tuple(Part(one.start, one.end) for one in statements)
    copies = (Part(one.start, one.end, one.data) for one in text.copies)
    return Script.whole(text.source, manner, tuple(sorted((*others, *copies), key=lambda part: part.start)))


def refusing(reason: str) -> Reader:
    """Return a reader of files at which the runner ends with an error, whatever stands in them."""

    def read(source: SourceText, runner: Runner, direction: Direction) -> Script:  # noqa: ARG001
        raise MigrationReadError(reason)

    return read
