"""The hooks that a team's conftest.py, or a plugin, can have; ``docs/hooks.md`` tells of each with examples.

They are known in every run, with ``--migsafe`` or without, for pytest refuses hooks that nobody has declared; so this
module imports nothing but pytest.
"""

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    # For the signatures alone: they bring psycopg and PostgreSQL's grammar along.
    from collections.abc import Iterable

    from pytest_migsafe.rules.registry import Rule


@pytest.hookspec
def pytest_migsafe_rules(config: pytest.Config) -> "Rule | Iterable[Rule] | None":
    """Give rules of your own.

    Called once in every process that rehearses or reports, before the settings are read, so that these can name
    the rules; with ``--migsafe``, ``--migsafe-rules`` and ``--migsafe-explain``.

    Args:
        config: pytest's.

    Returns:
        A rule or several. Those that are attributes of the root conftest.py are found without this hook.
    """
