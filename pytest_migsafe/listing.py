"""What ``--migsafe-rules`` and ``--migsafe-explain`` print: no migration is looked for, no server started."""

import shutil
import sys
from collections.abc import Iterable

import pytest

from pytest_migsafe.errors import SettingsError
from pytest_migsafe.project import read_project
from pytest_migsafe.reports.rules import explain_lines, rule_lines
from pytest_migsafe.rules.presets import severities
from pytest_migsafe.rules.registry import meant


def tell_of_rules(config: pytest.Config) -> pytest.ExitCode:
    """Print the list of rules, or the page of one.

    Raises:
        pytest.UsageError: there is no such rule, or a setting is wrong.
    """
    try:
        project = read_project(config)
    except SettingsError as error:
        raise pytest.UsageError(str(error)) from error
    rules, settings = project.rules, project.settings
    given = severities(rules, settings.preset, settings.rules)
    width = shutil.get_terminal_size().columns
    wanted: str | None = config.getoption("migsafe_explain")
    if wanted is None:
        _print(rule_lines(rules, given, width))
        return pytest.ExitCode.OK
    rule = next((rule for rule in rules if rule.id == wanted), None)
    if rule is None:
        raise pytest.UsageError(
            f"--migsafe-explain: there is no rule {wanted!r}{meant(wanted, [rule.id for rule in rules])}"
        )
    _print(explain_lines(rule, given, width))
    return pytest.ExitCode.OK


def _print(lines: Iterable[str]) -> None:
    sys.stdout.write("".join(f"{line}\n" for line in lines))
