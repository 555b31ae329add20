"""A comment for a pull request: the verdict first, then what is wrong, the proof and the way out, as far as there is room.

GitHub refuses comments of more than 65,536 characters (GitLab: 1,000,000). GitHub Flavored Markdown is what both read.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from pytest_migsafe.reports.bounded import Part, fitted
from pytest_migsafe.reports.excerpt import marked, statement_lines
from pytest_migsafe.reports.issues import Issue, issues, strongest_lock
from pytest_migsafe.reports.terminal import schema_lines
from pytest_migsafe.reports.verdict import Verdict, outcomes, reasons, verdict
from pytest_migsafe.texts import clipped, seen, words_and_sql
from pytest_migsafe.texts.markdown import block, code, is_closed, listed, plain, table
from pytest_migsafe.texts.wording import counted

#: Who writes the comment anew finds it by this line.
MARK = "<!-- pytest-migsafe -->"
#: A little less than GitHub takes, for what a workflow puts around it.
MOST = 65_000
#: For a step's summary: GitHub takes 1 MiB, and a character may have four bytes.
MOST_IN_SUMMARY = 250_000

_LONGEST_MESSAGE = 1_000
_LONGEST_FACT = 400
_MOST_FACTS = 10
#: SQL that is longer is not shown: half a statement is worse than none.
_LONGEST_SQL = 12_000
#: SQL that has more lines is folded away.
_MOST_SQL_LINES = 15
_MOST_CHANGES = 200

_MARKS = {"safe": "✅", "unsafe": "❌", "unknown": "❌", "nothing": "⚪"}
# What is left out first has the greatest number.
_FAILED, _ERRORS, _FOOT, _EXCERPTS, _WAYS_OUT, _PROOFS, _OTHER_FAILURES = range(1, 8)
_WARNINGS, _PASSED, _SECTIONS, _WARNED_MORE, _CHANGES, _WAIVED = range(8, 14)


def as_markdown(report: Mapping[str, Any], most: int = MOST) -> str:
    """Return the comment, in no more than so many characters."""
    found = issues(report)
    return fitted(list(_parts(report, found)), most, _left_out)


def _left_out(counted: str) -> str:
    return f"\n_Left out, for there is no room: {counted}. The other reports have everything._\n"


def _parts(report: Mapping[str, Any], found: Sequence[Issue]) -> Iterator[Part]:
    yield _head(verdict(report, found))
    yield from _table(report)
    errors = [one for one in found if one.fails]
    warnings = [one for one in found if one.waived is None and not one.fails]
    waived = [one for one in found if one.waived is not None]
    for one in errors:
        yield _error(one)
    yield from _folded("Differences from the schema that is declared", _EXCERPTS, _differences(report))
    yield from _other_failures(report["failures"])
    yield from _folded(counted(len(warnings), "warning"), _WARNINGS, map(_warning, warnings))
    yield from map(_section, report.get("sections", ()))
    yield from _folded("Schema changes", _CHANGES, _changes(report))
    yield from _folded(
        counted(len(waived), "finding") + " waived in the files", _WAIVED, map(_waived, waived)
    )
    yield Part(f"\n{_foot(report)}\n", _FOOT)


def _head(told: Verdict) -> Part:
    return Part(f"{MARK}\n## {_MARKS[told.word]} {plain(clipped(told.sentence, _LONGEST_MESSAGE))}\n", 0)


# -- the table -----------------------------------------------------------------------------------------------


def _table(report: Mapping[str, Any]) -> Iterator[Part]:
    """Yield the table of the migrations that were asked for, one row a file, the worst of its servers."""
    entries: dict[str, list[Mapping[str, Any]]] = {}
    for entry in report["migrations"]:
        entries.setdefault(entry["path"], []).append(entry)
    rows = [
        _row(path, outcome, entries[path])
        for path, outcome in outcomes(report).items()
        if outcome != "skipped"
    ]
    if rows:
        heading = "\n".join(table(("Migration", "Verdict", "Strongest lock", "Others wait"), ()))
        yield Part(f"\n{heading}\n", _FAILED, tuple(rows), end="")


def _row(path: str, outcome: str, entries: Sequence[Mapping[str, Any]]) -> Part:
    waits = [entry["downtime"]["verdict"] for entry in entries if entry.get("downtime")]
    cells = (
        code(clipped(path, _LONGEST_FACT)),
        _VERDICTS[outcome] + _counted(entries),
        _lock(entries),
        next((word for verdict, word in _WAITS.items() if verdict in waits), ""),
    )
    *_, row = table((), [cells])
    return Part(f"{row}\n", _PASSED if outcome == "passed" else _FAILED, noun="row")


_VERDICTS = {"failed": "❌ fails", "blocked": "⛔ blocked", "passed": "✅ passes"}
#: The worst first.
_WAITS = {"window": "**for long**", "short": "an instant", "none": "no"}


def _counted(entries: Iterable[Mapping[str, Any]]) -> str:
    """Return how many errors and warnings there are, at most in one place."""
    counts = [
        sum(one["severity"] == severity and not one["waived"] for one in entry["findings"])
        for entry in entries
        for severity in ("error", "warning")
    ]
    errors, warnings = max(counts[::2]), max(counts[1::2])
    said = [counted(number, noun) for number, noun in ((errors, "error"), (warnings, "warning")) if number]
    return f": {', '.join(said)}" if said else ""


def _lock(entries: Iterable[Mapping[str, Any]]) -> str:
    for entry in entries:
        mode, relation = strongest_lock(entry)
        if mode:
            return f"{mode.removesuffix('Lock')} on {code(clipped(relation, _LONGEST_FACT))}"
    return ""


# -- what is wrong -------------------------------------------------------------------------------------------


def _error(issue: Issue) -> Part:
    parts = [*_excerpt(issue, _EXCERPTS), *_way_out(issue, _WAYS_OUT), *_proof(issue, _PROOFS)]
    # In the order in which they are read.
    parts = [part for kind in (_EXCERPTS, _PROOFS, _WAYS_OUT) for part in parts if part.importance == kind]
    return Part(f"\n### {_title(issue)}\n\n{_message(issue)}\n", _ERRORS, tuple(parts), noun="error")


def _warning(issue: Issue) -> Part:
    parts = (*_excerpt(issue, _WARNED_MORE), *_way_out(issue, _WARNED_MORE))
    return Part(f"\n**{_title(issue)}**: {_message(issue)}\n", _WARNINGS, parts, noun="warning")


def _waived(issue: Issue) -> Part:
    text = f"\n**{_title(issue)}**: {_message(issue)}\n\nAllowed because: {plain(issue.waived or '')}\n"
    return Part(text, _WAIVED, noun="waived finding")


def _title(issue: Issue) -> str:
    place = f"{issue.path}:{issue.line}" if issue.line else issue.path
    return f"{code(issue.rule)} in {code(clipped(place, _LONGEST_FACT))}"


def _message(issue: Issue) -> str:
    return plain(clipped(issue.told, _LONGEST_MESSAGE))


def _excerpt(issue: Issue, importance: int) -> Iterator[Part]:
    if issue.statement is None:
        return
    one = issue.statement
    lines = statement_lines(one.line, one.column, seen(one.text))
    if issue.line in lines:
        yield Part(_block(marked(lines, issue.line, max(issue.column, 1))), importance, noun="excerpt")


def _proof(issue: Issue, importance: int) -> Iterator[Part]:
    facts = [*issue.evidence, *([issue.done] if issue.done else [])]
    shown = [plain(clipped(fact, _LONGEST_FACT)) for fact in facts[:_MOST_FACTS]]
    if len(facts) > len(shown):
        shown.append(f"and {len(facts) - len(shown)} more")
    if shown:
        yield Part("\n" + "\n".join(listed(shown)) + "\n", importance, noun="proof")


def _way_out(issue: Issue, importance: int) -> Iterator[Part]:
    words, sql = words_and_sql(issue.remedy)
    if words or sql:
        said = f"\nThe safe way: {plain(clipped(words, _LONGEST_SQL))}".rstrip() + "\n"
        yield Part(said + _pasteable(sql), importance, noun="safe way")


def _pasteable(sql: str) -> str:
    """Return SQL in a block, folded away where it is long; nothing where it is too long."""
    if not sql or len(sql) > _LONGEST_SQL:
        return ""
    lines = sql.split("\n")
    shown = _block(lines, "sql")
    if len(lines) <= _MOST_SQL_LINES:
        return shown
    return f"\n<details>\n<summary>its SQL, {len(lines)} lines</summary>\n{shown}\n</details>\n"


def _other_failures(failures: Sequence[Mapping[str, Any]]) -> Iterator[Part]:
    if failures:
        parts = tuple(
            Part(
                f"- {code(clipped(one['item'], _LONGEST_FACT))}: {plain(clipped(one['message'], _LONGEST_FACT))}\n",
                _OTHER_FAILURES,
                noun="failed test",
            )
            for one in failures
        )
        yield Part("\n### What else failed in the run\n\n", _OTHER_FAILURES, parts, end="")


# -- what is folded away -------------------------------------------------------------------------------------


def _folded(summary: str, importance: int, parts: Iterable[Part]) -> Iterator[Part]:
    inner = tuple(parts)
    if inner:
        yield Part(f"\n<details>\n<summary>{summary}</summary>\n", importance, inner, end="\n</details>\n")


def _changes(report: Mapping[str, Any]) -> Iterator[Part]:
    shown: set[tuple[str, ...]] = set()
    for entry in report["migrations"]:
        lines = _schema_lines(entry)
        # What comes of a file is mostly the same on all servers.
        if lines and (entry["path"], *lines) not in shown:
            shown.add((entry["path"], *lines))
            yield _change(code(clipped(entry["path"], _LONGEST_FACT)), entry, lines, _CHANGES)


def _differences(report: Mapping[str, Any]) -> Iterator[Part]:
    """Yield in what the schemas at the ends of histories are not those that are declared."""
    for end in (end for history in report["histories"] for end in history["ends"]):
        if lines := _schema_lines(end):
            yield _change(code(end["file"] or end["check"]), end, lines, _EXCERPTS)


def _schema_lines(entry: Mapping[str, Any]) -> list[str]:
    return [_colourable(seen(line)) for text, _ in schema_lines(entry) for line in text.split("\n")]


#: A line of a change: how far it is indented, how it was changed, and what.
_CHANGED = re.compile(r"( *)([-+~]) (.*)", re.DOTALL)


def _colourable(line: str) -> str:
    """Return a line that begins with its sign, as a diff's do; what was changed has that of a context diff."""
    if (found := _CHANGED.fullmatch(line)) is None:
        return line
    sign = "!" if found[2] == "~" else found[2]
    return f"{sign} {found[1]}{found[3]}"


def _change(title: str, entry: Mapping[str, Any], lines: Sequence[str], importance: int) -> Part:
    place = f" on {plain(entry['place'])}" if entry["place"] else ""
    more = [f"... {len(lines) - _MOST_CHANGES} lines more"] if len(lines) > _MOST_CHANGES else []
    text = _block([*(clipped(line, _LONGEST_FACT) for line in lines[:_MOST_CHANGES]), *more], "diff")
    return Part(f"\n{title}{place}\n{text}", importance, noun="schema change")


def _section(section: Mapping[str, Any]) -> Part:
    """Return a section that a team adds: its Markdown; as plain text if the rest of the comment would become part of it."""
    title = plain(clipped(section["title"], _LONGEST_FACT)) or "More"
    text = seen(section["text"]).strip("\n")
    shown = f"\n{text}\n" if is_closed(text) else _block(text.split("\n"))
    return Part(f"\n### {title}\n{shown}", _SECTIONS, noun="section")


def _foot(report: Mapping[str, Any]) -> str:
    said = [f"PostgreSQL {version}" for version in dict.fromkeys(one["version"] for one in report["servers"])]
    missing = {one for history in report["histories"] for one in history["missing_versions"]}
    said += [f"PostgreSQL {version} was not found" for version in sorted(missing)]
    skipped = sum(outcome == "skipped" for outcome in outcomes(report).values())
    if skipped:
        said.append(f"{counted(skipped, 'migration')} not judged")
    said += [f"judged is what is {why}" for why in reasons(report)]
    if report["folder"]:
        said.append(f"project in {report['folder']}")
    return f"<sub>{'; '.join(plain(one) for one in ['pytest-migsafe', *said])}</sub>"


def _block(lines: Iterable[str], language: str = "") -> str:
    return "\n" + "\n".join(block("\n".join(lines), language)) + "\n"
