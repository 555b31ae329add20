"""The work behind the fixtures of a team's own tests: which migrations a test runs for, and what it gets of them."""

import difflib
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any, NoReturn

import pytest

from pytest_migsafe.catalog import Schema
from pytest_migsafe.errors import MigsafeError, SelectionError
from pytest_migsafe.items import BLOCKED_BY
from pytest_migsafe.migrations.model import History, Migration
from pytest_migsafe.migrations.selection import nothing_named, position_of, positions_of, shown
from pytest_migsafe.rehearsal.laboratory import Laboratory, OnTheWayError
from pytest_migsafe.review import Review
from pytest_migsafe.rules import Rule
from pytest_migsafe.testing.assertions import schema_difference
from pytest_migsafe.testing.database import END, DatabaseAt, MigrationDatabase
from pytest_migsafe.testing.rehearsal import Rehearsal

#: The name under which the team's plugin is registered, where the fixtures find it.
NAME = "migsafe-team"
MARKER = "migsafe"
#: The fixtures that tests are parametrised by, and the one that needs a migration rehearsed.
SUBJECT, PLACE, REHEARSAL = "_migsafe_subject", "_migsafe_place", "_migsafe_rehearsal"
_KEYWORDS = ("at", "since", "until", "history")

#: The attribute of a report that says that the test asked for a migration or a database.
_ASKED = "migsafe_asked"


@dataclass(frozen=True, slots=True)
class Obstacle:
    """What stands in the way of a test."""

    #: The migration that cannot be applied, and why, in a line.
    path: str
    reason: str

    def __str__(self) -> str:
        return f"blocked by {self.path}: {self.reason}"


_OBSTACLE = pytest.StashKey[Obstacle]()


@dataclass(frozen=True, slots=True)
class Place:
    """One of the places where the histories are rehearsed, by its label; empty where there is one only."""

    label: str = ""

    def __str__(self) -> str:
        return self.label


@dataclass(frozen=True, slots=True)
class Subject:
    """The migration that a test is about, by its history's number, and its place."""

    at: int
    position: int
    place: str
    migration: Migration = field(compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Narrowing:
    """What a test's marker says of the migrations that it is for."""

    at: tuple[str, ...] = ()
    since: str | None = None
    until: str | None = None
    history: str | None = None

    @classmethod
    def of(cls, mark: pytest.Mark | None) -> "Narrowing":
        """Return what a marker says.

        Raises:
            SelectionError: it says what no marker can.
        """
        if mark is None:
            return cls()
        if mark.args:
            raise SelectionError(f"it takes no bare value; write at={mark.args[0]!r}")
        for name in mark.kwargs:
            if name not in _KEYWORDS:
                raise SelectionError(f"there is no {name!r}; {_meant(name, _KEYWORDS)}")
        at = mark.kwargs.get("at", ())
        texts = {**mark.kwargs, "at": (at,) if isinstance(at, str) else at}
        for name, value in texts.items():
            values = value if name == "at" else (value,)
            if not isinstance(values, list | tuple) or not all(
                isinstance(one, str) and one for one in values
            ):
                raise SelectionError(f"{name} is a text such as '0007', not {mark.kwargs[name]!r}")
        return cls(**{**texts, "at": tuple(texts["at"])})

    def histories(self, histories: Sequence[History]) -> list[int]:
        """Return the numbers of the histories that are meant.

        Raises:
            SelectionError: none has the name.
        """
        if self.history is None:
            return list(range(len(histories)))
        return [history_named(histories, self.history)]

    def positions(
        self, histories: Sequence[History], judged: Callable[[int], frozenset[int]]
    ) -> list[tuple[int, int]]:
        """Return histories and positions, in order; what is named by ``at`` need not be judged in this run.

        Raises:
            SelectionError: something is named that there is not.
        """
        if not histories:
            return []  # that there are none is said otherwise
        meant = self.histories(histories)
        bounds = {at: self._bounds(histories[at]) for at in meant}
        self._refuse_unknown([histories[at] for at in meant])
        found = []
        for at in meant:
            first, last = bounds[at]
            if self.at:
                named = {one for text in self.at for one in positions_of(histories[at], text)}
            else:
                named = set(judged(at))
            found += [(at, position) for position in sorted(named) if first <= position <= last]
        return found

    def _bounds(self, history: History) -> tuple[int, int]:
        since = positions_of(history, self.since) if self.since is not None else (0,)
        until = (
            positions_of(history, self.until) if self.until is not None else (len(history.migrations) - 1,)
        )
        if since and until and since[0] > until[-1]:
            raise SelectionError(f"since={self.since!r} comes after until={self.until!r}")
        # Where one is missing, another history has it; here there is nothing between.
        return (since[0], until[-1]) if since and until else (0, -1)

    def _refuse_unknown(self, histories: Sequence[History]) -> None:
        for text in (*self.at, self.since, self.until):
            if text is not None and not any(positions_of(history, text) for history in histories):
                raise SelectionError(nothing_named(histories, text))


def history_named(histories: Sequence[History], name: str) -> int:
    """Return the number of the history in a folder.

    Raises:
        SelectionError: there is none.
    """
    __tracebackhide__ = True
    roots = [history.relative_root for history in histories]
    if (wanted := name.rstrip("/")) in roots:
        return roots.index(wanted)
    raise SelectionError(f"there is no history in {name!r}; {_meant(wanted, roots)}")


def _meant(name: str, known: Sequence[str]) -> str:
    """Return what is said behind a name that there is not: which is meant, or all that there are."""
    close = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {close[0]!r}?" if close else f"there are {', '.join(known) or 'none'}"


@dataclass(kw_only=True)
class Team:
    """The plugin that gives a team's tests what their fixtures promise."""

    histories: Sequence[History]
    #: Returns the labels of a history's places.
    labels: Callable[[int], Sequence[str]]
    #: Returns the positions of a history that this run judges.
    judged: Callable[[int], frozenset[int]]
    #: Returns the review of a migration: by history, position, place.
    review: Callable[[int, int, str, pytest.FixtureRequest], Review]
    #: Returns what gives databases of a history in a place.
    laboratory: Callable[[tuple[int, str], pytest.FixtureRequest], Laboratory]
    #: The rules of the run.
    rules: tuple[Rule, ...]
    #: Whether any test of the run asked for a migration or a database.
    is_asked: bool = field(default=False, init=False)

    # -- collection ----------------------------------------------------------------------------------------

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Have a test run once for each migration that it is for; in several places, once in each."""
        if {SUBJECT, PLACE}.isdisjoint(metafunc.fixturenames):
            return
        self.is_asked = True
        try:
            narrowing = Narrowing.of(metafunc.definition.get_closest_marker(MARKER))
            if SUBJECT in metafunc.fixturenames:
                self._parametrise(metafunc, narrowing)
            else:
                self._parametrise_by_place(metafunc, narrowing)
        except SelectionError as error:
            path, line, name = metafunc.definition.reportinfo()
            where = f"{path}:{line + 1}" if line is not None else str(path)
            raise pytest.Collector.CollectError(f"{where}: {name}: @pytest.mark.migsafe: {error}") from error

    def _parametrise(self, metafunc: pytest.Metafunc, narrowing: Narrowing) -> None:
        subjects = [
            Subject(at, position, place, self.histories[at].migrations[position])
            for at, position in narrowing.positions(self.histories, self.judged)
            for place in self.labels(at)
        ]
        if subjects:  # else the test is there once, and skipped
            metafunc.parametrize(SUBJECT, subjects, indirect=True, ids=self._ids(subjects))

    def _parametrise_by_place(self, metafunc: pytest.Metafunc, narrowing: Narrowing) -> None:
        if not self.histories:
            return
        labels = dict.fromkeys(
            label for at in narrowing.histories(self.histories) for label in self.labels(at) if label
        )
        if labels:
            places = [Place(label) for label in labels]
            metafunc.parametrize(PLACE, places, indirect=True, ids=list(labels))

    def _ids(self, subjects: Sequence[Subject]) -> list[str]:
        ids = [one.id for history in self.histories for one in history.migrations]
        is_unique = len(self.histories) == 1 and len(set(ids)) == len(ids)
        return [
            "-".join(
                filter(None, (one.migration.id if is_unique else one.migration.relative_path, one.place))
            )
            for one in subjects
        ]

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Skip the tests for which there is no migration."""
        for item in items:
            names = getattr(item, "fixturenames", ())
            is_about_none = SUBJECT in names and subject_of(item) is None
            if is_about_none or (PLACE in names and not self.histories):
                item.add_marker(pytest.mark.skip(reason=self._nothing()))

    def _nothing(self) -> str:
        return "none of its migrations is judged in this run" if self.histories else "there are no migrations"

    # -- fixtures ------------------------------------------------------------------------------------------

    def subject(self, request: pytest.FixtureRequest) -> Subject:
        """Return the migration that a test is about."""
        subject: Subject | None = getattr(request, "param", None)
        if subject is None:
            pytest.skip(f"{self._nothing()}, or the fixture was not among the test's arguments")
        return subject

    def place(self, request: pytest.FixtureRequest) -> Place:
        """Return where a test's databases are."""
        if not self.histories:
            pytest.skip(self._nothing())
        place: Place = getattr(request, "param", Place())
        subject = subject_of(request.node)
        return place if subject is None else Place(subject.place)

    def rehearsal(self, subject: Subject, request: pytest.FixtureRequest) -> Rehearsal:
        """Return what the rehearsal of a test's migration found out; the test is skipped when it is blocked."""
        __tracebackhide__ = True
        try:
            review = self.review(subject.at, subject.position, subject.place, request)
        except MigsafeError as error:
            pytest.fail(str(error), pytrace=False)
        if review.evidence is None:
            _skip(request, Obstacle(review.blocked_by, review.blocked_because))
        return Rehearsal(review, review.evidence, self.rules)

    @contextmanager
    def databases(self, place: Place, request: pytest.FixtureRequest) -> Iterator[DatabaseAt]:
        """Yield what gives a test its databases; they go with the block."""
        with ExitStack() as resources:
            yield _Databases(self, place, request, resources)

    # -- reporting -----------------------------------------------------------------------------------------

    def pytest_assertrepr_compare(self, op: str, left: object, right: object) -> list[str] | None:
        """Show what is different in two schemas that should be equal."""
        if op != "==" or not isinstance(left, Schema) or not isinstance(right, Schema):
            return None
        return ["the schemas are the same", *schema_difference(left, right)]

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Say of a test that is blocked that it is, and where it stands rather than where we skip it."""
        report = yield
        if _asks(item):
            setattr(report, _ASKED, True)
        if report.skipped and (obstacle := item.stash.get(_OBSTACLE, None)) is not None:
            path, line, _ = item.reportinfo()
            report.longrepr = (str(path), (line or 0) + 1, str(obstacle))
            setattr(report, BLOCKED_BY, obstacle.path)
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Remember whether anybody asked: under pytest-xdist only the reports tell."""
        self.is_asked |= hasattr(report, _ASKED)


@dataclass(frozen=True, repr=False)
class _Databases:
    """The fixture ``database_at`` of one test."""

    team: Team
    place: Place
    request: pytest.FixtureRequest
    resources: ExitStack

    def __repr__(self) -> str:
        return "<database_at>"

    def __call__(
        self,
        migration: str | Migration | None = END,
        *,
        before: str | Migration | None = None,
        history: str | None = None,
    ) -> MigrationDatabase:
        __tracebackhide__ = True
        if before is not None and migration != END:
            raise SelectionError("name the migration, or the one before which it is to be, not both")
        named = before if before is not None else migration if migration != END else None
        at = self._history(named, history)
        chosen = self.team.histories[at]
        if before is not None:
            position = position_of(chosen, before)
        elif migration is None:
            position = 0
        elif migration == END:
            position = len(chosen.migrations)
        else:
            position = position_of(chosen, migration) + 1
        return self._opened(at, position)

    def _history(self, named: str | Migration | None, history: str | None) -> int:
        """Return the number of the history that a test means."""
        __tracebackhide__ = True
        histories = self.team.histories
        mark = self.request.node.get_closest_marker(MARKER)
        subject = subject_of(self.request.node)
        if history is not None:
            return history_named(histories, history)
        if isinstance(named, str | Migration):
            having = [at for at, one in enumerate(histories) if positions_of(one, named)]
            if not having:
                raise SelectionError(nothing_named(histories, shown(named)))
            if len(having) == 1:
                return having[0]
        if subject is not None:
            return subject.at
        meant = Narrowing.of(mark).histories(histories)
        if len(meant) == 1:
            return meant[0]
        roots = [one.relative_root for one in histories]
        raise SelectionError(
            f"there are {len(roots)} histories ({', '.join(roots)}); say which: history={roots[0]!r}"
        )

    def _opened(self, at: int, position: int) -> MigrationDatabase:
        __tracebackhide__ = True
        labels = self.team.labels(at)
        label = self.place.label if len(labels) > 1 else labels[0]
        if label not in labels:
            pytest.skip(f"{self.team.histories[at].relative_root} is not rehearsed on PostgreSQL {label}")
        try:
            laboratory = self.team.laboratory((at, label), self.request)
            live = self.resources.enter_context(laboratory.database_at(position))
        except OnTheWayError as error:
            _skip(self.request, Obstacle(error.migration.relative_path, error.reason))
        except MigsafeError as error:
            pytest.fail(str(error), pytrace=False)
        return MigrationDatabase(live, self.resources)


def subject_of(item: pytest.Item) -> Subject | None:
    """Return the migration that an item is about; None: it is about none."""
    callspec = getattr(item, "callspec", None)
    parameters: Mapping[str, Any] = callspec.params if callspec is not None else {}
    subject: Subject | None = parameters.get(SUBJECT)
    return subject


def needs_rehearsal(item: pytest.Item) -> bool:
    """Return whether an item asks what a rehearsal found out."""
    return REHEARSAL in getattr(item, "fixturenames", ())


def _asks(item: pytest.Item) -> bool:
    return not {SUBJECT, PLACE}.isdisjoint(getattr(item, "fixturenames", ()))


def _skip(request: pytest.FixtureRequest, obstacle: Obstacle) -> NoReturn:
    __tracebackhide__ = True
    request.node.stash[_OBSTACLE] = obstacle
    pytest.skip(str(obstacle))
