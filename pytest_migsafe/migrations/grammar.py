"""The only door to PostgreSQL's grammar: what the statements of a text are, where, and what they ask for.

The grammar is PostgreSQL's own (libpg_query, through ``postgast``). A text that it rejects is split at its
semicolons, and each statement is put to the grammar alone, so that one that is wrong does not hide the others. So
is a long text, for the memory that its tree would take.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import groupby, islice
from typing import Any

import postgast
from postgast import PgQueryError, deparse, pg_query_pb2, unwrap_node

from pytest_migsafe.migrations.lexemes import first_token, tokens
from pytest_migsafe.migrations.parse_tree import SHORT, can_be_parsed, parse, parse_whole
from pytest_migsafe.migrations.semicolons import Span, statement_spans, without_trailing_comment
from pytest_migsafe.migrations.source import BYTE_ORDER_MARK, ByteOffset, CharOffset, SourceText
from pytest_migsafe.migrations.statements import CreatedObject, Statement, TransactionControl, Twin

_ADD_COLUMN = pg_query_pb2.AlterTableType.Value("AT_AddColumn")
_ADD_CONSTRAINT = pg_query_pb2.AlterTableType.Value("AT_AddConstraint")
_MATERIALIZED_VIEW = pg_query_pb2.ObjectType.Value("OBJECT_MATVIEW")
_DETACH_PARTITION = pg_query_pb2.AlterTableType.Value("AT_DetachPartition")


def split_statements(source: SourceText) -> tuple[Statement, ...]:
    """Return the statements of a text in order, each exactly as written.

    The statements and the text between them (white space, comments, semicolons) make up the whole text.
    A statement that the grammar rejects is returned with its ``syntax_error``; the others are not lost. In a file
    of data, INSERTs that follow each other are taken together.
    """
    if len(source.text) <= SHORT:
        with suppress(PgQueryError):
            return tuple(_statements_by_parser(source, parse(_without_mark(source.text))))
    return tuple(_statements_by_semicolons(source.text))


def _without_mark(text: str) -> str:
    # The mark's three bytes become three blanks, so that byte offsets stay what they are.
    return "   " + text[1:] if text.startswith(BYTE_ORDER_MARK) else text


def _statements_by_parser(source: SourceText, tree: Any) -> Iterator[Statement]:
    bounds: list[ByteOffset] = []
    for raw in tree.stmts:
        # Only the last statement can lack its semicolon.
        end = raw.stmt_location + raw.stmt_len if raw.stmt_len else len(source.encoded)
        bounds += [ByteOffset(raw.stmt_location), ByteOffset(end)]
    edges = source.characters(bounds)
    for raw, low, high in zip(tree.stmts, edges[::2], edges[1::2], strict=True):
        start = first_token(source.text, low)
        yield _describe(raw.stmt, without_trailing_comment(source.text[start:high]), CharOffset(start))


def _statements_by_semicolons(text: str) -> Iterator[Statement]:
    """Split a text at its semicolons, and parse each piece alone."""
    spans = statement_spans(text, _is_accepted)
    for span in spans if len(text) <= _SEED else _with_inserts_joined(text, spans):
        # With its semicolon: the message that something is missing names it, as the server's does.
        yield _statement(text[span.start : span.semicolon_end], span.start, span.end)


#: A longer text is somebody's data. Half a million INSERTs, each looked at alone, would take hours and gigabytes.
_SEED = 1_000_000
_INSERT = re.compile(r"insert\s+into\s", re.IGNORECASE)
_JOINED = 1_000


def _with_inserts_joined(text: str, spans: Iterator[Span]) -> Iterator[Span]:
    """Yield spans with up to a thousand INSERTs that follow each other taken for one statement.

    They are sent together, and what they do is told of them together; an error still has its own place.
    """
    for is_insert, group in groupby(spans, lambda span: _INSERT.match(text, span.start) is not None):
        while some := list(islice(group, _JOINED if is_insert else 1)):
            yield Span(some[0].start, some[-1].end, some[-1].semicolon_end)


def _statement(text: str, start: int, end: int) -> Statement:
    if not can_be_parsed(text):
        return _unparsed(text[: end - start], CharOffset(start))
    try:
        tree = parse(text)
    except PgQueryError as error:
        # 1-based and in *characters*, whatever postgast's documentation says (tested).
        at = start + max(error.cursorpos - 1, 0)
        return Statement(
            text=text[: end - start],
            start=CharOffset(start),
            end=CharOffset(end),
            syntax_error=error.message,
            syntax_error_at=CharOffset(min(at, end)),
        )
    return _describe(tree.stmts[0].stmt, text[: end - start], CharOffset(start))


def _is_accepted(text: str) -> bool:
    try:
        # Its tree is not asked for, which may be too deep to be made.
        postgast.split(text, method="parser")
    except PgQueryError:
        return False
    return True


def _unparsed(text: str, start: CharOffset) -> Statement:
    """Describe a statement that is too big for a tree by its first words; what is wrong with it the server says."""
    words = " ".join(text[one.start : one.end].lower() for one in islice(tokens(text), 5))
    node = next((node for beginning, node in _BIG if beginning.match(words)), "")
    return Statement(text=text, start=start, end=CharOffset(start + len(text)), node=node)


#: What statements of thousands of tokens are. The kinds of which the rehearsal assumes little need no entry.
_BIG = tuple(
    (re.compile(rf"(?:{beginning})\b"), node)
    for beginning, node in (
        ("insert", "InsertStmt"),
        ("update", "UpdateStmt"),
        ("delete", "DeleteStmt"),
        ("merge", "MergeStmt"),
        ("select|values|with|table", "SelectStmt"),
        ("copy", "CopyStmt"),
        ("create table", "CreateStmt"),
        ("create (?:or replace )?(?:recursive )?view", "ViewStmt"),
        ("create (?:or replace )?(?:function|procedure)", "CreateFunctionStmt"),
        ("alter table", "AlterTableStmt"),
    )
)


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
            if _is_on(node.params, "concurrently", default=False):
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
        case "TransactionStmt" if node.kind in _PREPARED:
            return _PREPARED[node.kind]
        case "CreateSubscriptionStmt" if _is_on(
            node.options, "create_slot", default=_is_on(node.options, "connect", default=True)
        ):
            return "CREATE SUBSCRIPTION with a replication slot"
        case "AlterSubscriptionStmt":
            return _refusal_to_alter_subscription(node)
    return _ALWAYS_OUTSIDE.get(name, "")


def _refusal_to_alter_subscription(node: Any) -> str:
    kind = pg_query_pb2.AlterSubscriptionType.Name(node.kind).removeprefix("ALTER_SUBSCRIPTION_")
    if kind == "REFRESH":
        return "ALTER SUBSCRIPTION REFRESH"
    if kind in ("SET_PUBLICATION", "ADD_PUBLICATION", "DROP_PUBLICATION") and _is_on(
        node.options, "refresh", default=True
    ):
        return "ALTER SUBSCRIPTION with refresh"
    if kind == "OPTIONS" and {_option(option) for option in node.options} & {"failover", "two_phase"}:
        return "ALTER SUBSCRIPTION SET (failover, two_phase)"
    return ""


_PREPARED = {
    pg_query_pb2.TransactionStmtKind.Value("TRANS_STMT_COMMIT_PREPARED"): "COMMIT PREPARED",
    pg_query_pb2.TransactionStmtKind.Value("TRANS_STMT_ROLLBACK_PREPARED"): "ROLLBACK PREPARED",
}
_ALWAYS_OUTSIDE = {
    # Unless its replication slot has been taken from it, which the text does not show.
    "DropSubscriptionStmt": "DROP SUBSCRIPTION",
    "AlterSystemStmt": "ALTER SYSTEM",
    "CreatedbStmt": "CREATE DATABASE",
    "DropdbStmt": "DROP DATABASE",
    "CreateTableSpaceStmt": "CREATE TABLESPACE",
    "DropTableSpaceStmt": "DROP TABLESPACE",
}


def _option(wrapped: Any) -> str:
    return str(unwrap_node(wrapped).defname)


def _is_on(options: Any, name: str, *, default: bool) -> bool:
    """Return the value of a boolean option, as PostgreSQL reads it (source: ``defGetBoolean``)."""
    for option in (unwrap_node(wrapped) for wrapped in options):
        if option.defname == name:
            if not option.HasField("arg"):
                return True
            value = unwrap_node(option.arg)
            written = (
                getattr(value, "sval", None) or getattr(value, "ival", None) or getattr(value, "boolval", 0)
            )
            return str(written).lower() in ("true", "on", "1")
    return default


def _detaches_concurrently(wrapped: Any) -> bool:
    command = unwrap_node(wrapped)
    return bool(command.subtype == _DETACH_PARTITION and unwrap_node(getattr(command, "def")).concurrent)


#: Where the node keeps the relation that it creates.
_RELATIONS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "CreateStmt": ("table", lambda node: node.relation),
    "CreateForeignTableStmt": ("table", lambda node: node.base_stmt.relation),
    "CreateTableAsStmt": ("table", lambda node: node.into.rel),
    "ViewStmt": ("view", lambda node: node.view),
    "CreateSeqStmt": ("sequence", lambda node: node.sequence),
}
_NAMED_BY_LIST = {
    "CreateEnumStmt": ("type", "type_name"),
    "CreateRangeStmt": ("type", "type_name"),
    "CreateDomainStmt": ("type", "domainname"),
    "CreateFunctionStmt": ("function", "funcname"),
}
_NAMED = {
    "CreateExtensionStmt": ("extension", "extname"),
    "CreateRoleStmt": ("role", "role"),
}
_ON_TABLE = {
    "CreatePolicyStmt": ("policy", "policy_name", "table"),
    "CreateTrigStmt": ("trigger", "trigname", "relation"),
    "IndexStmt": ("index", "idxname", "relation"),
}


def _created(name: str, node: Any) -> Iterator[CreatedObject]:  # noqa: C901, PLR0912 - a table, a case a line
    """Yield the objects that a statement creates, for the hints that name who creates what."""
    if name in _RELATIONS:
        yield from _created_relation(name, node)
    elif name in _NAMED_BY_LIST:
        kind, field = _NAMED_BY_LIST[name]
        *schema, last = (unwrap_node(part).sval for part in getattr(node, field))
        yield CreatedObject(kind=kind, schema=schema[-1] if schema else "", name=last)
    elif name in _NAMED:
        kind, field = _NAMED[name]
        yield CreatedObject(kind=kind, schema="", name=getattr(node, field))
    elif name in _ON_TABLE:
        kind, field, table = _ON_TABLE[name]
        # An index may leave its name to PostgreSQL.
        if created := getattr(node, field):
            yield CreatedObject(kind=kind, schema=getattr(node, table).schemaname, name=created)
    elif name == "CreateSchemaStmt":
        # CREATE SCHEMA AUTHORIZATION names the schema after the role.
        yield CreatedObject(kind="schema", schema="", name=node.schemaname or node.authrole.rolename)
        for element in node.schema_elts:
            inner = unwrap_node(element)
            yield from _created(type(inner).__name__, inner)
    elif name == "CompositeTypeStmt":
        yield CreatedObject(kind="type", schema=node.typevar.schemaname, name=node.typevar.relname)
    elif name == "SelectStmt" and node.HasField("into_clause"):
        into = node.into_clause.rel
        yield CreatedObject(kind="table", schema=into.schemaname, name=into.relname)
    elif name == "AlterTableStmt":
        for wrapped in node.cmds:
            command = unwrap_node(wrapped)
            if command.subtype in (_ADD_COLUMN, _ADD_CONSTRAINT):
                yield from _created_in_table(node.relation, unwrap_node(getattr(command, "def")))
    elif name == "RenameStmt":
        yield from _renamed(node)


def _created_relation(name: str, node: Any) -> Iterator[CreatedObject]:
    kind, relation_of = _RELATIONS[name]
    if name == "CreateTableAsStmt" and node.objtype == _MATERIALIZED_VIEW:
        kind = "view"
    relation = relation_of(node)
    yield CreatedObject(kind=kind, schema=relation.schemaname, name=relation.relname)
    table = node.base_stmt if name == "CreateForeignTableStmt" else node
    for element in getattr(table, "table_elts", ()):
        yield from _created_in_table(relation, unwrap_node(element))


def _created_in_table(relation: Any, element: Any) -> Iterator[CreatedObject]:
    """Yield a column with its named constraints, or a named constraint, of a table."""
    if type(element).__name__ == "ColumnDef":
        yield _column(relation, element)
        for constraint in element.constraints:
            yield from _created_in_table(relation, unwrap_node(constraint))
    elif type(element).__name__ == "Constraint" and element.conname:
        yield CreatedObject(kind="constraint", schema=relation.schemaname, name=element.conname)


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


def twins(text: str, scratch_schema: str, prefix: str) -> tuple[Twin, ...]:
    """Return what a statement with IF NOT EXISTS would create, each under a name that is free.

    A relation keeps its name and moves to the scratch schema; a column or an index is made beside the
    existing one, with a prefixed name. Empty for statements that name nothing comparable.
    """
    try:
        tree = parse_whole(text)
    except PgQueryError:
        return ()
    if tree is None:
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
        if node.objtype == _MATERIALIZED_VIEW:
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
