"""What a team's tests import: the types of the fixtures, for annotations, and assertions with good messages."""

from pytest_migsafe.catalog import Change, Schema
from pytest_migsafe.errors import IrreversibleError, SelectionError
from pytest_migsafe.findings import Finding, Severity
from pytest_migsafe.migrations.model import Migration
from pytest_migsafe.rehearsal.evidence import RelationLock, StatementError, StatementEvidence
from pytest_migsafe.rehearsal.holding import Stall
from pytest_migsafe.testing.assertions import (
    assert_no_findings,
    assert_no_lock_stronger_than,
    assert_no_stall,
    assert_plan_uses,
    assert_reversible,
    assert_same_schema,
)
from pytest_migsafe.testing.database import DatabaseAt, MigrationDatabase
from pytest_migsafe.testing.plan import Plan
from pytest_migsafe.testing.rehearsal import Rehearsal
from pytest_migsafe.testing.sql import RehearseSql

__all__ = [
    "Change",
    "DatabaseAt",
    "Finding",
    "IrreversibleError",
    "Migration",
    "MigrationDatabase",
    "Plan",
    "Rehearsal",
    "RehearseSql",
    "RelationLock",
    "Schema",
    "SelectionError",
    "Severity",
    "Stall",
    "StatementError",
    "StatementEvidence",
    "assert_no_findings",
    "assert_no_lock_stronger_than",
    "assert_no_stall",
    "assert_plan_uses",
    "assert_reversible",
    "assert_same_schema",
]
