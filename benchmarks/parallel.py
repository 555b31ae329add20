"""Measure what pytest-xdist's workers bring on a history whose files take time.

    python benchmarks/parallel.py
    python benchmarks/parallel.py --files 24 --rows 400000 --workers 4 --runs 5
    python benchmarks/parallel.py --sleep 0.5

Every worker has a server of its own and applies, without looking closer, the files that others rehearse. So what can be
won is the rehearsing, never the applying: with n workers a run is at best 2 / (1 + 1/n) times as fast. With --sleep the
files wait instead of working, which shows how near the distribution comes to that, however busy the machine is.
Nothing is asserted: times belong to the machine, the ratios tell more.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

_REPOSITORY = Path(__file__).resolve().parent.parent
_FILE = """\
CREATE TABLE readings_{number} (id bigint PRIMARY KEY, sensor int NOT NULL, value text NOT NULL);
INSERT INTO readings_{number} SELECT g, g % 1000, md5(g::text) FROM generate_series(1, {rows}) AS g;
CREATE INDEX ON readings_{number} (sensor, value);
"""


def main() -> None:
    """Write a history and measure it, alone and shared."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--files", type=int, default=12, help="how many files the history has (default: 12)")
    parser.add_argument(
        "--rows", type=int, default=150_000, help="rows that each file inserts (default: 150,000)"
    )
    parser.add_argument("--workers", type=int, default=2, help="workers of pytest-xdist (default: 2)")
    parser.add_argument(
        "--runs", type=int, default=3, help="runs of each, after one that warms up (default: 3)"
    )
    parser.add_argument(
        "--sleep", type=float, help="seconds that each file sleeps, instead of inserting rows"
    )
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as project:
        work = _FILE if given.sleep is None else f"SELECT pg_sleep({given.sleep});\n"
        _write(Path(project), work, files=given.files, rows=given.rows)
        alone = _median(given.runs, Path(project))
        print(f"{given.files} files, one process: {alone:.2f} s, {alone / given.files:.2f} s a file")
        best = 2 / (1 + 1 / given.workers)
        print(f"at best, -n {given.workers} is {best:.2f} times as fast")
        for distribution in ("load", "loadscope", "worksteal"):
            shared = _median(given.runs, Path(project), "-n", str(given.workers), "--dist", distribution)
            print(
                f"-n {given.workers} --dist {distribution}: {shared:.2f} s, {alone / shared:.2f} times as fast"
            )


def _write(project: Path, work: str, *, files: int, rows: int) -> None:
    (project / "pytest.ini").write_text("[pytest]\n")
    (project / "migrations").mkdir()
    for number in range(1, files + 1):
        text = work.format(number=number, rows=rows)
        (project / "migrations" / f"{number:04}_readings.sql").write_text(text)


def _median(runs: int, project: Path, *arguments: str) -> float:
    """Return the seconds that the whole process of a run takes."""
    _seconds(project, *arguments)
    return statistics.median(_seconds(project, *arguments) for _ in range(runs))


def _seconds(project: Path, *arguments: str) -> float:
    command = [sys.executable, "-m", "pytest", "--migsafe", "-q", "-p", "no:randomly", *arguments]
    unwanted = ("PYTHONDONTWRITEBYTECODE", "PYTEST_ADDOPTS", "PYTEST_PLUGINS")
    kept = {name: value for name, value in os.environ.items() if name not in unwanted}
    started = perf_counter()
    done = subprocess.run(
        command,
        cwd=project,
        env=kept | {"PYTHONPATH": str(_REPOSITORY)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout[-4000:]}")
    return perf_counter() - started


if __name__ == "__main__":
    main()
