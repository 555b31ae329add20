"""A finding: what is wrong, where in the SQL, the proof, and the safe way with files that can be copied."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from pytest_migsafe.reports.excerpt import statement_lines
from pytest_migsafe.reports.html.markup import Markup, element, joined, visible
from pytest_migsafe.reports.html.sql import Excerpt, cut, plain_sql, sql_block
from pytest_migsafe.reports.html.words import ICONS
from pytest_migsafe.reports.issues import statement_at
from pytest_migsafe.texts.wording import counted

#: How many lines of a long statement are shown around the marked one.
_MOST_LINES = 13


def rule_anchor(rule: str) -> str:
    """Return the id of what is said of a rule."""
    return f"rule:{''.join('-' if char.isspace() else char for char in visible(rule))}"


def word(finding: Mapping[str, Any]) -> str:
    """Return how much a finding weighs, in a word: error, warning or waived."""
    return "waived" if finding["waived"] else str(finding["severity"])


def finding_card(
    finding: Mapping[str, Any], statements: Sequence[Mapping[str, Any]], anchor: str, level: str = "h5"
) -> Markup:
    """Return a finding with its SQL, which is looked for in the statements; ``level`` is its heading."""
    kind = word(finding)
    heading = element(
        level,
        element("span", ICONS[kind], class_="icon", aria_hidden="true"),
        " ",
        element("span", kind.capitalize(), class_="word"),
        " ",
        element(
            "a",
            element("code", finding["rule"]),
            href=f"#{quote(rule_anchor(finding['rule']))}",
            class_="rule",
        ),
        id=anchor,
    )
    content = (_waived if finding["waived"] else _content)(finding, statements)
    return element(
        "article",
        heading,
        element("p", finding["message"], class_="message"),
        _place(finding),
        list(content),
        class_=f"finding {kind}",
        aria_labelledby=anchor,
    )


def _place(finding: Mapping[str, Any]) -> Markup:
    where = f"{finding['path']}:{finding['line']}:{finding['column']}" if finding["line"] else finding["path"]
    return element("p", element("code", where), class_="place")


def _waived(finding: Mapping[str, Any], _: Sequence[Mapping[str, Any]]) -> Iterator[Markup]:
    yield element("p", element("b", "Waived because "), finding["waived_because"] or "", class_="reason")


def _content(finding: Mapping[str, Any], statements: Sequence[Mapping[str, Any]]) -> Iterator[Markup]:
    if excerpt := _excerpt(finding, statements):
        mark = finding["line"], finding["column"]
        yield sql_block(
            cut(excerpt, _MOST_LINES, around=finding["line"]),
            mark=mark,
            label=f"SQL, line {finding['line']} marked",
        )
    if finding["evidence"]:
        yield element(
            "div",
            element("p", "Proof", class_="label"),
            element("ul", [element("li", fact) for fact in finding["evidence"]], class_="evidence"),
        )
    if done := finding["details"].get("done"):
        yield element("p", element("b", "Done: "), str(done))
    if finding["remedy"] or finding["files"]:
        yield element(
            "div", element("p", "The safe way", class_="label"), list(_remedy(finding)), class_="remedy"
        )


def _excerpt(finding: Mapping[str, Any], statements: Sequence[Mapping[str, Any]]) -> Excerpt | None:
    if "waiver" in finding["details"]:
        return None
    found = statement_at(statements, finding["line"], finding["column"])
    if found is None:
        return None
    lines = statement_lines(found.line, found.column, found.text)
    # A seed's text is cut in the report, and its end is not there.
    return Excerpt(lines) if finding["line"] in lines else None


def _remedy(finding: Mapping[str, Any]) -> Iterator[Markup]:
    files = finding["files"]
    words = _words(finding["remedy"], files)
    yield from (
        element("p", paragraph, class_="told") for paragraph in words.split("\n") if paragraph.strip()
    )
    blocks = [_file(file, number if len(files) > 1 else 0) for number, file in enumerate(files, start=1)]
    lines = sum(file["sql"].count("\n") + 1 for file in files)
    if lines <= _MOST_LINES:
        yield from blocks
    else:
        said = f"{counted(len(files), 'file')} with {lines} lines of SQL"
        yield element("details", element("summary", said), blocks, class_="more")


def _words(remedy: str, files: Sequence[Mapping[str, Any]]) -> str:
    """Return a remedy without the SQL of its files, which stands below it."""
    if not files:
        return remedy
    sql = files[0]["sql"]
    before = remedy.partition(sql)[0].rstrip("\n")
    *lines, last = before.split("\n")
    # With several files, or something to be said of one, a comment stands before it.
    return "\n".join(lines) if last.startswith("-- ") else before


def _file(file: Mapping[str, Any], number: int) -> Markup:
    said = [f"File {number}" if number else "SQL"]
    if file["when"]:
        said.append(file["when"])
    if not file["in_transaction"]:
        said.append("outside a transaction")
    label = ", ".join(said)
    return element(
        "div",
        element(
            "p",
            label,
            joined(
                " ",
                element(
                    "button", "Copy", type="button", class_="copy", hidden=True, aria_label=f"Copy {label}"
                ),
            ),
            class_="file-label",
        ),
        plain_sql(file["sql"], label=label),
        class_="file",
    )
