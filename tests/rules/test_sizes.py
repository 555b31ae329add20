"""How long a stall would be in production, and which is too short to fail: by what the project says of its tables."""

from collections.abc import Mapping
from typing import Any

import pytest

from pytest_migsafe.catalog import Schema
from pytest_migsafe.catalog.schema import Table
from pytest_migsafe.findings import Finding, Severity
from pytest_migsafe.rehearsal.moves import Move
from pytest_migsafe.rules.sizes import Sizes, duration, sized
from pytest_migsafe.table_sizes import TableName, TableSize

MILLION = 1_000_000


def stall(*work: tuple[str, str], severity: Severity = Severity.ERROR) -> Finding:
    """Return a finding of work, each a kind and a table."""
    return Finding(
        rule="a-stall",
        family="blocking-work",
        severity=severity,
        path="1.sql",
        message="writes wait",
        details={"work": [{"kind": kind, "table": table, "index": ""} for kind, table in work]},
    )


def after_sizing(
    finding: Finding,
    known: Mapping[TableName, TableSize],
    *,
    small: int = 10_000,
    moves: tuple[Move, ...] = (),
    schema: Schema | None = None,
    position: int = 5,
) -> Finding:
    sizes = Sizes(known=known, small=small, moves=moves)
    (one,) = sized([finding], sizes, [schema or Schema()], position)
    return one


def rows(count: int) -> TableSize:
    return TableSize(rows=count, source="pyproject.toml")


ORDERS = ("public", "orders")
SCAN, BUILD, REWRITE = "scan", "index build", "rewrite"


@pytest.mark.parametrize(
    ("work", "size", "said"),
    [
        ([(SCAN, "public.orders")], rows(200 * MILLION), "about 20 s at 200 million rows"),
        (
            [(BUILD, "public.orders"), (SCAN, "public.orders")],
            rows(200 * MILLION),
            "about 3 min at 200 million rows",
        ),
        ([(BUILD, "public.orders")] * 2, rows(200 * MILLION), "about 7 min at 200 million rows"),
        (
            [(REWRITE, "public.orders"), (SCAN, "public.orders")],
            rows(40 * MILLION),
            "about 40 s at 40 million rows",
        ),
        (
            [(REWRITE, "public.orders")],
            TableSize(rows=40 * MILLION, bytes=120 * 2**30),
            "about 10 min at 40 million rows",
        ),
        ([(REWRITE, "public.orders")], TableSize(bytes=120 * 2**30), "about 10 min at 120 GB"),
        ([(REWRITE, "public.orders")], rows(30_000 * MILLION), "about 8 h at 30,000 million rows"),
        ([(SCAN, "public.orders")], rows(11_000), "less than a second at 11,000 rows"),
        ([("write", "public.orders")], rows(200 * MILLION), "about 10 min at 200 million rows"),
        ([("something else", "public.orders")], rows(5 * MILLION), "about 5 s at 5 million rows"),
    ],
)
def test_a_stall_says_how_long_it_would_be(work: list[tuple[str, str]], size: TableSize, said: str) -> None:
    finding = after_sizing(stall(*work), {ORDERS: size})

    assert finding.message == f"writes wait ({said})"
    assert finding.severity is Severity.ERROR
    assert finding.details["estimate"]["small"] is False


def test_a_foreign_key_reads_two_tables_and_compares_them() -> None:
    known = {ORDERS: rows(100 * MILLION), ("public", "customers"): rows(MILLION)}
    finding = after_sizing(stall((SCAN, "public.orders"), (SCAN, "public.customers")), known)

    assert finding.message == "writes wait (about 50 s at 101 million rows)"
    assert finding.evidence[-2:] == (
        "public.orders has 100 million rows (pyproject.toml)",
        "public.customers has 1 million rows (pyproject.toml)",
    )


@pytest.mark.parametrize(("severity", "left"), [("error", "warning"), ("warning", "warning")])
def test_work_on_small_tables_is_a_warning(severity: str, left: str) -> None:
    finding = after_sizing(
        stall((BUILD, "public.orders"), severity=Severity(severity)), {ORDERS: rows(10_000)}
    )

    assert (finding.severity, finding.message) == (Severity(left), "writes wait")
    assert finding.evidence[-1] == (
        "with 10,000 rows or fewer (small_table) this takes no time, so it is a warning"
    )


@pytest.mark.parametrize(
    ("size", "is_small"),
    [
        (rows(10_001), False),
        (TableSize(bytes=28 * 10_000), True),
        (TableSize(bytes=28 * 10_001), False),
        (TableSize(rows=5, bytes=2**30), True),
    ],
)
def test_small_is_counted_in_rows_and_by_bytes_where_these_are_unknown(
    size: TableSize, is_small: bool
) -> None:
    finding = after_sizing(stall((BUILD, "public.orders")), {ORDERS: size})
    assert (finding.severity is Severity.WARNING) == is_small


def test_a_table_of_which_nothing_is_said_is_big() -> None:
    finding = stall((BUILD, "public.orders"), (BUILD, "public.other"))

    assert after_sizing(finding, {("app", "orders"): rows(1)}) == finding
    one_known = after_sizing(finding, {ORDERS: rows(5)})
    assert one_known.severity is Severity.ERROR
    assert one_known.message == "writes wait"
    both = after_sizing(finding, {ORDERS: rows(200 * MILLION)})
    assert both.message == "writes wait (at least 3 min at 200 million rows)"
    assert both.details["estimate"]["unknown"] == ["public.other"]


def test_findings_of_no_work_are_left_alone() -> None:
    plain = Finding(rule="x", family="x", severity=Severity.ERROR, path="1.sql", message="x")
    assert after_sizing(plain, {ORDERS: rows(1)}) == plain


def test_names_are_compared_as_they_are_without_quotes() -> None:
    finding = after_sizing(stall((BUILD, '"My App"."Orders"')), {("My App", "Orders"): rows(1)})
    assert finding.severity is Severity.WARNING


def move(position: int, old: str, new: str, *, schema: str = "", to: str = "") -> Move:
    return Move(position=position, old_schema=schema, old=old, new_schema=to or schema, new=new)


@pytest.mark.parametrize(
    ("moves", "table", "is_known"),
    [
        ((move(5, "orders", "purchases"),), "public.purchases", True),
        ((move(2, "orders", "buys"), move(4, "buys", "purchases")), "public.purchases", True),
        ((move(2, "orders", "orders", schema="public", to="app"),), "app.orders", True),
        ((move(6, "orders", "purchases"),), "public.purchases", False),
        # Production is further than the file: it knows the table by the name that it got later.
        ((move(6, "old", "buys"), move(7, "buys", "orders")), "public.old", True),
        ((move(2, "old", "orders"),), "public.old", False),
        ((move(2, "orders", "purchases", schema="app"),), "public.purchases", False),
    ],
)
def test_a_table_is_known_by_the_names_that_it_had_and_gets(
    moves: tuple[Move, ...], table: str, is_known: bool
) -> None:
    finding = after_sizing(stall((BUILD, table)), {ORDERS: rows(200 * MILLION)}, moves=moves)
    assert ("estimate" in finding.details) == is_known


def partitions() -> Schema:
    parts = [
        Table(
            name=f"public.p{at}",
            owner="o",
            parents=("public.orders",),
            partition_bound=f"FOR VALUES IN ({at})",
        )
        for at in range(4)
    ]
    return Schema.of([Table(name="public.orders", owner="o", kind="partitioned table"), *parts])


@pytest.mark.parametrize(
    ("known", "work", "said"),
    [
        (
            {("public", f"p{at}"): rows(10 * MILLION) for at in range(4)},
            [(SCAN, "public.orders")],
            "(about 4 s at 40 million rows)",
        ),
        ({ORDERS: rows(400 * MILLION)}, [(SCAN, "public.p1")], "(about 10 s at 100 million rows)"),
        (
            {ORDERS: rows(400 * MILLION)},
            [(BUILD, f"public.p{at}") for at in range(4)],
            "(about 7 min at 400 million rows)",
        ),
        (
            {ORDERS: rows(400 * MILLION), ("public", "p1"): rows(20 * MILLION)},
            [(SCAN, "public.p1")],
            "(about 2 s at 20 million rows)",
        ),
        ({("public", "p0"): rows(MILLION)}, [(SCAN, "public.orders")], ""),
    ],
)
def test_a_partitioned_table_is_its_partitions(
    known: dict[TableName, TableSize], work: list[tuple[str, str]], said: str
) -> None:
    finding = after_sizing(stall(*work), known, schema=partitions())
    assert finding.message == f"writes wait {said}".rstrip()


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.4, "less than a second"),
        (1.2, "about 1 s"),
        (42, "about 40 s"),
        (89, "about 90 s"),
        (91, "about 2 min"),
        (3600, "about 60 min"),
        (5399, "about 90 min"),
        (7300, "about 2 h"),
        (86_400, "about 25 h"),
    ],
)
def test_durations_are_said_as_roughly_as_they_are_known(seconds: float, said: str) -> None:
    assert duration(seconds) == said


def test_an_estimate_is_plain_data() -> None:
    finding = after_sizing(stall((BUILD, "public.orders")), {ORDERS: rows(200 * MILLION)})
    plain: dict[str, Any] = finding.to_json()["details"]["estimate"]
    assert plain == {
        "seconds": 200.0,
        "small": False,
        "tables": {"public.orders": {"rows": 200 * MILLION, "bytes": None}},
        "unknown": [],
    }
