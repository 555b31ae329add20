"""The comment for a pull request: the verdict first, valid whatever comes, and no longer than there is room."""

import re
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_migsafe.reports.markdown import MOST, as_markdown
from pytest_migsafe.texts.markdown import is_closed
from tests.reports.report import (
    ODD_TEXTS,
    RED,
    Json,
    end,
    finding,
    migration,
    report,
    reports,
    skipped,
    statement,
)

_OURS = re.compile(r"</?(?:details|summary|sub)>|<!-- pytest-migsafe -->")


def outside_of_blocks(text: str) -> str:
    """Return what is no code block, after seeing that each block is closed."""
    outside, fence = [], ""
    for line in text.split("\n"):
        ticks = re.match(r"(`{3,})[^`]*$", line)
        if fence:
            fence = "" if re.fullmatch(r"`{3,}", line) and len(line) >= len(fence) else fence
        elif ticks:
            fence = ticks[1]
        else:
            outside.append(line)
    assert not fence, text
    return "\n".join(outside)


def markup(text: str) -> str:
    """Return what is neither code nor an escaped character."""
    return re.sub(r"(?<!`)(`+)(?!`).*?(?<!`)\1(?!`)", "", re.sub(r"\\[^`\w]", ".", outside_of_blocks(text)))


def see_that_it_is_valid(text: str) -> None:
    outside = markup(text)
    assert outside.count("<details>") == outside.count("</details>") == outside.count("<summary>")
    assert "<" not in _OURS.sub("", outside)
    assert not re.search(r"[@#]\w", outside)
    assert not re.search(r"^ {0,3}/", outside, re.MULTILINE)
    text.encode("utf-8")


def test_the_verdict_comes_first_then_the_table_then_what_is_wrong() -> None:
    text = as_markdown(RED["a finding"])

    assert text.startswith("<!-- pytest-migsafe -->\n## ❌ Do not merge: 1 of 1 migration fails\n")
    assert text.splitlines()[3:6] == [
        "| Migration | Verdict | Strongest lock | Others wait |",
        "|---|---|---|---|",
        "| `migrations/0002_index.sql` | ❌ fails: 1 error | Share on `public.orders` | **for long** |",
    ]
    assert "### `index-not-concurrent` in `migrations/0002_index.sql:4`\n" in text
    assert "> 4 | CREATE INDEX orders_idx\n    | ^\n  5 |     ON orders (x)\n" in text
    assert "- ShareLock on public.orders, taken by this statement\n" in text
    assert "The safe way: Build it CONCURRENTLY.\n\n```sql\n-- runs outside a transaction\n" in text
    assert "```diff\n+ index public.orders_idx" in text
    assert text.endswith("<sub>pytest-migsafe; PostgreSQL 18.6; 1 migration not judged</sub>\n")


def test_a_green_run_says_so() -> None:
    text = as_markdown(report(migration("a.sql", finding("w", severity="warning"))))

    assert "## ✅ Safe to merge: 1 migration judged, none fails, 1 warning\n" in text
    assert "<summary>1 warning</summary>" in text


@pytest.mark.parametrize("name", RED)
def test_a_red_run_is_seen(name: str) -> None:
    text = as_markdown(RED[name])

    assert "## ❌ " in text
    assert "✅" not in text.splitlines()[1]


def test_what_is_waived_is_counted_and_folded_away() -> None:
    text = as_markdown(report(migration("a.sql", finding(waived_because="it is empty"))))

    assert "<summary>1 finding waived in the files</summary>" in text
    assert "Allowed because: it is empty" in text


def test_a_long_way_out_is_folded_away() -> None:
    sql = "\n".join(f"ALTER TABLE t ADD COLUMN c{at} int;" for at in range(20))
    text = as_markdown(report(migration("a.sql", finding(remedy=f"Add them.\n{sql}"))))

    assert (
        "The safe way: Add them.\n\n<details>\n<summary>its SQL, 20 lines</summary>\n\n```sql\nALTER" in text
    )
    see_that_it_is_valid(text)


def test_other_failures_a_missing_version_and_a_team_s_section_are_told() -> None:
    failures = [{"item": "tests/test_app.py::test_it", "message": "assert 1 == 2"}]
    text = as_markdown(
        report(
            migration(),
            exit_code=1,
            failures=failures,
            missing=("14",),
            sections=[
                {"title": "Deploy", "text": "on **Monday**"},
                {"title": "Broken", "text": "on Monday\n```"},
            ],
        )
    )

    assert "- `tests/test_app.py::test_it`: assert 1 == 2\n" in text
    assert "PostgreSQL 14 not found on the machine: nothing was rehearsed on it" in text
    assert "### Deploy\n\non **Monday**\n" in text
    assert "### Broken\n\n````\non Monday\n```\n````\n" in text


def test_a_schema_that_is_not_the_declared_one_is_shown() -> None:
    change = {"action": "removed", "kind": "index", "name": "public.i", "attributes": []}
    text = as_markdown(report(migration(), ends=(end(diff=[change]),)))

    assert "## ❌ Do not merge: schema.json does not say what the migrations make\n" in text
    assert "`schema.json`\n\n```diff\n- index public.i" in text


@pytest.mark.parametrize("odd", ODD_TEXTS)
def test_odd_names_are_text(odd: str) -> None:
    name = odd.strip() or "x"
    see_that_it_is_valid(
        as_markdown(
            report(
                migration(
                    name,
                    finding(message=odd, evidence=[odd], remedy=odd, objects=[odd]),
                    finding(severity="warning", message=odd),
                    finding(waived_because=odd),
                    statements=[statement(odd)],
                    diff=[{"action": "added", "kind": "table", "name": odd, "attributes": []}],
                    problem=odd,
                ),
                sections=[{"title": odd, "text": ""}],
                failures=[{"item": odd, "message": odd}],
                folder=odd,
            )
        )
    )


def test_what_is_judged_on_a_pull_request_is_said() -> None:
    given = report(skipped(), migration("migrations/0002_index.sql"))
    given["histories"][0]["gate"] = {"because": "new or changed since main (abc)", "problem": None}

    assert "; 1 migration not judged; judged is what is new or changed since main (abc)</sub>" in as_markdown(
        given
    )


def test_a_row_has_as_many_cells_as_the_table() -> None:
    text = as_markdown(report(migration("a|b`|`.sql", finding())))
    row = next(line for line in text.splitlines() if "fails: 1" in line)

    assert len(re.findall(r"(?<!\\)\|", row)) == 5


@given(reports(), st.integers(2_500, 12_000))
@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])
def test_any_report_fits_and_is_valid(one: Json, most: int) -> None:
    # A team's own Markdown is theirs.
    sections = [{**section, "text": "text"} for section in one["sections"]]
    text = as_markdown({**one, "sections": sections}, most)

    assert len(text) <= most
    assert text.startswith("<!-- pytest-migsafe -->\n## ")
    see_that_it_is_valid(text)


def test_a_long_history_fits_the_worst_first_and_says_what_is_left_out() -> None:
    many = [migration(f"migrations/{at:04}.sql", finding(severity="warning")) for at in range(500)]
    worst = [migration(f"migrations/{at:04}.sql", finding()) for at in range(500, 520)]
    began = time.perf_counter()
    text = as_markdown(report(*many, *worst))

    assert time.perf_counter() - began < 1
    assert len(text) <= MOST
    assert text.count("### `index-not-concurrent`") == 20
    assert re.search(r"_Left out, for there is no room: .*520 schema changes. The other reports", text)
    see_that_it_is_valid(text)


@pytest.mark.parametrize(
    ("text", "closed"),
    [
        ("", True),
        ("```sql\nSELECT 1\n```\nx", True),
        ("````\n```\n````", True),
        ("```\n````", True),
        ("~~~\n```\n~~~", True),
        ("```\nx", False),
        ("````\n```", False),
        ("```\n``` x", False),
        ("<details>", False),
        ("<details><summary>x</summary></details>", True),
        ("```\n<details>\n```", True),
        ("<!-- x", False),
    ],
)
def test_a_team_s_markdown_is_taken_if_it_ends_what_it_begins(text: str, *, closed: bool) -> None:
    assert is_closed(text) is closed


def test_an_empty_run_says_that_there_was_nothing() -> None:
    assert as_markdown(report(exit_code=5, servers=[])) == (
        "<!-- pytest-migsafe -->\n## ⚪ Nothing to judge: no migration was asked for\n\n<sub>pytest-migsafe</sub>\n"
    )
    assert "| Migration |" not in as_markdown(report(skipped()))
