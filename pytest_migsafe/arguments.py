"""What the command line says: the project's root, the paths that are named, the file for the JSON report."""

import difflib
import importlib.util
import os
import shlex
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import pytest

from pytest_migsafe.errors import SettingsError
from pytest_migsafe.gate.gate import Asked
from pytest_migsafe.reports.files import FORMATS, ReportFile
from pytest_migsafe.reports.github import WHEN, is_wanted
from pytest_migsafe.settings import Settings


def is_asked_for_by_hand(config: pytest.Config) -> bool:
    """Return whether ``--migsafe`` stands on the command line itself, not only in ``addopts``."""
    return "--migsafe" in config.invocation_params.args


def named_paths(config: pytest.Config) -> tuple[Path, ...]:
    """Return the paths on the command line, as pytest will see them; empty when pytest chose them itself.

    Symbolic links stay: node ids are made of the path that was named.

    Raises:
        SettingsError: a path does not exist.
    """
    if config.args_source is not pytest.Config.ArgsSource.ARGS:
        return ()
    directory = config.invocation_params.dir
    paths = []
    for arg in config.args:
        name = arg.split("::")[0]
        path = Path(os.path.abspath(directory / name))  # noqa: PTH100 - Path.resolve would follow links
        if path.exists():
            paths.append(path)
        elif config.getoption("pyargs"):
            # What cannot be found is for pytest to say: it knows what else a name may be.
            paths += _importable(name)
        else:
            raise SettingsError(f"file or directory not found: {arg}{_suggestion(name, path)}")
    return tuple(paths)


def searches(settings: Settings, named: Sequence[Path]) -> Iterator[tuple[Settings, tuple[Path, ...]]]:
    """Yield where migrations are to be looked for, and by which settings.

    ``[[tool.migsafe.history]]`` says of its folder how to rehearse it, whichever way it was named.
    """
    if not settings.histories:
        yield settings, tuple(named) or settings.migrations or (settings.root,)
        return
    others = list(named)
    for one in settings.histories:
        (folder,) = one.migrations
        inside = [path for path in named if path.is_relative_to(folder)]
        others = [path for path in others if path not in inside]
        if inside:
            yield one, tuple(inside)
        elif not named or any(folder.is_relative_to(path) for path in named):
            yield one, one.migrations
    # A folder above has been searched for the histories that the settings name; it may hold others.
    if others:
        yield settings, tuple(others)


def asked(config: pytest.Config, named: Sequence[Path]) -> Asked:
    """Return what the command line says of which files are judged."""
    return Asked(
        since=config.getoption("migsafe_since"),
        only=config.getoption("migsafe_only"),
        directory=config.invocation_params.dir,
        has_named_files=any(path.is_file() for path in named),
        has_lock=config.getoption("migsafe_lock"),
        is_update=config.getoption("migsafe_update"),
    )


def _importable(name: str) -> list[Path]:
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, AttributeError, ValueError):
        return []
    if spec is None:
        return []
    if spec.submodule_search_locations is not None:
        return [Path(location) for location in spec.submodule_search_locations]
    return [Path(spec.origin)] if spec.origin is not None else []


def _suggestion(name: str, path: Path) -> str:
    siblings = sorted(entry.name for entry in path.parent.iterdir()) if path.parent.is_dir() else []
    close = difflib.get_close_matches(path.name, siblings, n=1)
    return f"; did you mean {str(Path(name).parent / close[0])!r}?" if close else ""


def report_files(config: pytest.Config) -> Iterator[ReportFile]:
    """Yield the reports that are asked for.

    Raises:
        SettingsError: a file cannot be written where one is to go.
    """
    for name in FORMATS:
        if (given := config.getoption(f"migsafe_{name}", None)) is not None:
            yield ReportFile(name, _writable(config, f"--migsafe-{name}", given))


def artifacts_folder(config: pytest.Config) -> Path | None:
    """Return the folder that artifacts are to be written to, made if it is missing; None when none is asked for.

    A worker of pytest-xdist is told by its controller, which stands in the folder where the user does.

    Raises:
        SettingsError: nothing can be written there.
    """
    given = config.getoption("migsafe_artifacts")
    if given is None:
        return None
    if (told := getattr(config, "workerinput", {}).get(ARTIFACTS)) is not None:
        return Path(told)
    path, flag = Path(config.invocation_params.dir, given), f"--migsafe-artifacts {given}"
    if path.exists() and not path.is_dir():
        raise SettingsError(f"{flag}: that is a file; name a folder, which is made if it is missing")
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsError(f"{flag}: the folder cannot be made: {error.strerror or error}") from error
    if not os.access(path, os.W_OK | os.X_OK):
        raise SettingsError(f"{flag}: the folder cannot be written to")
    return Path(os.path.abspath(path))  # noqa: PTH100 - links stay


#: By this name a worker of pytest-xdist is told of the folder.
ARTIFACTS = "migsafe_artifacts"


def tells_github(config: pytest.Config) -> bool:
    """Return whether GitHub's annotations and summary are to be written.

    Raises:
        SettingsError: the flag says none of what it may.
    """
    when = config.getoption("migsafe_github") or "auto"
    if when not in WHEN:
        raise SettingsError(f"--migsafe-github {when}: say one of {', '.join(WHEN)}")
    return is_wanted(when, os.environ)


def _writable(config: pytest.Config, flag: str, given: str) -> Path:
    path = Path(config.invocation_params.dir, given)
    if path.is_dir():
        raise SettingsError(
            f"{flag} {given}: that is a folder; name a file in it, {given}/migsafe.{flag.rpartition('-')[2]}"
        )
    if not path.parent.is_dir():
        raise SettingsError(f"{flag} {given}: there is no folder {path.parent}; make it first")
    if not os.access(path.parent, os.W_OK):
        raise SettingsError(f"{flag} {given}: the folder {path.parent} cannot be written to")
    return path


def project_root(config: pytest.Config) -> Path:
    """Return the folder that settings' paths are relative to and migrations are looked for in: pytest's rootdir.

    Where pytest was led astray (``misleading_flag``), it is what rootdir should have been.
    """
    if misleading_flag(config) is None:
        return config.rootpath
    directory = config.invocation_params.dir
    return next(
        (folder for folder in (directory, *directory.parents) if (folder / "pyproject.toml").is_file()),
        directory,
    )


#: Our flags whose values are paths.
_FLAGS_WITH_PATHS = (
    "--migsafe-bindir",
    "--migsafe-schema",
    "--migsafe-artifacts",
    *(f"--migsafe-{name}" for name in FORMATS),
)


def misleading_flag(config: pytest.Config) -> str | None:
    """Return the flag of ours, as it should be written, whose value pytest took for a path to look for the rootdir from.

    pytest finds the rootdir before it loads plugins, so that it does not know our options yet, and an argument that
    exists counts as a path (documentation: "Initialization: determining rootdir and configfile"). Inside the
    current folder that does no harm; outside, pytest reads another project's configuration or none. There is
    no hook before it, so all that can be done is to say so.
    """
    arguments = [*shlex.split(os.environ.get("PYTEST_ADDOPTS", "")), *config.invocation_params.args]
    directory = config.invocation_params.dir
    for flag in _FLAGS_WITH_PATHS:
        given = config.getoption(flag.removeprefix("--").replace("-", "_"), None)
        if given is None or not _is_separate(flag, given, arguments):
            continue
        path = Path(os.path.abspath(directory / given))  # noqa: PTH100 - as pytest does it
        if path.exists() and not path.is_relative_to(directory):
            return f"{flag}={shlex.quote(given)}"
    return None


def _is_separate(flag: str, value: str, arguments: Sequence[str]) -> bool:
    return (flag, value) in pairwise(arguments)
