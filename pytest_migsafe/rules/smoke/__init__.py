"""Smoke tests: rules over the database as a file leaves it. They report only what the file newly caused."""

from pytest_migsafe.rules.smoke import data, structure
from pytest_migsafe.rules.smoke.check import SmokeTest

__all__ = ["SMOKE_RULES", "SmokeTest"]

#: The smoke tests, a family after the other.
SMOKE_RULES: tuple[SmokeTest, ...] = (
    structure.invalid_index,
    data.orphaned_rows,
    data.validate_fails,
    data.constraint_violated,
    data.duplicate_keys,
    data.sequence_behind,
    data.default_rejected,
    data.sequence_too_narrow,
    data.sequence_not_owned,
    data.sequence_left_behind,
    data.rows_not_asked,
)
