"""Tables of what the smoke tests found, and of who may do what with which rows."""

from collections.abc import Mapping, Sequence
from typing import Any

from pytest_migsafe.reports.html.markup import Content, Markup, element
from pytest_migsafe.reports.html.words import ICONS
from pytest_migsafe.texts.wording import enumerated

_COMMANDS = ("SELECT", "INSERT", "UPDATE", "DELETE")


def table(caption: str, heads: Sequence[str], rows: Sequence[Sequence[Content]]) -> Markup:
    """Return a table whose first column names the rows, in a box that scrolls where the page is narrow."""
    return element(
        "div",
        element(
            "table",
            element("caption", caption, class_="unseen"),
            element("thead", element("tr", [element("th", head, scope="col") for head in heads])),
            element(
                "tbody",
                [
                    element("tr", element("th", first, scope="row"), [element("td", one) for one in others])
                    for first, *others in rows
                ],
            ),
        ),
        class_="scroll",
        tabindex=0,
        role="group",
        aria_label=caption,
    )


def smoke_table(sections: Sequence[Mapping[str, Any]]) -> Markup:
    """Return what the smoke tests come to: in a line where there is nothing more to say, else a section a row."""
    if all(one["verdict"] == "passed" and not one["not_valid"] for one in sections):
        said = ", ".join(f"{one['name']} {one['checked']}" for one in sections)
        return element("p", element("span", f"{ICONS['passed']} passed", class_="passed"), f": {said}")
    rows: list[list[Content]] = []
    for one in sections:
        not_valid = one["not_valid"]
        rows.append(
            [
                one["name"],
                str(one["checked"]),
                element(
                    "span",
                    element("span", ICONS[one["verdict"]], class_="icon", aria_hidden="true"),
                    f"\N{NO-BREAK SPACE}{one['verdict']}",
                    class_=one["verdict"],
                ),
                str(one["errors"] or "-"),
                str(one["warnings"] or "-"),
                enumerated(not_valid, 5) if not_valid else "-",
            ]
        )
    return table(
        "Smoke tests", ("Section", "Checked", "Verdict", "Errors", "Warnings", "Not valid as yet"), rows
    )


def matrix_table(rows: Sequence[Mapping[str, Any]]) -> Markup:
    """Return what roles can do with rows."""
    return table(
        "What roles can do with the rows of tables with row-level security",
        ("Table", "Role", *_COMMANDS),
        [
            [
                element("code", row["table"]),
                element("code", row["role"]),
                *(_cell(row[one]) for one in _COMMANDS),
            ]
            for row in rows
        ],
    )


def _cell(said: str) -> Markup:
    return element("span", said, class_=_CELLS.get(said))


_CELLS = {"all rows": "loud", "no privilege": "quiet", "no row": "quiet"}
