"""The commands of an ALTER TABLE, each as a statement of its own.

This module needs the grammar, which costs 50 ms to import: whoever may do without imports it late.
"""

from dataclasses import dataclass
from typing import Any

from postgast import PgQueryError, deparse, pg_query_pb2, unwrap_node

from pytest_migsafe.migrations.lexemes import Lexeme, tokens
from pytest_migsafe.migrations.parse_tree import parse_whole


@dataclass(frozen=True, slots=True)
class Command:
    """One command of an ALTER TABLE that has several."""

    #: The command as a statement of its own.
    text: str
    #: Where it stands in the statement, in characters: its first, and one after its last.
    start: int
    end: int


def single_commands(text: str) -> tuple[Command, ...]:
    """Return the commands of an ALTER TABLE in the order in which PostgreSQL carries them out.

    Nothing where there are not several.
    """
    if "," not in text:
        return ()
    try:
        tree = parse_whole(text)
    except PgQueryError:
        return ()
    if tree is None or len(tree.stmts) != 1:
        return ()
    node = unwrap_node(tree.stmts[0].stmt)
    if type(node).__name__ != "AlterTableStmt" or len(node.cmds) < _SEVERAL:
        return ()
    places = _places(text, len(node.cmds))
    numbers = sorted(range(len(node.cmds)), key=lambda at: _pass(unwrap_node(node.cmds[at])))
    return tuple(Command(_with_one_command(tree, at), *places[at]) for at in numbers)


_SEVERAL = 2

#: The passes of an ALTER TABLE in their order (``ATPrepCmd`` and ``AT_PASS_*`` in PostgreSQL's tablecmds.c). What is
#: in none of the lists is done at last; commands of one pass are done in the order in which they are written.
_PASSES = (
    frozenset(
        {"AT_DropColumn", "AT_DropConstraint", "AT_DropNotNull", "AT_DropIdentity", "AT_DropExpression"}
    ),
    frozenset({"AT_AlterColumnType"}),
    frozenset({"AT_AddColumn"}),
    frozenset({"AT_SetExpression"}),
    frozenset({"AT_SetNotNull", "AT_SetIdentity"}),
)
_INDEX_CONSTRAINTS, _OTHER_CONSTRAINTS, _AT_LAST = len(_PASSES), len(_PASSES) + 1, len(_PASSES) + 2


def _pass(command: Any) -> int:
    action = pg_query_pb2.AlterTableType.Name(command.subtype)
    if action == "AT_AddConstraint":
        kind = pg_query_pb2.ConstrType.Name(unwrap_node(getattr(command, "def")).contype)
        is_index = kind in ("CONSTR_PRIMARY", "CONSTR_UNIQUE", "CONSTR_EXCLUSION")
        return _INDEX_CONSTRAINTS if is_index else _OTHER_CONSTRAINTS
    if action == "AT_ColumnDefault":
        return _OTHER_CONSTRAINTS if command.HasField("def") else 0
    if action == "AT_AddIdentity":
        return _OTHER_CONSTRAINTS
    return next((at for at, actions in enumerate(_PASSES) if action in actions), _AT_LAST)


def _places(text: str, commands: int) -> list[tuple[int, int]]:
    """Return where the commands stand: between the commas that are in no brackets."""
    some = list(tokens(text))
    pieces: list[list[Lexeme]] = [[]]
    depth = 0
    for token in some:
        mark = text[token.start] if token.kind == "mark" else ""
        depth += (mark in _OPENING) - (mark in _CLOSING)
        if mark == "," and not depth:
            pieces.append([])
        else:
            pieces[-1].append(token)
    whole = (some[0].start, some[-1].end)
    if len(pieces) != commands or not all(pieces):
        return [whole] * commands
    return [(piece[0].start, piece[-1].end) for piece in [_after_name(text, pieces[0]), *pieces[1:]]]


_OPENING, _CLOSING = frozenset("(["), frozenset(")]")


def _after_name(text: str, piece: list[Lexeme]) -> list[Lexeme]:
    """Return the tokens of the first command, without ALTER TABLE and the table's name before it."""
    words = [text[token.start : token.end].lower() for token in piece]
    at = 3 if words[1] in ("foreign", "materialized") else 2
    at += 2 if words[at : at + 2] == ["if", "exists"] else 0
    at += 1 if words[at] == "only" else 0
    at += 1
    while words[at] == ".":
        at += 2
    return piece[at + (words[at] == "*") :]


def _with_one_command(tree: Any, at: int) -> str:
    single = type(tree)()
    single.CopyFrom(tree)
    commands = unwrap_node(single.stmts[0].stmt).cmds
    kept = commands[at]
    one = type(kept)()
    one.CopyFrom(kept)
    del commands[:]
    commands.append(one)
    return deparse(single)
