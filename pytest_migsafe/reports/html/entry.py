"""A migration: its verdict in a line, and below it the findings, the picture of its locks, and what it changed."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self
from urllib.parse import quote

from pytest_migsafe.reports.html.finding import finding_card
from pytest_migsafe.reports.html.locks import locks_figure, scene_of
from pytest_migsafe.reports.html.markup import Markup, element, joined
from pytest_migsafe.reports.html.matrix import matrix_table, smoke_table, table
from pytest_migsafe.reports.html.picture import mode_words, shown_statements, work_words
from pytest_migsafe.reports.html.schema import diff_block
from pytest_migsafe.reports.html.sql import cut, sql_block, whole_statement
from pytest_migsafe.reports.html.words import ICONS
from pytest_migsafe.texts.wording import counted, enumerated

#: How many lines of a statement are shown when there is no more room, and how long a line counts at most.
_FEW_LINES = 2
_LONG = 200


@dataclass(frozen=True, slots=True)
class Room:
    """How much is shown of a migration."""

    #: Lines of changes of the schema, and of a statement.
    diff_lines: int
    statement_lines: int
    #: Characters of all statements together.
    characters: int

    @classmethod
    def shared(cls, number: int, *, is_failed: bool) -> Self:
        """Return the room of each of so many migrations: a page of hundreds is to be opened, too."""
        if is_failed:
            lines = 40 if number <= _MANY_FAILED else 12
            return cls(300, lines, min(20_000, max(2_000, 400_000 // max(number, 1))))
        return cls(60, 16 if number <= _MANY else 4, min(3_000, max(400, 200_000 // max(number, 1))))


#: From so many files on, less is shown of one: of those that failed, and of the others.
_MANY_FAILED, _MANY = 20, 100


@dataclass(frozen=True)
class Entry:
    """A migration as the report has it, and where it stands in the page."""

    review: Mapping[str, Any]
    anchor: str
    room: Room

    @property
    def link(self) -> str:
        """The link to it."""
        return f"#{quote(self.anchor)}"

    @property
    def title(self) -> str:
        """Its file, with the place where there are several."""
        place = self.review["place"]
        return f"{self.review['path']} [{place}]" if place else str(self.review["path"])

    @property
    def kind(self) -> str:
        """How it ended: failed, blocked, warned, passed or skipped."""
        if is_failed(self.review):
            return "failed"
        if self.review["outcome"] == "passed" and self.warnings:
            return "warned"
        return str(self.review["outcome"])

    @cached_property
    def findings(self) -> list[Mapping[str, Any]]:
        """Its findings: what fails it first, what is waived last."""
        return sorted(self.review["findings"], key=_weight)

    @cached_property
    def errors(self) -> list[Mapping[str, Any]]:
        """Those that fail it."""
        return [one for one in self.findings if one["severity"] == "error" and not one["waived"]]

    @cached_property
    def warnings(self) -> list[Mapping[str, Any]]:
        """Those that do not."""
        return [one for one in self.review["findings"] if one["severity"] == "warning" and not one["waived"]]

    @property
    def downtime(self) -> str:
        """How long others wait for it: none, short, window; empty when it was not applied."""
        told = self.review.get("downtime")
        return str(told["verdict"]) if told else ""

    @property
    def reason(self) -> str:
        """Why it failed, in a line."""
        if not self.errors:
            return str(self.review["problem"] or "It failed.")
        more = f" (and {len(self.errors) - 1} more)" if len(self.errors) > 1 else ""
        return f"{self.errors[0]['message']}{more}"


def is_failed(review: Mapping[str, Any]) -> bool:
    """Whether a migration's item failed, also before anything could be said of the file."""
    return review["outcome"] == "failed" or review["problem"] is not None


def _weight(finding: Mapping[str, Any]) -> tuple[bool, bool, bool]:
    fails = finding["severity"] == "error" and not finding["waived"]
    return not fails, finding["waived"], finding["rule"] != "apply-error"


def entry_section(entry: Entry, *, is_open: bool, blocker: str) -> Markup:
    """Return a migration's part of the page; ``blocker`` is the link to the one that stands in its way."""
    return element(
        "section",
        element(
            "details",
            element("summary", _heading(entry)),
            # A link to what stands inside opens it, also without a script.
            element("div", list(_body(entry, blocker)), class_="body", id=entry.anchor),
            open=is_open,
        ),
        class_=f"entry {entry.kind}",
        data_kind=entry.kind,
    )


_WORDS = {"failed": "Failed", "blocked": "Blocked", "warned": "Warnings", "passed": "Passed"}


def _heading(entry: Entry) -> Markup:
    waived = sum(1 for one in entry.findings if one["waived"])
    origin = (entry.review.get("origin") or {}).get("change")
    said = [
        origin if origin not in (None, "unchanged") else "",
        counted(len(entry.errors), "error") if entry.errors else "",
        counted(len(entry.warnings), "warning") if entry.warnings else "",
        f"{waived} waived" if waived else "",
        _DOWNTIME.get(entry.downtime, ""),
    ]
    return joined(
        element(
            "h3",
            element("span", ICONS[entry.kind], class_="icon", aria_hidden="true"),
            element("span", _WORDS[entry.kind], class_="word"),
            " ",
            element("code", entry.title),
        ),
        element("span", " · ".join(filter(None, said)), class_="said"),
    )


_DOWNTIME = {"window": "others wait for a window of time", "short": "others wait for an instant"}


def _body(entry: Entry, blocker: str) -> Iterator[Markup]:
    review = entry.review
    if entry.kind == "blocked":
        by = element("code", review["blocked_by"])
        yield element(
            "p",
            "Nothing can be said of this file, for it stands behind ",
            element("a", by, href=blocker) if blocker else by,
            f", which cannot be applied: {review['blocked_because']}",
        )
        return
    if review["problem"] is not None:
        yield element("p", element("b", "Not judged: "), review["problem"], class_="problem")
    # Where others wait for work, the picture is the reason.
    for part in (_locks, _findings) if entry.downtime == "window" else (_findings, _locks):
        yield from part(entry)
    yield from _schema(entry)
    yield from _statements(entry)
    yield from _besides(review)


def _findings(entry: Entry) -> Iterator[Markup]:
    if entry.findings:
        yield element("h4", "Findings")
        for at, finding in enumerate(entry.findings, start=1):
            yield finding_card(finding, entry.review["statements"], f"{entry.anchor}:f{at}")


def _locks(entry: Entry) -> Iterator[Markup]:
    timeline = entry.review.get("timeline")
    if not timeline:
        return
    yield element("h4", "Locks")
    if verdict := entry.downtime:
        proof = entry.review["downtime"]["proof"]
        yield element(
            "div",
            element("p", element("b", _WAITING[entry.downtime]), class_=f"downtime {verdict}"),
            element("ul", [element("li", line) for line in proof[:8]], class_="evidence")
            if verdict != "none"
            else None,
            element("p", f"… {len(proof) - 8} more.", class_="quiet") if len(proof) > 8 else None,
        )
    # Locks that nobody waits for are worth a picture where work is done under them.
    if timeline["work"] or any(bar["waiting"] for bar in timeline["bars"]):
        yield locks_figure(entry.review, entry.anchor)
    elif timeline["created"] and not timeline["bars"]:
        yield element(
            "p",
            f"It locks nothing that was there before: {counted(timeline['created'], 'relation')} that it makes itself, "
            "which nobody else sees yet.",
            class_="quiet",
        )


_WAITING = {
    "none": "Nobody waits for it.",
    "short": "Others wait for an instant, once it has its locks.",
    "window": "Others wait while it works on whole tables: the more rows, the longer.",
}


def _schema(entry: Entry) -> Iterator[Markup]:
    review = entry.review
    if not review["applied"]:
        return
    yield element("h4", "Schema")
    if review["diff"]:
        yield diff_block(review["diff"], entry.room.diff_lines)
    else:
        yield element("p", "No schema change.", class_="quiet")


# -- statements ------------------------------------------------------------------------------------------------


def _statements(entry: Entry) -> Iterator[Markup]:
    statements = entry.review["statements"]
    if not statements:
        return
    shown = _chosen(entry)
    yield element("h4", "Statements")
    yield element(
        "details",
        element("summary", f"{counted(len(statements), 'statement')} as the server ran them"),
        element(
            "ol",
            [_statement(entry, number, lines) for number, lines in shown.items()],
            class_="statements",
        ),
        element(
            "p",
            f"… {len(statements) - len(shown)} more; all are in the JSON report.",
            class_="quiet",
        )
        if len(shown) < len(statements)
        else None,
        class_="more",
    )


def _chosen(entry: Entry) -> dict[int, int]:
    """Return how many lines of which statements are shown: of those of the picture, and of the others while there is room."""
    statements = entry.review["statements"]
    most, room = entry.room.statement_lines, entry.room.characters
    chosen: dict[int, int] = {}
    pictured = shown_statements(scene_of(entry.review))
    for number in (*sorted(pictured), *(at for at in range(1, len(statements) + 1) if at not in pictured)):
        if room < 0 and number not in pictured:
            break
        chosen[number] = most if room > 0 else _FEW_LINES
        shown = statements[number - 1]["text"].split("\n", most)[:most]
        room -= sum(min(len(line), _LONG) for line in shown) + _LONG // 2
    return dict(sorted(chosen.items()))


def _statement(entry: Entry, number: int, lines: int) -> Markup:
    review = entry.review
    one = review["statements"][number - 1]
    where = f"in transaction {one['transaction']}" if one["transaction"] else "outside a transaction block"
    facts = [element("li", fact) for fact in _facts(review, one, number)]
    meta = [f"line {one['line']}", one["tag"] or "failed", where, f"{one['duration_ms']:.1f} ms here"]
    return element(
        "li",
        element("p", " · ".join(meta), class_="quiet"),
        sql_block(cut(whole_statement(one), lines), label=f"SQL of statement {number}"),
        element("ul", facts, class_="evidence") if facts else None,
        value=number,
        id=f"{entry.anchor}:s{number}",
    )


def _facts(review: Mapping[str, Any], one: Mapping[str, Any], number: int) -> Iterator[str]:
    """Yield what a statement did, as far as anybody waits for it or has to know."""
    timeline = review["timeline"]
    locks = [
        f"{mode_words(bar['mode'])} on {bar['relation']}"
        for bar in timeline["bars"]
        if bar["first"] == number
    ]
    if locks:
        yield f"takes {enumerated(locks, 6)}"
    if work := work_words([done for done in timeline["work"] if done["statement"] == number]):
        yield f"works: {enumerated(work, 6)}"
    if one["writes"]:
        yield "writes " + enumerated([_written(write) for write in one["writes"]], 6)
    for notice in one["notices"][:4]:
        yield f"{notice['severity']}: {notice['message']}"
    for kept in one["kept"]:
        if kept["existing"] != kept["wanted"] and not kept["not_compared"]:
            yield f"{kept['kind']} {kept['name']} was there already, and is otherwise than this statement wants"
    if error := one["error"]:
        code = f" ({error['sqlstate']})" if error["sqlstate"] else ""
        yield f"error: {error['message']}{code}"


def _written(write: Mapping[str, Any]) -> str:
    rows = [f"{write[name]} {name}" for name in ("inserted", "updated", "deleted") if write[name]]
    return f"{write['relation']} ({', '.join(rows) or 'no rows'})"


# -- what else was seen ----------------------------------------------------------------------------------------


def _besides(review: Mapping[str, Any]) -> Iterator[Markup]:
    if sections := review["smoke_tests"]:
        yield element("h4", "Smoke tests")
        yield smoke_table(sections)
    if rows := review.get("row_security"):
        yield element("h4", "Row-level security")
        yield matrix_table(rows)
    if changes := review.get("cluster_changes"):
        yield element("h4", "Changes of the whole server")
        yield table(
            "Changes of the whole server",
            ("What", "Name", "Before", "After"),
            [[one["kind"], one["name"], one["before"] or "-", one["after"] or "-"] for one in changes],
        )
    if leaks := review.get("leaks"):
        yield element("h4", "Left in the session")
        yield element("ul", [element("li", _leak(one)) for one in leaks])
    yield from _otherwise(review)
    if (kept := review.get("artifacts")) and kept.get("folder"):
        yield element("h4", "Kept files")
        told = kept.get("rollback") or {}
        rollback = f"; rollback: {told['verdict']}" if told.get("verdict") else ""
        yield element("p", "Schemas, rollback guide and impact: ", element("code", kept["folder"]), rollback)
    for one in review.get("sections", ()):
        yield element("h4", one["title"])
        yield element("pre", one["text"], class_="told", role="group", aria_label=one["title"])


def _leak(leak: Mapping[str, Any]) -> str:
    return f"{leak['kind']} {leak['name']}" + (f" = {leak['value']}" if leak["value"] else "")


def _otherwise(review: Mapping[str, Any]) -> Iterator[Markup]:
    """Yield how it was run, where that is not as usual."""
    said = []
    if review.get("lane") == "real":
        said.append(f"Applied for real, without a trial in a savepoint: {review['lane_reason']}")
    said += [
        f"Line {one['line']} was not run as it stands ({_LEFT_OUT.get(one['reason'], one['reason'])}): {one['text']}"
        for one in review.get("left_out", ())
    ]
    if review.get("stubbed"):
        said.append(f"Only stubs of the extensions {enumerated(review['stubbed'], 12)}")
    if review.get("missing_roles"):
        said.append(f"Exposed roles that do not exist: {enumerated(review['missing_roles'], 12)}")
    if said:
        yield element("h4", "How it was rehearsed")
        yield element("ul", [element("li", one) for one in said])


_LEFT_OUT = {
    "cluster": "it changes a server that is not ours",
    "stub": "its extension is a stub",
    "tablespace": "the tablespace was made inside the data directory",
    "icu": "the server lacks ICU",
}
