"""The schema file of a project: the schema that its migrations make is compared with the one that is declared there."""

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from pytest_migsafe import catalog
from pytest_migsafe.catalog.document import MARK, from_document, to_document
from pytest_migsafe.catalog.render import grouped
from pytest_migsafe.errors import SchemaFileError
from pytest_migsafe.rehearsal.end import End
from pytest_migsafe.review import EndCheck, EndVerdict, Review

#: The names of the items.
SCHEMA, SNAPSHOT = "schema", "snapshot"
#: How many objects the first line of a failure names, and how many lines of differences are shown.
_MOST_NAMED = 5
_MOST_LINES = 200


class _ForeignFileError(SchemaFileError):
    """The file is somebody else's, and not to be overwritten."""


@dataclass(frozen=True, slots=True)
class SchemaFile:
    """A schema file, by its path and as it is named to people."""

    path: Path
    name: str

    def read(self, surroundings: catalog.Surroundings) -> catalog.Schema:
        """Return the schema that is declared.

        Raises:
            SchemaFileError: there is no file, or it is none of ours.
        """
        try:
            return from_document(self._text(), surroundings)
        except FileNotFoundError as error:
            raise SchemaFileError(
                f"there is no {self.name}; write it: run this with --migsafe-update"
            ) from error
        except OSError as error:
            raise SchemaFileError(f"{self.name} cannot be read: {error.strerror or error}") from error
        except _ForeignFileError:
            raise
        except SchemaFileError as error:
            raise SchemaFileError(
                f"{self.name} {error}; mend it, or write it anew: run this with --migsafe-update"
            ) from error

    def _text(self) -> str:
        # Some editors put a mark at the beginning. What is no UTF-8 in it is seen as a difference.
        text = self.path.read_text(encoding="utf-8-sig", errors="replace")
        # Whatever became of it in a merge, our mark is in its first lines.
        if text.strip() and MARK not in text[:1000]:
            raise _ForeignFileError(f"{self.name} is no schema file; name another, or delete it first")
        return text

    def write(self, text: str) -> bool:
        """Write the file, whole or not at all; return whether there was anything to change.

        Raises:
            SchemaFileError: it cannot be written, or there is a file of somebody else's.
        """
        try:
            if self._holds(text):
                return False
            # Beside the file itself, where that is a link.
            path = self.path.resolve()
            unfinished = path.with_name(f".{path.name}.{os.getpid()}.unfinished")
            try:
                unfinished.write_text(text, encoding="utf-8")
                with suppress(FileNotFoundError):
                    unfinished.chmod(path.stat().st_mode)
                unfinished.replace(path)
            finally:
                unfinished.unlink(missing_ok=True)
        except OSError as error:
            raise SchemaFileError(f"{self.name} cannot be written: {error.strerror or error}") from error
        return True

    def _holds(self, text: str) -> bool:
        try:
            return self._text() == text
        except FileNotFoundError:
            return False


def schema_check(file: SchemaFile, *, update_in: str | None = None) -> EndCheck:
    """Return the check that compares the schema with a file; ``update_in`` is the place whose schema is written to it."""
    if update_in is None:
        return EndCheck(name=SCHEMA, title=file.name, judge=partial(_compare, file), file=file.name)
    return EndCheck(
        name=SCHEMA,
        title=file.name,
        judge=partial(_update, file),
        file=file.name,
        only_in=update_in,
        only_because=f"{file.name} is written by {SCHEMA}[{update_in}]",
    )


def snapshot_check(title: str) -> EndCheck:
    """Return the check that proves the incremental reading of the schema by a full one."""
    return EndCheck(name=SNAPSHOT, title=title, judge=_prove, looks_at_all=True)


def _compare(file: SchemaFile, end: End, known: Sequence[Review]) -> EndVerdict:
    if end.misread:
        return _prove(end, known)
    try:
        declared = file.read(end.surroundings)
    except SchemaFileError as error:
        return EndVerdict(problem=str(error))
    changes = tuple(catalog.diff(declared, end.schema))
    return EndVerdict(problem="\n".join(_drift(file, changes)) if changes else "", changes=changes)


def _update(file: SchemaFile, end: End, known: Sequence[Review]) -> EndVerdict:
    if end.misread:
        return _prove(end, known)
    try:
        was_written = file.write(to_document(end.schema, end.surroundings))
    except SchemaFileError as error:
        return EndVerdict(problem=str(error))
    return EndVerdict(note=f"wrote {file.name}" if was_written else f"{file.name} is up to date")


def _prove(end: End, known: Sequence[Review]) -> EndVerdict:  # noqa: ARG001 - the signature is JudgeEnd
    changes = end.misread
    return EndVerdict(problem="\n".join(_misread(changes)) if changes else "", changes=changes)


def _drift(file: SchemaFile, changes: Sequence[catalog.Change]) -> Iterator[str]:
    """Yield the lines that tell how the migrations' schema differs from the declared one."""
    yield f"the migrations make another schema than {file.name} declares: {_named(changes)}"
    yield f"  (+ made, and not declared in {file.name}; - declared, and not made; ~ declared -> made)"
    yield from _differences(changes)
    yield (
        "  = help: Write the migration that is missing; or take over what the migrations make: run this with "
        "--migsafe-update, and review what it changes in the file."
    )


def _misread(changes: Sequence[catalog.Change]) -> Iterator[str]:
    yield f"pytest-migsafe has misread what the migrations changed: {_named(changes)}"
    yield "  (~ as it was carried from file to file -> as it is when all of the schema is read)"
    yield from _differences(changes)
    yield (
        "  = help: This is a defect of pytest-migsafe, not of the migrations. Please report it, with these lines and the "
        "statements that concern these objects."
    )


def _named(changes: Sequence[catalog.Change]) -> str:
    names = [f"{one.kind} {one.name}" for one, _ in grouped(changes)]
    verb = "objects differ" if len(names) > 1 else "object differs"
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return f"{len(names)} {verb}: {', '.join(names[:_MOST_NAMED])}{more}"


def _differences(changes: Sequence[catalog.Change]) -> Iterator[str]:
    lines = list(catalog.render(changes))
    for line in lines[:_MOST_LINES]:
        yield f"  {line.text}"
    if len(lines) > _MOST_LINES:
        yield f"  ... and {len(lines) - _MOST_LINES} lines more (--migsafe-json=FILE has them all)"
