"""Which tables of a history got another name, and in which file: production knows them by the one of its day."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pytest_migsafe.errors import MigrationReadError
from pytest_migsafe.migrations.model import History, Migration


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """A table's old and new name, as a file writes them; the schemas are empty where it leaves them out."""

    #: The file's place in the history.
    position: int
    old_schema: str
    old: str
    new_schema: str
    new: str


def find_moves(history: History) -> tuple[Move, ...]:
    """Return what the history's files rename and move to other schemas, in their order, as far as their text shows."""
    return tuple(move for at, migration in enumerate(history.migrations) for move in _moves(migration, at))


#: The files in which nothing is moved need not be parsed.
_MOVES = re.compile(r"\brename\s+to\b|\bset\s+schema\b", re.IGNORECASE)


def _moves(migration: Migration, position: int) -> Iterator[Move]:
    # The grammar costs 50 ms to import, and here it is needed only where tables are renamed.
    from pytest_migsafe.migrations.operations import operations  # noqa: PLC0415

    try:
        script = migration.read()
    except MigrationReadError:
        return
    if not _MOVES.search(script.source.text):
        return
    for statement in script.statements:
        if statement.node in ("RenameStmt", "AlterObjectSchemaStmt"):
            yield from (_move(one.tree, position) for one in operations(statement.text) if _is_move(one.tree))


def _is_move(tree: Any) -> bool:
    # What has a name below the relation's is a column or constraint; functions and the like have no relation.
    return bool(tree.relation.relname) and not getattr(tree, "subname", "")


def _move(tree: Any, position: int) -> Move:
    schema, name = tree.relation.schemaname, tree.relation.relname
    return Move(
        position=position,
        old_schema=schema,
        old=name,
        new_schema=getattr(tree, "newschema", schema),
        new=getattr(tree, "newname", name),
    )
