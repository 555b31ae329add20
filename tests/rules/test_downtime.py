"""How long others wait for a file: decided from locks and from the work under them."""

from dataclasses import replace

import pytest

from pytest_migsafe.rehearsal.evidence import Evidence, RelationLock, Rewrite, StatementEvidence
from pytest_migsafe.rules.downtime import Downtime, downtime
from pytest_migsafe.rules.sizes import Sizes
from pytest_migsafe.table_sizes import TableSize
from tests.rules.evidence import evidence, schema

_ORDERS = schema(orders="id total")


def _lock(mode: str, *, preexisting: bool = True) -> RelationLock:
    return RelationLock(relation="public.orders", kind="table", mode=mode, preexisting=preexisting)


def _file(**did: object) -> Evidence:
    """Return the evidence of a file of one statement that did this."""
    made = evidence("ALTER TABLE orders ...", before=_ORDERS, after=_ORDERS)
    (statement,) = made.statements
    done: StatementEvidence = replace(statement, transaction=1, **did)  # type: ignore[arg-type]
    return replace(made, statements=(done,))


_REWRITE = Rewrite(relation="public.orders", kind="table", preexisting=True)


@pytest.mark.parametrize(
    "lock", [_lock("AccessExclusiveLock", preexisting=False), _lock("ShareUpdateExclusiveLock")]
)
def test_none_where_nobody_waits(lock: RelationLock) -> None:
    assert downtime(_file(locks=(lock,))).downtime is Downtime.NONE


def test_short_where_others_wait_for_no_work() -> None:
    verdict = downtime(_file(locks=(_lock("AccessExclusiveLock"),)))
    assert verdict.downtime is Downtime.SHORT
    assert verdict.proof == (
        "line 1: reads and writes of public.orders wait for an instant (AccessExclusiveLock on public.orders)",
    )


def test_a_window_where_others_wait_for_work() -> None:
    verdict = downtime(_file(locks=(_lock("AccessExclusiveLock"),), rewrites=(_REWRITE,)))
    assert verdict.to_json() == {
        "verdict": "window",
        "proof": ["line 1: reads and writes of public.orders wait while public.orders is written anew"],
    }


@pytest.mark.parametrize(
    ("rows", "expected", "said"),
    [
        (500, Downtime.SHORT, " (with 10,000 rows or fewer)"),
        (40_000_000, Downtime.WINDOW, " (about 40 s at 40 million rows)"),
    ],
)
def test_work_on_a_table_that_is_said_to_be_small_is_no_window(
    rows: int, expected: Downtime, said: str
) -> None:
    sizes = Sizes(known={("public", "orders"): TableSize(rows=rows, source="settings")}, small=10_000)
    verdict = downtime(_file(locks=(_lock("AccessExclusiveLock"),), rewrites=(_REWRITE,)), sizes)
    assert verdict.downtime is expected
    assert verdict.proof[0].endswith(said)
