"""What the owner of a folder should know: files that its runner would pass over, gaps in its numbers."""

import re
from collections.abc import Iterator, Sequence

from pytest_migsafe.migrations.layouts import FoundFile, Layout, Listing
from pytest_migsafe.migrations.model import Remark

_SQL = re.compile(r".*\.(?:sql|psql|pgsql|ddl)", re.IGNORECASE)
#: SQL under a name that no runner takes: a copy that an editor or somebody left. Flyway's settings for a file are none.
#: And what is to be read by people, for a list of what was passed over should be the whole one.
_LEFT_ASIDE = re.compile(r".*\.sql(?:\.(?!conf$)\w+|~)|\d+[_-].*\.txt|readme(?:\.\w+)?", re.IGNORECASE)
#: Migrations that are programs: their runner runs them, a rehearsal cannot.
PROGRAM = re.compile(r"[VUR]?\d.*\.(?:go|java|kt|py|js|mjs|ts|rb|php|sh)")
_UNDOES = re.compile(r"\.down\.sql|_down\.sql", re.IGNORECASE)
#: Numbers that are counted on, 1, 2, 3, and what was put in between, 2.1; a time or a date has more digits.
_COUNTED = re.compile(r"(?P<number>\d{1,6})(?P<between>[._]\d+)*")
#: How many missing numbers are listed.
_MOST = 5


def remarks_on(listing: Listing, layout: Layout, found: tuple[FoundFile, ...]) -> tuple[Remark, ...]:
    """Return what there is to say about a folder's files; nothing is left out without a word."""
    said = layout.remarks(listing, found)
    explained = {remark.path for remark in said}
    return (
        *said,
        *(one for one in _unread(listing, found) if one.path not in explained),
        *_gaps([file.version for file in found]),
    )


def _unread(listing: Listing, found: Sequence[FoundFile]) -> Iterator[Remark]:
    known = {path for file in found for path in (file.path, file.down)}
    for name in listing.files:
        if listing.folder / name in known:
            continue
        if PROGRAM.fullmatch(name):
            yield Remark(name, "programs, which only their runner can run, so not rehearsed")
        elif _SQL.fullmatch(name) or _LEFT_ASIDE.fullmatch(name):
            undoes = _UNDOES.search(name)
            yield Remark(
                name, "down files without their migration" if undoes else "not migrations in this layout"
            )


def _gaps(versions: Sequence[str]) -> Iterator[Remark]:
    """Yield a remark on the numbers that are missing in a sequence.

    Where more are missing than there are, or most are numbered otherwise, nobody counts. Files without any number
    (Flyway's repeatables) stand outside of the sequence.
    """
    numbered = {version for version in versions if version[:1].isdigit()}
    counted = [found for version in numbered if (found := _COUNTED.fullmatch(version))]
    plain = sum(found["between"] is None for found in counted)
    if not counted or len(counted) < len(numbered) or plain * 2 < len(numbered):
        return
    numbers = sorted({int(found["number"]) for found in counted})
    if 0 < numbers[-1] - numbers[0] + 1 - len(numbers) < len(numbers):
        missing = sorted(set(range(numbers[0], numbers[-1])) - set(numbers))
        listed = ", ".join(str(number) for number in missing[:_MOST])
        more = f" and {len(missing) - _MOST} more" if len(missing) > _MOST else ""
        plural = "s are" if len(missing) > 1 else " is"
        yield Remark("", f"number{plural} missing in the sequence: {listed}{more}")
