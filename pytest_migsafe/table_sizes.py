"""How big production's tables are: what a project says of them, and the file in which production says it itself."""

import csv
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

#: A table's schema and its own name, both without quotes.
TableName = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class TableSize:
    """What is known of a table's size: one of the two at least."""

    rows: int | None = None
    #: Of the table with what it keeps elsewhere (TOAST), without its indexes.
    bytes: int | None = None
    #: Who says so: the file's name.
    source: str = ""


#: The columns of a file of statistics, the last of which may be missing.
COLUMNS = ("schema", "table", "rows", "bytes")
_NUMBER = re.compile(r"-?[0-9]+")


def read_statistics(path: Path) -> Mapping[TableName, TableSize]:
    """Return the tables' sizes in a file of statistics, which docs/settings.md has the query for.

    Raises:
        ValueError: it cannot be read, or is no such file; the message says where.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return MappingProxyType(dict(_rows(csv.reader(file), path.name)))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        # UnicodeDecodeError is a ValueError, too, with a message for nobody.
        raise ValueError(f"{path.name} cannot be read: {error}") from error


def _rows(lines: Iterator[list[str]], source: str) -> Iterator[tuple[TableName, TableSize]]:
    header = [name.strip().lower() for name in next(lines, [])]
    missing = [name for name in COLUMNS[:3] if name not in header]
    if missing:
        raise ValueError(
            f"{source} has no column {', '.join(missing)}; its first line is to be {','.join(COLUMNS)}"
        )
    for number, cells in enumerate(lines, start=2):
        if not any(cells):
            continue
        line = dict(zip(header, (cell.strip() for cell in cells), strict=False))
        name = line.get("schema", ""), line.get("table", "")
        size = TableSize(
            rows=_number(line, "rows", source, number),
            bytes=_number(line, "bytes", source, number),
            source=source,
        )
        if size.rows is not None or size.bytes is not None:
            yield name, size


def _number(line: Mapping[str, str], column: str, source: str, number: int) -> int | None:
    """Return a cell's number; None for an empty one, and for -1: such a table was never analyzed (manual: "pg_class")."""
    text = line.get(column, "")
    if not text:
        return None
    if not _NUMBER.fullmatch(text):
        raise ValueError(f"{source}, line {number}: {text!r} is no number of {column}")
    return int(text) if int(text) >= 0 else None


#: PostgreSQL's own units (manual: "pg_size_bytes").
_UNITS = {"": 1, "b": 1, "bytes": 1, "kb": 2**10, "mb": 2**20, "gb": 2**30, "tb": 2**40, "pb": 2**50}
_SIZE = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*([a-z]*)", re.IGNORECASE)


def in_bytes(text: str) -> int | None:
    """Return a size in PostgreSQL's notation, such as ``120 GB``, in bytes; None when it is none."""
    found = _SIZE.fullmatch(text.strip())
    if found is None or found[2].lower() not in _UNITS:
        return None
    return int(float(found[1]) * _UNITS[found[2].lower()])


_PART = r'(?:"((?:[^"]|"")+)"|([^."]+))'
_QUALIFIED = re.compile(rf"{_PART}\.{_PART}")


def table_name(text: str) -> TableName | None:
    """Return the parts of ``schema.table``, each in quotes or not; None when it is not of this form."""
    found = _QUALIFIED.fullmatch(text)
    if found is None:
        return None
    schema, table = ((found[at] or "").replace('""', '"') or found[at + 1] for at in (1, 3))
    return schema, table
