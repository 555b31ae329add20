"""Migrations that are programs: only their own runner can run them, but some write them as SQL when asked to."""

import re
from collections.abc import Sequence
from pathlib import Path

from pytest_migsafe.migrations.layouts import Listing, list_folder
from pytest_migsafe.migrations.remarks import PROGRAM

_DJANGO = re.compile(r"\d{4}_\w+\.py")
#: How deep below a folder they are looked for.
_DEEPEST = 5
#: What runners of programs call their folder.
_NAMES = frozenset({"migrations", "migrate", "migration", "versions"})


def hint_at_programs(paths: Sequence[Path]) -> str:
    """Say whose migrations lie below some folders when they are programs, and what to do; empty if there are none."""
    for path in paths:
        if path.is_dir() and (found := _hint_below(list_folder(path), _DEEPEST)):
            return found
    return ""


def _hint_below(listing: Listing, depth: int) -> str:
    if found := _hint(listing):
        return found
    for name in listing.folders if depth > 0 else ():
        if not listing.holds_others_code(name) and (found := _hint_below(listing.below(name), depth - 1)):
            return found
    return ""


def _hint(listing: Listing) -> str:
    folder = listing.folder.name
    if "env.py" in listing.file_set and "versions" in listing.folders:
        return (
            f"{folder}/versions holds Alembic's migrations, which are Python: write them as SQL "
            "(`alembic upgrade base:head --sql > sql/0001_all.sql`) and name that folder"
        )
    if folder not in _NAMES:
        return ""
    django = [name for name in listing.files if _DJANGO.fullmatch(name)]
    if django and "migrations.Migration" in listing.beginning(django[0]):
        app, number = listing.folder.parent.name, django[0][:4]
        return (
            f"{app}/{folder} holds Django's migrations, which are Python: write each as SQL "
            f"(`python manage.py sqlmigrate {app} {number} > sql/{django[0][:-3]}.sql`) and name that folder"
        )
    programs = [name for name in listing.files if PROGRAM.fullmatch(name)]
    if programs:
        return (
            f"{listing.folder.parent.name}/{folder} holds migrations that are programs ({programs[0]}), which only their "
            "runner can run; have it write them as SQL, and name that folder"
        )
    return ""
