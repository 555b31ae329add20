"""Rehearse a few lines of SQL, to try a rule with: a database for each, on a throwaway server that is kept."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
import pytest

from pytest_migsafe.errors import MigsafeError
from pytest_migsafe.hooks import preludes_of
from pytest_migsafe.migrations.discovery import find_histories
from pytest_migsafe.migrations.model import History, TransactionMode
from pytest_migsafe.places import Place, find_places, place_on
from pytest_migsafe.postgres.database import Database, create_database
from pytest_migsafe.project import Project, read_project
from pytest_migsafe.rehearsal.cluster import ClusterState, read_cluster
from pytest_migsafe.rehearsal.seeds import Seed, run_seed
from pytest_migsafe.reports.failure import failure_text
from pytest_migsafe.review import Review, Reviewer, conditions
from pytest_migsafe.rules import Rule
from pytest_migsafe.rules.apply import apply_error
from pytest_migsafe.rules.judging import rule_raised
from pytest_migsafe.server_fixture import server_of_fixture
from pytest_migsafe.settings import Settings, with_settings_of_file
from pytest_migsafe.testing.rehearsal import Rehearsal


@dataclass(kw_only=True, repr=False)
class Kit:
    """Rehearses texts, one after the other."""

    project: Project
    place: Place
    #: Where the texts are written as files.
    folder: Path
    _numbers: Iterator[int] = field(default_factory=partial(count, 1))
    _resources: ExitStack = field(default_factory=ExitStack)
    #: What every text's database is a copy of, and what its cluster held in the beginning.
    _template: tuple[Database, ClusterState] | None = None

    def close(self) -> None:
        """Stop the server."""
        self._template = None
        self._resources.close()

    def __call__(
        self,
        sql: str,
        *,
        given: str = "",
        name: str = "0002_rehearsed.sql",
        rules: Sequence[Rule] | None = None,
        settings: Mapping[str, Any] | None = None,
        may_fail: bool = False,
    ) -> Rehearsal:
        """Rehearse a migration in a database of its own, and have it judged.

        The server is the one that the project's settings and flags name, with its prelude and role; of what the
        settings say of rules and tables nothing counts. The parameters, and what is raised, are those of ``RehearseSql``.
        """
        __tracebackhide__ = True
        try:
            review, problem = self._review(sql, given, name, rules, settings), ""
        except MigsafeError as error:
            review, problem = None, str(error)
        if review is None or review.evidence is None:
            pytest.fail(problem)
        if not may_fail and not review.applied:
            refused = replace(review, findings=tuple(apply_error(review.evidence)))
            pytest.fail(
                f"{failure_text(refused)}\n\nA test of what cannot be applied says so: rehearse_sql(..., may_fail=True)."
            )
        asked = tuple(rules) if rules is not None else self.project.rules
        rehearsal = Rehearsal(review, review.evidence, asked)
        _raise_again(rehearsal)
        return rehearsal

    def _review(
        self,
        sql: str,
        given: str,
        name: str,
        rules: Sequence[Rule] | None,
        settings: Mapping[str, Any] | None,
    ) -> Review:
        asked = _settings(self.project, rules or (), settings or {})
        reviewer = Reviewer(
            history=self._written(sql, name),
            settings=asked,
            place=replace(self.place, open=partial(self._open, given, asked)),
            rules=tuple(rules) if rules is not None else self.project.rules,
        )
        with reviewer:
            return reviewer.review(0)

    def _written(self, sql: str, name: str) -> History:
        root = self.folder / str(next(self._numbers))
        file = root / "migrations" / name
        file.parent.mkdir(parents=True)
        file.write_text(sql, encoding="utf-8")
        settings = self.project.settings
        mode = TransactionMode(settings.transaction_mode) if settings.transaction_mode else None
        found = find_histories(
            root, [root / "migrations"], layout=settings.layout, mode=mode, placeholders=settings.placeholders
        )
        if len(found) != 1:
            layout = settings.layout or "any"
            raise MigsafeError(
                f"{name!r} is no migration in {layout} layout; name it like one of yours: name='0002_orders.sql'"
            )
        return found[0]

    def _open(self, given: str, settings: Settings, resources: ExitStack) -> Database:
        template, cluster = self._opened()
        role = self.project.settings.role
        resources.callback(self._demand_clean, cluster)
        database = resources.enter_context(
            create_database(template.server, template=template.name, owner=role)
        )
        if given:
            run_seed(
                database,
                Seed(given, "given=...", called="the SQL", moves_sequences=False),
                "the migration",
                conditions(settings).options,
            )
        return database

    def _opened(self) -> tuple[Database, ClusterState]:
        if self._template is None:
            template = self.place.open(self._resources)
            with template.connect() as connection:
                self._template = template, read_cluster(connection)
        return self._template

    def _demand_clean(self, cluster: ClusterState) -> None:
        """Give the server up if its roles or settings are no longer those that every text is to find."""
        if self._template is None:
            return
        template, _ = self._template
        try:
            with template.connect() as connection:
                is_clean = read_cluster(connection) == cluster
        except (psycopg.Error, MigsafeError):
            is_clean = False
        if not is_clean:
            self.close()


def _settings(project: Project, rules: Sequence[Rule], given: Mapping[str, Any]) -> Settings:
    """Return the project's settings without what they say of judging, but with what a test says of it."""
    bare = Settings(root=project.settings.root)
    own = replace(
        project.settings,
        rules=bare.rules,
        preset=bare.preset,
        tables=bare.tables,
        table_statistics=bare.table_statistics,
        small_table=bare.small_table,
    )
    known = {one.id: one.family for one in (*project.rules, *rules)}
    return with_settings_of_file(own, given, "rehearse_sql(settings=...)", rules=known)


def _raise_again(rehearsal: Rehearsal) -> None:
    """Have a rule that raised raise again: a test shows its traceback."""
    raised = {one.details["raised_by"] for one in rehearsal.findings if one.rule == rule_raised.id}
    for one in rehearsal.rules:
        if one.id in raised:
            list(one(rehearsal.evidence))


@contextmanager
def kit_of(request: pytest.FixtureRequest, folder: Path) -> Iterator[Kit]:
    """Yield what rehearses texts on the server that a project's settings name first.

    Raises:
        pytest.fail.Exception: a setting is wrong, or there is no server.
    """
    try:
        project = read_project(request.config)
        kit = Kit(project=project, place=_place(project, request), folder=folder)
        problem = ""
    except MigsafeError as error:
        problem = str(error)
    if problem:
        pytest.fail(problem, pytrace=False)
    try:
        yield kit
    finally:
        kit.close()


def _place(project: Project, request: pytest.FixtureRequest) -> Place:
    settings, more = project.settings, preludes_of(request.config, project.root)
    layout = settings.layout or ""
    if settings.server_fixture is not None:
        return place_on(server_of_fixture(settings.server_fixture, request), settings, layout, more)
    # Of several versions, the first will do for a rule.
    return replace(find_places(settings, layout, more).found[0], label="")
