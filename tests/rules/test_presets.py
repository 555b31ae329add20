"""Presets: the severities of all rules in a word."""

from dataclasses import replace

from pytest_migsafe.findings import Severity
from pytest_migsafe.rules.builtin import RULES
from pytest_migsafe.rules.presets import ZERO_DOWNTIME, severities
from pytest_migsafe.rules.registry import Rule
from pytest_migsafe.settings import Preset


def a_rule(rule_id: str, family: str, severity: Severity) -> Rule:
    return replace(RULES[0], id=rule_id, family=family, severity=severity)


FEW = (
    a_rule("stall", "blocking-work", Severity.ERROR),
    a_rule("queue", "lock-queue", Severity.WARNING),
    a_rule("leftover", "left-behind", Severity.OFF),
    a_rule("style", "naming", Severity.OFF),
    a_rule("name", "naming", Severity.WARNING),
)


def test_default_leaves_every_rule_its_own() -> None:
    assert severities(FEW, Preset.DEFAULT, {}) == {}
    assert severities(FEW, Preset.DEFAULT, {"name": Severity.OFF}) == {"name": Severity.OFF}


def test_strict_makes_what_endangers_a_deployment_graver() -> None:
    assert severities(FEW, Preset.STRICT, {}) == {
        # So that what such a rule lets off with a warning is an error, too.
        "stall": Severity.ERROR,
        "queue": Severity.ERROR,
        "leftover": Severity.WARNING,
    }


def test_a_single_severity_goes_before_the_preset() -> None:
    given = severities(FEW, Preset.STRICT, {"queue": Severity.OFF, "style": Severity.ERROR})
    assert (given["queue"], given["style"], given["leftover"]) == (
        Severity.OFF,
        Severity.ERROR,
        Severity.WARNING,
    )


def test_the_families_exist() -> None:
    assert {"blocking-work", "left-behind", "transaction-shape"} <= {one.family for one in RULES}
    assert len(set(ZERO_DOWNTIME)) == len(ZERO_DOWNTIME)
