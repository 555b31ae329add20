"""What a file allows is marked and no longer fails; a waiver that is none, or is of no use, is a finding itself."""

from collections.abc import Iterator
from typing import Any

import pytest

from pytest_migsafe.findings import Finding, Severity
from pytest_migsafe.migrations.source import Position
from pytest_migsafe.migrations.waivers import Waiver
from pytest_migsafe.rehearsal.evidence import Evidence
from pytest_migsafe.rules import Rule, judge, rule
from pytest_migsafe.rules.builtin import RULES
from pytest_migsafe.rules.waivers import with_waivers
from tests.rules.evidence import evidence, failed


@rule(id="busy-lock", family="f", severity=Severity.ERROR, title="Locks.", why="", remedy="")
def busy_lock(given: Evidence) -> Iterator[Finding]:
    """Find something at every statement, and in the file as a whole."""
    yield busy_lock.finding(given, message="the file")
    for statement in given.statements:
        yield busy_lock.finding(given, message=statement.text, line=statement.line, column=5)


@rule(id="quiet-lock", family="f", severity=Severity.OFF, title="Is off.", why="", remedy="")
def quiet_lock(given: Evidence) -> Iterator[Finding]:
    """Find something, if it is asked."""
    yield quiet_lock.finding(given, message="quiet", line=1, column=1)


@rule(id="idle", family="f", severity=Severity.ERROR, title="Finds nothing.", why="", remedy="")
def idle(_: Evidence) -> Iterator[Finding]:
    """Find nothing."""
    return iter(())


OURS: tuple[Rule, ...] = (*RULES, busy_lock, quiet_lock, idle)


def waiver(*rules: str, because: str = "it is small", line: int = 9, **fields: Any) -> Waiver:
    """Return a waiver on top of the file."""
    return Waiver(line=line, column=1, rules=rules, because=because, **fields)


def above(line: int) -> dict[str, Any]:
    """Return what covers the statement in a line."""
    return {"statement": (Position(line, 1), Position(line, 20))}


def judged(
    *waivers: Waiver, given: Evidence | None = None, several: bool = False, **severities: Severity
) -> tuple[Finding, ...]:
    about = given or evidence("SELECT 1", "SELECT 2", waivers=waivers)
    levels = {name.replace("_", "-"): severity for name, severity in severities.items()}
    return with_waivers(
        about, judge(about, OURS, levels), rules=OURS, severities=levels, is_one_of_several=several
    )


def said(findings: tuple[Finding, ...]) -> list[tuple[str, int, str | None]]:
    return [(one.rule, one.line, one.waived) for one in findings]


def test_without_waivers_the_findings_are_what_they_were() -> None:
    assert said(judged()) == [("busy-lock", 0, None), ("busy-lock", 1, None), ("busy-lock", 2, None)]


def test_what_a_waiver_covers_is_marked_and_does_not_fail() -> None:
    findings = judged(waiver("busy-lock", **above(2)))

    assert said(findings) == [("busy-lock", 0, None), ("busy-lock", 1, None), ("busy-lock", 2, "it is small")]
    assert [one.fails for one in findings] == [True, True, False]
    plain = findings[-1].to_json()
    assert (plain["severity"], plain["waived"], plain["waived_because"]) == ("error", True, "it is small")


def test_one_on_top_of_the_file_covers_all_of_it_and_one_at_the_statement_goes_first() -> None:
    findings = judged(waiver("busy-lock"), waiver("busy-lock", because="of this", **above(1)))

    assert [one.waived for one in findings] == ["it is small", "of this", "it is small"]


def test_a_rule_that_is_not_built_in_is_waived_as_any_other() -> None:
    assert not any(one.fails for one in judged(waiver("busy-lock")))


@pytest.mark.parametrize(
    ("wrong", "rule_id", "message"),
    [
        (
            waiver("busy-lok"),
            "waiver-unknown-rule",
            "there is no rule 'busy-lok'; did you mean 'busy-lock'?",
        ),
        (
            waiver("xyzzy"),
            "waiver-unknown-rule",
            "there is no rule 'xyzzy'; `pytest --migsafe-rules` lists them",
        ),
        (waiver("apply-error"), "waiver-unknown-rule", "apply-error cannot be waived"),
        (waiver("waiver-unused"), "waiver-unknown-rule", "waiver-unused cannot be waived"),
        (
            waiver("busy-lock", "idle", because=""),
            "waiver-without-reason",
            "the waiver of busy-lock, idle gives no reason, and so allows nothing",
        ),
        (waiver(problem="the waiver names no rule"), "waiver-malformed", "the waiver names no rule"),
        (
            waiver("idle"),
            "waiver-unused",
            "the waiver of idle is not needed: the rule finds nothing in the file",
        ),
        (
            waiver("idle", **above(2)),
            "waiver-unused",
            "the waiver of idle is not needed: the rule finds nothing at its statement",
        ),
    ],
)
def test_a_waiver_that_is_none_is_an_error(wrong: Waiver, rule_id: str, message: str) -> None:
    findings = judged(wrong)

    assert all(one.waived is None for one in findings)
    (own,) = (one for one in findings if one.family == "waivers")
    assert (own.rule, own.line, own.message) == (rule_id, 9, message)
    assert own.fails
    assert own.remedy


def test_of_a_waiver_at_the_wrong_statement_the_right_ones_are_named() -> None:
    (unused,) = (one for one in judged(waiver("busy-lock", **above(7))) if one.rule == "waiver-unused")
    assert unused.message == (
        "the waiver of busy-lock is not needed: the rule finds nothing at its statement, but something in the file as a "
        "whole, line 1, line 2"
    )


def test_what_another_waiver_allows_is_not_named() -> None:
    (unused,) = (
        one
        for one in judged(
            waiver("busy-lock", **above(7)), waiver("busy-lock", **above(1)), waiver("idle", problem="x")
        )
        if one.rule == "waiver-unused"
    )
    assert unused.message.endswith("but something in the file as a whole, line 2")


def test_a_rule_that_is_off_may_be_named_and_is_not_missed() -> None:
    assert [one.rule for one in judged(waiver("quiet-lock"))] == ["busy-lock"] * 3
    on = judged(waiver("quiet-lock"), quiet_lock=Severity.WARNING)
    assert [one.waived for one in on if one.rule == "quiet-lock"] == ["it is small"]


def test_of_a_file_that_failed_nobody_knows_what_would_have_been_found() -> None:
    given = failed(
        "SELEC", sqlstate="42601", message="syntax error", waivers=(waiver("idle", "apply-error"),)
    )
    rules = [one.rule for one in judged(given=given)]

    assert "waiver-unused" not in rules
    assert rules.count("waiver-unknown-rule") == 1
    (error,) = (one for one in judged(given=given) if one.rule == "apply-error")
    assert error.fails


def test_on_one_of_several_servers_an_unused_waiver_is_a_warning_that_names_it() -> None:
    (unused,) = (one for one in judged(waiver("idle"), several=True) if one.rule == "waiver-unused")

    assert not unused.fails
    assert unused.message.endswith("finds nothing in the file on PostgreSQL 18.1")


def test_the_rules_on_waivers_have_severities_as_any_other() -> None:
    (unused,) = (
        one for one in judged(waiver("idle"), waiver_unused=Severity.WARNING) if one.family == "waivers"
    )
    assert unused.severity is Severity.WARNING
    assert {one.family for one in judged(waiver("idle"), waiver_unused=Severity.OFF)} == {"f"}
