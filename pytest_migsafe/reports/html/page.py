"""The page for people: the verdict first, then what failed and why, then everything else that was seen."""

import base64
import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from typing import Any

from pytest_migsafe.reports.html.entry import Entry, Room, entry_section, is_failed
from pytest_migsafe.reports.html.finding import finding_card, rule_anchor
from pytest_migsafe.reports.html.markup import Markup, element, joined, visible, void
from pytest_migsafe.reports.html.matrix import matrix_table, smoke_table
from pytest_migsafe.reports.html.picture import SHARED
from pytest_migsafe.reports.html.schema import diff_block
from pytest_migsafe.reports.html.words import ICONS
from pytest_migsafe.reports.issues import RUN_RULES, Issue, issues
from pytest_migsafe.reports.verdict import Verdict, verdict
from pytest_migsafe.texts.wording import counted, enumerated

#: How many failures the overview names, and how many entries are open when the page is.
_MOST_NAMED = 40
_MOST_OPEN = 12
#: From so many failed files on, it is said which rules they failed by; so many folders and remarks are listed.
_MANY = 4


_STYLES = ("colours.css", "page.css", "picture.css")


def as_html(report: Mapping[str, Any]) -> str:
    """Return the JSON report as one page that needs nothing else: no other file, no network."""
    style, script = "".join(map(_file, _STYLES)), _file("page.js")
    run = _Run(report, list(_entries(report)))
    head = element(
        "head",
        void("meta", charset="utf-8"),
        void("meta", http_equiv="Content-Security-Policy", content=_policy(style, script)),
        void("meta", name="viewport", content="width=device-width, initial-scale=1"),
        void("meta", name="color-scheme", content="light dark"),
        void("meta", name="referrer", content="no-referrer"),
        element("title", f"{run.verdict.sentence} · pytest-migsafe"),
        element("style", Markup(style)),
    )
    body = element(
        "body",
        element("a", "Skip to the migrations", href="#migrations", class_="skip"),
        SHARED,
        element("header", _verdict_block(run), class_="top"),
        element("main", list(_main(run))),
        element("footer", list(_reading())),
        element("script", Markup(script)),
    )
    return f"<!doctype html>\n{element('html', head, body, lang='en')}\n"


def _file(name: str) -> str:
    return files("pytest_migsafe.reports.html").joinpath(name).read_text(encoding="utf-8")


def _policy(style: str, script: str) -> str:
    """Return what the browser is told to allow: our own style and script, and nothing from anywhere."""
    return (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


@dataclass(frozen=True)
class _Run:
    """A report, and the migrations of it that were asked for."""

    report: Mapping[str, Any]
    entries: Sequence[Entry]

    @property
    def judged(self) -> list[Entry]:
        return [one for one in self.entries if one.kind != "skipped"]

    @property
    def ends(self) -> list[Mapping[str, Any]]:
        """What was checked at the ends of the histories."""
        return [end for one in self.report["histories"] for end in one["ends"] if end["outcome"] != "skipped"]

    def of(self, kind: str) -> list[Entry]:
        return [one for one in self.entries if one.kind == kind]

    @cached_property
    def issues(self) -> list[Issue]:
        return issues(self.report)

    @cached_property
    def verdict(self) -> Verdict:
        return verdict(self.report, self.issues)


def _entries(report: Mapping[str, Any]) -> Iterator[Entry]:
    """Yield the migrations, each with an anchor of its own."""
    failed = sum(is_failed(one) for one in report["migrations"])
    others = sum(one["outcome"] == "passed" for one in report["migrations"])
    large, small = Room.shared(failed, is_failed=True), Room.shared(others, is_failed=False)
    taken: Counter[str] = Counter()
    for review in report["migrations"]:
        name = "".join("-" if char.isspace() else char for char in visible(review["path"])) or "-"
        name += f"@{review['place']}" if review["place"] else ""
        taken[name] += 1
        anchor = name if taken[name] == 1 else f"{name}~{taken[name]}"
        yield Entry(review, anchor, large if is_failed(review) else small)


# -- the verdict -----------------------------------------------------------------------------------------------


#: How the verdict on the run looks, by its word.
_LOOKS = {"safe": "passed", "unsafe": "failed", "unknown": "blocked", "nothing": "skipped"}


def _verdict_block(run: _Run) -> Iterator[Markup]:
    looks = _LOOKS[run.verdict.word]
    if looks == "passed" and run.of("warned"):
        looks = "warned"
    yield element("p", "pytest-migsafe", class_="product")
    yield element(
        "h1",
        element("span", ICONS[looks], class_="icon", aria_hidden="true"),
        f" {run.verdict.sentence}",
        class_=f"verdict {looks}",
    )
    counts = [(kind, len(run.of(kind))) for kind in ("failed", "blocked", "warned", "passed", "skipped")]
    yield element(
        "ul",
        [
            element(
                "li",
                element("span", ICONS[kind], class_="icon", aria_hidden="true"),
                element("b", str(count)),
                f" {_COUNTED[kind]}",
                class_=kind,
            )
            for kind, count in counts
            if count
        ],
        class_="counts",
        aria_label="Migrations by verdict",
    )
    yield from _circumstances(run.report)


_COUNTED = {
    "failed": "failed",
    "blocked": "blocked by another",
    "warned": "passed with warnings",
    "passed": "passed",
    "skipped": "not judged",
}


def _circumstances(report: Mapping[str, Any]) -> Iterator[Markup]:
    facts: list[tuple[str, Markup | str]] = []
    histories = report["histories"]
    if len(histories) > _MANY:
        number = sum(one["migrations"] for one in histories)
        facts.append(("Migrations", f"{number} in {len(histories)} folders"))
    else:
        facts += [("Migrations", _history(one)) for one in histories]
    remarks = [
        f"{one['path']}: {one['text']}" if one["path"] else one["text"]
        for history in histories
        for one in history["remarks"]
    ]
    facts += [("Remark", remark) for remark in remarks[:_MANY]]
    if len(remarks) > _MANY:
        facts.append(("Remark", f"… {len(remarks) - _MANY} more in the JSON report"))
    facts += [fact for one in histories for fact in _judged(one)]
    facts += [
        ("Not found", f"PostgreSQL {enumerated(one['missing_versions'], 12)}: nothing was rehearsed on it")
        for one in histories
        if one["missing_versions"]
    ]
    for server in report["servers"]:
        facts.append(
            (
                "Rehearsed on",
                f"PostgreSQL {server['version']} ({server['source']})"
                if server["version"]
                else server["source"],
            )
        )
        if server["preludes"]:
            facts.append(("Before the first", f"prelude {enumerated(server['preludes'], 12)}"))
        if server["role"]:
            facts.append(("As the role", server["role"]))
        facts += [("Limit", limit) for limit in server["limits"]]
    yield element(
        "dl",
        [element("div", element("dt", name), element("dd", said)) for name, said in dict.fromkeys(facts)],
        class_="facts",
    )


def _judged(history: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield which of a history's files are judged, where not all are."""
    gate = history.get("gate")
    if not gate:
        return
    if gate["because"]:
        rest = history["migrations"] - gate["judged"]
        said = f"{gate['judged']} {gate['because']}"
        yield "Judged", f"{said}; the other {rest} are not judged" if rest else said
    if gate["problem"]:
        yield "No base", gate["problem"]
    for one in gate["unread"]:
        yield "New, and not judged", f"{one['path']} ({one['text']})"


def _history(history: Mapping[str, Any]) -> Markup:
    return joined(element("code", history["root"]), f": {history['migrations']}, {history['layout']} layout")


# -- the main part ---------------------------------------------------------------------------------------------


def _main(run: _Run) -> Iterator[Markup]:
    if overview := list(_overview(run)):
        yield element(
            "section",
            element("h2", "What is wrong", id="wrong"),
            overview,
            class_="overview",
            aria_labelledby="wrong",
        )
    yield from _told_besides(run.report)
    yield element(
        "section",
        element("h2", "Migrations", id="migrations-heading"),
        list(_list(run)),
        id="migrations",
        tabindex="-1",
        aria_labelledby="migrations-heading",
    )
    if run.ends:
        yield element(
            "section",
            element("h2", "At the end of the history", id="ends"),
            [_end(end, f"end-{at}") for at, end in enumerate(run.ends)],
            aria_labelledby="ends",
        )
    if skipped := run.of("skipped"):
        yield _unasked(skipped)
    if run.report["rules"]:
        yield _rules(run.report["rules"])


def _unasked(skipped: Sequence[Entry]) -> Markup:
    """Return the names of the files that nothing is said of."""
    return element(
        "section",
        element("h2", "Not judged", id="skipped"),
        element(
            "details",
            element("summary", f"{counted(len(skipped), 'migration')} that this run was not to judge"),
            element("ul", [element("li", element("code", one.title)) for one in skipped], class_="plain"),
        ),
        aria_labelledby="skipped",
    )


def _rules(rules: Sequence[Mapping[str, Any]]) -> Markup:
    """Return what the rules are about that found something."""
    return element(
        "section",
        element("h2", "The rules", id="rules"),
        [
            element(
                "article",
                element("h3", element("code", rule["id"]), id=rule_anchor(rule["id"])),
                element("p", element("b", rule["title"])),
                element("p", rule["why"], class_="told"),
                element("p", f"PostgreSQL's manual: {rule['manual']}", class_="quiet")
                if rule["manual"]
                else None,
                class_="about",
                aria_labelledby=rule_anchor(rule["id"]),
            )
            for rule in rules
        ],
        aria_labelledby="rules",
    )


def _overview(run: _Run) -> Iterator[Markup]:
    """Yield what failed, each with its reason: files first, then what is no file's doing."""
    failed = run.of("failed")
    wrong = [_wrong(element("a", element("code", one.title), href=one.link), one.reason) for one in failed]
    # What is said of a migration's item stands with its file.
    of_run = [one for one in run.issues if one.rule in RUN_RULES and one.rule != "not-judged"]
    ends = [end for end in run.ends if end["outcome"] == "failed" and end["check"] not in RUN_RULES]
    others = [
        *(_wrong(element("code", one.path), one.told) for one in of_run),
        *(
            _wrong(element("a", element("code", one["item"]), href="#ends"), one["message"] or "")
            for one in ends
        ),
        *(_wrong(element("code", one["item"]), one["message"]) for one in run.report["failures"]),
    ]
    for name, some in (("ol", wrong), ("ul", others)):
        if some:
            yield element(name, some[:_MOST_NAMED], class_="wrong")
        if len(some) > _MOST_NAMED:
            yield element("p", f"… and {len(some) - _MOST_NAMED} more.")
    if len(failed) >= _MANY:
        rules = Counter(finding["rule"] for one in failed for finding in one.errors)
        by_rule = enumerated([f"{rule} {number}" for rule, number in rules.most_common()], 12)
        yield element("p", f"Errors by rule: {by_rule}", class_="quiet")


def _wrong(what: Markup, why: str) -> Markup:
    return element("li", what, element("p", why))


def _told_besides(holder: Mapping[str, Any]) -> Iterator[Markup]:
    """Yield the sections that a project's own hooks add."""
    for at, one in enumerate(holder.get("sections", ())):
        yield element(
            "section",
            element("h2", one["title"], id=f"section-{at}"),
            element("pre", one["text"], class_="told", role="group", aria_labelledby=f"section-{at}"),
            aria_labelledby=f"section-{at}",
        )


def _list(run: _Run) -> Iterator[Markup]:
    shown = run.judged
    if not shown:
        yield element("p", "None was judged in this run.")
        return
    yield _filters(run)
    failed = [one.anchor for one in shown if one.kind == "failed"]
    is_alone = len(shown) == 1
    links = {(one.review["path"], one.review["place"]): one.link for one in shown}
    for one in shown:
        blocker = links.get((one.review.get("blocked_by"), one.review["place"]))
        is_open = is_alone or one.anchor in failed[:_MOST_OPEN]
        yield entry_section(one, is_open=is_open, blocker=blocker or "")


def _filters(run: _Run) -> Markup:
    kinds = [kind for kind in ("failed", "blocked", "warned", "passed") if run.of(kind)]
    boxes = [
        element(
            "label",
            void("input", type="checkbox", name="kind", value=kind, checked=True),
            element("span", ICONS[kind], class_=f"icon {kind}", aria_hidden="true"),
            f" {_FILTERED[kind]}",
        )
        for kind in kinds
    ]
    return element(
        "form",
        element("fieldset", element("legend", "Show"), boxes),
        element(
            "label",
            "Search ",
            void("input", type="search", name="text", placeholder="file, rule, table", autocomplete="off"),
        ),
        element("button", "Open all", type="button", data_do="open"),
        element("button", "Close all", type="button", data_do="close"),
        element(
            "label",
            void("input", type="checkbox", name="keys", checked=True),
            " Keys ",
            element("kbd", "j"),
            " next, ",
            element("kbd", "k"),
            " previous",
            class_="keys",
        ),
        element("output", name="shown", aria_live="polite"),
        class_="filters",
        role="search",
        aria_label="Filter the migrations",
        hidden=True,
    )


_FILTERED = {"failed": "failed", "blocked": "blocked", "warned": "warnings", "passed": "passed"}


def _end(end: Mapping[str, Any], anchor: str) -> Markup:
    """Return what came of a check at a history's end."""
    kind = end["outcome"] if end["outcome"] != "passed" or not end["findings"] else "warned"
    word = _ENDED[end["outcome"]]
    content: list[Markup] = []
    if end["message"]:
        content.append(element("p", end["message"]))
    if end["blocked_by"]:
        content.append(element("p", f"Blocked by {end['blocked_by']}: {end['blocked_because']}"))
    if end["diff"]:
        content += [element("h4", "Difference"), diff_block(end["diff"], 400)]
    for at, finding in enumerate(end["findings"][:_MOST_NAMED]):
        content.append(finding_card(finding, (), f"{anchor}-f{at + 1}", level="h4"))
    if len(end["findings"]) > _MOST_NAMED:
        content.append(element("p", f"… {len(end['findings']) - _MOST_NAMED} more in the JSON report."))
    if end["smoke_tests"]:
        content += [element("h4", "Smoke tests"), smoke_table(end["smoke_tests"])]
    if end["row_security"]:
        content += [element("h4", "Row-level security"), matrix_table(end["row_security"])]
    return element(
        "section",
        element(
            "details",
            element(
                "summary",
                element(
                    "h3",
                    element("span", ICONS[kind], class_="icon", aria_hidden="true"),
                    element("span", word, class_="word"),
                    " ",
                    element("code", end["item"]),
                ),
            ),
            element("div", content, class_="body", id=anchor),
            open=end["outcome"] == "failed",
        ),
        class_=f"entry {kind}",
    )


_ENDED = {"failed": "Failed", "passed": "Passed", "blocked": "Blocked"}


def _reading() -> Iterator[Markup]:
    yield element("h2", "How to read this page", id="reading")
    yield from (element("p", paragraph) for paragraph in _HELP.split("\n\n"))


_HELP = """\
Every migration was applied to a real PostgreSQL server, statement by statement, and the server was asked what it did: its
locks, the files that it replaced, the tables that it read. What stands here was seen, not guessed from the text.

Pictures of locks: statements from left to right. Widths are no times, for the milliseconds of a nearly empty database say
nothing of production. A lock is held until its transaction ends. A bar's upper strip is for those who read, its lower strip
for those who write: a filled strip means that they wait. Hatching means that the server works through a whole table
meanwhile: the more rows it has, the longer they wait. A filled bar without hatching is over in an instant, once the lock is
there; while it is waited for, all others queue behind it.

Relations that were there before the file have rows in the picture. What the file itself makes, nobody else can see yet."""
