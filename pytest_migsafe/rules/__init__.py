"""Rules judge: pure functions from evidence to findings, with metadata. They never talk to a database.

A team's conftest.py takes what its own rules need from here, in every run of pytest: the rules that come with
pytest-migsafe are not imported with it, they are in ``builtin``.
"""

from pytest_migsafe.findings import Finding, RemedyFile, Severity
from pytest_migsafe.rules.judging import judge
from pytest_migsafe.rules.registry import Rule, rule

__all__ = ["Finding", "RemedyFile", "Rule", "Severity", "judge", "rule"]
