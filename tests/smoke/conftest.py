"""A database before and after a migration, on PostgreSQL 15 and 18, and what the smoke tests say of it."""

from contextlib import ExitStack
from dataclasses import dataclass, replace

import psycopg
import pytest

from pytest_migsafe import catalog
from pytest_migsafe.findings import Finding, Severity
from pytest_migsafe.migrations.grammar import split_statements
from pytest_migsafe.migrations.source import SourceText
from pytest_migsafe.postgres.database import create_database
from pytest_migsafe.postgres.server import Server
from pytest_migsafe.rehearsal.evidence import Evidence, StatementEvidence
from pytest_migsafe.rehearsal.examination import Examination
from pytest_migsafe.rehearsal.facts import Scope
from pytest_migsafe.rules import Rule, judge
from pytest_migsafe.rules.smoke import COMPARING_RULES, SMOKE_RULES
from tests.conftest import ServerOf
from tests.rules.evidence import evidence

MAJORS = (15, 18)


@pytest.fixture(scope="session", params=MAJORS)
def smoke_server(request: pytest.FixtureRequest, server_of: ServerOf) -> Server:
    """A throwaway server of each major version that the smoke tests are tried on."""
    return server_of(request.param)


@dataclass(frozen=True)
class Smoke:
    """Applies SQL to a database of its own, and asks the smoke tests."""

    server: Server

    def evidence(
        self, before: str, migration: str, *, scope: Scope | None = None, written: bool = True
    ) -> Evidence:
        """Return the evidence of a migration on a database that was prepared by some SQL.

        ``written=False`` says that no rows were seen to be written, as for a migration of definitions alone.
        """
        with ExitStack() as resources:
            database = resources.enter_context(create_database(self.server))
            connection = resources.enter_context(database.connect())
            connection.execute(before.encode())
            return _examined(connection, migration, scope or Scope(), self.server.version, written=written)

    def findings(
        self,
        before: str,
        migration: str,
        *,
        only: Rule | None = None,
        scope: Scope | None = None,
    ) -> tuple[Finding, ...]:
        """Return what the smoke tests find in a migration: one of them, also one that is off, or all that are on."""
        given = self.evidence(before, migration, scope=scope)
        if only is None:
            return judge(given, (*SMOKE_RULES, *COMPARING_RULES), {})
        return judge(
            given, [replace(only, severity=Severity.ERROR)] if only.severity is Severity.OFF else [only], {}
        )


def _examined(
    connection: psycopg.Connection, migration: str, scope: Scope, version: str, *, written: bool
) -> Evidence:
    schema = catalog.snapshot(connection)
    examination = Examination(scope, version)
    examination.begin(connection, schema)
    connection.execute(migration.encode())
    after = catalog.snapshot(connection)
    source = SourceText(migration)
    statements = tuple(
        StatementEvidence(
            line=source.position(one.start).line,
            column=source.position(one.start).column,
            end_line=source.position(one.end).line,
            text=one.text,
            node=one.node,
            tag="OK",
            # Nothing was traced, so any row may have been written.
            observed=not written,
        )
        for one in split_statements(source)
    )
    states = examination.states(connection, schema, after, statements, cluster_changed=True)
    return replace(
        evidence(),
        before=schema,
        after=after,
        statements=statements,
        server_version=version,
        state_before=states[0],
        state_after=states[1],
    )


@pytest.fixture
def smoke(smoke_server: Server) -> Smoke:
    """Applies SQL to a database of its own on PostgreSQL 15 and 18, and asks the smoke tests."""
    return Smoke(smoke_server)
