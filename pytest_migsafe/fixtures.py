"""What a team's own tests ask for: a migration, what its rehearsal found out, its schemas, live databases.

Every run of pytest loads this module, so that tests can always name these fixtures; without ``--migsafe`` those that do are
skipped. It imports pytest and the standard library only, the work is done in ``team``.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, cast

import pytest

if TYPE_CHECKING:
    # Types only: an inactive run imports nothing of ours but this and the plugin.
    from pytest_migsafe.team import Place, Subject, Team
    from pytest_migsafe.testing import Change, DatabaseAt, Migration, Rehearsal, RehearseSql, Schema

# As `team` has them; a test compares.
TEAM = "migsafe-team"
SUBJECT = "_migsafe_subject"
PLACE = "_migsafe_place"

_INACTIVE = "needs rehearsed migrations: run with --migsafe"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark the tests that ask for these fixtures, so that ``-m`` tells them from the others; skip them without ``--migsafe``.

    First of all: before ``-m`` is heeded, and before any other fixture is set up.
    """
    for item in items:
        if {SUBJECT, PLACE}.isdisjoint(getattr(item, "fixturenames", ())):
            continue
        # A marker that narrows stays the closest, also where it is the class's or the module's.
        if item.get_closest_marker("migsafe") is None:
            item.add_marker(pytest.mark.migsafe)
        if not config.pluginmanager.has_plugin(TEAM):
            item.add_marker(pytest.mark.skip(reason=_INACTIVE))


def _team(request: pytest.FixtureRequest) -> "Team":
    team = request.config.pluginmanager.get_plugin(TEAM)
    if team is None:
        pytest.skip(_INACTIVE)
    return cast("Team", team)


@pytest.fixture
def _migsafe_subject(request: pytest.FixtureRequest) -> "Subject":
    """Return which migration a test is about, and in which of its places."""
    return _team(request).subject(request)


@pytest.fixture
def _migsafe_place(request: pytest.FixtureRequest) -> "Place":
    """Return where a test's databases are."""
    return _team(request).place(request)


@pytest.fixture
def _migsafe_rehearsal(_migsafe_subject: "Subject", request: pytest.FixtureRequest) -> "Rehearsal":
    """Return what the rehearsal of the test's migration found out."""
    return _team(request).rehearsal(_migsafe_subject, request)


@pytest.fixture
def migration(_migsafe_subject: "Subject") -> "Migration":
    """A migration; the test runs once for each, or for those that ``@pytest.mark.migsafe(...)`` names."""
    return _migsafe_subject.migration


@pytest.fixture
def rehearsal(_migsafe_rehearsal: "Rehearsal") -> "Rehearsal":
    """What the rehearsal of the test's migration found out: locks, stalls, findings, changes, its error."""
    return _migsafe_rehearsal


@pytest.fixture
def schema_before(_migsafe_rehearsal: "Rehearsal") -> "Schema":
    """The schema before the test's migration."""
    return _migsafe_rehearsal.schema_before


@pytest.fixture
def schema_after(_migsafe_rehearsal: "Rehearsal") -> "Schema":
    """The schema after the test's migration."""
    return _migsafe_rehearsal.schema_after


@pytest.fixture
def schema_diff(_migsafe_rehearsal: "Rehearsal") -> "tuple[Change, ...]":
    """What the test's migration changes of the schema."""
    return _migsafe_rehearsal.changes


@pytest.fixture
def database_at(_migsafe_place: "Place", request: pytest.FixtureRequest) -> "Iterator[DatabaseAt]":
    """Give private live databases: ``database_at("0006")`` is one to which all migrations up to 0006 were applied."""
    with _team(request).databases(_migsafe_place, request) as databases:
        yield databases


@pytest.fixture(scope="session")
def rehearse_sql(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> "Iterator[RehearseSql]":
    """Rehearse a few lines of SQL, to test a rule with; with ``--migsafe`` or without.

    ``rehearse_sql("ALTER TABLE ...", given="CREATE TABLE ...", rules=[my_rule]).findings``
    """
    # Only who asks for it pays for what rehearses.
    from pytest_migsafe.kit import kit_of  # noqa: PLC0415

    with kit_of(request, tmp_path_factory.mktemp("rehearse_sql")) as kit:
        yield kit
