"""Smoke tests: rules over the database as a file leaves it. They report only what the file newly caused."""

from pytest_migsafe.rules.smoke import structure
from pytest_migsafe.rules.smoke.check import SmokeTest

__all__ = ["SMOKE_RULES", "SmokeTest"]

#: The smoke tests, a family after the other.
SMOKE_RULES: tuple[SmokeTest, ...] = (structure.invalid_index,)
