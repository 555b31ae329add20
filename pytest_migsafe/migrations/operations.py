"""What a statement asks for, command by command, as PostgreSQL's grammar reads it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from pytest_migsafe.migrations.late_grammar import grammar, tree_if_possible


@dataclass(frozen=True, slots=True)
class Operation:
    """One command of a statement: most statements are one, an ALTER TABLE may have several."""

    #: The statement's node (``IndexStmt``, ``AlterTableStmt``, ...).
    node: str
    #: What an ALTER TABLE does (``AT_AddColumn``, ...); empty for other statements.
    action: str
    #: The column, constraint or index that is spoken of, without quotes; empty where there is none.
    name: str
    #: The parse tree of the command: an ``AlterTableCmd``, or the statement itself; only for looking at.
    tree: Any = field(compare=False)

    @property
    def definition(self) -> Any:
        """What an ALTER TABLE's command adds or changes: a ``ColumnDef``, a ``Constraint``, ...; None without one."""
        if not self.action or not self.tree.HasField("def"):
            return None
        return grammar().unwrap_node(getattr(self.tree, "def"))

    @property
    def adds_constraint(self) -> str:
        """The kind of constraint that an ALTER TABLE adds (``CONSTR_CHECK``, ...); empty where it adds none."""
        if self.action != "AT_AddConstraint":
            return ""
        return str(grammar().pg_query_pb2.ConstrType.Name(self.definition.contype))


@lru_cache(maxsize=64)
def operations(text: str) -> tuple[Operation, ...]:
    """Return what a statement asks for; nothing where the grammar rejects it, or cannot be asked about it."""
    tree = tree_if_possible(text)
    if tree is None:
        return ()
    return tuple(one for wrapped in tree.stmts for one in _operations(grammar().unwrap_node(wrapped.stmt)))


def _operations(node: Any) -> Iterator[Operation]:
    kind = type(node).__name__
    if kind != "AlterTableStmt":
        yield Operation(kind, "", _name(node), node)
        return
    for wrapped in node.cmds:
        command = grammar().unwrap_node(wrapped)
        action = grammar().pg_query_pb2.AlterTableType.Name(command.subtype)
        yield Operation(kind, action, command.name or _name_of_definition(command), command)


def _name_of_definition(command: Any) -> str:
    definition = grammar().unwrap_node(getattr(command, "def")) if command.HasField("def") else None
    return str(getattr(definition, "colname", "") or getattr(definition, "conname", ""))


def _name(node: Any) -> str:
    return str(getattr(node, "idxname", ""))
