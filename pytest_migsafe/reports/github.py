"""GitHub's workflow commands: lines of output that annotate a pull request's files.

GitHub documentation: "Workflow commands for GitHub Actions", "Setting an error message".
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pytest_migsafe.reports.issues import Issue, issues
from pytest_migsafe.reports.markdown import MOST_IN_SUMMARY, as_markdown
from pytest_migsafe.reports.verdict import is_worth_telling
from pytest_migsafe.texts import clipped, seen, words_and_sql

#: GitHub shows so many annotations of a kind and step; the log has the others, and so has the summary.
_MOST = 10
_LONGEST = 4_000


def annotations(report: Mapping[str, Any]) -> Iterator[str]:
    """Yield the commands for what fails and for what is warned of; what the files themselves allow has none."""
    found = [one for one in issues(report) if one.waived is None]
    errors = [one for one in found if one.is_error]
    warnings = [one for one in found if not one.is_error]
    for kind, some in (("error", errors), ("warning", warnings)):
        yield from (_command(kind, _place(one), _told(one)) for one in some[:_MOST])
    more = [
        f"{len(some) - _MOST} more {noun}"
        for noun, some in (("errors", errors), ("warnings", warnings))
        if len(some) > _MOST
    ]
    if more:
        text = f"{' and '.join(more)} than GitHub shows here: the step's summary lists them"
        yield _command("notice", {"title": "pytest-migsafe"}, text)


def _place(issue: Issue) -> dict[str, str]:
    place = {"file": issue.repository_path}
    if issue.line:
        statement = issue.statement
        begins_there = statement is not None and (statement.line, statement.column) == (
            issue.line,
            issue.column,
        )
        end = statement.end_line if statement is not None and begins_there else issue.line
        place |= {"line": str(issue.line), "endLine": str(end)}
        # GitHub refuses a column where there are several lines.
        place |= {"col": str(max(issue.column, 1))} if end == issue.line else {}
    else:
        place["line"] = "1"
    return place | {"title": f"pytest-migsafe: {issue.rule}"}


def _told(issue: Issue) -> str:
    words, sql = words_and_sql(issue.remedy)
    lines = [issue.told, *issue.evidence, *([issue.done] if issue.done else [])]
    if words or sql:
        lines.append(f"The safe way: {words}".rstrip())
    if sql:
        lines.append(sql)
    return clipped("\n".join(lines), _LONGEST)


def _command(kind: str, properties: Mapping[str, str], message: str) -> str:
    given = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    return f"::{kind} {given}::{_data(message) or kind}"


def _data(text: str) -> str:
    return seen(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


#: What ``--migsafe-github`` may say.
WHEN: Sequence[str] = ("auto", "always", "never")


def is_wanted(when: str, environment: Mapping[str, str]) -> bool:
    """Return whether GitHub is to be told: ``auto`` is yes where a workflow runs."""
    return when == "always" or (when == "auto" and environment.get("GITHUB_ACTIONS") == "true")


def add_to_summary(report: Mapping[str, Any], environment: Mapping[str, str]) -> str:
    """Add the report to the step's summary, if there is one; return what is wrong with it, in a line.

    Where nothing was asked for, as when a step runs the other tests only, there is nothing to tell. GitHub
    documentation: "Adding a job summary".
    """
    name = environment.get("GITHUB_STEP_SUMMARY")
    if not name or not is_worth_telling(report):
        return ""
    try:
        with Path(name).open("a", encoding="utf-8") as file:
            file.write(as_markdown(report, MOST_IN_SUMMARY))
    except OSError as error:
        return f"cannot write the step's summary: {name}: {error.strerror or error}"
    return ""
