"""What the smoke tests cost beside the rehearsal: asking the database, question by question, and judging the answers.

    python benchmarks/smoke_tests.py
    python benchmarks/smoke_tests.py --history ../shared/corpora/minder/migrations --runs 5

Each figure is the median of several runs after one that warms up. Nothing is asserted: times belong to the machine, the
ratios tell more.
"""

import argparse
import statistics
from collections import defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path
from time import perf_counter
from types import ModuleType
from typing import Any

from pytest_migsafe.migrations.discovery import find_histories
from pytest_migsafe.migrations.model import History
from pytest_migsafe.places import place_of_our_own
from pytest_migsafe.postgres.binaries import Binaries, find_binaries
from pytest_migsafe.rehearsal import probes
from pytest_migsafe.rehearsal.chain import Blocked, Chain
from pytest_migsafe.rehearsal.examination import Examination
from pytest_migsafe.rules import judge
from pytest_migsafe.rules.smoke import SMOKE_RULES
from pytest_migsafe.settings import Settings

_HISTORY = Path(__file__).resolve().parents[2] / "shared" / "corpora" / "crates_io" / "migrations"


def _watched(spent: dict[str, float], name: str, call: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that does the same and notes the seconds that it takes."""

    def watched(*given: Any, **named: Any) -> Any:
        started = perf_counter()
        try:
            return call(*given, **named)
        finally:
            spent[name] += perf_counter() - started

    return watched


def _watch(spent: dict[str, float]) -> None:
    for name in ("begin", "states"):
        setattr(Examination, name, _watched(spent, "all questions", getattr(Examination, name)))
    for name, module in sorted(vars(probes).items()):
        if isinstance(module, ModuleType) and hasattr(module, "probe"):
            setattr(module, "probe", _watched(spent, f"of these: {name}", module.probe))  # noqa: B010 - mypy


def _once(
    history: History, binaries: Binaries, settings: Settings, spent: dict[str, float]
) -> Mapping[str, float]:
    """Rehearse and judge a history; return the seconds of each part."""
    spent.clear()
    place = place_of_our_own(binaries, settings, history.layout)
    judged = 0.0
    with Chain(history, place.open) as chain:
        # The server starts with the first file.
        evidence = chain.rehearse(0)
        spent.clear()
        started = perf_counter()
        for position in range(1, len(history.migrations)):
            evidence = chain.rehearse(position)
            if isinstance(evidence, Blocked) or not evidence.applied:
                raise SystemExit(f"{history.migrations[position].path} is not applied")
            before = perf_counter()
            judge(evidence, SMOKE_RULES, {})
            judged += perf_counter() - before
        total = perf_counter() - started
    return {
        "rehearsal, without smoke tests": total - judged - spent["all questions"],
        **spent,
        "judging": judged,
    }


def _main() -> None:
    arguments = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    arguments.add_argument("--history", type=Path, default=_HISTORY)
    arguments.add_argument("--runs", type=int, default=5)
    given = arguments.parse_args()
    binaries = find_binaries()
    settings = Settings(root=given.history, bindir=binaries.bindir)
    (history,) = find_histories(given.history, [given.history], layout=settings.layout)
    spent: dict[str, float] = defaultdict(float)
    _watch(spent)
    _once(history, binaries, settings, spent)
    runs = [_once(history, binaries, settings, spent) for _ in range(given.runs)]
    medians = {name: statistics.median(one[name] for one in runs) for name in runs[0]}
    rehearsal = next(iter(medians.values()))
    print(f"{len(history.migrations)} files, medians of {given.runs} runs\n")
    print("| | a file | / rehearsal |\n|---|--:|--:|")
    for name, seconds in medians.items():
        print(f"| {name} | {seconds / len(history.migrations) * 1000:.2f} ms | {seconds / rehearsal:.2f} |")


if __name__ == "__main__":
    _main()
