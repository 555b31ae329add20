"""The rules say of each case what an independent oracle measures: who waits for locks while work is done that grows.

Each case is tried on one of the two major versions, in turn, so that the whole stays fast; on all of them it is tried
with ``python -m tests.zero_downtime.measure 14 15 16 17 18``.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache

import pytest

from tests.conftest import ServerOf
from tests.zero_downtime.conftest import MAJORS
from tests.zero_downtime.measure import ALL_CASES, Bench
from tests.zero_downtime.oracle import Case


@pytest.fixture(scope="session")
def bench_of(
    server_of: ServerOf, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[int], Bench]]:
    """Benches by major versions, on which cases are measured and judged."""
    with ExitStack() as resources:

        @cache
        def made(major: int) -> Bench:
            bench = Bench(server_of(major), tmp_path_factory.mktemp("cases"))
            resources.callback(bench.close)
            return bench

        yield made


def _in_turn() -> Iterator[object]:
    for place, case in enumerate(ALL_CASES):
        majors = [major for major in MAJORS if case.runs_on(major)]
        if majors:
            major = majors[place % len(majors)]
            yield pytest.param(major, case, id=f"{major}-{case.name}")


@pytest.mark.parametrize(("major", "case"), [*_in_turn()])
def test_the_rules_say_what_is_measured(bench_of: Callable[[int], Bench], major: int, case: Case) -> None:
    compared = bench_of(major).compare(case)
    assert compared.is_comparable, (compared.measured.error, compared.said.evidence.error)
    assert bool(compared.said.stalls) == compared.measured.stalls, compared.measured
    assert compared.agrees_on_who_waits, (compared.said.waiting, compared.measured)
    assert compared.agrees_on_rows, (compared.said.findings, compared.measured)


def test_names_of_cases_are_told_apart() -> None:
    assert len({one.name for one in ALL_CASES}) == len(ALL_CASES)
