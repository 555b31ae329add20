"""One pytest item a migration file."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from pytest_migsafe.errors import ServerError
from pytest_migsafe.migrations.model import Migration
from pytest_migsafe.reports.failure import failure_text
from pytest_migsafe.review import Outcome, Review

#: Returns the review of a migration in one of its places; the request is for the fixtures that this takes.
ReviewAt = Callable[[str, pytest.FixtureRequest], Review]

#: The review of an item's migration, for the report.
REVIEW = pytest.StashKey[Review]()


class MigrationFile(pytest.Module):
    """A migration file in pytest's tree.

    A module, for a project's module-scoped fixtures and those that ask for ``request.module`` need one; but
    nothing is imported, the Python module that it stands for is empty.
    """

    migration: Migration
    places: Sequence[str]
    review: ReviewAt

    @classmethod
    def of(
        cls,
        parent: pytest.Collector,
        path: Path,
        migration: Migration,
        *,
        places: Sequence[str],
        review: ReviewAt,
    ) -> "MigrationFile":
        """Return the node of a migration; ``review`` is called with one of the places when an item runs."""
        node: MigrationFile = cls.from_parent(_importing_nothing(parent), path=path)
        node.obj = ModuleType(path.stem, f"Stands for the migration {migration.relative_path}.")
        node.migration = migration
        node.places = places
        node.review = review
        return node

    def collect(self) -> Iterator[pytest.Item]:
        """Yield the file's item, one for each place where it is rehearsed."""
        for place in self.places:
            yield MigrationItem.of(self, place)


def _importing_nothing(parent: pytest.Collector) -> pytest.Collector:
    """Return the parent for a migration's node.

    Before it runs what stands in a Python package, pytest imports the package's ``__init__.py``: an application,
    which need not be installed where its migrations are rehearsed. The node id does not depend on the parent.
    """
    return parent.session if parent.getparent(pytest.Package) is not None else parent


class MigrationItem(pytest.Function):
    """The item ``path/to/file.sql::migsafe``: a test function like any other, so that fixtures and flags work.

    Where a history is rehearsed on several servers, the item's name tells which: ``migsafe[15]``.
    """

    migration: Migration
    place: str

    @classmethod
    def of(cls, file: MigrationFile, place: str) -> "MigrationItem":
        """Return the item of a migration file in one of its places."""

        def migsafe(request: pytest.FixtureRequest) -> None:
            _check(item, file, request)

        name = f"migsafe[{place}]" if place else "migsafe"
        item: MigrationItem = cls.from_parent(file, name=name, callobj=migsafe)
        item.migration = file.migration
        item.place = place
        item.add_marker("migsafe")
        item.extra_keyword_matches |= {file.migration.id, *file.migration.relative_path.split("/")}
        return item

    def reportinfo(self) -> tuple[Path, int, str]:
        """Say where the item is: in the migration file, not where the function is defined."""
        return self.path, 0, self.migration.relative_path

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


def _failing_line(review: Review | None) -> int:
    findings = review.findings if review is not None else ()
    return next((finding.line for finding in findings if finding.fails and finding.line), 1)


def _check(item: MigrationItem, file: MigrationFile, request: pytest.FixtureRequest) -> None:
    """Review the item's migration, and fail or skip as the review says."""
    # Whatever else ends the review - a rule's defect, ours - reports count the file as failed.
    item.stash[REVIEW] = Review(migration=file.migration, place=item.place, outcome=Outcome.FAILED)
    try:
        review = file.review(item.place, request)
    except ServerError as error:
        # The machine's doing: what there is to know is in the message.
        problem = str(error)
    else:
        item.stash[REVIEW] = review
        problem = failure_text(review) if review.outcome is Outcome.FAILED else ""
        if review.outcome is Outcome.BLOCKED:
            pytest.skip(blocked_reason(review.blocked_by, review.blocked_because))
    if problem:
        pytest.fail(problem, pytrace=False)


def blocked_reason(by: str, because: str) -> str:
    """Return why a migration could not be judged, in one line."""
    return f"blocked by {by}: {because}"
