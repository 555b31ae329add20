"""Probes ask a database about itself, after a file was applied: one question a module, and no judgement.

They leave nothing behind: all run in one transaction that is rolled back. None calls a function of the user's, but for
what the planner evaluates itself: functions that are IMMUTABLE or STABLE.
"""

from pytest_migsafe.rehearsal.facts import Facts
from pytest_migsafe.rehearsal.probes import (
    access,
    defaults,
    functions,
    immutable,
    overloads,
    policies,
    published,
    sequences,
    shapes,
    versions,
    views,
    violations,
)
from pytest_migsafe.rehearsal.probes.asking import Asking

__all__ = ["Asking", "ask"]


_PROBES = (
    violations,
    sequences,
    defaults,
    functions,
    overloads,
    immutable,
    views,
    shapes,
    published,
    versions,
    access,
    # As the roles that have access.
    policies,
)


def ask(asking: Asking, known: Facts) -> Facts:
    """Return what is known of a database after a file: what was known before, and what the file can have changed."""
    for module in _PROBES:
        known = module.probe(asking, known)
    return known
