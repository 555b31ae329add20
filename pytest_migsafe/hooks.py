"""What a team's conftest.py, its plugins and its packages give, and are told; an error in a hook says whose it is."""

import importlib.metadata
import os
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from pytest_migsafe.errors import HookError
from pytest_migsafe.migrations.model import Migration
from pytest_migsafe.postgres.preludes import Prelude
from pytest_migsafe.rehearsal.seeds import Seed
from pytest_migsafe.rules.builtin import RULES
from pytest_migsafe.rules.own import Given, rules_in, with_own
from pytest_migsafe.rules.registry import Rule
from pytest_migsafe.settings import Settings, with_settings_of_file

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
    # A set of them would be no use: a plugin need not be hashable.
    for _, plugin in config.pluginmanager.list_name_plugin():
        if isinstance(plugin, ModuleType) and _is_file_of(plugin, path):
            yield Given(rules_in(plugin), _shown(config, path))


def _is_file_of(module: ModuleType, path: Path) -> bool:
    file = getattr(module, "__file__", None)
    # The way to the project may lead over a link.
    return isinstance(file, str) and Path(file).name == path.name and Path(file).resolve() == path.resolve()


def preludes_of(config: pytest.Config, root: Path) -> tuple[Prelude, ...]:
    """Return what a team's hooks have there before the first migration.

    Raises:
        HookError: a hook raised an error, or gave no SQL.
    """
    given = answers(config, "pytest_migsafe_prelude", config=config)
    return tuple(Prelude(by, _sql(value, root, by)) for by, value in given)


def seeds_of(config: pytest.Config, root: Path, migration: Migration) -> tuple[Seed, ...]:
    """Return what a team's hooks run before a migration.

    Raises:
        HookError: a hook raised an error, or gave no SQL.
    """
    given = answers(config, "pytest_migsafe_seed", migration=migration, config=config)
    return tuple(Seed(_sql(value, root, by), by) for by, value in given)


def _sql(value: object, root: Path, by: str) -> str:
    if isinstance(value, Path):
        try:
            return (root / value).read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            raise HookError(f"{by}: cannot read {root / value}: {_said(error)}") from error
    if not isinstance(value, str):
        raise HookError(f"{by} returned {value!r}: return SQL, or the Path of a file of SQL")
    if value.endswith(".sql") and len(value.split()) == 1:
        raise HookError(f"{by} returned {value!r}, which is no SQL: for a file, return Path({value!r})")
    return value


def settings_of(
    config: pytest.Config, migration: Migration, settings: Settings, rules: Sequence[Rule]
) -> Settings:
    """Return the settings of a history as they are for one of its files: themselves, where no hook says otherwise.

    Raises:
        SettingsError: a hook raised an error, or a setting is wrong; the message names the hook.
    """
    known = {rule.id: rule.family for rule in rules}
    # Whoever is called first goes before the others.
    for by, given in reversed(
        [*answers(config, "pytest_migsafe_settings", migration=migration, config=config)]
    ):
        where = f"{by} for {migration.relative_path}"
        settings = with_settings_of_file(settings, given, where, rules=known)
    return settings


def show_reviews(config: pytest.Config, reviews: Iterable[Mapping[str, Any]]) -> None:
    """Show each review to a team's hooks.

    Raises:
        HookError: a hook raised an error.
    """
    if not _is_there(config, "pytest_migsafe_review"):
        return
    for review in reviews:
        # What is done to it there is nobody else's business.
        for _ in answers(config, "pytest_migsafe_review", review=deepcopy(review), config=config):
            pass


def sections_of(config: pytest.Config, report: Callable[[], Mapping[str, Any]]) -> list[dict[str, str]]:
    """Return the sections that a team's hooks add to a report: ``title`` and ``text``, which is Markdown.

    Raises:
        HookError: a hook raised an error, or gave no sections.
    """
    if not _is_there(config, "pytest_migsafe_report_section"):
        return []
    given = answers(config, "pytest_migsafe_report_section", report=deepcopy(report()), config=config)
    return [section for by, value in given for section in _sections(value, by)]


def _sections(value: object, by: str) -> Iterator[dict[str, str]]:
    if not isinstance(value, Mapping):
        raise HookError(f'{by} returned {value!r}: return texts by their titles, {{"Title": "text"}}')
    for title, text in value.items():
        lines = text if isinstance(text, Iterable) and not isinstance(text, str) else [text]
        whole = [one for one in lines if isinstance(one, str)]
        if not isinstance(title, str) or not title.strip() or len(whole) < len([*lines]):
            raise HookError(f"{by}: the section {title!r} is {text!r}: a title has a text, or lines of text")
        yield {"title": title.strip(), "text": "\n".join(whole)}


def _is_there(config: pytest.Config, hook: str) -> bool:
    return bool(getattr(config.hook, hook).get_hookimpls())


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
            call = traceback.extract_tb(error.__traceback__)[-1]
            place = f"{_shown(config, Path(call.filename))}:{call.lineno}"
            raise HookError(f"{by} raised {_said(error)} ({place})") from error
        yield from ((by, value) for value in values if value is not None)


def _said(error: Exception) -> str:
    first = str(error).partition("\n")[0]
    return f"{type(error).__name__}: {first}" if first else type(error).__name__


def _shown(config: pytest.Config, path: Path) -> str:
    return os.path.relpath(path, config.invocation_params.dir) if path.is_absolute() else str(path)
