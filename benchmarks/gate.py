"""Measure the gate on a pull request with one new migration: everything before it is applied, it alone is judged.

    python -m benchmarks.gate
    python -m benchmarks.gate --history ../shared/corpora/crates_io/migrations --runs 5

A scratch git repository is made of a history: all files but the last on the branch main, the last on a branch that began there.
The figures are those of whole processes, with the cluster cached, beside psycopg, which applies the same files on one
connection and proves nothing. Nothing is asserted: times belong to the machine, the ratios tell more.
"""

import argparse
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from benchmarks.compare import Bench, Times, psycopg_alone
from pytest_migsafe.migrations.discovery import find_histories
from pytest_migsafe.postgres.binaries import find_binaries

_HISTORY = Path(__file__).resolve().parents[2] / "shared" / "corpora" / "crates_io" / "migrations"
#: In seconds, for one new file on top of crates.io's history, on a quiet core.
_AIM = 3.0

_OTHER = "CREATE TABLE of_another_branch (id bigint PRIMARY KEY);\n"
_REPORTS = tuple(
    f"--migsafe-{name}={file}"
    for name, file in (
        ("html", "report.html"),
        ("markdown", "report.md"),
        ("sarif", "report.sarif"),
        ("json", "report.json"),
    )
)


def git(folder: Path, *arguments: str) -> None:
    """Run git in a repository, as nobody in particular."""
    person = ("-c", "user.name=Benchmark", "-c", "user.email=benchmark@example.org")
    subprocess.run(["git", *person, *arguments], cwd=folder, check=True)


def make_repository(project: Path, history: Path) -> Path:
    """Make a repository with the branches main, other and pull-request, the last checked out; return the new file."""
    migrations = project / "migrations"
    shutil.copytree(history, migrations)
    (found,) = find_histories(project, [migrations])
    last = found.migrations[-1].path
    # The folder of a migration with several files is new as a whole.
    new = last if last.parent == migrations else last.parent
    aside = project.parent / new.name
    shutil.move(new, aside)
    (project / ".gitignore").write_text("report.*\n", encoding="utf-8")
    git(project, "init", "-q", "-b", "main")
    git(project, "add", "-A")
    git(project, "commit", "-q", "-m", "Everything before")
    git(project, "checkout", "-q", "-b", "other")
    other = migrations / f"{_later(new.name)}_other"
    text = other / last.name if new.is_relative_to(last.parent) and last.parent != migrations else None
    path = text or other.with_suffix(".sql")
    path.parent.mkdir(exist_ok=True)
    path.write_text(_OTHER, encoding="utf-8")
    git(project, "add", "-A")
    git(project, "commit", "-q", "-m", "Another branch")
    git(project, "checkout", "-q", "-b", "pull-request", "main")
    shutil.move(aside, new)
    git(project, "add", "-A")
    git(project, "commit", "-q", "-m", "One new migration")
    return last


def _later(name: str) -> str:
    """Return a version after that of a file or folder."""
    version = name.split("_", maxsplit=1)[0].split(".", maxsplit=1)[0]
    digits = "".join(one for one in version if one.isdigit())
    return "99" + digits[2:]


def measured(bench: Bench, *arguments: str) -> Times:
    """Return the times of ``pytest --migsafe`` on the pull request."""
    project = bench.history.root.parent
    command = ("-m", "pytest", "--migsafe", "-q", "-p", "no:cacheprovider", *arguments)
    return bench.measure(lambda: bench.python(*command, cwd=project)[0])


def nothing(bench: Bench) -> Times:
    """Return the times of pytest with its plugins and one empty test."""
    empty = bench.work / "empty"
    empty.mkdir()
    (empty / "test_nothing.py").write_text("def test_nothing(): pass\n", encoding="utf-8")
    return bench.measure(lambda: bench.python("-m", "pytest", "-q", "-p", "no:cacheprovider", cwd=empty)[0])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--history", type=Path, default=_HISTORY, help="a folder of migrations")
    parser.add_argument("--runs", type=int, default=5, help="how many runs a median is of")
    parser.add_argument("--bindir", type=Path, help="the folder of PostgreSQL's programs")
    options = parser.parse_args()
    if not options.history.is_dir():
        raise SystemExit(f"there is no history in {options.history}: name one with --history")
    with tempfile.TemporaryDirectory(prefix="migsafe-bench-") as name:
        work = Path(name)
        work.chmod(0o755)  # the server's account must get in
        project = work / "project"
        project.mkdir()
        last = make_repository(project, options.history)
        (history,) = find_histories(project, [project / "migrations"])
        bench = Bench(
            binaries=find_binaries(bindir=options.bindir), history=history, runs=options.runs, work=work
        )
        print(
            f"PostgreSQL {bench.binaries.version}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the beginning"
        )
        print(
            f"{len(history.migrations)} files, {history.layout} layout; one is new: {last.relative_to(project)}\n"
        )
        floor = psycopg_alone(bench)
        rows = [
            ("(a) psycopg, one warm connection, nothing else", floor),
            ("pytest with its plugins, one empty test", nothing(bench)),
            ("(b) --migsafe-since main", measured(bench, "--migsafe-since", "main")),
            (
                "(b) with HTML, Markdown, SARIF and JSON",
                measured(bench, "--migsafe-since", "main", *_REPORTS),
            ),
            (
                "(b) with --migsafe-merge other",
                measured(bench, "--migsafe-since", "main", "--migsafe-merge", "other"),
            ),
            ("(b) with --collect-only", measured(bench, "--migsafe-since", "main", "--collect-only")),
        ]
        print(f"{'':48}   median     best   / (a)")
        for title, times in rows:
            print(
                f"{title:48}  {times.median:5.2f} s  {times.best:5.2f} s  {times.median / floor.median:6.1f}"
            )
        print(f"\nthe aim for (b) on crates.io's history, on a quiet core: below {_AIM:.0f} s")


if __name__ == "__main__":
    main()
