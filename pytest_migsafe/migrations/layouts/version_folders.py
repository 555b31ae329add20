"""Folders that are called after versions of the product, each with numbered files: ``3.1/0001##users.sql``.

No one runner's: projects that apply their files with a script of their own keep them so. The order is the folder's
version, part by part as numbers (3.10 comes after 3.9), then the file's number.
"""

import re

from pytest_migsafe.migrations.layouts.base import FoundFile, Layout, Listing, in_order
from pytest_migsafe.migrations.layouts.flat import read_for_psql
from pytest_migsafe.migrations.model import Manner, Remark, TransactionMode

#: 56, 3.1, v1.2.0, release-2.4: nothing but a version.
_VERSION = re.compile(r"(?:v|version|release)?[-_ ]?(?P<version>\d+(?:[._]\d+)*)", re.IGNORECASE)
_FILE = re.compile(r"[vV]?(?P<number>\d+)(?:(?:##|__|[_\-. ]).*)?")
_DOWN = re.compile(r"(?:.*[._])?down", re.IGNORECASE)


def read(listing: Listing) -> tuple[FoundFile, ...]:
    """Return the numbered ``.sql`` files of all folders that are called after versions."""
    return in_order(
        [
            file
            for name in listing.folders
            if (version := _version(name)) is not None
            for file in _files(listing.below(name), version)
        ]
    )


def _version(name: str) -> tuple[int, ...] | None:
    found = _VERSION.fullmatch(name)
    return tuple(int(part) for part in re.split("[._]", found["version"])) if found else None


def _files(folder: Listing, version: tuple[int, ...]) -> list[FoundFile]:
    found = []
    for name in folder.files:
        stem = name.removesuffix(".sql")
        match = _FILE.fullmatch(stem)
        if stem == name or match is None or _undoes_another(stem, folder):
            continue
        found.append(
            FoundFile(
                order=(version, int(match["number"])),
                version=f"{folder.folder.name}/{match['number']}",
                path=folder.folder / name,
                down=next(
                    (folder.folder / down for down in _downs(stem) if down in folder.file_set),
                    None,
                ),
            )
        )
    return found


def _downs(stem: str) -> tuple[str, ...]:
    plain = stem.removesuffix(".up").removesuffix("_up")
    return f"{plain}.down.sql", f"{plain}_down.sql"


def _undoes_another(stem: str, folder: Listing) -> bool:
    if stem.endswith(".down"):
        return True
    up = stem.removesuffix("_down")
    # `07_tear_down.sql` is a migration like any other, unless there is what it would undo.
    return up != stem and any(f"{up}{ending}.sql" in folder.file_set for ending in ("", "_up", ".up"))


def _holds_versions_only(listing: Listing) -> bool:
    # Numbered files beside the folders are the history; the folders are something else then.
    return not any(
        name.endswith(".sql") and _FILE.fullmatch(name.removesuffix(".sql")) for name in listing.files
    )


def remarks(listing: Listing, found: tuple[FoundFile, ...]) -> tuple[Remark, ...]:
    """Return the SQL files in the folders that are no migrations, and the other folders with SQL files."""
    known = {path for file in found for path in (file.path, file.down)}
    said = []
    for name in listing.folders:
        folder = listing.below(name)
        files = [file for file in folder.files if file.endswith(".sql")]
        if files and _version(name) is None:
            said.append(Remark(f"{name}/", "folders that are not called after a version, so passed over"))
            continue
        said += [
            Remark(
                f"{name}/{file}",
                "down files without their migration"
                if _DOWN.fullmatch(file.removesuffix(".sql"))
                else "not migrations in this layout",
            )
            for file in files
            if folder.folder / file not in known
        ]
    return tuple(said)


LAYOUT = Layout(
    name="version-folders",
    files="`<version>/<number>_<name>.sql`, also `<number>##<name>.sql` and `<number>_<name>.up.sql`",
    order="the folder's version part by part, then the number",
    transactions="one a file; `-- no-transaction` on top opts out",
    down="`<name>.down.sql` or `<name>_down.sql` beside",
    detected_by="folders called after versions, and no numbered files beside them",
    manner=Manner(TransactionMode.TRANSACTION, "each file is one transaction, the default"),
    read=read,
    reader=read_for_psql,
    is_detected_in=_holds_versions_only,
    refuses_duplicates=False,
    remarks=remarks,
)
