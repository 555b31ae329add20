"""What an ALTER TABLE says of a column that it adds or changes, taken apart, and put together again otherwise."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from pytest_migsafe.migrations.late_grammar import grammar, whole_tree
from pytest_migsafe.migrations.lexemes import in_double_quotes

#: The types that are no types, but a sequence and a default (manual: "Serial Types"), and the type that they stand for.
_SERIAL = {
    "smallserial": "smallint",
    "serial2": "smallint",
    "serial": "integer",
    "serial4": "integer",
    "bigserial": "bigint",
    "serial8": "bigint",
}
_NOT_NULL = frozenset({"CONSTR_NOTNULL", "CONSTR_PRIMARY", "CONSTR_IDENTITY"})


@dataclass(frozen=True, slots=True)
class AddedColumn:
    """A column as ADD COLUMN describes it."""

    #: The column, without quotes.
    name: str
    #: The clauses of its definition (``CONSTR_DEFAULT``, ``CONSTR_CHECK``, ...), in their order.
    clauses: tuple[str, ...]
    #: The type's name without its schema.
    type_name: str
    #: The DEFAULT's expression; None without one.
    default: str | None
    is_stored: bool
    #: The name that NOT NULL is given; empty without one.
    not_null_name: str
    #: The ALTER TABLE that adds it, and nothing else; only for making others of it.
    tree: Any = field(compare=False, repr=False)

    def has(self, *clauses: str) -> bool:
        """Whether the definition has one of some clauses."""
        return not set(clauses).isdisjoint(self.clauses)

    @property
    def serial_of(self) -> str | None:
        """The type of the numbers that a serial column has; None for any other."""
        return _SERIAL.get(self.type_name)

    @property
    def is_not_null(self) -> bool:
        """Whether no row may be without a value."""
        return self.serial_of is not None or not _NOT_NULL.isdisjoint(self.clauses)

    @property
    def may_compute(self) -> bool:
        """Whether the DEFAULT is more than a constant."""
        definition = _definition(self.tree)
        return any(not _is_constant(clause.raw_expr) for clause in _clauses(definition, "CONSTR_DEFAULT"))

    def statement(self, table: str, *kept: str) -> str:
        """Return the ALTER TABLE that adds the column to a table, with none but some clauses of its definition."""
        tree = _copy(self.tree)
        definition = _definition(tree)
        clauses = [one for one in definition.constraints if _clause_name(grammar().unwrap_node(one)) in kept]
        del definition.constraints[:]
        definition.constraints.extend(clauses)
        if self.serial_of is not None:
            definition.type_name.CopyFrom(_type(self.serial_of))
        return _of_table(tree, table)

    def identity(self, table: str) -> str:
        """Return the ALTER TABLE that makes the column an identity column when it is there."""
        tree = _copy(self.tree)
        (clause,) = _clauses(_definition(tree), "CONSTR_IDENTITY")
        command = _command(tree)
        command.Clear()
        command.subtype = grammar().pg_query_pb2.AT_AddIdentity
        command.name = self.name
        getattr(command, "def").constraint.CopyFrom(clause)
        return _of_table(tree, table)

    def sequence(self, name: str) -> str:
        """Return the CREATE SEQUENCE that counts as the identity column is to count."""
        tree = _parsed(f"CREATE SEQUENCE {name} AS {_text_of_type(_definition(self.tree).type_name)}")
        (clause,) = _clauses(_definition(self.tree), "CONSTR_IDENTITY")
        # Its name is the identity's own business.
        grammar().unwrap_node(tree.stmts[0].stmt).options.extend(
            one for one in clause.options if grammar().unwrap_node(one).defname != "sequence_name"
        )
        return _deparsed(tree)

    def expression(self) -> str:
        """Return what a generated column is computed of."""
        (clause,) = _clauses(_definition(self.tree), "CONSTR_GENERATED")
        return _text_of_expression(clause.raw_expr)


@lru_cache(maxsize=16)
def added_columns(text: str) -> tuple[AddedColumn, ...]:
    """Return the columns that an ALTER TABLE adds; nothing for another statement, or one too big to be taken apart."""
    tree = _statement(text)
    return tuple(_added(tree, one) for one in _commands(tree, "AT_AddColumn")) if tree is not None else ()


def _added(tree: Any, command: Any) -> AddedColumn:
    single = _copy(tree)
    commands = grammar().unwrap_node(single.stmts[0].stmt).cmds
    del commands[:]
    commands.add().alter_table_cmd.CopyFrom(command)
    definition = _definition(single)
    defaults = [_text_of_expression(one.raw_expr) for one in _clauses(definition, "CONSTR_DEFAULT")]
    not_null = [str(one.conname) for one in _clauses(definition, "CONSTR_NOTNULL")]
    return AddedColumn(
        name=definition.colname,
        clauses=tuple(_clause_name(grammar().unwrap_node(one)) for one in definition.constraints),
        type_name=_names(definition.type_name)[-1],
        default=defaults[0] if defaults else None,
        is_stored=any(one.generated_kind == "s" for one in _clauses(definition, "CONSTR_GENERATED")),
        not_null_name=not_null[0] if not_null else "",
        tree=single,
    )


@dataclass(frozen=True, slots=True)
class ChangedType:
    """A column's new type as ALTER COLUMN ... TYPE gives it."""

    #: The column, without quotes.
    column: str
    #: The type, with the collation that is written with it.
    type: str
    #: What the new values are made of; None without USING.
    using: str | None
    #: Whether the values are the old ones in the new type: no USING, or one that says no more.
    is_cast: bool = True


@lru_cache(maxsize=16)
def changed_types(text: str) -> tuple[ChangedType, ...]:
    """Return the columns whose types an ALTER TABLE (or ALTER TYPE) changes."""
    tree = _statement(text)
    return tuple(_changed(one) for one in _commands(tree, "AT_AlterColumnType")) if tree is not None else ()


def _changed(command: Any) -> ChangedType:
    definition = grammar().unwrap_node(getattr(command, "def"))
    written = _text_of_type(definition.type_name)
    if definition.HasField("coll_clause"):
        collation = ".".join(in_double_quotes(one) for one in _strings(definition.coll_clause.collname))
        written = f"{written} COLLATE {collation}"
    using = _text_of_expression(definition.raw_default) if definition.HasField("raw_default") else None
    is_cast = using is None or _is_cast_of(definition.raw_default, command.name)
    return ChangedType(command.name, written, using, is_cast)


def _is_cast_of(expression: Any, column: str) -> bool:
    node = grammar().unwrap_node(expression)
    if type(node).__name__ == "TypeCast":
        return _is_cast_of(node.arg, column)
    return type(node).__name__ == "ColumnRef" and _strings(node.fields[-1:]) == [column]


@lru_cache(maxsize=16)
def altered_relation(text: str) -> tuple[str, str]:
    """Return the schema and the name of what an ALTER TABLE alters, without quotes; the schema is empty where none is written."""
    return _relation(text) if _statement(text) is not None else ("", "")


def _relation(text: str) -> tuple[str, str]:
    return _parts(grammar().unwrap_node(_parsed(text).stmts[0].stmt).relation)


def _parts(relation: Any) -> tuple[str, str]:
    return relation.schemaname, relation.relname


def with_column_renamed(text: str, column: str, new: str, *, table: str) -> str | None:
    """Return an index's or a constraint's definition that speaks of another column of its table; None if that cannot be.

    ``text`` is a CREATE INDEX, or an ALTER TABLE that adds a constraint, with qualified names. Columns are named without
    quotes, and ``table``, the column's, as SQL writes it: what a foreign key refers to there has the new name, too.
    """
    tree = _readable(text)
    if tree is None:
        return None
    statement = grammar().unwrap_node(tree.stmts[0].stmt)
    own = _relation(f"ALTER TABLE {table} ADD COLUMN x int")
    is_own = _parts(statement.relation) == own
    for node in _nodes(tree):
        _rename_in(node, column, new, own=own, is_own=is_own)
    return _deparsed(tree)


def _rename_in(node: Any, column: str, new: str, *, own: tuple[str, str], is_own: bool) -> None:
    kind = type(node).__name__
    if kind == "ColumnRef" and is_own:
        _rename_strings(node.fields[-1:], column, new)
    elif kind == "IndexElem" and is_own and node.name == column:
        node.name = new
    elif kind == "Constraint":
        if is_own:
            for names in (node.keys, node.including, node.fk_attrs, node.fk_del_set_cols):
                _rename_strings(names, column, new)
        if node.contype == grammar().pg_query_pb2.CONSTR_FOREIGN and _parts(node.pktable) == own:
            _rename_strings(node.pk_attrs, column, new)


def _rename_strings(nodes: Any, column: str, new: str) -> None:
    for node in nodes:
        if node.HasField("string") and node.string.sval == column:
            node.string.sval = new


def index_made_otherwise(text: str, *, name: str) -> str:
    """Return a CREATE INDEX with another name, built while its table is in use."""
    tree = _parsed(text)
    statement = grammar().unwrap_node(tree.stmts[0].stmt)
    statement.idxname = name
    statement.concurrent = True
    return _deparsed(tree)


def _nodes(message: Any) -> Iterator[Any]:
    yield message
    for description, value in message.ListFields():
        if description.message_type is None:
            continue
        for one in [value] if hasattr(value, "ListFields") else value:
            yield from _nodes(one)


def _statement(text: str) -> Any | None:
    """Return the tree of a text that is one ALTER TABLE, whole; None for any other."""
    tree = _readable(text)
    if tree is None or len(tree.stmts) != 1 or not tree.stmts[0].stmt.HasField("alter_table_stmt"):
        return None
    return tree


def _readable(text: str) -> Any | None:
    """Return the tree of a text, whole; None where the grammar rejects it, or the text is too big."""
    try:
        return whole_tree(text)
    except grammar().PgQueryError:
        return None


def _parsed(text: str) -> Any:
    tree = whole_tree(text)
    assert tree is not None, text  # noqa: S101 - names and types, short as they are
    return tree


def _commands(tree: Any, action: str) -> Iterator[Any]:
    wanted = grammar().pg_query_pb2.AlterTableType.Value(action)
    return (
        command
        for wrapped in grammar().unwrap_node(tree.stmts[0].stmt).cmds
        if (command := grammar().unwrap_node(wrapped)).subtype == wanted
    )


def _command(tree: Any) -> Any:
    return grammar().unwrap_node(grammar().unwrap_node(tree.stmts[0].stmt).cmds[0])


def _definition(tree: Any) -> Any:
    return grammar().unwrap_node(getattr(_command(tree), "def"))


def _clauses(definition: Any, name: str) -> list[Any]:
    found = (grammar().unwrap_node(one) for one in definition.constraints)
    return [one for one in found if _clause_name(one) == name]


def _clause_name(clause: Any) -> str:
    return (
        grammar().pg_query_pb2.ConstrType.Name(clause.contype)
        if type(clause).__name__ == "Constraint"
        else ""
    )


def _of_table(tree: Any, table: str) -> str:
    """Return a statement on a table whose qualified name is as SQL writes it."""
    relation = grammar().unwrap_node(tree.stmts[0].stmt).relation
    relation.schemaname, relation.relname = _relation(f"ALTER TABLE {table} ADD COLUMN x int")
    grammar().unwrap_node(tree.stmts[0].stmt).missing_ok = False
    return _deparsed(tree)


def _copy(tree: Any) -> Any:
    copied = type(tree)()
    copied.CopyFrom(tree)
    return copied


def _type(written: str) -> Any:
    return _definition(_parsed(f"ALTER TABLE x ADD COLUMN x {written}")).type_name


def _text_of_type(type_name: Any) -> str:
    tree = _parsed("ALTER TABLE x ADD COLUMN x int")
    _definition(tree).type_name.CopyFrom(type_name)
    return _deparsed(tree).removeprefix("ALTER TABLE x ADD COLUMN x ")


def _text_of_expression(expression: Any) -> str:
    tree = _parsed("SELECT 1")
    grammar().unwrap_node(grammar().unwrap_node(tree.stmts[0].stmt).target_list[0]).val.CopyFrom(expression)
    return _deparsed(tree).removeprefix("SELECT ")


def _is_constant(expression: Any) -> bool:
    kind = expression.WhichOneof("node")
    return kind == "a_const" or (kind == "type_cast" and _is_constant(expression.type_cast.arg))


def _names(type_name: Any) -> list[str]:
    return _strings(type_name.names)


def _strings(nodes: Any) -> list[str]:
    return [one.string.sval for one in nodes]


def _deparsed(tree: Any) -> str:
    return str(grammar().deparse(tree))
