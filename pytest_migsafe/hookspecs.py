"""The hooks that a team's conftest.py, or a plugin, can have; ``docs/hooks.md`` tells of each with examples.

They are known in every run, with ``--migsafe`` or without, for pytest refuses hooks that nobody has declared; so this
module imports nothing but pytest. Several implementations of one hook add up; where they contradict each other, the one
that pytest calls first goes before the others.
"""

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    # For the signatures alone: they bring psycopg and PostgreSQL's grammar along.
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from pytest_migsafe.migrations.model import Migration
    from pytest_migsafe.rules.registry import Rule


@pytest.hookspec
def pytest_migsafe_rules(config: pytest.Config) -> "Rule | Iterable[Rule] | None":
    """Give rules of your own.

    Called once in every process, before the settings are read, so that these can name the rules; with
    ``--migsafe``, ``--migsafe-rules`` and ``--migsafe-explain``.

    Args:
        config: pytest's.

    Returns:
        A rule or several. Those that are attributes of the root conftest.py are found without this hook.
    """


@pytest.hookspec
def pytest_migsafe_prelude(config: pytest.Config) -> "str | Path | None":
    """Give what is there before the first migration, beside the settings' ``prelude``, and after it.

    Called once in every process, when the migrations have been found.

    Args:
        config: pytest's.

    Returns:
        SQL, or the path of a file of SQL, relative to the project's root.
    """


@pytest.hookspec
def pytest_migsafe_settings(migration: "Migration", config: pytest.Config) -> "Mapping[str, Any] | None":
    """Say what of the settings is otherwise for one migration.

    Called once for every migration in every process, when the migrations have been found.

    Args:
        migration: the file: its ``id``, ``path``, ``relative_path``.
        config: pytest's.

    Returns:
        Settings as in ``[tool.migsafe]``: ``rules``, ``preset``, ``tables``, ``small_table``, ``lock_timeout``,
        ``statement_timeout``. Severities and tables go beside those of the project, the others in their place.
    """


@pytest.hookspec
def pytest_migsafe_seed(migration: "Migration", config: pytest.Config) -> "str | Path | None":
    """Give SQL that makes rows for a migration to meet.

    It is run, and committed, before the file is rehearsed, before it is applied on the way to a later one, and in the
    private databases of tests; so the same has to be returned whenever it is asked for. Called in the processes that
    rehearse.

    Args:
        migration: the file: its ``id``, ``path``, ``relative_path``.
        config: pytest's.

    Returns:
        SQL, or the path of a file of SQL, relative to the project's root.
    """


@pytest.hookspec
def pytest_migsafe_review(review: "Mapping[str, Any]", config: pytest.Config) -> None:
    """See what became of a migration.

    Called once for each reviewed migration and place, in their order, in pytest's own process (never in a worker of
    pytest-xdist), when the run is over and before the reports are written.

    Args:
        review: an entry of ``migrations`` in the JSON report.
        config: pytest's.
    """


@pytest.hookspec
def pytest_migsafe_report_section(
    report: "Mapping[str, Any]", config: pytest.Config
) -> "Mapping[str, str | Iterable[str]] | None":
    """Add sections to the terminal's summary and to all reports.

    Called once in pytest's own process, after ``pytest_migsafe_review``; not where nothing was reviewed.

    Args:
        report: the JSON report.
        config: pytest's.

    Returns:
        By its title, the text of each section: Markdown, or lines of it.
    """
