"""The terminal's lines: header, summary, schema changes; each line with the markup that suits it."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from pytest_migsafe import catalog
from pytest_migsafe.migrations.discovery import LAYOUT_NAMES
from pytest_migsafe.migrations.model import History
from pytest_migsafe.places import Places
from pytest_migsafe.reports.failure import indented
from pytest_migsafe.texts.wording import enumerated

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


def header_lines(
    histories: Sequence[tuple[History, Places | None]], where: str, stubbed: Sequence[str] = ()
) -> list[str]:
    """Return the header: each history with its servers (None: there is none), or where no history was found.

    ``stubbed`` are the extensions that the histories use and of which there are only stubs.
    """
    if not histories:
        return [f"migsafe: no migrations found in {where}"]
    lines = []
    for history, places in histories:
        count = len(history.migrations)
        plural = "s" if count != 1 else ""
        lines.append(
            f"{_servers(places)}, {count} migration{plural} in {history.relative_root} ({history.layout} layout)"
        )
        lines += [*_circumstances(places), *_remarks(history)]
    if stubbed:
        lines.append(f"only stubs of extensions: {', '.join(stubbed)}")
    return [f"migsafe: {line}" for line in dict.fromkeys(lines)]


def _servers(places: Places | None) -> str:
    return ", ".join(str(place) for place in places.found) if places is not None else "no server found"


def _circumstances(places: Places | None) -> Iterator[str]:
    """Yield what is otherwise on these servers than on an empty one of the user's own."""
    for place in places.found if places is not None else ():
        if place.preludes:
            yield f"before the first migration: prelude {', '.join(place.preludes)}"
        if place.role:
            yield f"migrations run as {place.role}"
        yield from place.limits
    if places is not None and places.missing:
        yield _missing(places.missing)


def _missing(versions: Sequence[str]) -> str:
    listed = ", ".join(versions)
    return f"PostgreSQL {listed} not found on this machine: nothing is rehearsed on it"


def _remarks(history: History) -> list[str]:
    """Return the remarks on a history in few lines: those that say the same of several files in one."""
    files: dict[str, list[str]] = {}
    for remark in history.remarks:
        files.setdefault(remark.text, []).append(remark.path)
    return [f"{said}: {enumerated(paths)}" if any(paths) else said for said, paths in files.items()]


def unfit_line(names: Sequence[str]) -> str:
    """Return what is said of SQL files that look like migrations and fit no layout."""
    return f"not rehearsed, for they fit no layout: {enumerated(names)}"


def tried_layouts(named: str | None, unfit: Sequence[str]) -> str:
    """Return which layouts were tried in vain, the one that is named or all, and the files that fit none."""
    tried = f"layout: {named}, as it is set" if named is not None else f"layouts: {', '.join(LAYOUT_NAMES)}"
    return f"SQL files that fit no layout: {enumerated(unfit)}; {tried}" if unfit else tried


def summary_lines(
    reviews: Sequence[Mapping[str, Any]],
    missing_versions: Sequence[str] = (),
    ends: Sequence[Mapping[str, Any]] = (),
) -> Iterator[StyledLine]:
    """Yield the summary: counts, what was not rehearsed, what blocks, warnings, time and the slowest files.

    ``ends`` are the checks of histories' ends that have findings; they may have been all that was selected.
    """
    if reviews:
        yield _counted(reviews), _PLAIN
    if reviews and missing_versions:
        # Where there is no header (-q, --no-header), nothing else would tell.
        yield _missing(missing_versions), {"yellow": True}
    yield from _error_lines(reviews)
    yield from _blocked_lines(reviews)
    yield from _warning_lines([*reviews, *ends])
    if waived := sum(1 for _ in _waived([*reviews, *ends])):
        yield f"{waived} finding{'s' if waived > 1 else ''} waived in the files, which -v lists", _PLAIN
    yield from _otherwise_lines(reviews)
    slow = sorted(
        (review for review in reviews if review.get("duration_ms", 0) >= _SLOW_MS),
        key=lambda review: -review["duration_ms"],
    )
    if slow:
        named = ", ".join(f"{_named(one)} {one['duration_ms'] / 1000:.2f}s" for one in slow[:_SLOWEST])
        yield f"slowest: {named}", _PLAIN


def _counted(reviews: Sequence[Mapping[str, Any]]) -> str:
    counts = {outcome: sum(1 for review in reviews if review["outcome"] == outcome) for outcome in _OUTCOMES}
    said = ", ".join(f"{count} {outcome}" for outcome, count in counts.items() if count)
    seconds = sum(review.get("duration_ms", 0.0) for review in reviews) / 1000
    noun = "migration" if len(reviews) == 1 else "migrations"
    return f"{len(reviews)} {noun}: {said} ({seconds:.2f}s rehearsing)"


def _named(review: Mapping[str, Any]) -> str:
    """Return a reviewed file's name, with its place where there are several."""
    return f"{review['path']} [{review['place']}]" if review["place"] else str(review["path"])


_OUTCOMES = ("passed", "failed", "blocked")


def _blocked_lines(reviews: Iterable[Mapping[str, Any]]) -> Iterator[StyledLine]:
    blocked = [review for review in reviews if review["outcome"] == "blocked"]
    for path, place in dict.fromkeys((review["blocked_by"], review["place"]) for review in blocked):
        those = [one for one in blocked if (one["blocked_by"], one["place"]) == (path, place)]
        named = enumerated([_named(review) for review in those], most=3)
        yield f"blocked by {path}: {named}", {"yellow": True}
        yield f"  {path}: {those[0]['blocked_because']}", {"yellow": True}


#: How many warnings of a rule the summary lists one by one. A long history has hundreds of one kind, with one way out.
_WARNINGS_OF_A_RULE = 3


def _warning_lines(reviews: Iterable[Mapping[str, Any]]) -> Iterator[StyledLine]:
    """Yield a line for each warning; of many of one rule the first, how many more there are, and the way out."""
    by_rule: dict[str, list[Mapping[str, Any]]] = {}
    for finding in _warnings(reviews):
        by_rule.setdefault(finding["rule"], []).append(finding)
    for rule, findings in by_rule.items():
        is_short = len(findings) <= _WARNINGS_OF_A_RULE
        for finding in findings if is_short else findings[:1]:
            yield f"warning {_place(finding)}: {rule}: {finding['message']}", {"yellow": True}
        if not is_short:
            files = len({finding["path"] for finding in findings})
            counted = f"in {files} files" if files > 1 else "in this file"
            yield f"warning {rule}: {len(findings)} {counted}, which -v lists", {"yellow": True}
            beginnings = {finding["remedy"].partition("\n")[0] for finding in findings}
            if len(beginnings) == 1 and (way_out := beginnings.pop()):
                yield f"  = help: {way_out}", _PLAIN


#: From so many failed files on, it is said which rules they failed by.
_MANY_FAILED = 4


def _error_lines(reviews: Sequence[Mapping[str, Any]]) -> Iterator[StyledLine]:
    """Yield which rules found how many errors, the most first, where more failed than anybody reads one by one."""
    failed = [review for review in reviews if review["outcome"] == "failed"]
    if len(failed) < _MANY_FAILED:
        return
    counts = Counter(
        finding["rule"]
        for review in failed
        for finding in review["findings"]
        if finding["severity"] == "error" and not finding["waived"]
    )
    listed = ", ".join(f"{rule} {number}" for rule, number in counts.most_common())
    yield f"errors by rule: {listed}", {"red": True}


def _waived(reviews: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    for review in reviews:
        yield from (one for one in review["findings"] if one["waived"] and not _is_elsewhere(one))


def waived_lines(reviews: Iterable[Mapping[str, Any]]) -> Iterator[StyledLine]:
    """Yield all findings that the files themselves allow, each with the reason."""
    for finding in _waived(reviews):
        yield f"{_place(finding)}: {finding['rule']}: {finding['message']}", _PLAIN
        yield f"  = because {finding['waived_because']}", _PLAIN


def _is_elsewhere(finding: Mapping[str, Any]) -> bool:
    """Whether it is a finding of the end state that has been told of a file."""
    return "since" in finding["details"]


def _warnings(reviews: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    for review in reviews:
        for finding in review["findings"]:
            if finding["severity"] == "warning" and not finding["waived"] and not _is_elsewhere(finding):
                yield finding


def warning_lines(reviews: Iterable[Mapping[str, Any]]) -> Iterator[StyledLine]:
    """Yield all warnings with their proof and the safe way."""
    for finding in _warnings(reviews):
        yield f"{_place(finding)}: {finding['rule']}: {finding['message']}", {"yellow": True}
        facts = [line for fact in finding["evidence"] for line in indented("  = ", fact)]
        help_ = indented("  = help: ", finding["remedy"]) if finding["remedy"] else ()
        for line in (*facts, *help_):
            yield line, _PLAIN


def _place(finding: Mapping[str, Any]) -> str:
    """Return where a finding is: in a line, or in the file as such."""
    return f"{finding['path']}:{finding['line']}:{finding['column']}" if finding["line"] else finding["path"]


def _otherwise_lines(reviews: Sequence[Mapping[str, Any]]) -> Iterator[StyledLine]:
    stubbed = sorted({name for review in reviews for name in review.get("stubbed", ())})
    if stubbed:
        listed = ", ".join(stubbed)
        yield f"only stubs of extensions, not the extensions themselves: {listed}", {"yellow": True}
    missing = [set(review["missing_roles"]) for review in reviews if review["applied"]]
    if missing and (never_there := sorted(set.intersection(*missing))):
        listed = ", ".join(never_there)
        yield (
            f"exposed_roles that do not exist, so that nothing is judged by them: {listed}",
            {"yellow": True},
        )
    for review in reviews:
        for one in review.get("left_out", ()):
            if said := _LEFT_OUT.get(one["reason"]):
                yield f"{said}: {review['path']}:{one['line']}: {one['text']}", {"yellow": True}


#: What is left out for another server's sake is a finding, and listed as such.
_LEFT_OUT = {
    "stub": "left out, for its extension is a stub",
    "icu": "made without ICU, which the throwaway server lacks, so it compares bytes",
    "tablespace": "made inside the throwaway server's data directory instead",
}


def change_lines(reviews: Iterable[Mapping[str, Any]]) -> Iterator[StyledLine]:
    """Yield each migration's schema diff."""
    for review in reviews:
        if review["outcome"] not in ("passed", "failed") or not review["applied"]:
            continue
        yield _named(review), {"bold": True}
        if not review["diff"] and not review["cluster_changes"]:
            yield "  no schema change", _PLAIN
        for text, markup in schema_lines(review):
            yield f"  {text}", markup
        yield from _smoke_lines(review["smoke_tests"])


def schema_lines(entry: Mapping[str, Any]) -> Iterator[StyledLine]:
    """Yield how a file, or the end of a history, changes the schema and the whole cluster."""
    for line in catalog.render([catalog.Change.from_json(change) for change in entry["diff"]]):
        yield line.text, _STYLES[line.style]
    for change in entry.get("cluster_changes", ()):
        yield _cluster_line(change)


def _smoke_lines(sections: Iterable[Mapping[str, Any]]) -> Iterator[StyledLine]:
    """Yield what the smoke tests come to: the sections that passed in one line, each other in one of its own."""
    passed = [f"{one['name']} {one['checked']}" for one in sections if one["verdict"] == "passed"]
    if passed:
        yield f"  smoke tests passed: {', '.join(passed)}", {"green": True}
    for one in sections:
        counts = [
            f"{one[kind]} {kind if one[kind] > 1 else kind[:-1]}"
            for kind in ("errors", "warnings")
            if one[kind]
        ]
        if counts:
            failed = one["verdict"] == "failed"
            text = f"  smoke tests {one['verdict']}: {one['name']} {one['checked']} ({', '.join(counts)})"
            yield text, {"red": True} if failed else {"yellow": True}
        if one["not_valid"]:
            yield f"  not valid as yet, so only new rows are checked: {enumerated(one['not_valid'])}", _PLAIN


def _cluster_line(change: Mapping[str, Any]) -> StyledLine:
    """Return what a file changed of the whole cluster, in the form of the schema's changes."""
    named = f"{change['kind']} {change['name']}"
    if change["before"] is None:
        return f"+ {named} ({change['after']})".replace(" ()", ""), _STYLES["added"]
    if change["after"] is None:
        return f"- {named}", _STYLES["removed"]
    return f"~ {named}: {change['before']} -> {change['after']}", _STYLES["changed"]
