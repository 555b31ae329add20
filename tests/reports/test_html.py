"""The page: that nothing of a migration becomes a part of it, that it needs nothing else, and what stands in it."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from importlib.resources import files
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_migsafe.reports.html import as_html
from pytest_migsafe.reports.html.markup import Markup, element, joined, text, visible
from tests.reports.report import (
    ODD_TEXTS,
    RED,
    end,
    finding,
    migration,
    report,
    reports,
    skipped,
    statement,
    timeline,
)

_VOID = {"meta", "input", "br", "link", "img"}


class Page(HTMLParser):
    """A page as a browser takes it apart: its elements with their attributes, and the text in them."""

    def __init__(self, markup: str) -> None:
        super().__init__(convert_charrefs=True)
        #: Names and attributes, in their order.
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.unclosed: list[str] = []
        self.feed(markup)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in _VOID:
            self.unclosed.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.unclosed.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    @property
    def ids(self) -> list[str]:
        return [found for _, one in self.elements if (found := one.get("id"))]

    def all(self, name: str) -> Iterator[dict[str, str | None]]:
        yield from (attributes for tag, attributes in self.elements if tag == name)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())


def page(*migrations: dict[str, object], **given: object) -> Page:
    return Page(as_html(report(*migrations, **given)))  # type: ignore[arg-type]


# -- markup ----------------------------------------------------------------------------------------------------


@given(st.text() | st.sampled_from(ODD_TEXTS))
def test_no_text_becomes_an_element_or_an_attribute(content: str) -> None:
    made = Page(element("p", content, title=content))

    assert [name for name, _ in made.elements] == ["p"]
    assert made.elements[0][1] == {"title": visible(content)}
    assert "".join(made.texts) == visible(content)


@given(st.text() | st.sampled_from(ODD_TEXTS))
def test_any_text_can_be_written_to_a_file(content: str) -> None:
    assert text(content).encode("utf-8").decode("utf-8") == text(content)


def test_what_a_reader_would_not_see_is_named() -> None:
    assert visible("a\u202eb\x00c\td\r\ne") == "a⟨U+202E⟩b⟨U+0000⟩c\td\ne"


def test_what_is_markup_stays_so() -> None:
    made = joined(element("b", "<", Markup("<i></i>"), None, [" ", element("u")]), "&")

    assert made == "<b>&lt;<i></i> <u></u></b>&amp;"


# -- the page as such ------------------------------------------------------------------------------------------


@given(reports())
def test_whatever_names_there_are_the_elements_are_ours(odd: dict[str, object]) -> None:
    made = Page(as_html(odd))

    assert made.unclosed == []
    assert {name for name, _ in made.elements} <= set(_OURS)
    attributes = {name for _, one in made.elements for name in one}
    assert attributes <= set(_ATTRIBUTES)
    assert len(made.ids) == len(set(made.ids))
    assert not any(" " in one for one in made.ids)
    for one in made.all("a"):
        assert (one["href"] or "").startswith("#")


_OURS = re.findall(
    r"[\w-]+",
    "html head meta title style body a header h1 h2 h3 h4 h5 p span ul ol li b dl dt dd div main section details summary code "
    "form fieldset legend label input button kbd output article pre i em ins del figure figcaption table caption thead tbody tr "
    "th td svg desc defs pattern symbol use g path rect text footer script",
)
_ATTRIBUTES = re.findall(
    r"[\w-]+",
    "lang charset http-equiv content name class href id hidden type value checked placeholder autocomplete tabindex role open "
    "aria-hidden aria-label aria-labelledby aria-live data-kind data-do data-n data-to scope d x y width height rx viewbox text-anchor "
    "patternunits",
)


def test_it_needs_nothing_else_and_allows_nothing_else() -> None:
    made = page(migration("migrations/0002_index.sql", finding()))

    (policy,) = (one["content"] for one in made.all("meta") if one.get("http-equiv"))
    assert policy is not None
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    assert not any(name in ("link", "img", "iframe", "object", "embed", "base") for name, _ in made.elements)
    for name in ("colours.css", "page.css", "picture.css", "page.js"):
        content = files("pytest_migsafe.reports.html").joinpath(name).read_text("utf-8")
        assert not re.search(r"https?:|@import|url\((?!#)|</", content), name


def test_headings_are_in_order() -> None:
    made = page(
        migration("migrations/0001.sql", finding()),
        migration("migrations/0002.sql"),
        ends=(end(), end("end-state", findings=[finding(path="migrations", line=0)])),
        sections=[{"title": "Ours", "text": "said"}],
    )

    levels = [int(name[1]) for name, _ in made.elements if re.fullmatch(r"h\d", name)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_a_link_leads_to_something() -> None:
    made = page(
        migration("migrations/0001 a.sql", finding()),
        migration("migrations/ü.sql"),
        skipped("migrations/0003.sql")
        | {"outcome": "blocked", "blocked_by": "migrations/0001 a.sql", "blocked_because": "it"},
    )
    from urllib.parse import unquote

    targets = [unquote((one["href"] or "").removeprefix("#")) for one in made.all("a")]
    assert len(targets) > 3
    assert set(targets) <= set(made.ids)


@pytest.mark.parametrize("case", RED)
def test_what_is_red_looks_so(case: str) -> None:
    made = Page(as_html(RED[case]))

    (heading,) = made.all("h1")
    assert heading["class"] in ("verdict failed", "verdict blocked")
    assert "What is wrong" in made.text


# -- what stands in it -----------------------------------------------------------------------------------------


def test_a_finding_is_told_with_its_sql_its_proof_and_the_safe_way() -> None:
    remedy = {
        "sql": "CREATE INDEX CONCURRENTLY orders_idx ON orders (x);",
        "in_transaction": False,
        "when": "",
    }
    made = page(migration("migrations/0002_index.sql", finding(files=[remedy])))

    assert "Do not merge: 1 of 1 migration fails" in made.text
    assert "Error index-not-concurrent" in made.text
    assert "here: CREATE INDEX orders_idx" in made.text
    assert "ShareLock on public.orders, taken by this statement" in made.text
    assert made.text.count("CREATE INDEX CONCURRENTLY orders_idx") == 1
    assert "SQL, outside a transaction Copy" in made.text
    marked = [one for one in made.all("span") if one.get("class") == "line marked"]
    assert [one["data-n"] for one in marked] == ["4"]


def test_a_waiver_is_told_with_its_reason() -> None:
    made = page(migration("migrations/1.sql", finding(waived_because="nobody writes at night")))

    assert "Waived because nobody writes at night" in made.text
    assert "1 migration judged, none fails" in made.text


def test_the_picture_is_told_in_words_and_as_a_table() -> None:
    made = page(migration("migrations/1.sql"))

    assert (
        "1 statement. SHARE on public.orders from statement 1 only: writes wait, meanwhile index build."
        in made.text
    )
    assert "public.orders SHARE 1 writes wait 1: index build" in made.text
    picture = next(one for one in made.all("svg") if one.get("role") == "img")
    for named in (picture["aria-labelledby"] or "").split():
        assert named in made.ids


def test_a_long_file_has_a_picture_of_what_matters() -> None:
    statements = [statement(f"SELECT {number}", line=number) for number in range(1, 501)]
    bars = [
        {
            "relation": f"public.t{number}",
            "kind": "table",
            "mode": "AccessExclusiveLock",
            "first": number,
            "last": 500,
            "waiting": "reads and writes",
        }
        for number in range(1, 301)
    ]
    work = [{"statement": 400, "kind": "rewrite", "table": "public.t1", "index": ""}]
    text = as_html(
        report(migration("1.sql", statements=statements, timeline=timeline(bars=bars, work=work, created=3)))
    )

    made = Page(text)
    assert "… 288 more relations, in the table below" in made.text
    assert "+ 3 relations that the file itself makes" in made.text
    assert "… 388 more 12 to 399" in made.text
    assert "400 CREATE INDEX" in made.text.replace("  ", " ")
    assert "100 more in the JSON report" in made.text
    assert len(text) < 300_000


def test_how_long_production_would_wait_is_told_in_the_picture() -> None:
    estimate = {"seconds": 40.0, "small": False, "tables": {}, "unknown": []}
    made = page(migration("1.sql", finding(details={"estimate": estimate})))

    assert "about 40 s in production" in made.text
    assert "1: index build (about 40 s in production)" in made.text


def test_what_hooks_add_is_told() -> None:
    told = [{"title": "Cost <b>", "text": "two\nlines"}]
    made = page(migration("1.sql", sections=told), sections=told)

    assert made.text.count("Cost <b>") >= 2


def test_a_page_of_no_migrations() -> None:
    made = page(skipped())

    assert "Nothing to judge" in made.text
    assert "1 migration that this run was not to judge" in made.text


# -- colours ---------------------------------------------------------------------------------------------------

#: Texts and what they stand on; WCAG 2.2, 1.4.3 asks for 4.5 to 1.
_TEXTS = {
    "--page": ("--ink", "--soft", "--link", "--bad", "--warn", "--good", "--held"),
    "--raised": (
        "--ink",
        "--soft",
        "--bad",
        "--warn",
        "--good",
        "--keyword",
        "--string",
        "--number",
        "--comment",
    ),
    "--mark": ("--ink", "--soft", "--bad", "--keyword", "--string", "--number", "--comment"),
}
#: Shapes; 1.4.11 asks for 3 to 1.
_SHAPES = {
    "--page": ("--waits-all", "--waits-some", "--edge", "--calm", "--focus"),
    "--waits-all": ("--hatch",),
    "--waits-some": ("--hatch",),
}


def _schemes() -> dict[str, dict[str, str]]:
    css = files("pytest_migsafe.reports.html").joinpath("colours.css").read_text("utf-8")
    blocks = re.findall(r":root\s*\{(.*?)\}", css, re.DOTALL)
    return dict(
        zip(
            ("light", "dark", "print"),
            (dict(re.findall(r"(--[\w-]+):\s*(#\w{6})", block)) for block in blocks),
            strict=True,
        )
    )


def _luminance(colour: str) -> float:
    """Return the relative luminance of a colour (WCAG 2.2, "relative luminance")."""
    channels = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours, from 1 to 21."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark", "print"])
def test_contrast(scheme: str) -> None:
    colours = _schemes()[scheme]
    for least, pairs in ((4.5, _TEXTS), (3.0, _SHAPES)):
        for ground, names in pairs.items():
            for name in names:
                if name in colours:
                    found = contrast(colours[name], colours[ground])
                    assert found >= least, f"{name} on {ground}: {found:.2f}"
