"""How long others would wait in production, as far as the project says how big its tables are; and what is too small to matter.

The rates are those of ``benchmarks/work.py``: what PostgreSQL needed for each kind of work on a machine that had nothing else
to do, with the table in memory. They are good for an order of magnitude, and said as such.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pytest_migsafe.catalog import Schema
from pytest_migsafe.catalog.lexical import last_part, schema_of, unquoted
from pytest_migsafe.catalog.schema import Table
from pytest_migsafe.findings import Finding, Severity
from pytest_migsafe.rehearsal.holding import WorkKind
from pytest_migsafe.rehearsal.moves import Move
from pytest_migsafe.table_sizes import TableName, TableSize


@dataclass(frozen=True, slots=True)
class Rate:
    """How long a kind of work takes: by the row, or by the byte where that is longer."""

    seconds_per_row: float
    bytes_per_second: float

    def seconds(self, size: TableSize) -> float:
        """Return how long it takes with a whole table."""
        return max((size.rows or 0) * self.seconds_per_row, (size.bytes or 0) / self.bytes_per_second)


#: Measured with rows of 93, 149 and 1024 bytes, 2 million of the first two: see docs/zero-downtime.md.
RATES: Mapping[str, Rate] = {
    # 0.05 to 0.13 µs a row; 0.7 to 3.4 GB a second.
    WorkKind.SCAN.value: Rate(0.1e-6, 1.5e9),
    # 0.4 µs a row for integers, 1.6 to 2.1 for texts.
    WorkKind.INDEX_BUILD.value: Rate(1e-6, 1.5e9),
    # 0.7 to 1.3 µs a row; 110 to 310 MB a second.
    WorkKind.REWRITE.value: Rate(1e-6, 0.2e9),
    # UPDATE with one index: 3 µs a row of the processor's time.
    WorkKind.WRITE.value: Rate(3e-6, 0.1e9),
}
#: Rows that are looked up in another table, as a foreign key's are when it is validated: 0.5 µs a row.
COMPARED = Rate(0.5e-6, 1.0e9)
#: The rules on foreign keys: on a referenced table without rows, the referencing one alone is read.
_LOOKS_UP = frozenset({"add-foreign-key-validates", "alter-constraint-enforced"})
#: A row takes 24 bytes of header and 4 of its place on the page at least (manual: "Database Page Layout").
_LEAST_ROW = 28


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """What a project says of its tables in production."""

    #: By their names there.
    known: Mapping[TableName, TableSize]
    #: Up to so many rows a table is small.
    small: int
    #: What the history's files rename, in their order.
    moves: Sequence[Move] = ()

    def of(self, relation: str, schemas: Sequence[Schema], position: int) -> TableSize | None:
        """Return the size of a table by its name in the file at a position; None where nothing is said of it.

        A partitioned table is as big as its partitions; a partition of which nothing is said has its share of the whole.
        ``schemas`` are those in which the table may be.
        """
        if (own := self._named(relation, position)) is not None:
            return own
        if partitions := _partitions(relation, schemas):
            return _sum([self.of(one, schemas, position) for one in partitions])
        table = _table(relation, schemas)
        if table is None or table.partition_bound is None or len(table.parents) != 1:
            return None
        (parent,) = table.parents
        whole = self._named(parent, position)
        return _share(whole, len(_partitions(parent, schemas))) if whole is not None else None

    def _named(self, relation: str, position: int) -> TableSize | None:
        """Return what is said of a table under the name that it has, or had before, or gets later."""
        name = unquoted(schema_of(relation)), last_part(relation)
        if name in self.known:
            return self.known[name]
        earlier = name
        for move in reversed([one for one in self.moves if one.position <= position]):
            if earlier[1] == move.new and move.new_schema in ("", earlier[0]):
                earlier = move.old_schema or earlier[0], move.old
                if earlier in self.known:
                    return self.known[earlier]
        later = name
        for move in (one for one in self.moves if one.position >= position):
            if later[1] == move.old and move.old_schema in ("", later[0]):
                later = move.new_schema or later[0], move.new
                if later in self.known:
                    return self.known[later]
        return None

    def is_small(self, size: TableSize) -> bool:
        """Whether a table has so few rows that what is done with them takes no time."""
        most = size.rows if size.rows is not None else (size.bytes or 0) // _LEAST_ROW
        return most <= self.small


def _table(relation: str, schemas: Iterable[Schema]) -> Table | None:
    found = (schema.get("table", relation) for schema in schemas)
    return next((one for one in found if isinstance(one, Table)), None)


def _partitions(relation: str, schemas: Iterable[Schema]) -> list[str]:
    return sorted(
        {
            name
            for schema in schemas
            for name, table in schema.tables.items()
            if table.partition_bound is not None and table.parents == (relation,)
        }
    )


def _sum(sizes: Sequence[TableSize | None]) -> TableSize | None:
    known = [one for one in sizes if one is not None]
    if not known or len(known) < len(sizes):
        return None
    rows = [one.rows for one in known if one.rows is not None]
    counted = [one.bytes for one in known if one.bytes is not None]
    return TableSize(
        rows=sum(rows) if len(rows) == len(known) else None,
        bytes=sum(counted) if len(counted) == len(known) else None,
        source=known[0].source,
    )


def _share(whole: TableSize, parts: int) -> TableSize:
    return replace(
        whole,
        rows=whole.rows // parts if whole.rows is not None else None,
        bytes=whole.bytes // parts if whole.bytes is not None else None,
    )


@dataclass(frozen=True, kw_only=True)
class _Estimate:
    """What a finding's work comes to."""

    sizes: Mapping[str, TableSize]
    #: The tables of which nothing is said.
    unknown: tuple[str, ...] = ()
    seconds: float = 0.0
    is_small: bool = False


def sized(
    findings: Iterable[Finding], sizes: Sizes, schemas: Sequence[Schema], position: int
) -> tuple[Finding, ...]:
    """Return findings with how long others would wait; where all the work is on small tables, no error is left.

    Args:
        findings: of which those with ``details["work"]`` tell what was done with whole tables.
        sizes: what is known of production.
        schemas: in which the tables are: before and after the file.
        position: the file's place in its history.
    """
    return tuple(_sized(finding, sizes, schemas, position) for finding in findings)


def _sized(finding: Finding, sizes: Sizes, schemas: Sequence[Schema], position: int) -> Finding:
    work: Sequence[Mapping[str, Any]] = finding.details.get("work", ())
    estimate = _estimate(work, sizes, schemas, position, is_compared=finding.rule in _LOOKS_UP)
    if not estimate.sizes:
        return finding
    facts = tuple(f"{table} has {_written(size)} ({size.source})" for table, size in estimate.sizes.items())
    details = {**finding.details, "estimate": _plain(estimate)}
    if estimate.is_small:
        why = f"with {_count(sizes.small)} rows or fewer (small_table) this takes no time, so it is a warning"
        return replace(
            finding,
            severity=Severity.WARNING if finding.severity is Severity.ERROR else finding.severity,
            evidence=(
                *finding.evidence,
                *facts,
                why,
            ),
            details=details,
        )
    return replace(
        finding,
        message=f"{finding.message}{_how_long(estimate)}",
        evidence=(*finding.evidence, *facts),
        details=details,
    )


def _how_long(estimate: _Estimate) -> str:
    """Return what a message says of the time, in brackets; nothing where it would say next to nothing."""
    if estimate.unknown and estimate.seconds < 1:
        return ""
    said = duration(estimate.seconds)
    if estimate.unknown:
        said = said.replace("about", "at least")
    total = _sum(list(estimate.sizes.values()))
    return f" ({said} at {_written(total)})" if total is not None else f" ({said})"


def stalled_for(
    work: Sequence[Mapping[str, Any]], sizes: Sizes, schemas: Sequence[Schema], position: int
) -> tuple[str, bool]:
    """Return how long some work takes, as " (about 40 s at 20 million rows)", and whether it is with small tables only.

    ``work`` is as in a finding's ``details["work"]``. The text is empty where nothing is known of the tables.
    """
    estimate = _estimate(work, sizes, schemas, position, is_compared=False)
    if estimate.is_small:
        return f" (with {_count(sizes.small)} rows or fewer)", True
    return _how_long(estimate) if estimate.sizes else "", False


def _estimate(
    work: Sequence[Mapping[str, Any]],
    sizes: Sizes,
    schemas: Sequence[Schema],
    position: int,
    *,
    is_compared: bool,
) -> _Estimate:
    tables = dict.fromkeys(str(one["table"]) for one in work)
    found = {table: sizes.of(table, schemas, position) for table in tables}
    known = {table: size for table, size in found.items() if size is not None}
    return _Estimate(
        sizes=known,
        unknown=tuple(table for table, size in found.items() if size is None),
        seconds=sum(_seconds(table, size, work, is_compared=is_compared) for table, size in known.items()),
        is_small=len(known) == len(found) and all(sizes.is_small(size) for size in known.values()),
    )


def _seconds(table: str, size: TableSize, work: Sequence[Mapping[str, Any]], *, is_compared: bool) -> float:
    kinds = [str(one["kind"]) for one in work if one["table"] == table]
    busy = [kind for kind in kinds if kind != WorkKind.SCAN.value]
    if busy:
        # To write a table anew or to build its index is to read it.
        return sum(RATES.get(kind, RATES[WorkKind.REWRITE.value]).seconds(size) for kind in busy)
    is_joined = is_compared or len({one["table"] for one in work}) > 1
    return (COMPARED if is_joined else RATES[WorkKind.SCAN.value]).seconds(size)


def _plain(estimate: _Estimate) -> dict[str, Any]:
    return {
        "seconds": round(estimate.seconds, 1),
        "small": estimate.is_small,
        "tables": {table: {"rows": one.rows, "bytes": one.bytes} for table, one in estimate.sizes.items()},
        "unknown": list(estimate.unknown),
    }


_MINUTE, _HOUR = 60, 3600


def duration(seconds: float) -> str:
    """Return a duration as roughly as it is known: "about 40 s", "about 3 min", "about 2 h"."""
    if seconds < 1:
        return "less than a second"
    if seconds < 1.5 * _MINUTE:
        return f"about {_rough(seconds)} s"
    if seconds < 1.5 * _HOUR:
        return f"about {_rough(seconds / _MINUTE)} min"
    return f"about {_rough(seconds / _HOUR)} h"


def _rough(number: float) -> int:
    """Return a number with one figure that means something, above ten in steps of five."""
    ten = 10
    return round(number) if number < ten else round(number / 5) * 5


def _written(size: TableSize) -> str:
    if size.rows is not None:
        return f"{_count(size.rows)} row{'' if size.rows == 1 else 's'}"
    return _bytes(size.bytes or 0)


_MILLION, _THOUSAND = 1_000_000, 1_000


def _count(rows: int) -> str:
    if rows >= _MILLION:
        return (
            f"{rows / _MILLION:.3g} million"
            if rows < _THOUSAND * _MILLION
            else f"{rows // _MILLION:,} million"
        )
    return f"{rows:,}"


def _bytes(size: int) -> str:
    number, units = float(size), ["bytes", "kB", "MB", "GB", "TB"]
    step = 1024
    while number >= step and len(units) > 1:
        number /= step
        units.pop(0)
    return f"{number:.3g} {units[0]}"
