"""What a team's conftest.py, its plugins and its packages give, and are told; an error in a hook says whose it is."""

import importlib.metadata
import os
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from pytest_migsafe.errors import HookError
from pytest_migsafe.rules.builtin import RULES
from pytest_migsafe.rules.own import Given, rules_in, with_own
from pytest_migsafe.rules.registry import Rule

#: The group of the entry points by which an installed package gives rules.
ENTRY_POINTS = "migsafe_rules"


def rules_of(config: pytest.Config, root: Path) -> tuple[Rule, ...]:
    """Return the rules of a run: those that come with pytest-migsafe, those of installed packages, and the team's own.

    Raises:
        RuleError: a value is no rule, a rule is not made as rules are, or two have one id.
        HookError: a hook, or what it takes to load a package's rules, raised an error.
    """
    given = [
        *_of_packages(),
        *(Given(value, by) for by, value in answers(config, "pytest_migsafe_rules", config=config)),
        *_of_conftest(config, root),
    ]
    return with_own(RULES, given)


def _of_packages() -> Iterator[Given]:
    points = importlib.metadata.entry_points(group=ENTRY_POINTS)
    for point in sorted(points, key=lambda one: (one.dist.name if one.dist else "", one.name)):
        of = f" of {point.dist.name} {point.dist.version}" if point.dist else ""
        by = f"the entry point {point.name} = {point.value}{of}"
        try:
            value = point.load()
        except Exception as error:
            raise HookError(f"{by} cannot be loaded: {_said(error)}") from error
        yield Given(value, by)


def _of_conftest(config: pytest.Config, root: Path) -> Iterator[Given]:
    """Yield the rules of the conftest.py in the project's root, if pytest has loaded it."""
    path = root / "conftest.py"
    for plugin in config.pluginmanager.get_plugins():
        if isinstance(plugin, ModuleType) and _file(plugin) == path:
            yield Given(rules_in(plugin), _shown(config, path))


def _file(module: ModuleType) -> Path | None:
    file = getattr(module, "__file__", None)
    return Path(file) if isinstance(file, str) else None


def answers(config: pytest.Config, hook: str, /, **given: Any) -> Iterator[tuple[str, Any]]:
    """Yield what each implementation of a hook returns, with its name as a message has it; None is no answer.

    Each is called alone, in pytest's order (those registered last come first), so that an error can say whose it is.

    Raises:
        HookError: an implementation raised an error.
    """
    caller = getattr(config.hook, hook)
    others = [one.plugin for one in caller.get_hookimpls() if not (one.wrapper or one.hookwrapper)]
    for plugin in reversed(others):
        name = config.pluginmanager.get_name(plugin) or str(plugin)
        by = f"{hook} of {_shown(config, Path(name)) if os.sep in name else name}"
        alone = config.pluginmanager.subset_hook_caller(hook, [one for one in others if one is not plugin])
        try:
            values = alone(**given)
        except Exception as error:
            raise HookError(f"{by} raised {_said(error)}") from error
        # Where the hook takes the first answer only, it is no list.
        yield from ((by, value) for value in values if value is not None)


def _said(error: Exception) -> str:
    first = str(error).partition("\n")[0]
    return f"{type(error).__name__}: {first}" if first else type(error).__name__


def _shown(config: pytest.Config, path: Path) -> str:
    return os.path.relpath(path, config.invocation_params.dir) if path.is_absolute() else str(path)
