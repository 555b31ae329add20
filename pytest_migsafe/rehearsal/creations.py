"""Which file of a history creates what: asked when something is missing, or is there already."""

from collections.abc import Iterator

from pytest_migsafe.errors import MigrationReadError
from pytest_migsafe.migrations.model import History, Migration
from pytest_migsafe.rehearsal.evidence import Creation


def find_creations(history: History, position: int) -> tuple[Creation, ...]:
    """Return what the statements of all files create, as seen from the file at ``position``."""
    return tuple(
        creation
        for at, migration in enumerate(history.migrations)
        for creation in _creations(migration, _when(at, position))
    )


def _when(at: int, position: int) -> str:
    if at == position:
        return "same"
    return "earlier" if at < position else "later"


def _creations(migration: Migration, when: str) -> Iterator[Creation]:
    try:
        script = migration.read()
    except MigrationReadError:
        return
    for statement in script.statements:
        for created in statement.creates:
            yield Creation(
                kind=created.kind,
                schema=created.schema,
                name=created.name,
                path=migration.relative_path,
                line=script.position(statement.start).line,
                when=when,
            )
