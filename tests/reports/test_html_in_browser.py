"""The page in a real browser: by keyboard, by screen reader, in light and dark, on a phone, on paper, and when it is long.

Needs Chromium (``MIGSAFE_TEST_CHROMIUM`` names it, else it is looked for on the PATH) and playwright, of the extra ``dev``.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from pytest_migsafe.reports.html import as_html
from tests.plugin.conftest import Project
from tests.reports.report import Json, end, finding, migration, report, skipped, statement, timeline

playwright = pytest.importorskip(
    "playwright.sync_api",
    reason="playwright, which drives the browser, is not installed (it is in the extra `dev`)",
)

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
#: It asks nobody for anything, and runs as root in a container.
_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """One Chromium for all tests of this module."""
    program = os.environ.get("MIGSAFE_TEST_CHROMIUM") or next(filter(None, map(shutil.which, _NAMES)), None)
    if program is None:
        pytest.skip(
            f"there is no Chromium on this machine ({', '.join(_NAMES)} on the PATH, or MIGSAFE_TEST_CHROMIUM)"
        )
    with playwright.sync_playwright() as started:
        running = started.chromium.launch(executable_path=program, args=list(_FLAGS))
        try:
            yield running
        finally:
            running.close()


@dataclass
class Opened:
    """A page that is open, and what it did besides showing itself."""

    page: Any
    #: What it asked anybody for, itself left out.
    requests: list[str] = field(default_factory=list)
    #: What went wrong, or was refused.
    complaints: list[str] = field(default_factory=list)

    @property
    def focused(self) -> str:
        """The text of what has the focus."""
        return str(self.page.evaluate("document.activeElement.textContent.trim().replace(/\\s+/g, ' ')"))

    @property
    def open_entries(self) -> list[str]:
        found: list[str] = self.page.evaluate(
            "[...document.querySelectorAll('#migrations > .entry:has(> details[open]) > details > .body')].map(one => one.id)"
        )
        return found

    @property
    def shown_entries(self) -> list[str]:
        found: list[str] = self.page.evaluate(
            "[...document.querySelectorAll('#migrations > .entry:not([hidden]) > details > .body')].map(one => one.id)"
        )
        return found


#: Writes a report as a page, and opens it.
Open = Callable[..., Opened]


@pytest.fixture
def open_page(browser: Any, tmp_path: Path) -> Iterator[Open]:
    with ExitStack() as contexts:

        def opened(shown: Json | Path, *, link: str = "", **options: Any) -> Opened:
            path = shown if isinstance(shown, Path) else tmp_path / "page.html"
            if not isinstance(shown, Path):
                path.write_text(as_html(shown), encoding="utf-8")
            context = browser.new_context(**{"reduced_motion": "reduce"} | options)
            contexts.callback(context.close)
            page = context.new_page()
            one = Opened(page)
            page.on("request", lambda request: one.requests.append(request.url.partition("#")[0]))
            page.on("console", lambda message: one.complaints.append(message.text))
            page.on("pageerror", lambda error: one.complaints.append(str(error)))
            page.on("dialog", lambda dialog: one.complaints.append(dialog.message))
            page.goto(path.as_uri() + link)
            one.requests.remove(path.as_uri())
            return one

        yield opened


FILES = [{"sql": f"SELECT {number};", "in_transaction": True, "when": ""} for number in (1, 2)]


def _a_run() -> Json:
    """Return the report of a run with everything that a page shows."""
    bars = [
        {
            "relation": "public.orders",
            "kind": "table",
            "mode": "AccessExclusiveLock",
            "first": 1,
            "last": 2,
            "waiting": "reads and writes",
        },
        {
            "relation": "public.customers",
            "kind": "table",
            "mode": "ShareLock",
            "first": 2,
            "last": 2,
            "waiting": "writes",
        },
        {
            "relation": "public.items",
            "kind": "table",
            "mode": "RowExclusiveLock",
            "first": 2,
            "last": 2,
            "waiting": "",
        },
    ]
    work = [{"statement": 2, "kind": "scan", "table": "public.customers", "index": ""}]
    locking = migration(
        "migrations/0002_locks.sql",
        finding(files=FILES),
        finding("column-renamed", line=0, severity="warning"),
        finding("table-dropped", waived_because="nobody uses it"),
        statements=[statement("ALTER TABLE orders ADD c text", line=1), statement(line=4)],
        timeline=timeline(bars=bars, work=work, created=2),
        smoke_tests=[
            {
                "name": "tables",
                "checked": 2,
                "errors": 0,
                "warnings": 1,
                "not_valid": ["public.x"],
                "verdict": "warned",
            }
        ],
        row_security=[
            {
                "table": "public.orders",
                "role": "web",
                "SELECT": "all rows",
                "INSERT": "no privilege",
                "UPDATE": "policies: p",
                "DELETE": "no row",
            }
        ],
        leaks=[{"kind": "setting", "name": "search_path", "value": "x"}],
        diff=[
            {"action": "added", "kind": "index", "name": "public.i", "attributes": []},
            {"action": "removed", "kind": "table", "name": "public.t", "attributes": []},
            {
                "action": "changed",
                "kind": "column",
                "name": "public.t.c",
                "attributes": [["type", "integer", "bigint"]],
            },
        ],
    )
    return report(
        migration("migrations/0001_sound.sql"),
        locking,
        migration("migrations/0003_warned.sql", finding(severity="warning")),
        migration("migrations/0004_fails.sql", finding("apply-error")),
        skipped("migrations/0005_blocked.sql")
        | {
            "outcome": "blocked",
            "blocked_by": "migrations/0004_fails.sql",
            "blocked_because": "no such table",
        },
        skipped("migrations/0006_not_asked_for.sql"),
        ends=(end(),),
        sections=[{"title": "Costs", "text": "none\nat all"}],
    )


def test_a_run_writes_a_page_that_stands_alone(pytester: pytest.Pytester, open_page: Open) -> None:
    project = Project(pytester)
    project.write(
        {
            "migrations/0001_orders.sql": "CREATE TABLE orders (id bigint PRIMARY KEY, placed_at date);",
            "migrations/0002_index.sql": "SET LOCAL lock_timeout = '2s';\nCREATE INDEX orders_placed_at ON orders (placed_at);",
        }
    )
    run = project.run("--migsafe-html=page.html")
    assert run.verdicts == {"migrations/0001_orders.sql": "passed", "migrations/0002_index.sql": "failed"}

    opened = open_page(project.path / "page.html")

    assert (opened.requests, opened.complaints) == ([], [])
    assert opened.page.title() == "Do not merge: 1 of 2 migrations fails · pytest-migsafe"
    assert opened.open_entries == ["migrations/0002_index.sql"]
    picture = opened.page.get_by_role("img", name="Locks along the statements")
    assert (
        "SHARE on public.orders from statement 2 only: writes wait, meanwhile index build"
        in picture.text_content()
    )
    assert picture.bounding_box()["height"] > 100


def test_names_are_no_scripts(open_page: Open) -> None:
    bad = "<img src=x onerror=alert(1)><script>alert(2)</script>\" autofocus onfocus=alert(3) x='"
    shown = migration(
        f"migrations/{bad}.sql",
        finding(
            message=bad,
            remedy=bad,
            evidence=[bad],
            objects=[bad],
            files=[{"sql": bad, "in_transaction": True, "when": bad}],
        ),
        statements=[statement(f"SELECT '{bad}'", tag=bad)],
        diff=[{"action": "added", "kind": "table", "name": bad, "attributes": []}],
    )

    opened = open_page(report(shown, sections=[{"title": bad, "text": bad}]))

    assert (opened.requests, opened.complaints) == ([], [])
    assert opened.page.locator("img, script:not(body > script:last-child)").count() == 0


def test_by_keyboard(open_page: Open) -> None:
    opened = open_page(_a_run())
    press = opened.page.keyboard.press

    press("Tab")
    assert opened.focused == "Skip to the migrations"
    press("Enter")
    assert opened.page.evaluate("document.activeElement.id") == "migrations"
    seen = []
    for _ in range(9):
        press("Tab")
        seen.append(opened.focused)
    assert seen[-1].startswith("✔Passed migrations/0001_sound.sql")
    assert "migrations/0001_sound.sql" not in opened.open_entries
    press("Enter")
    assert "migrations/0001_sound.sql" in opened.open_entries
    press("j")
    assert opened.focused.startswith("✖Failed migrations/0002_locks.sql")
    press("k")
    assert opened.focused.startswith("✔Passed migrations/0001_sound.sql")
    # In a field, letters are letters; and they can be switched off.
    opened.page.fill("[name=text]", "")
    opened.page.focus("[name=text]")
    press("j")
    assert opened.page.input_value("[name=text]") == "j"
    opened.page.fill("[name=text]", "")
    opened.page.uncheck("[name=keys]")
    press("j")
    assert opened.page.evaluate("document.activeElement.name") == "keys"


def test_what_has_the_focus_is_seen(open_page: Open) -> None:
    opened = open_page(_a_run())

    for _ in range(12):
        opened.page.keyboard.press("Tab")
        width = opened.page.evaluate("getComputedStyle(document.activeElement).outlineWidth")
        assert width != "0px", opened.focused


def test_by_screen_reader(open_page: Open) -> None:
    opened = open_page(_a_run())

    told = opened.page.locator("body").aria_snapshot().replace("- '", "- ")

    for line in (
        '- heading "Do not merge: 2 of 5 migrations fail, 1 blocked" [level=1]',
        '- region "What is wrong"',
        '- heading "Failed migrations/0002_locks.sql" [level=3]',
        '- article "Error index-not-concurrent"',
        '- img "Locks along the statements',
        '- search "Filter the migrations"',
        '- button "Copy File 1"',
        '- table "What roles can do with the rows of tables with row-level security"',
        "- main:",
        "- banner:",
        "- contentinfo:",
    ):
        assert line in told, f"{line}\n\n{told}"
    assert "onerror" not in told


#: Every text that is shown, with its contrast to what it stands on, as far as that is a plain colour.
_CONTRASTS = """() => {
  const channel = (one) => { one /= 255; return one <= 0.04045 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4; };
  const luminance = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const parse = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const ground = (one) => {
    for (; one; one = one.parentElement) {
      const colour = parse(getComputedStyle(one).backgroundColor);
      if (colour.length === 3 || colour[3] === 1) return colour;
    }
    return [255, 255, 255];
  };
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode, one = node.parentElement;
    if (!node.data.trim() || one.closest("script, title, desc, .unseen") || !one.checkVisibility()) continue;
    const style = getComputedStyle(one);
    const [a, b] = [luminance(parse(one.closest("svg") ? style.fill : style.color)), luminance(ground(one))].sort((x, y) => y - x);
    found.push([(a + 0.05) / (b + 0.05), node.data.trim().slice(0, 60)]);
  }
  return found;
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_stands_out(open_page: Open, scheme: str) -> None:
    opened = open_page(_a_run(), color_scheme=scheme)
    opened.page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true; })")

    found = opened.page.evaluate(_CONTRASTS)

    assert len(found) > 150
    assert [one for one in found if one[0] < 4.5] == []


def test_the_schemes_differ(open_page: Open) -> None:
    grounds = {
        open_page(_a_run(), color_scheme=scheme).page.evaluate(
            "getComputedStyle(document.documentElement).backgroundColor"
        )
        for scheme in ("light", "dark")
    }
    assert len(grounds) == 2


def _expect_shown(opened: Opened, said: str) -> None:
    playwright.expect(opened.page.locator("output")).to_have_text(said)


def test_filters(open_page: Open) -> None:
    opened = open_page(_a_run())
    page = opened.page

    assert len(opened.shown_entries) == 5
    page.uncheck("[value=passed]")
    page.uncheck("[value=failed]")
    _expect_shown(opened, "2 of 5 shown")
    assert opened.shown_entries == ["migrations/0003_warned.sql", "migrations/0005_blocked.sql"]
    page.check("[value=failed]")
    page.fill("[name=text]", "APPLY-error 0004")
    _expect_shown(opened, "1 of 5 shown")
    assert opened.shown_entries == ["migrations/0004_fails.sql"]
    page.click("text=Close all")
    assert opened.open_entries == ["migrations/0002_locks.sql"]
    # A link leads to what the filter hides.
    page.click(".wrong a >> nth=0")
    assert "migrations/0002_locks.sql" in opened.shown_entries
    assert opened.complaints == []


def test_a_statement_of_the_picture_leads_to_its_sql(open_page: Open) -> None:
    opened = open_page(_a_run())
    sql = opened.page.locator("[id='migrations/0002_locks.sql:s2']")
    assert not sql.is_visible()

    opened.page.click("[data-to='migrations/0002_locks.sql:s2']")

    playwright.expect(sql).to_be_visible()


def test_sql_is_copied(open_page: Open) -> None:
    opened = open_page(_a_run(), permissions=["clipboard-read", "clipboard-write"])

    opened.page.click("[aria-label='Copy File 2'] >> nth=0")

    playwright.expect(opened.page.locator("[aria-label='Copy File 2']").first).to_have_text("Copied")
    assert opened.page.evaluate("navigator.clipboard.readText()") == "SELECT 2;"


def test_without_a_script_it_is_whole(open_page: Open) -> None:
    opened = open_page(_a_run(), java_script_enabled=False, link="#migrations/0003_warned.sql")

    def is_shown(what: str) -> bool:
        return bool(opened.page.locator(what).first.is_visible())

    # The link opens what it leads to.
    assert is_shown("[id='migrations/0003_warned.sql']")
    assert not is_shown("[id='migrations/0001_sound.sql']")
    assert not is_shown(".filters")
    assert not is_shown(".copy")


def test_on_paper_what_failed_is_open(open_page: Open) -> None:
    opened = open_page(_a_run(), color_scheme="dark")
    opened.page.click("text=Close all")
    assert opened.open_entries == []
    opened.page.evaluate(
        "addEventListener('beforeprint', () => { window.printed = document.querySelectorAll('.entry > details[open]').length; })"
    )

    paper = opened.page.pdf(format="A4", prefer_css_page_size=True)

    assert paper.startswith(b"%PDF")
    assert opened.page.evaluate("window.printed") == 3
    assert opened.open_entries == []
    opened.page.emulate_media(media="print")
    assert (
        opened.page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
        == "rgb(255, 255, 255)"
    )
    assert not opened.page.locator(".filters").is_visible()


def test_on_a_phone_only_boxes_scroll_sideways(open_page: Open) -> None:
    opened = open_page(_a_run(), viewport={"width": 390, "height": 800})
    opened.page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true; })")

    wide = opened.page.evaluate("[document.documentElement.scrollWidth, innerWidth]")

    assert wide[0] <= wide[1]


def test_five_hundred_migrations(open_page: Open) -> None:
    text = "\n".join(f"ALTER TABLE t{number} ADD COLUMN c{number} integer;" for number in range(60))
    shown = [
        migration(
            f"migrations/{number:04}_file.sql",
            *([finding(files=FILES)] if number % 10 == 0 else []),
            statements=[statement(text, line=1 + 60 * at) for at in range(5)],
        )
        for number in range(500)
    ]
    made = report(*shown)
    assert len(as_html(made)) < 5_000_000

    opened = open_page(made)

    assert len(opened.shown_entries) == 500
    assert len(opened.open_entries) == 12
    opened.page.fill("[name=text]", "0490_file")
    _expect_shown(opened, "1 of 500 shown")
    assert opened.shown_entries == ["migrations/0490_file.sql"]
    assert opened.complaints == []
