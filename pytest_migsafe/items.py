"""One pytest item a migration file."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pytest_migsafe.migrations.model import Migration
from pytest_migsafe.reports.failure import failure_text
from pytest_migsafe.review import Outcome, Review

#: The review of an item's migration, for the report.
REVIEW = pytest.StashKey[Review]()


class MigrationFile(pytest.File):
    """A migration file in pytest's tree."""

    migration: Migration
    review: Callable[[], Review]

    @classmethod
    def of(
        cls, parent: pytest.Collector, path: Path, migration: Migration, review: Callable[[], Review]
    ) -> "MigrationFile":
        """Return the node of a migration; ``review`` is called when its item runs."""
        node = cls.from_parent(parent, path=path)
        assert isinstance(node, cls)  # noqa: S101 - from_parent's type is not that precise
        node.migration = migration
        node.review = review
        return node

    def collect(self) -> Iterator[pytest.Item]:
        """Yield the file's one item."""
        yield MigrationItem.of(self)


class MigrationItem(pytest.Function):
    """The item ``path/to/file.sql::migsafe``: a test function like any other, so that fixtures and flags work."""

    migration: Migration

    @classmethod
    def of(cls, file: MigrationFile) -> "MigrationItem":
        """Return the item of a migration file."""
        item: Any = cls.from_parent(file, name="migsafe", callobj=lambda: _check(item))
        item.migration = file.migration
        item.add_marker("migsafe")
        item.extra_keyword_matches.add(file.migration.id)
        return item

    def reportinfo(self) -> tuple[Path, int, str]:
        """Say where the item is: in the migration file, not where the function is defined."""
        return self.path, 0, self.migration.relative_path


def _check(item: Any) -> None:
    """Review the item's migration, and fail or skip as the review says."""
    review: Review = item.parent.review()
    item.stash[REVIEW] = review
    if review.outcome is Outcome.BLOCKED:
        pytest.skip(f"blocked by {review.blocked_by}: {review.blocked_because}")
    if review.outcome is Outcome.FAILED:
        pytest.fail(failure_text(review), pytrace=False)
