"""SARIF 2.1.0, for code scanning: the findings where they stand, and the rules that found them.

OASIS Standard "Static Analysis Results Interchange Format (SARIF) Version 2.1.0"; what GitHub makes of it and where it
stops reading: GitHub documentation, "SARIF support for code scanning".
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.metadata import version
from typing import Any
from urllib.parse import quote

from pytest_migsafe.reports.issues import RUN_RULES, Issue, Statement, fingerprints, incomplete, issues
from pytest_migsafe.reports.rules import manual_page
from pytest_migsafe.texts import clipped, seen, words_and_sql

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_ROOT = "%SRCROOT%"
#: GitHub shows so many results, the worst first, and refuses files of many more.
_MOST_RESULTS = 5_000
#: Of a rule's descriptions GitHub reads so many characters; of what is long otherwise a reader wants no more.
_LONGEST_DESCRIPTION = 1_000
_LONGEST_TEXT = 4_000
_LONGEST_SNIPPET = 2_000
_LEVELS = {"error": "error", "warning": "warning", "off": "note"}
#: What a message would show as a link ("Messages with embedded links").
_LINK = re.compile(r"\[(?=[^\]]*\]\()")


def as_sarif(report: Mapping[str, Any]) -> str:
    """Return the SARIF log of a run."""
    found = issues(report)
    # What is said of the run as a whole has no place in a file.
    of_files = [one for one in found if one.fails or one.family != "run"]
    shown = of_files[:_MOST_RESULTS]
    rules = _rules(report, shown)
    index = {rule["id"]: at for at, rule in enumerate(rules)}
    results = [
        _result(one, index[one.rule], mark) for one, mark in zip(shown, fingerprints(shown), strict=True)
    ]
    run = {
        "tool": {
            "driver": {"name": "pytest-migsafe", "version": version("pytest-migsafe"), "rules": rules},
        },
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {_ROOT: {"description": {"text": "The root of the repository."}}},
        "invocations": [
            {
                "executionSuccessful": not incomplete(report),
                "exitCode": report["exit_code"],
                "toolExecutionNotifications": [
                    {"level": level, "message": {"text": _text(text)}}
                    for level, text in _notifications(report, found, len(of_files) - len(shown))
                ],
            }
        ],
        "results": results,
    }
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=1) + "\n"


def _notifications(
    report: Mapping[str, Any], found: Sequence[Issue], left_out: int
) -> Iterator[tuple[str, str]]:
    """Yield what is said of the run as a whole."""
    if why := incomplete(report):
        yield "error", why
    for failure in report["failures"]:
        yield "error", f"{failure['item']} failed: {failure['message']}"
    for one in found:
        if one.family == "run" and one.rule != "run-incomplete":
            yield "error" if one.fails else "warning", one.told
    if left_out:
        yield (
            "warning",
            f"{left_out} more results are left out: code scanning shows {_MOST_RESULTS}, the worst first",
        )


def _rules(report: Mapping[str, Any], shown: Sequence[Issue]) -> list[dict[str, Any]]:
    """Return what is known of the rules that found something, in the order in which they first come."""
    known = {rule["id"]: rule for rule in report["rules"]}
    families = {one.rule: one.family for one in shown}
    return [_rule(id_, known.get(id_) or RUN_RULES.get(id_, {}), family) for id_, family in families.items()]


def _rule(id_: str, known: Mapping[str, Any], family: str) -> dict[str, Any]:
    title = known.get("title") or id_
    # A team's own rule may say no more than its title.
    why, remedy = known.get("why") or title, known.get("remedy", "")
    severity = known.get("severity", "error")
    manual, peers = known.get("manual", ""), known.get("peers", {})
    page = manual_page(manual)
    text = [why, *([f"The safe way: {remedy}"] if remedy else ())]
    own = len(text)
    if manual:
        text.append(f"PostgreSQL's manual: {manual}.")
    if peers:
        text.append("Elsewhere: " + ", ".join(f"{tool} {name}" for tool, name in peers.items()) + ".")
    markdown = [
        *text[:own],
        *(one.replace(manual, f"[{manual}]({page})") if page else one for one in text[own:]),
    ]
    described = {
        "id": id_,
        "name": "".join(word.capitalize() for word in id_.split("-")),
        "shortDescription": {"text": _text(title, _LONGEST_DESCRIPTION)},
        "fullDescription": {"text": _text(why, _LONGEST_DESCRIPTION)},
        "help": {
            "text": _text("\n\n".join(text)),
            "markdown": clipped(seen("\n\n".join(markdown)), _LONGEST_TEXT),
        },
        "defaultConfiguration": {"level": _LEVELS[severity]},
        "properties": {
            "tags": _once(("postgresql", "migration", family)),
            "family": seen(family),
            "peers": dict(peers),
            "precision": "high",
            "problem.severity": "recommendation" if severity == "off" else severity,
        },
    }
    return described | ({"helpUri": page} if page else {})


def _result(issue: Issue, rule_index: int, fingerprint: str) -> dict[str, Any]:
    level = "error" if issue.is_error else "warning"
    result: dict[str, Any] = {
        "ruleId": issue.rule,
        "ruleIndex": rule_index,
        # GitHub does not heed suppressions; as a note, what is allowed at least stands in nobody's way.
        "level": level if issue.waived is None else "note",
        "message": {
            "text": _text("\n".join(_told(issue))),
            "markdown": clipped(seen("\n\n".join(_told_in_markdown(issue))), _LONGEST_TEXT),
        },
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": _uri(issue.repository_path), "uriBaseId": _ROOT},
                    "region": _region(issue),
                },
                **(
                    {"logicalLocations": [{"fullyQualifiedName": name} for name in _once(issue.objects)]}
                    if issue.objects
                    else {}
                ),
            }
        ],
        "partialFingerprints": {"migsafe/v1": fingerprint},
    }
    if issue.places:
        result["properties"] = {"postgres": [seen(place) for place in issue.places]}
    if issue.waived is not None:
        result["suppressions"] = [{"kind": "inSource", "justification": seen(issue.waived)}]
    return result


def _told(issue: Issue) -> Iterator[str]:
    yield issue.told
    yield from issue.evidence
    if issue.done:
        yield issue.done
    if issue.remedy:
        yield f"The safe way: {issue.remedy}"


def _told_in_markdown(issue: Issue) -> Iterator[str]:
    yield issue.told
    if facts := [*issue.evidence, *([issue.done] if issue.done else [])]:
        yield "\n".join(f"- {fact}" for fact in facts)
    words, sql = words_and_sql(issue.remedy)
    if words or sql:
        yield f"The safe way: {words}".rstrip()
    if sql:
        yield f"```sql\n{sql}\n```"


def _once(texts: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(map(seen, texts)))


def _text(text: str, most: int = _LONGEST_TEXT) -> str:
    return _LINK.sub(r"\\[", clipped(seen(text), most))


def _uri(path: str) -> str:
    """Return a path as a relative reference (RFC 3986), of the bytes that the file's name has."""
    try:
        return quote(path.encode("utf-8", "surrogateescape"), safe="/")
    except UnicodeEncodeError:  # no file has such a name
        return quote(seen(path), safe="/")


def _region(issue: Issue) -> dict[str, Any]:
    """Return the statement's place in the file; where an error points into it, the rest of that line."""
    if not issue.line:
        return {"startLine": 1}
    statement = issue.statement
    start = {"startLine": issue.line, "startColumn": max(issue.column, 1)}
    if statement is None or (statement.line, statement.column) != (issue.line, issue.column):
        return start
    return {**start, **_end(statement), "snippet": {"text": clipped(seen(statement.text), _LONGEST_SNIPPET)}}


def _end(statement: Statement) -> dict[str, int]:
    lines = statement.text.split("\n")
    if statement.line + len(lines) - 1 != statement.end_line:
        # It is so long that only its beginning is known.
        return {"endLine": statement.end_line}
    first = statement.column if len(lines) == 1 else 1
    return {"endLine": statement.end_line, "endColumn": first + len(lines[-1].rstrip("\r"))}
