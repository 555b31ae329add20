"""Presets: severities for a whole project in one word.

*default* leaves every rule its own. *strict* is for teams whose deployments never wait: of the zero-downtime families, what is
a warning becomes an error, and what is off becomes a warning. Single severities of the settings go before both.
"""

from collections.abc import Iterable, Mapping

from pytest_migsafe.findings import Severity
from pytest_migsafe.rules.registry import Rule
from pytest_migsafe.settings import Preset

#: The families of which *strict* speaks: those on what a deployment does to an application that is running.
ZERO_DOWNTIME = (
    "blocking-work",
    "lock-queue",
    "breaks-old-code",
    "loses-data",
    "left-behind",
    "transaction-shape",
)

_STRICT = {
    # Also what a rule of errors lets off with a warning.
    Severity.ERROR: Severity.ERROR,
    Severity.WARNING: Severity.ERROR,
    Severity.OFF: Severity.WARNING,
}


def severities(
    rules: Iterable[Rule], preset: Preset, given: Mapping[str, Severity]
) -> Mapping[str, Severity]:
    """Return the severity of each rule that has another than its own, by id; ``given`` are those of single rules."""
    if preset is Preset.DEFAULT:
        return given
    of_preset = {rule.id: _STRICT[rule.severity] for rule in rules if rule.family in ZERO_DOWNTIME}
    return of_preset | dict(given)
