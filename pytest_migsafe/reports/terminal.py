"""The terminal's lines: header, summary, schema changes; each line with the markup that suits it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from pytest_migsafe import catalog
from pytest_migsafe.migrations.model import History

#: A line of output, with the keywords of pytest's ``TerminalWriter.line``.
StyledLine = tuple[str, Mapping[str, bool]]

_PLAIN: Mapping[str, bool] = {}
_STYLES: Mapping[str, Mapping[str, bool]] = {
    "added": {"green": True},
    "removed": {"red": True},
    "changed": {"yellow": True},
    "context": {},
}
#: How many of the slowest files the summary names, and from how many milliseconds on.
_SLOWEST = 3
_SLOW_MS = 100


def header_lines(histories: Sequence[History], server: str, where: str) -> list[str]:
    """Return the header: the server and each history, or where none was found."""
    if not histories:
        return [f"migsafe: no migrations found in {where}"]
    lines = []
    for history in histories:
        count = len(history.migrations)
        plural = "s" if count != 1 else ""
        lines.append(
            f"migsafe: {server}, {count} migration{plural} in {history.relative_root} ({history.layout} layout)"
        )
        lines += [f"migsafe: {text}" for text in _remarks(history)]
    return lines


def _remarks(history: History) -> list[str]:
    """Return the remarks on a history in few lines: those that say the same of several files in one."""
    files: dict[str, list[str]] = {}
    for remark in history.remarks:
        files.setdefault(remark.text, []).append(remark.path)
    return [f"{said}: {_listed(paths)}" if any(paths) else said for said, paths in files.items()]


def _listed(names: Sequence[str], most: int = 5) -> str:
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"


def summary_lines(reviews: Sequence[Mapping[str, Any]]) -> Iterator[StyledLine]:
    """Yield the summary: counts, what blocks, warnings, time and the slowest files."""
    counts = {outcome: sum(1 for review in reviews if review["outcome"] == outcome) for outcome in _OUTCOMES}
    said = ", ".join(f"{count} {outcome}" for outcome, count in counts.items() if count)
    seconds = sum(review.get("duration_ms", 0.0) for review in reviews) / 1000
    noun = "migration" if len(reviews) == 1 else "migrations"
    yield f"{len(reviews)} {noun}: {said} ({seconds:.2f}s rehearsing)", _PLAIN
    yield from _blocked_lines(reviews)
    yield from _warning_lines(reviews)
    slow = sorted(
        (review for review in reviews if review.get("duration_ms", 0) >= _SLOW_MS),
        key=lambda review: -review["duration_ms"],
    )
    if slow:
        named = ", ".join(f"{one['path']} {one['duration_ms'] / 1000:.2f}s" for one in slow[:_SLOWEST])
        yield f"slowest: {named}", _PLAIN


_OUTCOMES = ("passed", "failed", "blocked")


def _blocked_lines(reviews: Iterable[Mapping[str, Any]]) -> Iterator[StyledLine]:
    blocked = [review for review in reviews if review["outcome"] == "blocked"]
    for path in dict.fromkeys(review["blocked_by"] for review in blocked):
        those = [review for review in blocked if review["blocked_by"] == path]
        named = _listed([review["path"] for review in those], most=3)
        yield f"blocked by {path}: {named}", {"yellow": True}
        yield f"  {path}: {those[0]['blocked_because']}", {"yellow": True}


def _warning_lines(reviews: Iterable[Mapping[str, Any]]) -> Iterator[StyledLine]:
    for review in reviews:
        for finding in review["findings"]:
            if finding["severity"] == "warning" and not finding["waived"]:
                place = f"{finding['path']}:{finding['line']}:{finding['column']}"
                yield f"warning {place}: {finding['rule']}: {finding['message']}", {"yellow": True}


def change_lines(reviews: Iterable[Mapping[str, Any]]) -> Iterator[StyledLine]:
    """Yield each migration's schema diff."""
    for review in reviews:
        if review["outcome"] not in ("passed", "failed") or not review["applied"]:
            continue
        yield review["path"], {"bold": True}
        if not review["diff"]:
            yield "  no schema change", _PLAIN
        for line in catalog.render([catalog.Change.from_json(change) for change in review["diff"]]):
            yield f"  {line.text}", _STYLES[line.style]
