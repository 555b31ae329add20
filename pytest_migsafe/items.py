"""One pytest item a migration file, and those that judge the end of a history."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any, Self

import pytest

from pytest_migsafe.errors import MigsafeError
from pytest_migsafe.migrations.model import Migration
from pytest_migsafe.reports.failure import failure_text
from pytest_migsafe.review import EndCheck, EndReview, Outcome, Review

#: Returns the review of a migration in one of its places; the request is for the fixtures that this takes.
ReviewAt = Callable[[str, pytest.FixtureRequest], Review]
#: Returns what a check makes of the end of the history in one of its places.
ReviewEndAt = Callable[[EndCheck, str, pytest.FixtureRequest], EndReview]

#: The review of an item's migration, or of the end of its history, for the report.
REVIEW = pytest.StashKey[Review]()
END_REVIEW = pytest.StashKey[EndReview]()

#: The attribute of a report on a test of the team's that names the migration in its way.
BLOCKED_BY = "migsafe_blocked_by"


class MigrationFile(pytest.Module):
    """A migration file in pytest's tree.

    A module, for a project's module-scoped fixtures and those that ask for ``request.module`` need one; but
    nothing is imported, the Python module that it stands for is empty.
    """

    migration: Migration
    places: Sequence[str]
    review: ReviewAt
    end_checks: Sequence[EndCheck]
    review_end: ReviewEndAt

    @classmethod
    def of(
        cls,
        parent: pytest.Collector,
        path: Path,
        migration: Migration,
        *,
        places: Sequence[str],
        review: ReviewAt,
        end_checks: Sequence[EndCheck] = (),
        review_end: ReviewEndAt,
    ) -> "MigrationFile":
        """Return the node of a migration; ``review`` is called with one of the places when an item runs.

        The last file of a history has the checks of its end.
        """
        node: MigrationFile = cls.from_parent(_importing_nothing(parent), path=path)
        node.obj = ModuleType(path.stem, f"Stands for the migration {migration.relative_path}.")
        node.migration = migration
        node.places = places
        node.review = review
        node.end_checks = end_checks
        node.review_end = review_end
        return node

    def collect(self) -> Iterator[pytest.Item]:
        """Yield the file's item, one for each place where it is rehearsed, and those of the history's end."""
        for place in self.places:
            yield MigrationItem.of(self, place)
            for check in self.end_checks:
                yield EndItem.of(self, check, place)


def _importing_nothing(parent: pytest.Collector) -> pytest.Collector:
    """Return the parent for a migration's node.

    Before it runs what stands in a Python package, pytest imports the package's ``__init__.py``: an application,
    which need not be installed where its migrations are rehearsed. The node id does not depend on the parent.
    """
    return parent.session if parent.getparent(pytest.Package) is not None else parent


class MigsafeItem(pytest.Function):
    """An item of ours: a test function like any other, so that fixtures and flags work.

    Where a history is rehearsed on several servers, the item's name tells which: ``migsafe[15]``.
    """

    place: str
    #: What the item is about, as a failure's heading says it.
    title: str

    @classmethod
    def made(
        cls,
        file: MigrationFile,
        name: str,
        run: Callable[["MigsafeItem", pytest.FixtureRequest], None],
        *,
        place: str,
        title: str,
    ) -> Self:
        """Return an item of a migration file that does something when it is run."""

        def migsafe(request: pytest.FixtureRequest) -> None:
            run(item, request)

        item: Self = cls.from_parent(file, name=name, callobj=migsafe)
        item.place = place
        item.title = title
        item.add_marker("migsafe")
        return item

    def reportinfo(self) -> tuple[Path, int, str]:
        """Say where the item is: in the migration file, not where the function is defined."""
        return self.path, 0, f"{self.title} [{self.place}]" if self.place else self.title

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException]) -> Any:  # type: ignore[override]
        """Return the failure as pytest shows it, with its place in the migration and its verdict alone in a line.

        The place is what ``--tb=line`` shows, the line what the short summary and JUnit have; both would
        otherwise speak of the line of ours that calls ``pytest.fail``.
        """
        shown = super().repr_failure(excinfo)
        crash = getattr(shown, "reprcrash", None)
        if crash is not None and isinstance(excinfo.value, pytest.fail.Exception):
            crash.path = str(self.path)
            crash.lineno = _failing_line(self.stash.get(REVIEW, None))
            crash.message = str(excinfo.value).partition("\n")[0]
        return shown


def item_name(place: str) -> str:
    """Return the name of a migration's item in a place."""
    return f"migsafe[{place}]" if place else "migsafe"


class MigrationItem(MigsafeItem):
    """The item ``path/to/file.sql::migsafe``."""

    @classmethod
    def of(cls, file: MigrationFile, place: str) -> Self:
        """Return the item of a migration file in one of its places."""
        migration = file.migration
        item = cls.made(
            file, item_name(place), partial(_check, file), place=place, title=migration.relative_path
        )
        item.extra_keyword_matches |= {migration.id, *migration.relative_path.split("/")}
        return item


class EndItem(MigsafeItem):
    """An item that judges the end of a history, of which its file is the last: ``path/to/last.sql::schema``."""

    check: EndCheck

    @classmethod
    def of(cls, file: MigrationFile, check: EndCheck, place: str) -> Self:
        """Return the item of a check in one of the history's places."""
        item = cls.made(
            file, check.item(place), partial(_check_end, file, check), place=place, title=check.title
        )
        item.check = check
        return item


def _failing_line(review: Review | None) -> int:
    findings = review.findings if review is not None else ()
    return next((finding.line for finding in findings if finding.fails and finding.line), 1)


def _check(file: MigrationFile, item: MigsafeItem, request: pytest.FixtureRequest) -> None:
    """Review the item's migration, and fail or skip as the review says."""
    # Whatever else ends the review - a rule's defect, ours - reports count the file as failed.
    item.stash[REVIEW] = Review(migration=file.migration, place=item.place, outcome=Outcome.FAILED)
    try:
        review = file.review(item.place, request)
    except MigsafeError as error:
        # The machine's doing, or that of the team's own SQL: what there is to know is in the message.
        problem = str(error)
    else:
        item.stash[REVIEW] = review
        problem = failure_text(review) if review.outcome is Outcome.FAILED else ""
        _skip_unjudged(review)
    if problem:
        pytest.fail(problem, pytrace=False)


def _check_end(
    file: MigrationFile, check: EndCheck, item: MigsafeItem, request: pytest.FixtureRequest
) -> None:
    """Review the end of the history, and fail or skip as the review says."""
    review = EndReview(migration=file.migration, check=check, place=item.place, outcome=Outcome.FAILED)
    item.stash[END_REVIEW] = review
    try:
        review = file.review_end(check, item.place, request)
    except MigsafeError as error:
        # The machine's doing, or the user's: what there is to know is in the message.
        problem = str(error)
    else:
        item.stash[END_REVIEW] = review
        problem = review.verdict.problem
        _skip_unjudged(review)
    if problem:
        pytest.fail(problem, pytrace=False)


def _skip_unjudged(review: Review | EndReview) -> None:
    if reason := unjudged_because(review):
        pytest.skip(reason)


def unjudged_because(review: Review | EndReview) -> str:
    """Return why nothing was judged, in one line; empty when something was."""
    if review.outcome is Outcome.BLOCKED:
        return f"blocked by {review.blocked_by}: {review.blocked_because}"
    return review.verdict.note if isinstance(review, EndReview) and review.outcome is Outcome.SKIPPED else ""
