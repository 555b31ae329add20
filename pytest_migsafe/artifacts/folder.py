"""Where artifacts lie: a folder for each migration, in which every file is written whole or not at all."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

#: What a migration's folder may hold. Whatever else somebody has put there is left alone.
SCHEMA_BEFORE, SCHEMA_AFTER, SCHEMA_DIFF = "schema-before.json", "schema-after.json", "schema.diff"
ROLLBACK, ROLLBACK_SQL, IMPACT = "rollback.md", "rollback.sql", "impact.md"
_OF_A_MIGRATION = frozenset({SCHEMA_BEFORE, SCHEMA_AFTER, SCHEMA_DIFF, ROLLBACK, ROLLBACK_SQL, IMPACT})
#: What the whole run comes to.
STATUS, STATUS_JSON = "status.md", "status.json"


@dataclass(frozen=True, slots=True)
class ArtifactFolder:
    """The folder that ``--migsafe-artifacts`` names."""

    path: Path

    def write_migration(self, name: str, files: Mapping[str, str]) -> None:
        """Write the files of a migration to its folder; those of another run that are not written again go.

        Raises:
            OSError: they cannot be written; then all of the folder is as it was, or some files are new.
        """
        folder = self.path / name
        folder.mkdir(parents=True, exist_ok=True)
        _write(folder, files)
        for other in _OF_A_MIGRATION - files.keys():
            (folder / other).unlink(missing_ok=True)

    def write_status(self, files: Mapping[str, str]) -> None:
        """Write the files of the whole run.

        Raises:
            OSError: they cannot be written.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        _write(self.path, files)


def folder_name(path: str, place: str) -> str:
    """Return the folder of a migration, relative to the folder of all, by its path and its place's label.

    It is the path without ``.sql``, in a folder of the place where there are several.
    """
    parts = [part for part in PurePosixPath(path).parts if part not in {"..", "/"}]
    return "/".join(filter(None, [place, *parts])).removesuffix(".sql")


def _write(folder: Path, files: Mapping[str, str]) -> None:
    """Write files, each whole or not at all; none is touched before all have found room."""
    unfinished = {name: folder / f".{name}.{os.getpid()}.unfinished" for name in files}
    try:
        for name, text in files.items():
            unfinished[name].write_text(text, encoding="utf-8")
        for name, path in unfinished.items():
            path.replace(folder / name)
    finally:
        for path in unfinished.values():
            path.unlink(missing_ok=True)
