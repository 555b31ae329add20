"""What ``--migsafe-rules`` and ``--migsafe-explain`` print: no migration is looked for, no server started."""

import shutil
import sys
from collections.abc import Iterable

import pytest

from pytest_migsafe.arguments import project_root
from pytest_migsafe.errors import SettingsError
from pytest_migsafe.hooks import rules_of
from pytest_migsafe.migrations.discovery import LAYOUT_NAMES
from pytest_migsafe.reports.rules import explain_lines, rule_lines
from pytest_migsafe.rules.presets import severities
from pytest_migsafe.rules.registry import meant
from pytest_migsafe.settings import load_settings


def tell_of_rules(config: pytest.Config) -> pytest.ExitCode:
    """Print the list of rules, or the page of one.

    Raises:
        pytest.UsageError: there is no such rule, or a setting is wrong.
    """
    try:
        rules = rules_of(config, project_root(config))
        settings = load_settings(
            project_root(config), layouts=LAYOUT_NAMES, rules={rule.id: rule.family for rule in rules}
        )
    except SettingsError as error:
        raise pytest.UsageError(str(error)) from error
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
