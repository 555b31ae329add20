"""Small projects on disk, and what is found in them, as plain values."""

from pathlib import Path

from pytest_migsafe.errors import MigrationReadError
from pytest_migsafe.migrations.discovery import find_histories
from pytest_migsafe.migrations.model import Direction, History, Migration, Script
from pytest_migsafe.migrations.source import read_source


def project(root: Path, *names: str, **texts: str) -> Path:
    """Write files, each with a sound statement unless a text is given as ``name=text``; return the root."""
    for name, text in {**dict.fromkeys(names, "SELECT 1;\n"), **texts}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())
    return root


def the_history(root: Path, *paths: Path, layout: str | None = None) -> History:
    """Return the only history of a project."""
    (history,) = find_histories(root, paths or (root,), layout=layout)
    return history


def order(history: History) -> list[str]:
    """Return the files in apply order, relative to the history's folder."""
    return [migration.path.relative_to(history.root).as_posix() for migration in history.migrations]


def modes(history: History) -> dict[str, str]:
    """Return each migration's transaction mode, by its id."""
    return {migration.id: migration.read().manner.mode.value for migration in history.migrations}


def ignored(history: History) -> tuple[str, ...]:
    """Return the files that there is a remark on."""
    return tuple(remark.path for remark in history.remarks if remark.path)


def downs(history: History) -> dict[str, str | None]:
    """Return each migration's down file, relative to the history's folder, by its id."""
    return {
        migration.id: migration.down.relative_to(history.root).as_posix() if migration.down else None
        for migration in history.migrations
    }


def sent(history: History, direction: Direction = Direction.UP) -> dict[str, list[str]]:
    """Return the messages that go to the server for each migration, by its id."""
    return {one.id: messages(script_of(one, direction)) for one in history.migrations}


def script_of(migration: Migration, direction: Direction = Direction.UP) -> Script:
    """Return what the runner makes of a migration in one direction."""
    return migration.reader(read_source(migration.path), migration.runner, direction)


def messages(script: Script) -> list[str]:
    """Return what goes to the server, each message without the white space around it."""
    return [unit.text(part).strip() for unit in script.units for part in unit.parts]


def remarks(history: History) -> dict[str, str]:
    """Return what there is to say about a folder's files."""
    return {remark.path: remark.text for remark in history.remarks}


def refusal(history: History) -> str:
    """Return what is said against the only migration that cannot be read."""
    said = []
    for migration in history.migrations:
        try:
            migration.read()
        except MigrationReadError as error:
            said.append(str(error))
    (one,) = said
    return one
