"""The rehearsals of a run: each history's databases, opened when they are first needed, and what is made there."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property

import pytest

from pytest_migsafe.artifacts.folder import ArtifactFolder
from pytest_migsafe.artifacts.writer import ArtifactWriter
from pytest_migsafe.errors import MigsafeError, ServerError
from pytest_migsafe.gate.gate import Gate
from pytest_migsafe.migrations.model import History
from pytest_migsafe.places import Place, Places, find_places, place_on
from pytest_migsafe.postgres.preludes import Prelude
from pytest_migsafe.rehearsal.laboratory import Laboratory
from pytest_migsafe.review import EndCheck, EndReview, Review, Reviewer, SaidOfFiles, conditions, known_sizes
from pytest_migsafe.rules import Rule
from pytest_migsafe.server_fixture import server_of_fixture
from pytest_migsafe.settings import Settings

#: A history, by its number, and one of its places, by its label.
Where = tuple[int, str]


@dataclass(kw_only=True)
class Rehearsals:
    """Reviews the migrations of all histories, each in its places."""

    histories: Sequence[History]
    #: What the project says of each, and what its hooks say of single files.
    settings: Sequence[Settings]
    of_files: Sequence[SaidOfFiles]
    #: What a hook puts before the first migration.
    preludes: Sequence[Prelude]
    rules: Sequence[Rule]
    gate: Gate
    #: Where artifacts go; None: nowhere.
    artifacts: ArtifactFolder | None = None
    #: Whether this process is one of pytest-xdist's workers.
    is_worker: bool = False
    #: What this process may be asked for.
    _wanted: dict[Where, set[int]] = field(default_factory=lambda: defaultdict(set), init=False)
    _furthest: dict[Where, int] = field(default_factory=lambda: defaultdict(int), init=False)
    _server_problems: dict[Where, ServerError] = field(default_factory=dict, init=False)
    _reviewers: dict[Where, Reviewer] = field(default_factory=dict, init=False)
    _laboratories: dict[Where, Laboratory] = field(default_factory=dict, init=False)
    _artifact_writers: dict[Where, ArtifactWriter] = field(default_factory=dict, init=False)

    def close(self) -> None:
        """Stop the servers."""
        for laboratory in self._laboratories.values():
            laboratory.close()
        for reviewer in self._reviewers.values():
            reviewer.close()

    @cached_property
    def places(self) -> tuple[Places | MigsafeError, ...]:
        """Where each history is rehearsed, or why nowhere."""
        return tuple(
            _places_or_problem(settings, history.layout, self.preludes)
            for history, settings in zip(self.histories, self.settings, strict=True)
        )

    def labels(self, at: int) -> list[str]:
        """Return what tells the places of a history apart."""
        places = self.places[at]
        return [""] if isinstance(places, MigsafeError) else [place.label for place in places.found]

    def want(self, where: Where, positions: Iterable[int]) -> None:
        """Learn which files of a history will be asked for, in one of its places."""
        self._wanted[where].update(positions)

    def demand_wanted(self) -> None:
        """See that there is a server for all that will be asked for.

        Raises:
            pytest.UsageError: there is none.
        """
        self.demand({at for at, _ in self._wanted})

    def demand(self, histories: Iterable[int]) -> None:
        """See that there is a server for histories.

        Raises:
            pytest.UsageError: there is none.
        """
        for at in histories:
            places = self.places[at]
            if isinstance(places, MigsafeError) and self.settings[at].server_fixture is None:
                raise pytest.UsageError(str(places)) from places

    def review_item(self, at: int, position: int, label: str, request: pytest.FixtureRequest) -> Review:
        """Return the review of a migration for its item, with the artifacts that are written on the way."""
        review = self.review(at, position, label, request)
        if self.artifacts is None:
            return review
        return replace(
            review, artifacts=self._artifact_writer((at, label), self.artifacts, request).write(review)
        )

    def _artifact_writer(
        self, where: Where, folder: ArtifactFolder, request: pytest.FixtureRequest
    ) -> ArtifactWriter:
        if where not in self._artifact_writers:
            at, label = where
            self._artifact_writers[where] = ArtifactWriter(
                folder=folder,
                laboratory=self.laboratory(where, request),
                sizes=known_sizes(self.settings[at], self.histories[at]),
                is_one_of_several=bool(label),
            )
        return self._artifact_writers[where]

    def review(self, at: int, position: int, label: str, request: pytest.FixtureRequest) -> Review:
        """Return the review of a migration, by its history, its position there, and the place."""
        with self._reviewer_for((at, label), position, request) as reviewer:
            return reviewer.review(position)

    def review_end(self, at: int, check: EndCheck, label: str, request: pytest.FixtureRequest) -> EndReview:
        """Return what a check makes of the end of a history in one of its places."""
        # What has databases of its own takes the reviewer's nowhere.
        position = len(self.histories[at].migrations) if check.experiment is None else 0
        with self._reviewer_for((at, label), position, request) as reviewer:
            return reviewer.review_end(check)

    @contextmanager
    def _reviewer_for(
        self, where: Where, position: int, request: pytest.FixtureRequest
    ) -> Iterator[Reviewer]:
        """Give the reviewer that is to go to a position, and remember what ends all rehearsals there."""
        if where in self._server_problems:
            # Trying again for each file would take long, and say the same.
            problem = str(self._server_problems[where]).splitlines()[0]
            raise ServerError(f"no server to rehearse on: {problem}")
        try:
            reviewer = self._reviewer(where, request)
            if self.is_worker and position >= self._furthest[where]:
                # It gets its share bit by bit; what it will not be asked for is not rehearsed.
                reviewer.wanted = ()
            else:
                # Going back means a new database; so then everything that may be asked for, this once.
                reviewer.wanted = self._wanted[where]
            self._furthest[where] = max(self._furthest[where], position)
            yield reviewer
        except ServerError as error:
            self._server_problems[where] = error
            raise

    def _reviewer(self, where: Where, request: pytest.FixtureRequest) -> Reviewer:
        if where not in self._reviewers:
            at, _ = where
            settings = self.settings[at]
            place = self._place(where, request)
            reviewer = Reviewer(
                history=self.histories[at],
                settings=settings,
                place=place,
                rules=self.rules,
                of_files=self.of_files[at],
                origins=self.gate.origins(at),
            )
            if settings.server_fixture is not None:
                # The fixture's server goes before the session finishes; what is on it must go before that.
                request.session.addfinalizer(reviewer.close)
            self._reviewers[where] = reviewer
        return self._reviewers[where]

    def laboratory(self, where: Where, request: pytest.FixtureRequest) -> Laboratory:
        """Return what gives private databases at any position of a history, as it is in one of its places.

        Raises:
            ServerError: there is no server.
        """
        if where not in self._laboratories:
            at, _ = where
            place = self._place(where, request)
            laboratory = Laboratory(
                history=self.histories[at],
                open=place.open,
                copy=place.copy,
                conditions=conditions(self.settings[at], place.preludes, self.of_files[at]),
            )
            if self.settings[at].server_fixture is not None:
                # As of the reviewer's database: it is to go before the fixture's server.
                request.session.addfinalizer(laboratory.close)
            self._laboratories[where] = laboratory
        return self._laboratories[where]

    def _place(self, where: Where, request: pytest.FixtureRequest) -> Place:
        at, label = where
        settings, places = self.settings[at], self.places[at]
        if settings.server_fixture is not None:
            server = server_of_fixture(settings.server_fixture, request)
            return place_on(server, settings, self.histories[at].layout, self.preludes)
        if isinstance(places, MigsafeError):
            raise ServerError(str(places)) from places
        return next(place for place in places.found if place.label == label)


def _places_or_problem(settings: Settings, layout: str, more: Sequence[Prelude]) -> Places | MigsafeError:
    try:
        return find_places(settings, layout, more)
    except MigsafeError as error:
        return error
