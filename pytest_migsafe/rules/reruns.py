"""Whether a statement can be run again after it has been run: what only its text tells.

A file without a transaction that fails half way is run again from its beginning. Then what has been made is there, and what
has been dropped or renamed is not.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from pytest_migsafe.migrations.operations import Operation, operations

#: Statements that make something, by the field that says that they may find it there.
_MADE: Mapping[str, str] = {
    "CreateStmt": "if_not_exists",
    "CreateForeignTableStmt": "base_stmt",
    "CreateTableAsStmt": "if_not_exists",
    "CreateSeqStmt": "if_not_exists",
    "CreateSchemaStmt": "if_not_exists",
    "CreateExtensionStmt": "if_not_exists",
    "CreateStatsStmt": "if_not_exists",
    "IndexStmt": "if_not_exists",
    "ViewStmt": "replace",
    "CreateFunctionStmt": "replace",
    "CreateTrigStmt": "replace",
    "RuleStmt": "replace",
    "AlterEnumStmt": "skip_if_new_val_exists",
    "CreateEnumStmt": "",
    "CreateRangeStmt": "",
    "CompositeTypeStmt": "",
    "CreateDomainStmt": "",
    "CreatePolicyStmt": "",
    "CreateRoleStmt": "",
    "CreatePublicationStmt": "",
    "CreateEventTrigStmt": "",
    "CreateCastStmt": "",
}
#: Commands of an ALTER TABLE that find their work done, or nothing to do, the second time.
_FAIL_TWICE = frozenset(
    {
        "AT_AddColumn",
        "AT_AddConstraint",
        "AT_AddIdentity",
        "AT_AttachPartition",
        "AT_DetachPartition",
        "AT_DropColumn",
        "AT_DropConstraint",
        "AT_DropExpression",
        "AT_DropIdentity",
    }
)


def fails_again(text: str, earlier: tuple[str, ...]) -> bool:
    """Whether a statement fails, or makes a thing twice, when it is run a second time after some others of its file.

    What one of those drops, if it is there, is made anew.
    """
    return any(
        _fails_again(one) and not _names(one) & {name for text in earlier for name in _dropped(text)}
        for one in operations(text)
    )


def _fails_again(operation: Operation) -> bool:
    tree = operation.tree
    if operation.action:
        return operation.action in _FAIL_TWICE and not tree.missing_ok
    if operation.node in ("DropStmt", "RenameStmt"):
        return not tree.missing_ok
    if operation.node not in _MADE:
        return False
    if _is_temporary(operation):
        # The next run has another session.
        return False
    excuse = _MADE[operation.node]
    if excuse == "base_stmt":
        return not tree.base_stmt.if_not_exists
    return not (excuse and getattr(tree, excuse))


def _is_temporary(operation: Operation) -> bool:
    tree = operation.tree
    made = tree.into.rel if operation.node == "CreateTableAsStmt" else getattr(tree, "relation", None)
    return operation.node != "IndexStmt" and getattr(made, "relpersistence", "") == "t"


def _names(operation: Operation) -> set[str]:
    """Return the name of what a statement makes, without its schema; that of a column or constraint in a table."""
    if operation.action or operation.node == "IndexStmt":
        return {operation.name} - {""}
    tree = operation.tree
    for field in ("relation", "view", "sequence", "typevar"):
        if field in type(tree).DESCRIPTOR.fields_by_name and tree.HasField(field):
            # A trigger, a policy and a rule have their own name beside their table's.
            own = getattr(tree, "trigname", "") or getattr(tree, "rulename", "")
            return {own or getattr(tree, field).relname}
    for field in ("policy_name", "role", "pubname", "trigname", "schemaname", "extname"):
        if name := getattr(tree, field, ""):
            return {str(name)}
    for field in ("domainname", "type_name", "funcname", "defnames"):
        if parts := getattr(tree, field, ()):
            return {parts[-1].string.sval}
    return {tree.into.rel.relname} if operation.node == "CreateTableAsStmt" else set()


def _dropped(text: str) -> Iterator[str]:
    """Yield the names of what a statement drops if it is there, without their schemas."""
    for one in operations(text):
        if one.node == "DropStmt" and one.tree.missing_ok:
            for wrapped in one.tree.objects:
                yield from _last_names(wrapped)
        elif one.node == "DropRoleStmt" and one.tree.missing_ok:
            yield from (wrapped.role_spec.rolename for wrapped in one.tree.roles)
        elif one.action.startswith("AT_Drop") and one.tree.missing_ok:
            yield one.name


def _last_names(wrapped: Any) -> Iterator[str]:
    """Yield the last part of an object's name, which is a list, a type, a function or a word."""
    kind = wrapped.WhichOneof("node")
    node = getattr(wrapped, kind)
    parts = {
        "list": lambda: node.items,
        "type_name": lambda: node.names,
        "object_with_args": lambda: node.objname,
    }.get(kind, tuple)()
    if parts:
        yield parts[-1].string.sval
    elif kind == "string":
        yield node.sval
