"""The proof of accuracy: what the rules say of each case, beside what was measured.

As a command, ``python -m tests.zero_downtime.measure 15 18`` prints the cases that differ, and F1.
"""

import argparse
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from pytest_migsafe.findings import Finding
from pytest_migsafe.migrations.discovery import find_histories
from pytest_migsafe.migrations.model import TransactionMode
from pytest_migsafe.postgres.binaries import find_binaries
from pytest_migsafe.postgres.database import create_database
from pytest_migsafe.postgres.server import Server, start_server
from pytest_migsafe.rehearsal.chain import Chain
from pytest_migsafe.rehearsal.evidence import Evidence
from pytest_migsafe.rules import judge
from pytest_migsafe.rules.builtin import RULES
from tests.zero_downtime.cases import CASES, WORLD, WORLD_ROWS
from tests.zero_downtime.harder_cases import HARDER
from tests.zero_downtime.oracle import FEW, MANY, Case, Measured, Oracle, measured

ALL_CASES = (*CASES, *HARDER)

FAMILY = "blocking-work"
#: The rule of the family that is about rows, not about locks on relations.
ROWS = "whole-table-write"


@dataclass(frozen=True)
class Said:
    """What the rules say of a case's migration."""

    evidence: Evidence
    findings: tuple[Finding, ...]

    @property
    def stalls(self) -> tuple[Finding, ...]:
        """The findings about work while others wait for locks; not the family's others, on rows and on time zones."""
        return tuple(one for one in self.findings if one.family == FAMILY and "waiting" in one.details)

    @property
    def waiting(self) -> dict[str, str]:
        """Who waits for which relation, all findings together; a TOAST table is a part of its table."""
        found: dict[str, str] = {}
        for finding in self.stalls:
            waiting: Mapping[str, str] = finding.details["waiting"]
            for relation, who in waiting.items():
                if found.get(relation) != "reads and writes" and not relation.startswith("pg_toast."):
                    found[relation] = who
        return found

    @property
    def holds_rows(self) -> bool:
        """Whether a table's rows are said to be written as a whole."""
        return any(one.rule == ROWS for one in self.findings)


@dataclass(frozen=True)
class Compared:
    """A case: what was measured of it, and what is said."""

    case: Case
    measured: Measured
    said: Said

    @property
    def is_comparable(self) -> bool:
        """Whether it went through to its end in both."""
        return not self.measured.error and self.said.evidence.applied

    @property
    def verdict(self) -> str:
        """What the answer is: "hit", "miss", "false alarm" or "silent"."""
        match self.measured.stalls, bool(self.said.stalls):
            case True, True:
                return "hit"
            case True, False:
                return "miss"
            case False, True:
                return "false alarm"
        return "silent"

    @property
    def agrees_on_who_waits(self) -> bool:
        """Whether the same relations are said to wait, for the same; of what is only read, reading is all."""
        said, seen = self.said.waiting, self.measured.waiting
        unsaid = seen.keys() - said.keys()
        return unsaid <= self.measured.by_parent and all(
            seen.get(relation) == who or (seen.get(relation) == "reads" and who == "reads and writes")
            for relation, who in said.items()
        )

    @property
    def agrees_on_rows(self) -> bool:
        """Whether rows are said to be held by work on a whole table; of a stall no more need be said."""
        return self.measured.stalls or bool(self.measured.rows_held) == self.said.holds_rows


class Bench:
    """A server on which cases are measured and judged."""

    def __init__(self, server: Server, folder: Path, *, populated: bool = False) -> None:
        """With ``populated`` the rules judge a database with rows, too; else it is empty, as after migrations only."""
        self.server = server
        self._folder = folder
        self._populated = populated
        self._count = 0
        self._resources = ExitStack()

    def close(self) -> None:
        """Drop the databases."""
        self._resources.close()

    def compare(self, case: Case) -> Compared:
        """Return what was measured of a case and what the rules say of it."""
        few, many = (oracle.run(case) for oracle in self._oracles)
        return Compared(case, measured(few, many), self.judge(case))

    @cached_property
    def _oracles(self) -> tuple[Oracle, Oracle]:
        return self._oracle(FEW, tries=False), self._oracle(MANY)

    def _oracle(self, rows: int, *, tries: bool = True) -> Oracle:
        database = self._resources.enter_context(create_database(self.server))
        oracle = Oracle(database, rows, WORLD, WORLD_ROWS, tries=tries)
        self._resources.callback(oracle.close)
        return oracle

    @cached_property
    def _world(self) -> str:
        database = self._resources.enter_context(create_database(self.server))
        with database.connect() as connection:
            connection.execute(WORLD)
            if self._populated:
                connection.execute(WORLD_ROWS.replace(":n", "50"))
        return database.name

    def judge(self, case: Case) -> Said:
        """Return what the rules say of a case."""
        self._count += 1
        folder = self._folder / str(self._count) / "migrations"
        folder.mkdir(parents=True)
        (folder / "0001_file.sql").write_text(case.text, encoding="utf-8")
        (history,) = find_histories(folder.parent, [folder], mode=TransactionMode(case.mode))
        with ExitStack() as resources:
            database = resources.enter_context(create_database(self.server, template=self._world))
            if case.before or self._populated:
                with database.connect() as connection:
                    rows = case.rows.replace(":n", "50") if self._populated else ""
                    connection.execute(f"{case.before};\n{rows}")
            chain = resources.enter_context(Chain(history, lambda _: database))
            evidence = chain.rehearse(0)
            assert isinstance(evidence, Evidence), evidence
        return Said(evidence, judge(evidence, RULES, {}))


def _compared(
    major: int, cases: Sequence[Case], *, populated: bool
) -> Iterator[tuple[Compared, tuple[float, float]]]:
    with TemporaryDirectory() as folder, start_server(find_binaries(major=major)) as server:
        bench = Bench(server, Path(folder), populated=populated)
        for case in cases:
            if case.runs_on(major):
                started = perf_counter()
                few, many = (oracle.run(case) for oracle in bench._oracles)
                half = perf_counter()
                found = Compared(case, measured(few, many), bench.judge(case))
                yield found, (half - started, perf_counter() - half)
        bench.close()


def f1(hits: int, misses: int, alarms: int) -> float:
    """Return the harmonic mean of precision and recall."""
    return 2 * hits / (2 * hits + misses + alarms) if hits else 0.0


def main() -> None:
    """Print what differs on each major version."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("majors", nargs="*", type=int, default=[15, 18])
    parser.add_argument("--only", default="", help="cases whose name contains this")
    parser.add_argument("--after", type=int, default=0, help="not the first so many")
    parser.add_argument("--all", action="store_true", help="print the cases that agree, too")
    parser.add_argument("--populated", action="store_true", help="the rules judge a database with rows, too")
    arguments = parser.parse_args()
    cases = [one for one in ALL_CASES if arguments.only in one.name][arguments.after :]
    for major in arguments.majors:
        counts: dict[str, int] = {}
        spent = [0.0, 0.0]
        for found, times in _compared(major, cases, populated=arguments.populated):
            spent = [a + b for a, b in zip(spent, times, strict=True)]
            verdict = found.verdict if found.is_comparable else "not compared"
            counts[verdict] = counts.get(verdict, 0) + 1
            waits = not found.is_comparable or found.agrees_on_who_waits
            rows = not found.is_comparable or found.agrees_on_rows
            if arguments.all or verdict in ("miss", "false alarm", "not compared") or not waits or not rows:
                print(_line(major, verdict, found, waits=waits, rows=rows))  # noqa: T201 - a command
        hits, misses, alarms = (counts.get(one, 0) for one in ("hit", "miss", "false alarm"))
        print(  # noqa: T201
            f"PostgreSQL {major}: F1 {f1(hits, misses, alarms):.4f} {counts}; "
            f"oracle {spent[0]:.1f} s, rules {spent[1]:.1f} s"
        )


def _line(major: int, verdict: str, found: Compared, *, waits: bool, rows: bool) -> str:
    said = ", ".join(one.rule for one in found.said.stalls)
    parts = [f"{major} {verdict:12} {found.case.name}: {said}"]
    if not found.is_comparable:
        parts.append(f"measured error {found.measured.error or '-'}, rehearsal {found.said.evidence.error}")
    if not waits:
        parts.append(f"measured {dict(found.measured.waiting)}; said {found.said.waiting}")
    if not rows:
        parts.append(f"ROWS measured {sorted(found.measured.rows_held)}; said {found.said.holds_rows}")
    return "\n    ".join(parts)


if __name__ == "__main__":
    main()
