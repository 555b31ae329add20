"""A run of ``pytest --migsafe`` in processes of its own, to be ended in some way, and what is left of it."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

import psycopg
import pytest

from tests import other_plugins

REPOSITORY = Path(__file__).parents[2]
#: How long we wait for what should come at once; the machine may be busy.
PATIENCE_SECONDS = 30.0
#: Marks every process of a run, however it comes about.
_MARK = "MIGSAFE_TEST_RUN"

SOUND = {
    "migrations/0001_users.sql": "create table users (id int primary key);\n",
    "migrations/0002_email.sql": "alter table users add column email text;\n",
}
#: In the middle of these, somebody may come and end the run.
SLEEPING = {
    **SOUND,
    "migrations/0003_slow.sql": "select pg_sleep(60);\n",
    "migrations/0004_plans.sql": "create table plans (id int primary key);\n",
    "migrations/0005_prices.sql": "alter table plans add column price numeric;\n",
}
#: The second and the fourth cannot be applied.
BROKEN_TWICE = {
    **SLEEPING,
    "migrations/0002_email.sql": "alter table nobody add column email text;\n",
    "migrations/0003_slow.sql": "select 1;\n",
    "migrations/0004_plans.sql": "create table users ();\n",
}


def wait_until(is_so: Callable[[], object]) -> bool:
    """Return whether something came about while we had patience."""
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end:
        if is_so():
            return True
        time.sleep(0.02)
    return bool(is_so())


@dataclass(frozen=True)
class Ended:
    """What a run that has ended said."""

    exit_code: int
    output: str
    #: Empty when none was written.
    report: Mapping[str, Any]

    @property
    def lines(self) -> list[str]:
        return self.output.splitlines()

    @property
    def counts(self) -> dict[str, int]:
        """The numbers of the final line: passed, failed, blocked, errors."""
        return pytest.RunResult.parse_summary_nouns(self.lines)

    @property
    def outcomes(self) -> list[str]:
        """The outcome of each migration in the JSON report, in apply order."""
        return [one["outcome"] for one in self.report["migrations"]]

    @property
    def is_well_mannered(self) -> bool:
        """Whether no traceback and no internal error was shown."""
        return not any(sign in self.output for sign in ("INTERNALERROR", "Traceback (most recent call last)"))


@dataclass(frozen=True)
class Workplace:
    """A project, a directory for temporary files, and the environment of the runs in it."""

    project: Path
    #: The runs' TMPDIR.
    temporary: Path
    environment: Mapping[str, str]
    #: The program and the arguments before pytest's.
    #: Hypothesis's plugin takes 0.2 s to import, and has nothing to do here.
    command: tuple[str, ...] = (
        sys.executable,
        "-m",
        "pytest",
        *(*other_plugins.without(), "-p", "no:hypothesispytest"),
    )
    #: Who runs it: an account's number, for root to choose.
    user: int | None = None

    def write(self, *files: Mapping[str, str | bytes]) -> Self:
        for path, content in (pair for one in files for pair in one.items()):
            file = self.project / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content.encode() if isinstance(content, str) else content)
        return self

    def with_environment(self, **variables: str | None) -> Self:
        """Return the same place with other variables; None removes one."""
        changed = {
            **self.environment,
            **{name: value for name, value in variables.items() if value is not None},
        }
        removed = {name for name, value in variables.items() if value is None}
        return replace(
            self, environment={name: value for name, value in changed.items() if name not in removed}
        )

    def run(self, *args: str) -> Ended:
        """Run to the end, and see that nothing is left."""
        with self.running(*args) as running:
            return running.end()

    @contextmanager
    def running(self, *args: str) -> Iterator["Running"]:
        """Start a run; whatever is left of it after the block is killed."""
        mark = f"{_MARK}={os.getpid()}-{time.monotonic_ns()}"
        name, _, value = mark.partition("=")
        report = self.temporary.parent / "report.json"
        report.unlink(missing_ok=True)
        process = subprocess.Popen(
            [*self.command, "--migsafe", f"--migsafe-json={report}", *args],
            cwd=self.project,
            env={**self.environment, name: value},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,  # so that it can be told what a terminal tells: the whole group
            user=self.user,
            group=self.user,
            extra_groups=None if self.user is None else [],
        )
        running = Running(process, self.temporary, mark, report)
        try:
            yield running
        finally:
            process.kill()
            with process:  # closes the pipe and waits
                pass
            for pid in running.processes():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)


def limited(workplace: Workplace, limits: str) -> Workplace:
    """Return the place with limits as the shell's ulimit takes them, such as "-n 64"."""
    return replace(
        workplace, command=("/bin/sh", "-c", f'ulimit {limits}; exec "$@"', "sh", *workplace.command)
    )


@dataclass
class Running:
    """A run that is under way."""

    process: "subprocess.Popen[str]"
    temporary: Path
    mark: str
    report: Path
    #: Every directory that was seen in use by one of its servers.
    directories: set[Path] = field(default_factory=set)

    def interrupt(self) -> None:
        """Do what a terminal does on Ctrl-C."""
        os.killpg(self.process.pid, signal.SIGINT)

    def processes(self) -> dict[int, str]:
        """Return the command lines of the run's processes, by their numbers."""
        found = {}
        for entry in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if self._is_ours(entry):
                    line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                    found[int(entry.name)] = line.strip()
        self.directories |= {
            Path(word)
            for line in found.values()
            if "migsafe-watchdog" in line
            for word in line.split(" ")
            if "/migsafe-" in word
        }
        return {pid: line for pid, line in found.items() if line}  # a zombie has none

    def _is_ours(self, entry: Path) -> bool:
        # PostgreSQL's children overwrite their environment with their title, but they stand in the data directory.
        return (
            self.mark.encode() in (entry / "environ").read_bytes()
            or self.temporary in (entry / "cwd").readlink().parents
        )

    def pids(self, words: str) -> list[int]:
        """Return the processes with these words in their command lines."""
        return sorted(pid for pid, line in self.processes().items() if words in line)

    def wait_for(self, words: str) -> int:
        """Wait for a process with these words in its command line, and return its number."""
        assert wait_until(lambda: self.pids(words) or self.process.poll() is not None)
        assert self.process.poll() is None, self.process.communicate()[0]
        return self.pids(words)[0]

    def wait_for_sleep(self, count: int = 1) -> list[int]:
        """Wait until migrations sleep, and return the backends in which they do."""
        assert wait_until(lambda: len(self._sleeping()) >= count or self.process.poll() is not None)
        assert self.process.poll() is None, self.process.communicate()[0]
        return self._sleeping()

    def _sleeping(self) -> list[int]:
        return [pid for socket in self._sockets() for pid in _sleeping(socket)]

    def _sockets(self) -> list[Path]:
        self.processes()
        return [path for path in sorted(self.directories) if (path / ".s.PGSQL.5432").exists()]

    def end(self) -> Ended:
        """Wait for the end, see that nothing is left, and return what was said."""
        self.processes()
        output, _ = self.process.communicate(timeout=PATIENCE_SECONDS)
        wait_until(lambda: not self.left())
        assert self.left() == []
        report = json.loads(self.report.read_text()) if self.report.exists() else {}
        return Ended(self.process.returncode, output, report)

    def left(self) -> list[str]:
        """Return the processes and the directories that there are of the run."""
        directories = {path for path in self.directories if path.exists()}
        inside = set(self.temporary.glob("migsafe-*")) if self.temporary.is_dir() else set()
        return [*self.processes().values(), *map(str, sorted(directories | inside))]


def _sleeping(socket: Path) -> list[int]:
    query = "SELECT pid FROM pg_catalog.pg_stat_activity WHERE wait_event = 'PgSleep'"
    try:
        with psycopg.connect(host=str(socket), user="migsafe", dbname="template1") as connection:
            return [pid for (pid,) in connection.execute(query).fetchall()]
    except psycopg.OperationalError:  # not ready, or gone already
        return []
