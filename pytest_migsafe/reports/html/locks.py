"""The picture of a migration's locks with its legend, and the same as a table."""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from pytest_migsafe.reports.html.markup import Markup, element
from pytest_migsafe.reports.html.matrix import table
from pytest_migsafe.reports.html.picture import (
    Scene,
    legend,
    mode_words,
    picture,
    shown_statements,
    who_waits,
    work_words,
)
from pytest_migsafe.rules.sizes import duration

#: How many locks the table has.
_MOST_ROWS = 200
#: Of how many statements it tells what they did under a lock.
_MOST_WORK = 12


def scene_of(review: Mapping[str, Any], anchor: str = "") -> Scene:
    """Return what is drawn of a migration; ``anchor`` is that of its part of the page."""
    timeline = review["timeline"]
    return Scene(
        bars=timeline["bars"],
        work=timeline["work"],
        created=timeline["created"],
        statements=review["statements"],
        estimates=_estimates(review),
        anchor=anchor,
    )


def _estimates(review: Mapping[str, Any]) -> dict[int, str]:
    """Return how long production would be busy with statements, where the project has told its tables' sizes."""
    seconds: dict[int, float] = {}
    for finding in review["findings"]:
        estimate = finding["details"].get("estimate")
        if not estimate or estimate["small"]:
            continue
        for number, one in enumerate(review["statements"], start=1):
            if (one["line"], one["column"]) <= (finding["line"], finding["column"]) and finding[
                "line"
            ] <= one["end_line"]:
                seconds[number] = max(seconds.get(number, 0.0), estimate["seconds"])
    return {number: f"{duration(busy)} in production" for number, busy in seconds.items()}


def locks_figure(review: Mapping[str, Any], anchor: str) -> Markup:
    """Return the picture of a migration's locks, its legend, and a table of the same facts."""
    scene = scene_of(review, anchor)
    return element(
        "figure",
        element(
            "div",
            picture(scene, f"{anchor}:p"),
            class_="scroll picture-box",
            tabindex=0,
            role="group",
            aria_label="Picture of the locks, scrolls sideways",
        ),
        element(
            "figcaption",
            legend(),
            element(
                "p",
                "Steps are statements, and widths are no times. ",
                element("a", "What it means", href="#reading"),
                class_="quiet",
            ),
        ),
        element(
            "details",
            element("summary", "The picture as a table"),
            table(
                "Locks along the statements",
                ("Relation", "Lock", "Statements", "Who waits", "Work meanwhile, by statement"),
                [list(_cells(scene, bar)) for bar in scene.bars[:_MOST_ROWS]],
            ),
            element("p", f"… {len(scene.bars) - _MOST_ROWS} more in the JSON report.", class_="quiet")
            if len(scene.bars) > _MOST_ROWS
            else None,
            class_="more",
        ),
        aria_label="Locks along the statements",
    )


def _cells(scene: Scene, bar: Mapping[str, Any]) -> Iterator[Markup | list[Markup | str] | str]:
    yield element("code", bar["relation"])
    yield mode_words(bar["mode"]) + (" (on an index of it)" if bar["kind"] == "index" else "")
    first = _statement_link(scene, bar["first"])
    yield [first] if bar["first"] == bar["last"] else [first, " to ", _statement_link(scene, bar["last"])]
    yield who_waits(bar) if bar["waiting"] else "no reader or writer"
    yield list(_work(scene, bar)) or "-"


def _work(scene: Scene, bar: Mapping[str, Any]) -> Iterator[Markup]:
    """Yield what was done under a lock, a line for each statement."""
    by_statement: dict[int, list[Mapping[str, Any]]] = {}
    for one in scene.under(bar):
        by_statement.setdefault(one["statement"], []).append(one)
    for number, works in list(by_statement.items())[:_MOST_WORK]:
        words = ", ".join(work_words(works, bar["relation"]))
        estimate = scene.estimates.get(number) if bar["waiting"] else None
        said = f"{number}: {words}{f' ({estimate})' if estimate else ''}"
        yield element("div", said)
    if len(by_statement) > _MOST_WORK:
        yield element("div", f"… {len(by_statement) - _MOST_WORK} more")


def _statement_link(scene: Scene, number: int) -> Markup | str:
    # All that the picture shows are listed below it.
    if number not in shown_statements(scene):
        return str(number)
    return element("a", str(number), href=f"#{quote(scene.anchor)}:s{number}")
