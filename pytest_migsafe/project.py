"""What is known of a project before anything is looked for in it: its rules and its settings."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from pytest_migsafe.arguments import project_root
from pytest_migsafe.hooks import rules_of
from pytest_migsafe.migrations.discovery import LAYOUT_NAMES
from pytest_migsafe.rules import Rule
from pytest_migsafe.settings import Settings, load_settings

#: The flags that stand in for settings, by the settings' names.
_FLAGS = {
    "postgres": "migsafe_postgres",
    "bindir": "migsafe_bindir",
    "dsn": "migsafe_dsn",
    "layout": "migsafe_layout",
    "schema_file": "migsafe_schema",
}


@dataclass(frozen=True, slots=True)
class Project:
    """A project as its settings, its conftest.py and the installed packages describe it."""

    root: Path
    settings: Settings
    #: Those that come with pytest-migsafe, and the team's own.
    rules: tuple[Rule, ...]


def read_project(config: pytest.Config) -> Project:
    """Return the project that pytest was started for.

    Raises:
        SettingsError: a setting, a flag, a rule or a hook is wrong.
    """
    root = project_root(config)
    flags = {key: value for key, flag in _FLAGS.items() if (value := config.getoption(flag)) is not None}
    rules = rules_of(config, root)
    settings = load_settings(
        root, flags=flags, layouts=LAYOUT_NAMES, rules={rule.id: rule.family for rule in rules}
    )
    return Project(root, settings, rules)
