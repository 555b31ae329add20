"""The family *history*, of what others may have applied: what is said of an origin, by runner."""

from typing import Any

import pytest

from pytest_migsafe.findings import Finding, Severity
from pytest_migsafe.migrations.discovery import LAYOUT_NAMES
from pytest_migsafe.migrations.origin import Change, Gone, Origin
from pytest_migsafe.migrations.runners import MEMORIES
from pytest_migsafe.rules.immutability import IMMUTABILITY_RULES, deleted
from pytest_migsafe.rules.judging import judge
from pytest_migsafe.rules.registry import Rule
from tests.rules.evidence import evidence

#: Layouts that tell no runner.
_NOBODY_S = {"flat", "version-folders", "sections"}


def found(layout: str = "flat", change: Change = Change.NEW, **fields: Any) -> list[Finding]:
    origin = Origin(base="1a2b3c4 (main)", commit="1a2b3c4", layout=layout, change=change, **fields)
    rules: tuple[Rule, ...] = IMMUTABILITY_RULES
    return list(judge(evidence("select 1", origin=origin), rules, {}))


def seen(layout: str, change: Change, **fields: Any) -> list[tuple[str, str]]:
    return [(one.rule, one.severity.value) for one in found(layout, change, **fields)]


def test_of_each_runner_it_is_known_what_it_remembers() -> None:
    assert MEMORIES.keys() == set(LAYOUT_NAMES) - _NOBODY_S


def test_nothing_is_said_without_a_base() -> None:
    assert list(judge(evidence("select 1"), IMMUTABILITY_RULES, {})) == []


@pytest.mark.parametrize("layout", [*MEMORIES, *sorted(_NOBODY_S)])
def test_a_file_that_is_new_or_as_it_was_is_right(layout: str) -> None:
    assert seen(layout, Change.NEW) == seen(layout, Change.UNCHANGED) == seen(layout, Change.ALLOWED) == []


@pytest.mark.parametrize("layout", [*MEMORIES, *sorted(_NOBODY_S)])
def test_an_edited_file_is_an_error_whoever_applies_it(layout: str) -> None:
    assert seen(layout, Change.EDITED) == [("history-edited", "error")]


@pytest.mark.parametrize(
    ("layout", "comments", "white_space"),
    [
        ("flat", "warning", "warning"),
        ("dbmate", "warning", "warning"),
        ("prisma", "warning", "warning"),
        ("flyway", "error", "error"),
        ("sqlx", "error", "error"),
        ("liquibase", "error", "warning"),
    ],
)
def test_comments_stop_runners_that_compare_checksums(layout: str, comments: str, white_space: str) -> None:
    assert seen(layout, Change.COMMENTS) == [("history-comment-edited", comments)]
    assert seen(layout, Change.WHITE_SPACE) == [("history-comment-edited", white_space)]


def test_play_compares_the_way_back_too() -> None:
    (finding,) = found("play", Change.ALLOWED, line=7, differences=("-drop table a;", "+drop table b;"))
    assert (finding.rule, finding.severity, finding.line) == ("history-comment-edited", Severity.ERROR, 7)
    assert finding.message.startswith("the way back edited since 1a2b3c4 (main): Play wants to undo it")


@pytest.mark.parametrize(
    ("layout", "fields", "severity"),
    [
        ("goose", {}, "warning"),
        ("goose", {"has_new_version": True}, "error"),
        ("goose", {"is_edited": True}, "error"),
        ("prisma", {}, "error"),
        ("flat", {}, "error"),
    ],
)
def test_a_new_name_matters_where_the_name_is_known(
    layout: str, fields: dict[str, Any], severity: str
) -> None:
    assert seen(layout, Change.RENAMED, was="a.sql", **fields) == [("history-renamed", severity)]


def test_a_file_that_comes_late_says_what_its_runner_does() -> None:
    later = tuple(f"{n}.sql" for n in range(5))
    (finding,) = found("golang-migrate", later=later, tip="origin/main")
    assert finding.message == (
        "new, and ordered before 0.sql, 1.sql, 2.sql and 2 more of origin/main: "
        "golang-migrate skips it without a word where a later one has been applied"
    )


def test_both_heads_are_named() -> None:
    (finding,) = found(rivals=("migrations/2_b.sql",), tip="main")
    assert finding.message.startswith("migrations/2_b.sql, new on main, has the same version or place")


def test_what_is_gone_says_how_it_comes_back() -> None:
    gone = Gone(path="migrations/1_a.sql", base="1a2b3c4 (main)", commit="1a2b3c4", layout="sqlx")
    by_lock = Gone(path="migrations/1_a.sql", base="migsafe.lock", layout="flat")
    first, second = deleted([gone, by_lock], Severity.ERROR)
    assert "git checkout 1a2b3c4 -- migrations/1_a.sql" in first.remedy
    assert "sqlx ends with `previously applied but is missing`" in first.message
    assert second.message.startswith("migrations/1_a.sql was deleted since migsafe.lock was written: ")


def test_a_plan_in_another_order_says_what_was_passed() -> None:
    (finding,) = found("sqitch", Change.UNCHANGED, later=("deploy/a.sql",))
    assert finding.message.startswith(
        "ordered before deploy/a.sql now, which it was behind at 1a2b3c4 (main): Sqitch no longer"
    )
