"""The picture of a file's locks: its statements from left to right, a bar for each lock, hatched where work goes on.

A bar has two strips, the upper for those who read and the lower for those who write: the strip of those who wait is
filled, the other one is empty. So nobody needs to tell colours apart. Widths are no times: how long a statement took
in a rehearsal says nothing of production, and the picture is about what lies under which lock.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from pytest_migsafe.reports.html.markup import Markup, element, joined
from pytest_migsafe.texts.wording import counted

#: How many statements, and how many relations, a picture shows.
_MOST_STATEMENTS = 12
_MOST_RELATIONS = 12
#: Widths, heights and distances in CSS pixels.
_WIDTH = 1040
_NARROW, _WIDE, _GAP, _WIDEST = 112, 176, 80, 420
_LEFT = 12
#: From where on a bar is not seen together with the left edge.
_FAR = 600
_HEAD = 104
_STRIP, _BETWEEN = 8, 2
_BAR = 2 * _STRIP + _BETWEEN
#: How wide a character of the small text is, and of the bold one, in the widest of the usual fonts.
_CHARACTER, _BOLD = 6.9, 8.2


@dataclass(frozen=True, slots=True)
class Column:
    """A statement, or several that nothing is told of, from left to right."""

    first: int
    last: int
    x: int
    width: int

    @property
    def end(self) -> int:
        """Where it ends."""
        return self.x + self.width

    @property
    def is_gap(self) -> bool:
        """Whether it stands for statements that are not shown."""
        return self.first != self.last


@dataclass(frozen=True, kw_only=True)
class Scene:
    """What is drawn."""

    bars: Sequence[Mapping[str, Any]]
    work: Sequence[Mapping[str, Any]]
    created: int
    statements: Sequence[Mapping[str, Any]]
    #: How long production would be busy with a statement, in words, by its number.
    estimates: Mapping[int, str]
    #: The anchor of the migration's part of the page; empty: the picture stands alone.
    anchor: str = ""

    def under(self, bar: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        """Return the work that was done while a lock was held; where nobody waits for it, that with its own table."""
        return [
            one
            for one in self.work
            if bar["first"] <= one["statement"] <= bar["last"]
            and (bar["waiting"] or one["table"] == bar["relation"])
        ]


def mode_words(mode: str) -> str:
    """Return a lock's mode as SQL writes it: ACCESS EXCLUSIVE."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", mode.removesuffix("Lock")).upper()


def who_waits(bar: Mapping[str, Any]) -> str:
    """Return who waits for a lock, as words."""
    return f"{bar['waiting']} wait" if bar["waiting"] != "nextval" else "nextval waits"


def bar_words(bar: Mapping[str, Any]) -> str:
    """Return a bar's label."""
    return f"{mode_words(bar['mode'])} · {who_waits(bar) if bar['waiting'] else 'no reader or writer waits'}"


def work_words(works: Iterable[Mapping[str, Any]], relation: str = "") -> list[str]:
    """Return work in words, as "2 index builds of other"; the relation itself is not named."""
    counts: dict[tuple[str, str], int] = {}
    some = list(works)
    # What is written anew or indexed is read, too.
    busy = {(one["statement"], one["table"]) for one in some if one["kind"] != "scan"}
    for one in some:
        if one["kind"] == "scan" and (one["statement"], one["table"]) in busy:
            continue
        counts[one["kind"], one["table"]] = counts.get((one["kind"], one["table"]), 0) + 1
    return [
        (f"{number} {kind}s" if number > 1 else kind) + (f" of {table}" if table != relation else "")
        for (kind, table), number in counts.items()
    ]


# -- which statements and which relations ----------------------------------------------------------------------


def shown_statements(scene: Scene) -> set[int]:
    """Return the numbers of the statements that have a column of their own."""
    numbers = range(1, len(scene.statements) + 1)
    if len(numbers) <= _MOST_STATEMENTS:
        return set(numbers)
    wanted: dict[int, None] = {}
    for bar in scene.bars:
        if bar["waiting"]:
            wanted |= dict.fromkeys(one["statement"] for one in scene.under(bar))
    for name in ("first", "last"):
        wanted |= dict.fromkeys(bar[name] for bar in scene.bars if bar["waiting"])
    wanted |= dict.fromkeys(one["statement"] for one in scene.work)
    wanted |= dict.fromkeys(bar["first"] for bar in scene.bars)
    return set(list(wanted)[:_MOST_STATEMENTS])


def _columns(scene: Scene) -> list[Column]:
    shown = shown_statements(scene)
    working = {one["statement"] for one in scene.work}
    groups: list[tuple[int, int]] = []
    for number in range(1, len(scene.statements) + 1):
        if groups and number not in shown and groups[-1][1] not in shown:
            groups[-1] = groups[-1][0], number
        else:
            groups.append((number, number))
    widths = [
        _GAP if first != last else _WIDE if first in working or first in scene.estimates else _NARROW
        for first, last in groups
    ]
    # Few statements have the whole width to themselves; many are narrower, within limits.
    stretch = min(max(_WIDTH / max(sum(widths), 1), 0.8), 2.6)
    columns, x = [], _LEFT
    for (first, last), width in zip(groups, widths, strict=True):
        wide = min(round(width * stretch), _WIDEST) if first == last else width
        columns.append(Column(first, last, x, wide))
        x += wide
    return columns


def _relations(scene: Scene) -> tuple[list[str], int]:
    """Return the relations with rows of their own, the worst if there are too many, and how many are left out."""
    found = list(dict.fromkeys(bar["relation"] for bar in scene.bars))
    weight = dict.fromkeys(found, 0)
    for bar in scene.bars:
        heavy = (2 if bar["waiting"] else 0) + (1 if scene.under(bar) else 0)
        weight[bar["relation"]] = max(weight[bar["relation"]], heavy)
    kept = set(sorted(found, key=lambda one: -weight[one])[:_MOST_RELATIONS])
    return [one for one in found if one in kept], len(found) - len(kept)


# -- drawing ---------------------------------------------------------------------------------------------------


def picture(scene: Scene, name: str) -> Markup:
    """Return the picture as an SVG element; ``name`` begins the ids of its title and description."""
    columns = _columns(scene)
    right = columns[-1].end
    parts: list[Markup] = []
    y = _HEAD
    relations, more = _relations(scene)
    for relation in relations:
        row, height = _row(scene, relation, columns, right, y)
        parts.append(row)
        y += height
    for line in _left_out(scene, more):
        parts.append(_text(line, _LEFT, y + 18, "quiet"))
        y += 24
    longest = max(map(len, (*_left_out(scene, more), *relations, _NO_TRANSACTION)))
    width = max(right + _LEFT, round(longest * _CHARACTER) + 3 * _LEFT)
    height = y + 10
    return element(
        "svg",
        element("title", "Locks along the statements", id=f"{name}-t"),
        element("desc", description(scene), id=f"{name}-d"),
        _head(scene, columns, height),
        parts,
        class_="picture",
        viewBox=f"0 0 {width} {height}",
        width=width,
        height=height,
        role="img",
        aria_labelledby=f"{name}-t {name}-d",
    )


def standalone(scene: Scene) -> Markup:
    """Return the picture as a file of its own, in the colours of the page."""
    home = files("pytest_migsafe.reports.html")
    style = "".join(
        home.joinpath(name).read_text(encoding="utf-8") for name in ("colours.css", "picture.css")
    )
    drawn = picture(scene, "locks").replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1)
    head, _, rest = drawn.partition(">")
    return Markup(f"{head}>{element('style', Markup(style))}{_DEFINITIONS}{rest}\n")


def description(scene: Scene) -> str:
    """Return the picture in sentences."""
    said = []
    for bar in scene.bars[:_MOST_RELATIONS]:
        until = f"to {bar['last']}" if bar["last"] != bar["first"] else "only"
        text = f"{mode_words(bar['mode'])} on {bar['relation']} from statement {bar['first']} {until}: "
        text += who_waits(bar) if bar["waiting"] else "no reader or writer waits"
        if words := work_words(scene.under(bar), bar["relation"]):
            text += f", meanwhile {', '.join(words)}"
        said.append(f"{text}.")
    more = len(scene.bars) - len(said)
    if more:
        said.append(f"{more} more in the table below.")
    return f"{counted(len(scene.statements), 'statement')}. {' '.join(said)}"


def _left_out(scene: Scene, more: int) -> list[str]:
    lines = []
    if more:
        lines.append(f"… {counted(more, 'more relation')}, in the table below")
    if scene.created:
        lines.append(
            f"+ {counted(scene.created, 'relation')} that the file itself makes: nobody else sees them yet"
        )
    return lines


def _head(scene: Scene, columns: Sequence[Column], height: int) -> Markup:
    lines = "".join(f"M{column.x} {_HEAD - 64}V{height - 8}" for column in columns[1:])
    return joined(
        element("path", class_="grid", d=lines) if lines else None,
        list(_transactions(scene, columns, height)),
        [_heading(scene, one) for one in columns],
    )


_NO_TRANSACTION = "no transaction: each lock goes with its statement"


def _transactions(scene: Scene, columns: Sequence[Column], height: int) -> Iterator[Markup]:
    """Yield a bracket over the statements of each transaction, and a line where its locks end."""
    runs: list[tuple[int, int, int]] = []
    for column in columns:
        ran_in = {one["transaction"] for one in scene.statements[column.first - 1 : column.last]}
        transaction = ran_in.pop() if len(ran_in) == 1 else 0
        if transaction and runs and runs[-1][0] == transaction:
            runs[-1] = transaction, runs[-1][1], column.end
        elif transaction:
            runs.append((transaction, column.x, column.end))
    if not runs:
        yield _text(_NO_TRANSACTION, columns[0].x + 4, 16, "quiet")
    for transaction, start, end in runs:
        label = (
            f"transaction {transaction}" if len(runs) > 1 else "one transaction: its locks stay until it ends"
        )
        if (end - start) < len(label) * _CHARACTER:
            label = f"transaction {transaction}" if len(runs) > 1 else "transaction"
        yield element("path", class_="bracket", d=f"M{start + 2} 32V24H{end - 2}V32")
        yield element("path", class_="bracket end", d=f"M{end - 2} 32V{height - 8}")
        yield _text(_fitting(label, end - start), start + 4, 16, "quiet")


def _heading(scene: Scene, column: Column) -> Markup:
    x = column.x + 6
    if column.is_gap:
        said = f"… {column.last - column.first + 1} more"
        return joined(_text(said, x, 56, "quiet"), _text(f"{column.first} to {column.last}", x, 74, "quiet"))
    statement = scene.statements[column.first - 1]
    title = element("title", _shortened(statement["text"], 120))
    # Of an UPDATE, the tag tells how many rows a nearly empty table had.
    verb = statement["tag"].rstrip("0123456789 ") or " ".join(str(statement["text"]).split()[:2]).upper()
    heading = joined(
        _text(f"{column.first}", x, 56, "number"),
        _text(_fitting(verb, column.width - 12, _BOLD), x, 74, "verb"),
        title,
    )
    # A picture has no links inside for a screen reader: the table below it has them, this is for those who point.
    to = f"{scene.anchor}:s{column.first}" if scene.anchor else None
    if to:
        room = element("rect", class_="hit", x=column.x, y=_HEAD - 64, width=column.width, height=40)
        heading = element("g", room, heading, class_="to", data_to=to)
    place = f"line {statement['line']}"
    took = f" · {_milliseconds(statement['duration_ms'])}" if statement["duration_ms"] else ""
    failed = _text("✖ failed", x + 26, 56, "failed") if statement["error"] else None
    return joined(heading, failed, _text(_fitting(place + took, column.width - 8), x, 92, "quiet"))


def _milliseconds(duration: float) -> str:
    return f"{duration:.0f} ms" if duration >= 10 else f"{duration:.1f} ms"


def _row(scene: Scene, relation: str, columns: Sequence[Column], right: int, y: int) -> tuple[Markup, int]:
    """Return what is drawn of a relation, and how high that is."""
    bars = [bar for bar in scene.bars if bar["relation"] == relation]
    # Where the picture is scrolled, the name is to be seen with the bars.
    start = min(_extent(bar, columns)[0] for bar in bars)
    is_near = start < _FAR or right <= _WIDTH + 2 * _LEFT
    x = _LEFT if is_near else max(min(start + 2, right - len(relation) * _BOLD), _LEFT)
    parts = [
        element("path", class_="rule", d=f"M{_LEFT} {y}H{right}"),
        _text(relation, x, y + 20, "relation"),
    ]
    top = y + 30
    for lane in _lanes(bars, columns, right):
        has_work = any(scene.under(bar) for bar in lane)
        has_estimate = has_work and any(
            one["statement"] in scene.estimates for bar in lane if bar["waiting"] for one in scene.under(bar)
        )
        parts += [_bar(scene, bar, columns, right, top) for bar in lane]
        top += 16 + _BAR + (18 if has_work else 6) + (16 if has_estimate else 0) + 4
    return joined(parts), top - y + 4


def _extent(bar: Mapping[str, Any], columns: Sequence[Column]) -> tuple[int, int]:
    covered = [one for one in columns if one.last >= bar["first"] and one.first <= bar["last"]]
    return covered[0].x, covered[-1].end


def _lanes(
    bars: Sequence[Mapping[str, Any]], columns: Sequence[Column], right: int
) -> list[list[Mapping[str, Any]]]:
    """Return bars in as few lines as hold them and their labels."""
    lanes: list[tuple[int, list[Mapping[str, Any]]]] = []
    for bar in bars:
        start, end = _extent(bar, columns)
        label = round(len(bar_words(bar)) * _BOLD)
        start, end = (
            (min(start, end - label), end) if start + label > right else (start, max(end, start + label))
        )
        for at, (free, lane) in enumerate(lanes):
            if free + 12 <= start or (free <= start and not lane):
                lanes[at] = end, [*lane, bar]
                break
        else:
            lanes.append((end, [bar]))
    return [lane for _, lane in lanes]


def _bar(scene: Scene, bar: Mapping[str, Any], columns: Sequence[Column], right: int, y: int) -> Markup:
    start, end = _extent(bar, columns)
    start, end = start + 2, end - 4
    label = bar_words(bar)
    fits = start + len(label) * _BOLD <= right
    top = y + 16
    strips = [
        element("rect", class_=class_, x=start, y=top + offset, width=end - start, height=height, rx=2)
        for class_, offset, height in _strips(bar)
    ]
    under = scene.under(bar)
    hatches = []
    for column in columns:
        here = [one for one in under if column.first <= one["statement"] <= column.last]
        if here:
            hatches += list(_hatch(scene, bar, column, here, top))
    whole = f"{bar['relation']}: {label}, statements {bar['first']} to {bar['last']}"
    return element(
        "g",
        element("title", whole),
        _text(label, start if fits else end, y + 10, f"label {_KINDS[bool(bar['waiting'])]}", end=not fits),
        strips,
        hatches,
    )


_KINDS = {True: "strong", False: "quiet"}


def _strips(bar: Mapping[str, Any]) -> list[tuple[str, int, int]]:
    """Return the class, the offset and the height of a bar's strips: the upper one reads, the lower one writes."""
    match bar["waiting"]:
        case "reads and writes":
            return [("waits all", 0, _STRIP), ("waits all", _STRIP + _BETWEEN, _STRIP)]
        case "reads" | "nextval":
            return [("waits all", 0, _BAR)]
        case "writes":
            return [("free", 0, _STRIP), ("waits some", _STRIP + _BETWEEN, _STRIP)]
    return [("free", 0, _BAR)]


def _hatch(
    scene: Scene, bar: Mapping[str, Any], column: Column, works: Sequence[Mapping[str, Any]], top: int
) -> Iterator[Markup]:
    words = ", ".join(work_words(works, bar["relation"])).replace(" of public.", " of ")
    estimate = scene.estimates.get(column.first, "") if bar["waiting"] and not column.is_gap else ""
    for class_, offset, height in _strips(bar):
        if bar["waiting"] and class_ == "free":
            continue
        yield element(
            "rect",
            element("title", words),
            class_="work" if bar["waiting"] else "work calm",
            x=column.x + 4,
            y=top + offset,
            width=column.width - 10,
            height=height,
        )
    x = column.x + 6
    yield _text(_fitting(words, column.width - 8), x, top + _BAR + 13, "work-words")
    if estimate:
        yield _text(_fitting(estimate, column.width - 8), x, top + _BAR + 28, "work-words")


def _fitting(text: str, width: float, character: float = _CHARACTER) -> str:
    return _shortened(text, max(int(width / character), 2))


def _shortened(text: str, most: int) -> str:
    text = " ".join(str(text).split())
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _text(content: str, x: float, y: float, class_: str, *, end: bool = False) -> Markup:
    anchor = "end" if end else None
    return element("text", content, x=round(x), y=round(y), class_=class_, text_anchor=anchor)


def _pattern(name: str, line: str) -> Markup:
    return element(
        "pattern",
        element("path", class_=line, d="M-2 2L2 -2M0 8L8 0M6 10L10 6"),
        id=name,
        width=8,
        height=8,
        patternUnits="userSpaceOnUse",
    )


#: What the legend shows: the strips, whether they are hatched, and what that means.
_LEGEND: tuple[tuple[str, bool, str], ...] = (
    ("reads and writes", False, "reads (above) and writes (below) wait"),
    ("writes", False, "writes wait, reads go on"),
    ("", False, "reads and writes go on"),
    ("reads", True, "work goes on meanwhile: the more rows, the longer"),
)


def _swatch(number: int, waiting: str, *, is_hatched: bool) -> Markup:
    place: Mapping[str, int] = {"x": 1, "width": 34}
    drawn = [
        element("rect", class_=class_, y=1 + offset, height=height, rx=2, **place)
        for class_, offset, height in _strips({"waiting": waiting})
    ]
    if is_hatched:
        drawn.append(element("rect", class_="work", y=1, height=_BAR, **place))
    return element("symbol", drawn, id=f"legend-{number}")


#: The two kinds of hatching.
_DEFINITIONS = element("defs", _pattern("hatch", "hatch-line"), _pattern("hatch-calm", "hatch-calm"))

#: What pictures and their legends refer to; a page has it once.
SHARED = element(
    "svg",
    _DEFINITIONS,
    [_swatch(at, waiting, is_hatched=hatched) for at, (waiting, hatched, _) in enumerate(_LEGEND)],
    class_="defs",
    width=0,
    height=0,
    aria_hidden="true",
)


def legend() -> Markup:
    """Return what the strips and the hatching mean."""
    entries = [
        element(
            "li",
            element(
                "svg",
                element("use", href=f"#legend-{at}"),
                class_="swatch",
                width=36,
                height=_BAR + 2,
                aria_hidden="true",
            ),
            words,
        )
        for at, (*_, words) in enumerate(_LEGEND)
    ]
    return element("ul", entries, class_="legend", aria_label="Legend")
