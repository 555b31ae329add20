"""The only door to PostgreSQL's grammar: what the statements of a text are, where, and what they ask for.

The grammar is PostgreSQL's own (libpg_query, through ``postgast``). Where it rejects a text, the tokens of
its scanner, which is PostgreSQL's own too, still tell where statements end, by the rules that psql uses.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import sqlparse
from postgast import PgQueryError, deparse, parse, pg_query_pb2, scan, unwrap_node

from pytest_migsafe.migrations.source import BYTE_ORDER_MARK, ByteOffset, CharOffset, SourceText

_TOKEN = pg_query_pb2.Token
_COMMENTS = frozenset({_TOKEN.Value("SQL_COMMENT"), _TOKEN.Value("C_COMMENT")})
_SEMICOLON = _TOKEN.Value("ASCII_59")
_OPEN = _TOKEN.Value("ASCII_40")
_CLOSE = _TOKEN.Value("ASCII_41")
_CREATE, _OR, _REPLACE = (_TOKEN.Value(name) for name in ("CREATE", "OR", "REPLACE"))
_ROUTINES = frozenset({_TOKEN.Value("FUNCTION"), _TOKEN.Value("PROCEDURE")})
_BEGIN, _CASE, _END = (_TOKEN.Value(name) for name in ("BEGIN_P", "CASE", "END_P"))

_ADD_COLUMN = pg_query_pb2.AlterTableType.Value("AT_AddColumn")
_DETACH_PARTITION = pg_query_pb2.AlterTableType.Value("AT_DetachPartition")

_BLANK = re.compile(r"\s+|--[^\n\r]*")


class TransactionControl(StrEnum):
    """What a statement does to the transaction that it runs in."""

    BEGIN = "begin"
    COMMIT = "commit"
    ROLLBACK = "rollback"
    #: SAVEPOINT and its relatives, PREPARE TRANSACTION, ... anything that is not a plain begin or end.
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class CreatedObject:
    """An object that a statement would create, as the text names it."""

    #: "table", "column", "index", "function", ...
    kind: str
    #: The schema as written, empty when the name is not qualified.
    schema: str
    #: The object's name; for a column ``table.column``.
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One statement of a file, exactly as it is written."""

    text: str
    #: Where the statement's first and one after its last character are, in characters.
    start: CharOffset
    end: CharOffset
    #: The parse tree's node (``IndexStmt``, ...); empty when the grammar rejects the statement.
    node: str = ""
    #: What the grammar says against the statement, and at which character of the file.
    syntax_error: str = ""
    syntax_error_at: CharOffset | None = None
    transaction_control: TransactionControl | None = None
    #: Why PostgreSQL will not run the statement inside a transaction block; empty when it will.
    refuses_transaction_block: str = ""
    #: Whether ``IF NOT EXISTS`` stands in the statement.
    if_not_exists: bool = False
    creates: tuple[CreatedObject, ...] = ()


def split_statements(source: SourceText) -> tuple[Statement, ...]:
    """Return the statements of a text in order, each exactly as written.

    The statements and the text between them (white space, comments, semicolons) make up the whole text.
    A statement that the grammar rejects is returned with its ``syntax_error``; the others are not lost.
    """
    try:
        tree = parse(_without_mark(source))
    except PgQueryError:
        return tuple(_statements_by_scanner(source))
    return tuple(_statements_by_parser(source, tree))


def headline(text: str, width: int = 72) -> str:
    """Return a statement on one line, without comments, cut at ``width`` characters."""
    plain = " ".join(sqlparse.format(text[:2000], strip_comments=True).split())
    return plain if len(plain) <= width else plain[: width - 1].rstrip() + "…"


def _without_mark(source: SourceText) -> str:
    # A blank of the same length in characters; the mark's three bytes are made up for where bytes are counted.
    return "   " + source.text[1:] if source.text.startswith(BYTE_ORDER_MARK) else source.text


def _statements_by_parser(source: SourceText, tree: Any) -> Iterator[Statement]:
    encoded = source.encoded
    bounds: list[ByteOffset] = []
    for raw in tree.stmts:
        end = raw.stmt_location + raw.stmt_len if raw.stmt_len else len(encoded)
        bounds += [ByteOffset(raw.stmt_location), ByteOffset(end)]
    edges = source.characters(bounds)
    for raw, low, high in zip(tree.stmts, edges[::2], edges[1::2], strict=True):
        start = _skip_blank(source.text, low)
        # Only the last statement can lack its semicolon, and then what follows belongs to nobody.
        end = high if raw.stmt_len else _end_of_last_token(source.text, start)
        text = source.text[start:end].rstrip()
        yield _describe(raw.stmt, text, start)


def _skip_blank(text: str, at: int) -> CharOffset:
    """Return where the first token at or after ``at`` begins, past white space and comments."""
    while at < len(text):
        if text[at] == BYTE_ORDER_MARK:
            at += 1
        elif blank := _BLANK.match(text, at):
            at = blank.end()
        elif text.startswith("/*", at):
            at = _end_of_block_comment(text, at)
        else:
            break
    return CharOffset(at)


def _end_of_block_comment(text: str, at: int) -> int:
    # Block comments nest (manual: "Comments" in "Lexical Structure").
    depth = 0
    for mark in re.compile(r"/\*|\*/").finditer(text, at):
        depth += 1 if mark.group() == "/*" else -1
        if depth == 0:
            return mark.end()
    return len(text)


def _end_of_last_token(text: str, start: int) -> int:
    rest = SourceText(text[start:])
    last = max((token.end for token in scan(rest.text).tokens if token.token not in _COMMENTS), default=0)
    return start + rest.characters([ByteOffset(last)])[0]


def _statements_by_scanner(source: SourceText) -> Iterator[Statement]:
    """Split by tokens, as psql does, a text that the grammar rejects as a whole; parse each piece alone."""
    for start, end in _pieces(source):
        text = source.text[start:end]
        try:
            tree = parse(text)
        except PgQueryError as error:
            # 1-based and in *characters*, whatever postgast's documentation says (tested).
            at = start + max(error.cursorpos - 1, 0)
            yield Statement(
                text=text,
                start=CharOffset(start),
                end=CharOffset(end),
                syntax_error=error.message,
                syntax_error_at=CharOffset(min(at, end)),
            )
        else:
            yield _describe(tree.stmts[0].stmt, text, CharOffset(start))


def _pieces(source: SourceText) -> Iterator[tuple[int, int]]:
    """Yield the bounds of statements, in characters, by the scanner's tokens."""
    tokens, unfinished_at = _tokens(source)
    bounds = source.characters([ByteOffset(at) for token in tokens for at in (token.start, token.end)])
    piece = _Piece()
    for token, low, high in zip(tokens, bounds[::2], bounds[1::2], strict=True):
        if token.token == _SEMICOLON and piece.ends_at_semicolon:
            if piece.first is not None:
                yield piece.first, piece.last
            piece = _Piece()
        else:
            piece.take(token.token, low, high)
    if unfinished_at is not None:
        first = piece.first if piece.first is not None else unfinished_at
        yield first, len(source.text.rstrip())
    elif piece.first is not None:
        yield piece.first, piece.last


def _tokens(source: SourceText) -> tuple[list[Any], CharOffset | None]:
    """Return the tokens but for comments, and where a token begins that the file does not finish."""
    text, unfinished_at = _without_mark(source), None
    try:
        tokens = scan(text).tokens
    except PgQueryError as error:
        unfinished_at = CharOffset(max(error.cursorpos - 1, 0))
        if text is not source.text:
            unfinished_at = CharOffset(max(unfinished_at - 2, 0))
        tokens = _tokens_before(text, error)
    return [token for token in tokens if token.token not in _COMMENTS], unfinished_at


def _tokens_before(text: str, error: PgQueryError) -> list[Any]:
    try:
        return list(scan(text[: max(error.cursorpos - 1, 0)]).tokens)
    except PgQueryError:
        return []


class _Piece:
    """The tokens since the last statement's end, and whether a semicolon would end this one.

    The rules are psql's (psqlscan.l): parentheses, and ``BEGIN ... END`` in the body of
    ``CREATE [OR REPLACE] {FUNCTION | PROCEDURE}``, hold semicolons that end nothing.
    """

    def __init__(self) -> None:
        self.first: int | None = None
        self.last = 0
        self._opening: list[int] = []
        self._parentheses = 0
        self._blocks = 0

    @property
    def ends_at_semicolon(self) -> bool:
        return self._parentheses <= 0 and self._blocks == 0

    def take(self, token: int, low: int, high: int) -> None:
        self.first = low if self.first is None else self.first
        self.last = high
        if len(self._opening) < 4:
            self._opening.append(token)
        self._parentheses += (token == _OPEN) - (token == _CLOSE)
        if self._parentheses <= 0 and self._creates_routine:
            if token == _BEGIN or (self._blocks and token == _CASE):
                self._blocks += 1
            elif token == _END and self._blocks:
                self._blocks -= 1

    @property
    def _creates_routine(self) -> bool:
        match self._opening:
            case [first, second, *_] if first == _CREATE and second in _ROUTINES:
                return True
            case [first, second, third, fourth]:
                return (first, second, third) == (_CREATE, _OR, _REPLACE) and fourth in _ROUTINES
        return False


def _describe(wrapped: Any, text: str, start: CharOffset) -> Statement:
    node = unwrap_node(wrapped)
    name = type(node).__name__
    return Statement(
        text=text,
        start=start,
        end=CharOffset(start + len(text)),
        node=name,
        transaction_control=_transaction_control(node) if name == "TransactionStmt" else None,
        refuses_transaction_block=_refusal(name, node),
        if_not_exists=_has_if_not_exists(node),
        creates=tuple(_created(name, node)),
    )


def _has_if_not_exists(node: Any) -> bool:
    """Whether IF NOT EXISTS stands in a statement, be it before the object or before a column to add."""
    if "if_not_exists" in type(node).DESCRIPTOR.fields_by_name:
        return bool(node.if_not_exists)
    return type(node).__name__ == "AlterTableStmt" and any(
        unwrap_node(command).missing_ok and unwrap_node(command).subtype == _ADD_COLUMN
        for command in node.cmds
    )


_CONTROLS = {
    "TRANS_STMT_BEGIN": TransactionControl.BEGIN,
    "TRANS_STMT_START": TransactionControl.BEGIN,
    "TRANS_STMT_COMMIT": TransactionControl.COMMIT,
    "TRANS_STMT_ROLLBACK": TransactionControl.ROLLBACK,
}


def _transaction_control(node: Any) -> TransactionControl:
    kind = pg_query_pb2.TransactionStmtKind.Name(node.kind)
    # COMMIT AND CHAIN opens the next transaction at once, and BEGIN with a mode asks for more than a begin.
    plain = not node.chain and not node.options
    return _CONTROLS.get(kind, TransactionControl.OTHER) if plain else TransactionControl.OTHER


def _refusal(name: str, node: Any) -> str:  # noqa: C901, PLR0911 - a table, a case a line
    """Say why a statement cannot run inside a transaction block, as far as the text shows.

    The list is what calls ``PreventInTransactionBlock`` in PostgreSQL 14 to 18; what the text does not show
    (REINDEX of a partitioned table, for one) the server says with SQLSTATE 25001 when it is tried.
    """
    match name:
        case "IndexStmt" if node.concurrent:
            return "CREATE INDEX CONCURRENTLY"
        case "DropStmt" if node.concurrent:
            return "DROP INDEX CONCURRENTLY"
        case "ReindexStmt":
            whole = pg_query_pb2.ReindexObjectType.Name(node.kind).removeprefix("REINDEX_OBJECT_")
            if any(_option(param) == "concurrently" for param in node.params):
                return "REINDEX CONCURRENTLY"
            return f"REINDEX {whole}" if whole in ("SCHEMA", "SYSTEM", "DATABASE") else ""
        case "VacuumStmt" if node.is_vacuumcmd:
            return "VACUUM"
        case "ClusterStmt" if not node.HasField("relation"):
            return "CLUSTER of all tables"
        case "AlterTableStmt" if any(_detaches_concurrently(command) for command in node.cmds):
            return "DETACH PARTITION CONCURRENTLY"
        case "DiscardStmt" if node.target == pg_query_pb2.DiscardMode.Value("DISCARD_ALL"):
            return "DISCARD ALL"
        case "AlterDatabaseStmt" if any(_option(option) == "tablespace" for option in node.options):
            return "ALTER DATABASE SET TABLESPACE"
        case "CreateSubscriptionStmt" | "DropSubscriptionStmt" | "AlterSubscriptionStmt":
            return "SUBSCRIPTION"
    return _ALWAYS_OUTSIDE.get(name, "")


_ALWAYS_OUTSIDE = {
    "AlterSystemStmt": "ALTER SYSTEM",
    "CreatedbStmt": "CREATE DATABASE",
    "DropdbStmt": "DROP DATABASE",
    "CreateTableSpaceStmt": "CREATE TABLESPACE",
    "DropTableSpaceStmt": "DROP TABLESPACE",
}


def _option(wrapped: Any) -> str:
    return str(unwrap_node(wrapped).defname)


def _detaches_concurrently(wrapped: Any) -> bool:
    command = unwrap_node(wrapped)
    return bool(command.subtype == _DETACH_PARTITION and unwrap_node(getattr(command, "def")).concurrent)


_RELATIONS = {
    "CreateStmt": "table",
    "CreateTableAsStmt": "table",
    "ViewStmt": "view",
    "CreateSeqStmt": "sequence",
}
_NAMED_BY_LIST = {
    "CreateEnumStmt": ("type", "type_name"),
    "CreateRangeStmt": ("type", "type_name"),
    "CreateDomainStmt": ("type", "domainname"),
    "CreateFunctionStmt": ("function", "funcname"),
}
_NAMED = {
    "CreateSchemaStmt": ("schema", "schemaname"),
    "CreateExtensionStmt": ("extension", "extname"),
    "CreateRoleStmt": ("role", "role"),
}
_ON_TABLE = {
    "CreatePolicyStmt": ("policy", "policy_name", "table"),
    "CreateTrigStmt": ("trigger", "trigname", "relation"),
    "IndexStmt": ("index", "idxname", "relation"),
}


def _created(name: str, node: Any) -> Iterator[CreatedObject]:  # noqa: C901 - a table, a case a line
    """Yield the objects that a statement creates, for the hints that name who creates what."""
    if kind := _RELATIONS.get(name):
        relation = {"CreateTableAsStmt": lambda: node.into.rel, "ViewStmt": lambda: node.view}.get(
            name, lambda: getattr(node, "relation", None) or node.sequence
        )()
        yield CreatedObject(kind=kind, schema=relation.schemaname, name=relation.relname)
        for element in getattr(node, "table_elts", ()):
            column = unwrap_node(element)
            if type(column).__name__ == "ColumnDef":
                yield _column(relation, column)
    elif name in _NAMED_BY_LIST:
        kind, field = _NAMED_BY_LIST[name]
        *schema, last = (unwrap_node(part).sval for part in getattr(node, field))
        yield CreatedObject(kind=kind, schema=schema[-1] if schema else "", name=last)
    elif name in _NAMED:
        kind, field = _NAMED[name]
        yield CreatedObject(kind=kind, schema="", name=getattr(node, field))
    elif name in _ON_TABLE:
        kind, field, table = _ON_TABLE[name]
        yield CreatedObject(kind=kind, schema=getattr(node, table).schemaname, name=getattr(node, field))
    elif name == "CompositeTypeStmt":
        yield CreatedObject(kind="type", schema=node.typevar.schemaname, name=node.typevar.relname)
    elif name == "AlterTableStmt":
        for wrapped in node.cmds:
            command = unwrap_node(wrapped)
            if command.subtype == _ADD_COLUMN:
                yield _column(node.relation, unwrap_node(getattr(command, "def")))
    elif name == "RenameStmt":
        yield from _renamed(node)


def _column(relation: Any, column: Any) -> CreatedObject:
    return CreatedObject(
        kind="column", schema=relation.schemaname, name=f"{relation.relname}.{column.colname}"
    )


def _renamed(node: Any) -> Iterator[CreatedObject]:
    renamed = pg_query_pb2.ObjectType.Name(node.rename_type).removeprefix("OBJECT_").lower()
    if renamed == "column":
        yield CreatedObject(
            kind="column", schema=node.relation.schemaname, name=f"{node.relation.relname}.{node.newname}"
        )
    elif renamed in ("table", "view", "sequence", "index"):
        yield CreatedObject(kind=renamed, schema=node.relation.schemaname, name=node.newname)


@dataclass(frozen=True, slots=True, kw_only=True)
class Twin:
    """What a statement with IF NOT EXISTS would create, as a statement that creates it elsewhere."""

    #: "table", "materialized view", "sequence", "index" or "column".
    kind: str
    #: The schema as written (empty when not qualified) and the relation that the statement names.
    schema: str
    relation: str
    #: The column or index that is created; empty where it is the relation itself.
    name: str
    #: The statement that makes the twin.
    create: str
    #: The twin's own name: of a relation (in the scratch schema), of a column or of an index.
    twin_name: str


def twins(text: str, scratch_schema: str, prefix: str) -> tuple[Twin, ...]:
    """Return what a statement with IF NOT EXISTS would create, each under a name that is free.

    A relation keeps its name and moves to the scratch schema; a column or an index is made beside the
    existing one, with a prefixed name. Empty for statements that name nothing comparable.
    """
    try:
        tree = parse(text)
    except PgQueryError:
        return ()
    node = unwrap_node(tree.stmts[0].stmt)
    match type(node).__name__:
        case "CreateStmt" | "CreateSeqStmt" | "CreateTableAsStmt" if node.if_not_exists:
            return _relation_twin(tree, node, scratch_schema)
        case "IndexStmt" if node.if_not_exists and node.idxname:
            name, twin_name = node.idxname, prefix + node.idxname
            node.idxname, node.if_not_exists, node.concurrent = twin_name, False, False
            return (
                Twin(
                    kind="index",
                    schema=node.relation.schemaname,
                    relation=node.relation.relname,
                    name=name,
                    create=deparse(tree),
                    twin_name=twin_name,
                ),
            )
        case "AlterTableStmt":
            return tuple(_column_twins(tree, node, prefix))
    return ()


def _relation_twin(tree: Any, node: Any, scratch_schema: str) -> tuple[Twin, ...]:
    kinds = {"CreateStmt": "table", "CreateSeqStmt": "sequence", "CreateTableAsStmt": "table"}
    kind = kinds[type(node).__name__]
    if kind == "table" and type(node).__name__ == "CreateTableAsStmt":
        relation = node.into.rel
        if node.objtype == pg_query_pb2.ObjectType.Value("OBJECT_MATVIEW"):
            kind = "materialized view"
    else:
        relation = node.sequence if kind == "sequence" else node.relation
    if relation.relpersistence == "t":
        return ()
    schema = relation.schemaname
    relation.schemaname, node.if_not_exists = scratch_schema, False
    return (
        Twin(
            kind=kind,
            schema=schema,
            relation=relation.relname,
            name="",
            create=deparse(tree),
            twin_name=relation.relname,
        ),
    )


def _column_twins(tree: Any, node: Any, prefix: str) -> Iterator[Twin]:
    wanted = [
        unwrap_node(getattr(unwrap_node(command), "def"))
        for command in node.cmds
        if unwrap_node(command).subtype == _ADD_COLUMN and unwrap_node(command).missing_ok
    ]
    for column in wanted:
        # A statement of its own for each: with the other commands it would do more than make the twin.
        alone = type(tree)()
        alone.CopyFrom(tree)
        copy = unwrap_node(alone.stmts[0].stmt)
        keep = [
            command
            for command in copy.cmds
            if getattr(unwrap_node(getattr(unwrap_node(command), "def")), "colname", None) == column.colname
        ]
        command = type(keep[0])()
        command.CopyFrom(keep[0])
        del copy.cmds[:]
        copy.cmds.append(command)
        action = unwrap_node(copy.cmds[0])
        action.missing_ok = False
        unwrap_node(getattr(action, "def")).colname = prefix + column.colname
        yield Twin(
            kind="column",
            schema=node.relation.schemaname,
            relation=node.relation.relname,
            name=column.colname,
            create=deparse(alone),
            twin_name=prefix + column.colname,
        )
