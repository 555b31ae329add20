"""The active plugin: collects the migrations, keeps the results, writes header, summary and reports.

It exists once in every process. Under pytest-xdist the workers rehearse, and the results travel to the
controller on the test reports as plain JSON values.
"""

import difflib
from collections import defaultdict
from collections.abc import Generator
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import pytest

from pytest_migsafe.errors import MigsafeError, SettingsError
from pytest_migsafe.items import REVIEW, MigrationFile, MigrationItem
from pytest_migsafe.migrations.discovery import LAYOUT_NAMES, find_histories
from pytest_migsafe.migrations.model import History, Migration, TransactionMode
from pytest_migsafe.postgres.binaries import Binaries
from pytest_migsafe.reports.json import json_report, write_json
from pytest_migsafe.reports.terminal import change_lines, header_lines, summary_lines
from pytest_migsafe.review import Reviewer, binaries
from pytest_migsafe.rules import RULES
from pytest_migsafe.settings import Settings, load_settings

#: The name under which the active plugin is registered.
NAME = "migsafe-session"
_FLAGS = ("postgres", "bindir", "layout")


def activate(config: pytest.Config) -> None:
    """Read the settings, find the migrations, and register the active plugin.

    Raises:
        pytest.UsageError: a setting, a flag or a path is wrong.
    """
    flags = {flag: value for flag in _FLAGS if (value := config.getoption(f"migsafe_{flag}")) is not None}
    try:
        settings = load_settings(
            config.rootpath, flags=flags, layouts=LAYOUT_NAMES, rules=[rule.id for rule in RULES]
        )
        session = MigsafeSession(config, settings)
    except SettingsError as error:
        raise pytest.UsageError(str(error)) from error
    config.pluginmanager.register(session, NAME)
    config.add_cleanup(session.close)


class MigsafeSession:
    """One run of pytest with ``--migsafe``."""

    def __init__(self, config: pytest.Config, settings: Settings) -> None:
        self._config = config
        self._settings = settings
        self._named = _named_paths(config)
        self._histories = self._find_histories()
        self._reviewers = [Reviewer(history=history, settings=settings) for history in self._histories]
        self._by_path = {
            path: (reviewer, position)
            for reviewer in self._reviewers
            for path, position in reviewer.history.positions.items()
        }
        self._results: dict[str, dict[str, Any]] = {}
        self._json = _json_path(config)

    def close(self) -> None:
        """Stop the servers."""
        for reviewer in self._reviewers:
            reviewer.close()

    def _find_histories(self) -> tuple[History, ...]:
        """Find the migrations, and make pytest collect their folders unless the user named other paths."""
        settings = self._settings
        mode = TransactionMode(settings.transaction_mode) if settings.transaction_mode else None
        find = partial(find_histories, settings.root, layout=settings.layout, mode=mode)
        if self._named:
            return find(self._named)
        histories = find(settings.migrations or (settings.root,))
        if settings.migrations and not histories:
            listed = ", ".join(str(path) for path in settings.migrations)
            raise SettingsError(
                f"pyproject.toml, [tool.migsafe] migrations: there are no migrations in {listed}; "
                f"known layouts: {', '.join(LAYOUT_NAMES)}"
            )
        collected = [Path(self._config.invocation_params.dir, arg).resolve() for arg in self._config.args]
        for history in histories:
            if not any(history.root.is_relative_to(path) for path in collected):
                self._config.args.append(str(history.root))
        return histories

    @cached_property
    def _binaries(self) -> Binaries | MigsafeError:
        try:
            return binaries(self._settings)
        except MigsafeError as error:
            return error

    @property
    def _is_worker(self) -> bool:
        return hasattr(self._config, "workerinput")

    # -- collection ----------------------------------------------------------------------------------------

    def pytest_collect_file(self, file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
        """Make a node of a file that is a migration."""
        known = self._by_path.get(file_path)
        if known is None:
            return None
        reviewer, position = known
        migration = reviewer.history.migrations[position]
        return MigrationFile.of(parent, file_path, migration, partial(reviewer.review, position))

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Bring the migrations, where they stand among the items, into their runner's order."""
        places = [at for at, item in enumerate(items) if isinstance(item, MigrationItem)]
        ours = sorted((items[at] for at in places), key=self._place)
        for at, item in zip(places, ours, strict=True):
            items[at] = item

    def _place(self, item: pytest.Item) -> tuple[int, int]:
        reviewer, position = self._by_path[item.path]
        return self._reviewers.index(reviewer), position

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Tell the reviewers what will be asked for; a worker of xdist gets its share bit by bit."""
        if self._is_worker:
            return
        wanted: dict[int, set[int]] = defaultdict(set)
        for item in session.items:
            if isinstance(item, MigrationItem):
                at, position = self._place(item)
                wanted[at].add(position)
        for at, positions in wanted.items():
            self._reviewers[at].wanted = positions

    # -- results -------------------------------------------------------------------------------------------

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Put the review on the item's report, as JSON values."""
        report = yield
        review = item.stash.get(REVIEW, None)
        if call.when == "call" and review is not None:
            report.migsafe = review.to_json()  # type: ignore[attr-defined]
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep the review that comes with a report, from this process or from a worker."""
        review = getattr(report, "migsafe", None)
        if review is not None:
            self._results[review["path"]] = review

    def pytest_report_teststatus(
        self, report: pytest.TestReport
    ) -> tuple[str, str, tuple[str, dict[str, bool]]] | None:
        """Give blocked migrations a name of their own: neither failed nor silently skipped."""
        if getattr(report, "migsafe", {}).get("outcome") == "blocked":
            return "blocked", "B", ("BLOCKED", {"yellow": True})
        return None

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Stop the servers, write the JSON report, and let no run pass that judged nothing."""
        self.close()
        if self._is_worker:
            return
        if self._json is not None:
            write_json(self._json, json_report(self._server(), self._histories, self._results))
        if exitstatus == pytest.ExitCode.OK and any(
            review["outcome"] == "blocked" for review in self._results.values()
        ):
            # The migration in the way was not selected, so nothing has failed; nothing was judged either.
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
        elif exitstatus == pytest.ExitCode.OK and not self._histories and not self._settings.migrations:
            session.exitstatus = pytest.ExitCode.NO_TESTS_COLLECTED

    def _server(self) -> dict[str, str]:
        found = self._binaries
        if isinstance(found, MigsafeError):
            return {"version": "", "source": ""}
        return {"version": found.version, "source": found.source}

    # -- terminal ------------------------------------------------------------------------------------------

    def pytest_report_header(self) -> list[str]:
        """Name the server and the migrations."""
        found = self._binaries
        server = (
            "no PostgreSQL server found"
            if isinstance(found, MigsafeError)
            else f"PostgreSQL {found.version} ({found.source})"
        )
        where = ", ".join(str(path) for path in self._named) or str(self._settings.root)
        lines = header_lines(self._histories, server, where)
        if not self._histories:
            lines.append(
                "migsafe: name their folder: `pytest --migsafe DIR`, or [tool.migsafe] migrations in pyproject.toml "
                f"(layouts: {', '.join(LAYOUT_NAMES)})"
            )
        return lines

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Write counts, time and the slowest files; with ``-v`` each file's schema diff."""
        reviews = [
            self._results[migration.relative_path]
            for migration in self._migrations()
            if migration.relative_path in self._results
        ]
        if not reviews:
            return
        if self._config.get_verbosity() > 0:
            terminalreporter.write_sep("=", "migsafe schema changes")
            for text, markup in change_lines(reviews):
                terminalreporter.write_line(text, **markup)
        terminalreporter.write_sep("=", "migsafe summary")
        for text, markup in summary_lines(reviews):
            terminalreporter.write_line(text, **markup)

    def _migrations(self) -> Generator[Migration, None, None]:
        for history in self._histories:
            yield from history.migrations


def _named_paths(config: pytest.Config) -> tuple[Path, ...]:
    """Return the paths on the command line; empty when pytest chose them itself.

    Raises:
        SettingsError: a path does not exist.
    """
    if config.args_source is not pytest.Config.ArgsSource.ARGS:
        return ()
    paths = []
    for arg in config.args:
        path = Path(config.invocation_params.dir, arg.split("::")[0]).absolute()
        if not path.exists():
            siblings = sorted(entry.name for entry in path.parent.iterdir()) if path.parent.is_dir() else []
            close = difflib.get_close_matches(path.name, siblings, n=1)
            hint = f"; did you mean {str(Path(arg).parent / close[0])!r}?" if close else ""
            raise SettingsError(f"file or directory not found: {arg}{hint}")
        paths.append(Path(path.resolve()))
    return tuple(paths)


def _json_path(config: pytest.Config) -> Path | None:
    """Return where the JSON report goes.

    Raises:
        SettingsError: there is no such folder.
    """
    given = config.getoption("migsafe_json")
    if given is None:
        return None
    path = Path(config.invocation_params.dir, given)
    if path.is_dir() or not path.parent.is_dir():
        raise SettingsError(f"--migsafe-json {given}: there is no folder {path.parent} to write a file in")
    return path
