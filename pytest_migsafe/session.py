"""The active plugin: collects the migrations, keeps the results, writes header, summary and reports.

It exists once in every process. Under pytest-xdist the workers rehearse, and the results travel to the
controller on the test reports as plain JSON values.
"""

import os
from collections.abc import Generator, Sequence
from contextlib import ExitStack
from fnmatch import fnmatch
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from pytest_migsafe.arguments import (
    ARTIFACTS,
    artifacts_folder,
    asked,
    is_asked_for_by_hand,
    misleading_flag,
    named_paths,
    report_files,
    searches,
    tells_github,
)
from pytest_migsafe.artifacts.folder import ArtifactFolder
from pytest_migsafe.ends import Ends
from pytest_migsafe.errors import MigsafeError, SettingsError
from pytest_migsafe.gate.gate import Gate
from pytest_migsafe.hooks import preludes_of, seeds_of, settings_of
from pytest_migsafe.items import (
    END_REVIEW,
    REVIEW,
    EndItem,
    MigrationFile,
    MigrationItem,
    MigsafeItem,
    unjudged_because,
)
from pytest_migsafe.migrations.discovery import LAYOUT_NAMES, Discovered, discover
from pytest_migsafe.migrations.model import History, Migration, TransactionMode
from pytest_migsafe.migrations.programs import hint_at_programs
from pytest_migsafe.places import Places, stubs_used
from pytest_migsafe.project import read_project
from pytest_migsafe.rehearsals import Rehearsals
from pytest_migsafe.reports.junit import properties
from pytest_migsafe.reports.terminal import header_lines, tried_layouts, unfit_line
from pytest_migsafe.results import Results, blocked_by
from pytest_migsafe.review import EndReview, Review, SaidOfFiles
from pytest_migsafe.rules import Rule
from pytest_migsafe.rules.registry import is_own
from pytest_migsafe.settings import Settings
from pytest_migsafe.team import NAME as TEAM
from pytest_migsafe.team import Team, needs_rehearsal, subject_of
from pytest_migsafe.termination import EXIT_STATUS, Terminated, sigterm_interrupts

#: The name under which the active plugin is registered.
NAME = "migsafe-session"
#: What pytest ends with when it has come to the end of what was to be run.
_TO_THE_END = (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.NO_TESTS_COLLECTED)


def activate(config: pytest.Config) -> None:
    """Read the settings, find the migrations, and register the active plugin.

    Raises:
        pytest.UsageError: a setting, a flag or a path is wrong.
    """
    try:
        project = read_project(config)
        session = MigsafeSession(config, project.settings, project.rules)
    except SettingsError as error:
        raise pytest.UsageError(str(error)) from error
    config.pluginmanager.register(session, NAME)
    config.pluginmanager.register(session.team, TEAM)
    resources = ExitStack()
    config.add_cleanup(resources.close)
    resources.callback(session.close)
    if not hasattr(config, "workerinput"):  # workers are told by the controller
        resources.enter_context(sigterm_interrupts())


class MigsafeSession:
    """One run of pytest with ``--migsafe``."""

    def __init__(self, config: pytest.Config, settings: Settings, rules: Sequence[Rule]) -> None:
        self._config = config
        self._settings = settings
        self._rules = rules
        files = tuple(report_files(config))
        path = artifacts_folder(config)
        self._artifacts = ArtifactFolder(path) if path is not None else None
        self._named = named_paths(config)
        #: SQL files that look like migrations and fit no layout.
        self._unfit: list[Path] = []
        #: The histories, and beside each what the project says of it.
        self._histories, self._settings_of = self._find_histories()
        #: How many of them have items; the others are there for tests that ask for their migrations.
        self._collected = len(self._histories)
        self._add_histories_for_tests()
        self._gate = Gate(
            histories=self._histories, settings=self._settings_of, asked=asked(config, self._named)
        )
        self._gate.check()
        self._rehearsals = Rehearsals(
            histories=self._histories,
            settings=self._settings_of,
            of_files=[self._said_of_files(at) for at in range(len(self._histories))],
            preludes=preludes_of(config, settings.root),
            rules=rules,
            gate=self._gate,
            artifacts=self._artifacts,
            is_worker=self._is_worker,
        )
        self._ends = Ends(
            gone=self._gate.gone,
            histories=self._histories[: self._collected],
            settings=self._settings_of[: self._collected],
            rules=rules,
            labels=self._rehearsals.labels,
            is_update=config.getoption("migsafe_update"),
            has_other_files=self._gate.is_lock_written,
            is_snapshot_proven=config.getoption("migsafe_prove_snapshot"),
            is_end_state_judged=config.getoption("migsafe_end_state"),
            merged=config.getoption("migsafe_merge"),
        )
        self._ends.refuse_unclear_files()
        self._ends.refuse_unclear_branches()
        self._by_path = {
            path: (at, position)
            for at, history in enumerate(self._histories)
            for path, position in history.positions.items()
        }
        self._ways = _ways_to(self._histories)
        #: Folders that the project hides from pytest, and that lead to migrations.
        self._opened: set[Path] = set()
        self._results = Results(
            config=config,
            root=settings.root,
            histories=self._histories[: self._collected],
            places=self._found_places,
            ends=self._ends,
            gate=self._gate,
            files=files,
            artifacts=self._artifacts,
            is_github_told=tells_github(config),
            rules=rules,
        )
        #: What the team's own tests ask for.
        self.team = Team(
            histories=self._histories,
            labels=self._rehearsals.labels,
            judged=self.judged_positions,
            review=self._rehearsals.review,
            laboratory=self._rehearsals.laboratory,
            rules=tuple(rules),
        )
        self._terminated = False

    def close(self) -> None:
        """Stop the servers."""
        self._rehearsals.close()

    def _found_places(self) -> list[Places]:
        """Return the places that are known of each history that has items."""
        some = self._rehearsals.places[: self._collected]
        return [Places(()) if isinstance(places, MigsafeError) else places for places in some]

    def judged_positions(self, at: int) -> frozenset[int]:
        """Return the positions of a history's files that are judged; the others are applied where one of these stands behind them."""
        return self._gate.judged[at]

    @property
    def _is_worker(self) -> bool:
        return hasattr(self._config, "workerinput")

    # -- collection ----------------------------------------------------------------------------------------

    def _find_histories(self) -> tuple[tuple[History, ...], tuple[Settings, ...]]:
        """Find the migrations, and make pytest collect their folders unless the user named other paths."""
        found: dict[Path, tuple[History, Settings]] = {}
        for settings, paths in searches(self._settings, self._named):
            discovered = _discover(settings, paths)
            self._unfit += discovered.unfit
            for history in discovered.histories:
                found.setdefault(history.root, (history, settings))
        histories = tuple(history for history, _ in found.values())
        if self._named:
            if is_asked_for_by_hand(self._config):
                self._refuse_others(histories)
            # Seeds belong to a folder that is named, wherever they stand.
            whole = [one for one in histories if any(one.root.is_relative_to(path) for path in self._named)]
            self._have_collected([path for one in whole for path in one.outside])
        else:
            self._have_collected([path for one in histories for path in (one.root, *one.outside)])
        return histories, tuple(settings for _, settings in found.values())

    def _said_of_files(self, at: int) -> SaidOfFiles:
        """Return what the team's hooks say of single files of a history.

        Raises:
            SettingsError: one of them raised an error, or a setting of theirs is wrong.
        """
        own = self._settings_of[at]
        said = {
            one.relative_path: settings_of(self._config, one, own, self._rules)
            for one in self._histories[at].migrations
        }

        def said_of(migration: Migration) -> Settings:
            # One of another branch's, which is tried with those here, is not among them.
            known = said.get(migration.relative_path)
            return known if known is not None else settings_of(self._config, migration, own, self._rules)

        return SaidOfFiles(
            settings=said_of,
            seeds=partial(seeds_of, self._config, own.root),
        )

    def _add_histories_for_tests(self) -> None:
        """Know the project's migrations, too, where only tests are named: these may ask for them."""
        roots = [history.root for history in self._histories]
        if all(any(_is_of(path, root) for root in roots) for path in self._named):
            return
        for settings, paths in searches(self._settings, ()):
            for history in _discover(settings, paths).histories:
                if history.root not in roots:
                    roots.append(history.root)
                    self._histories += (history,)
                    self._settings_of += (settings,)

    def _refuse_others(self, histories: tuple[History, ...]) -> None:
        """See that each SQL file that was named is a migration; pytest would only say that it is not found.

        Raises:
            SettingsError: one is not.
        """
        for path in self._named:
            if (
                path.suffix == ".sql"
                and path.is_file()
                and not any(path in one.positions for one in histories)
            ):
                raise SettingsError(
                    f"{path.name} in {path.parent} is not a migration of its folder's layout; "
                    f"name the folder to see what is (layouts: {', '.join(LAYOUT_NAMES)})"
                )

    def _have_collected(self, places: list[Path]) -> None:
        """Add folders and files of histories to pytest's arguments, unless they lie below one of them."""
        args, directory = self._config.args, self._config.invocation_params.dir
        if self._config.args_source is pytest.Config.ArgsSource.INVOCATION_DIR:
            # The same folder; but in an absolute path pytest would take a "[" for the begin of a parameter.
            args[:] = ["."]
        collected = [Path(os.path.abspath(directory / arg)) for arg in args]  # noqa: PTH100 - links stay
        args += [
            os.path.relpath(place, directory)
            for place in places
            if not any(place.is_relative_to(path) for path in collected)
        ]

    @pytest.hookimpl(wrapper=True)
    def pytest_ignore_collect(self, collection_path: Path) -> Generator[None, bool | None, bool | None]:
        """Collect migrations also from folders that the project hides from pytest, and nothing else there."""
        ignored = yield
        hidden = ignored or collection_path.parent in self._opened
        if not hidden or self._is_ignored_by_hand(collection_path):
            return ignored
        if collection_path not in self._ways:
            return True
        if collection_path not in self._by_path:
            self._opened.add(collection_path)
        return False

    def _is_ignored_by_hand(self, path: Path) -> bool:
        ignore = [Path(os.path.abspath(name)) for name in self._config.getoption("ignore") or ()]  # noqa: PTH100
        globs = [os.path.abspath(name) for name in self._config.getoption("ignore_glob") or ()]  # noqa: PTH100
        return path in ignore or any(fnmatch(str(path), glob) for glob in globs)

    def pytest_collect_file(self, file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
        """Make a node of a file that is a migration."""
        known = self._by_path.get(file_path)
        if known is None:
            return None
        at, position = known
        migration = self._histories[at].migrations[position]
        return MigrationFile.of(
            parent,
            file_path,
            migration,
            places=self._rehearsals.labels(at),
            review=partial(self._rehearsals.review_item, at, position),
            end_checks=tuple(self._ends.checks(at)) if self._is_last(at, position) else (),
            review_end=partial(self._rehearsals.review_end, at),
        )

    def _is_last(self, at: int, position: int) -> bool:
        return position == len(self._histories[at].migrations) - 1

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Leave out what is not judged, and bring the migrations, where they stand, into their runner's order."""
        if unjudged := [one for one in items if not self._is_judged(one)]:
            items[:] = [one for one in items if self._is_judged(one)]
            self._config.hook.pytest_deselected(items=unjudged)
        places = [at for at, item in enumerate(items) if isinstance(item, MigsafeItem)]
        ours = sorted((items[at] for at in places), key=self._turn)
        for at, item in zip(places, ours, strict=True):
            items[at] = item

    def _is_judged(self, item: pytest.Item) -> bool:
        """Whether an item is run: another's, or that of a file that is judged."""
        if not isinstance(item, MigrationItem):
            return True
        at, position = self._by_path[item.path]
        return position in self._gate.judged[at]

    def _turn(self, item: pytest.Item) -> tuple[int, int, int]:
        """Return when an item's turn is: one history after the other, and in it one place after the other.

        The items of a history's end stay where they are: after its last file's.
        """
        at, position = self._by_path[item.path]
        place = self._rehearsals.labels(at).index(item.place) if isinstance(item, MigsafeItem) else 0
        return at, place, position + isinstance(item, EndItem)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Learn what will be asked for, and see that there is a server for it.

        Raises:
            pytest.UsageError: there is none.
        """
        for item in session.items:
            if isinstance(item, MigsafeItem):
                at, position = self._by_path[item.path]
                self._rehearsals.want((at, item.place), {position} if isinstance(item, MigrationItem) else ())
            elif needs_rehearsal(item) and (subject := subject_of(item)) is not None:
                self._rehearsals.want((subject.at, subject.place), {subject.position})
        if not self._is_worker and not self._config.getoption("collectonly"):
            self._rehearsals.demand_wanted()

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_setupnodes(self) -> None:
        """See that there are servers, before workers are started that would miss them one by one.

        Raises:
            pytest.UsageError: there are none.
        """
        self._rehearsals.demand(range(self._collected))

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Tell a worker of pytest-xdist where artifacts go, whatever folder it stands in."""
        if self._artifacts is not None:
            node.workerinput[ARTIFACTS] = str(self._artifacts.path)

    # -- running -------------------------------------------------------------------------------------------

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Put the review on the item's report, as JSON values, and what JUnit has of it among the item's properties."""
        review: Review | EndReview | None = item.stash.get(REVIEW, None) or item.stash.get(END_REVIEW, None)
        if call.when != "call" or review is None:
            return (yield)
        plain = review.to_json()
        at, _ = self._by_path[item.path]
        told = dict(properties(plain, self._histories[at].layout))
        # Who runs an item again finds what was told of it before.
        others = [one for one in item.user_properties if one[0] not in told]
        item.user_properties[:] = [*others, *told.items()]
        report = yield
        setattr(report, "migsafe" if isinstance(review, Review) else "migsafe_end", plain)
        if report.skipped and (reason := unjudged_because(review)):
            # pytest would say that the line of ours which calls pytest.skip is the place.
            report.longrepr = (str(item.path), 1, reason)
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep the review that comes with a report, from this process or from a worker."""
        self._results.keep(report)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Keep that something could not be collected."""
        self._results.keep_collected(report)

    def pytest_report_teststatus(
        self, report: pytest.TestReport
    ) -> tuple[str, str, tuple[str, dict[str, bool]]] | None:
        """Give what is blocked a name of its own: neither failed nor silently skipped."""
        if report.skipped and blocked_by(report):
            return "blocked", "B", ("BLOCKED", {"yellow": True})
        return None

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Remember that it was SIGTERM."""
        self._terminated = isinstance(excinfo.value, Terminated)

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None, None, None]:
        """Write the reports when all others are done with theirs, also when one of them raised an error."""
        try:
            return (yield)
        finally:
            self._finish(session, session.exitstatus)

    def _finish(self, session: pytest.Session, exitstatus: int) -> None:
        """Stop the servers, write the reports, and let no run pass that judged nothing."""
        self.close()
        if self._is_worker:
            return
        if exitstatus in _TO_THE_END and not self._config.getoption("collectonly"):
            self._results.write_locks()
        self._results.write(self._exit_status(exitstatus))
        session.exitstatus = self._results.exit_code
        if self._results.unwritten and exitstatus == pytest.ExitCode.OK and not self._results.are_blocked:
            session.exitstatus = pytest.ExitCode.USAGE_ERROR

    def pytest_unconfigure(self) -> None:
        """Tell GitHub, after everything else that is printed, whatever is switched off of that."""
        if not self._is_worker:
            self._results.tell_github()

    def _exit_status(self, exitstatus: int) -> int:
        """Return what the run ends with, of what pytest would say."""
        if self._terminated:
            return EXIT_STATUS
        if exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED and self._gate.is_empty:
            # Nothing is new: that is what a gate lets through.
            return pytest.ExitCode.OK
        if exitstatus != pytest.ExitCode.OK:
            return exitstatus
        if self._results.are_blocked:
            # The migration in the way was not selected, so nothing has failed; nothing was judged either.
            return pytest.ExitCode.TESTS_FAILED
        if self._is_idle and (not self._named or is_asked_for_by_hand(self._config)):
            return pytest.ExitCode.NO_TESTS_COLLECTED
        return pytest.ExitCode.OK

    @property
    def _is_idle(self) -> bool:
        """Whether there are no migrations to judge, and no tests that ask for some that are elsewhere."""
        return not self._collected and not (self._histories and self.team.is_asked)

    # -- terminal ------------------------------------------------------------------------------------------

    def pytest_report_header(self) -> list[str]:
        """Name the servers and the migrations."""
        histories = [
            (history, None if isinstance(places, MigsafeError) else places)
            for history, places in zip(self._histories, self._rehearsals.places, strict=True)
        ]
        stubbed = {
            name for history, places in histories if places for name in self._stubs_used(history, places)
        }
        lines = header_lines(histories, self._where(), sorted(stubbed))
        lines += [f"migsafe: {line}" for line in (*self._gate.lines(), *self._gate.warnings())]
        if own := [rule.id for rule in self._rules if is_own(rule)]:
            lines.append(f"migsafe: own rules: {', '.join(own)}")
        if self._unfit:
            lines.append(f"migsafe: {unfit_line(self._unfit_names())}")
        if (flag := misleading_flag(self._config)) is not None:
            lines.append(
                f"migsafe: write {flag} with an equals sign: pytest took the value for a path to "
                f"test and looked for its configuration there (rootdir: {self._config.rootpath})"
            )
        return lines

    def _stubs_used(self, history: History, places: Places) -> tuple[str, ...]:
        # Who only wants a list waits for no server to be unpacked.
        return () if self._config.getoption("collectonly") else stubs_used(history, places)

    def _unfit_names(self) -> list[str]:
        return [os.path.relpath(path, self._settings.root) for path in self._unfit]

    def _where(self) -> str:
        directory = self._config.invocation_params.dir
        return ", ".join(os.path.relpath(path, directory) for path in self._named) or str(self._settings.root)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Write counts, time and the slowest files; with ``-v`` each file's schema diff."""
        self._results.summarise(terminalreporter, self._nothing_found())

    def _nothing_found(self) -> str:
        """Return what is said where there are no migrations; empty where there are."""
        if not self._is_idle:
            return ""
        hint = hint_at_programs(self._named or (self._settings.root,))
        return f"no migrations found in {self._where()}; " + (
            hint
            or "name their folder: `pytest --migsafe DIR`, or [tool.migsafe] migrations in pyproject.toml "
            f"({tried_layouts(self._settings.layout, self._unfit_names())})"
        )


def _discover(settings: Settings, paths: Sequence[Path]) -> Discovered:
    """Return what there is of histories in some paths.

    Raises:
        SettingsError: the settings name folders, and there are no migrations in them.
    """
    discovered = discover(
        settings.root,
        paths,
        layout=settings.layout,
        mode=TransactionMode(settings.transaction_mode) if settings.transaction_mode else None,
        placeholders=settings.placeholders,
    )
    if not discovered.histories and settings.migrations and tuple(paths) == settings.migrations:
        listed = ", ".join(str(path) for path in paths)
        raise SettingsError(
            f"pyproject.toml, [tool.migsafe] migrations: there are no migrations in {listed}; "
            f"{tried_layouts(settings.layout, [path.name for path in discovered.unfit])}"
        )
    return discovered


def _is_of(path: Path, root: Path) -> bool:
    return path.is_relative_to(root) or root.is_relative_to(path)


def _ways_to(histories: tuple[History, ...]) -> set[Path]:
    """Return the migrations' files and every folder on the way to them."""
    return {
        step
        for history in histories
        for migration in history.migrations
        for step in (migration.path, *migration.path.parents)
    }
