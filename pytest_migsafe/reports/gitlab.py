"""A code quality report for GitLab: what it shows in the widget and beside the lines of a merge request.

GitLab documentation: "Code Quality", "Code Quality report format".
"""

import json
from collections.abc import Mapping
from typing import Any

from pytest_migsafe.reports.issues import Issue, fingerprints, issues
from pytest_migsafe.texts import clipped, seen

_LONGEST = 1_000
#: What cannot be applied, or was not judged at all, cannot be merged whatever anybody thinks of it.
_BLOCKERS = frozenset({"apply-error", "not-judged", "blocked", "run-incomplete"})


def as_gitlab(report: Mapping[str, Any]) -> str:
    """Return the code quality report of a run; what the files themselves allow is not in it."""
    found = issues(report)
    entries = [
        {
            "description": clipped(" ".join(seen(one.told).split()), _LONGEST) or one.rule,
            "check_name": one.rule,
            "fingerprint": fingerprint,
            "severity": _severity(one),
            "location": {"path": seen(one.repository_path), "lines": {"begin": max(one.line, 1)}},
        }
        for one, fingerprint in zip(found, fingerprints(found), strict=True)
        if one.waived is None
    ]
    return json.dumps(entries, indent=1) + "\n"


def _severity(issue: Issue) -> str:
    if issue.is_error:
        return "blocker" if issue.rule in _BLOCKERS else "critical"
    return "info" if issue.family == "run" else "minor"
