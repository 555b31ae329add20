"""Rules judge: pure functions from evidence to findings, with metadata. They never talk to a database.

A team's conftest.py takes what its own rules need from here, in every run of pytest: the rules that come with
pytest-migsafe are not imported with it, they are in ``builtin``.
"""

from typing import TYPE_CHECKING

from pytest_migsafe.findings import Finding, RemedyFile, Severity
from pytest_migsafe.rules.judging import judge
from pytest_migsafe.rules.registry import Rule, rule

if TYPE_CHECKING:
    # For annotations: it brings psycopg and PostgreSQL's grammar along, a fifth of a second.
    from pytest_migsafe.rehearsal.evidence import Evidence

__all__ = ["Evidence", "Finding", "RemedyFile", "Rule", "Severity", "judge", "rule"]


def __getattr__(name: str) -> object:
    """Return what is imported only when somebody asks for it."""
    if name == "Evidence":
        from pytest_migsafe.rehearsal.evidence import Evidence  # as above  # noqa: PLC0415

        return Evidence
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
