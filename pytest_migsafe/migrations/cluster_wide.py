"""Statements that change more than the database that they run in: roles, databases, the server's configuration.

On a throwaway server they do what they do in production. On a server that others use, too, they are not ours to run.
"""

from postgast import pg_query_pb2

from pytest_migsafe.migrations.model import Script
from pytest_migsafe.migrations.parse_tree import node_of
from pytest_migsafe.migrations.statements import Statement

#: What every statement of a kind changes (manual: "Database Roles", "Managing Databases", "Server Configuration").
_BY_NODE = {
    "CreateRoleStmt": "roles",
    "AlterRoleStmt": "roles",
    "AlterRoleSetStmt": "roles' settings",
    "DropRoleStmt": "roles",
    "GrantRoleStmt": "memberships in roles",
    "AlterSystemStmt": "the server's configuration",
    "CreateTableSpaceStmt": "tablespaces",
    "AlterTableSpaceOptionsStmt": "tablespaces",
    "DropTableSpaceStmt": "tablespaces",
    "CreatedbStmt": "databases",
    "AlterDatabaseStmt": "databases",
    "AlterDatabaseSetStmt": "databases' settings",
    "DropdbStmt": "databases",
    "CreateSubscriptionStmt": "subscriptions and replication slots",
    "AlterSubscriptionStmt": "subscriptions and replication slots",
    "DropSubscriptionStmt": "subscriptions and replication slots",
}
#: Statements that change the cluster when what they name belongs to it, and the field that tells what that is.
_KIND_OF_OBJECT = {
    "RenameStmt": "rename_type",
    "AlterOwnerStmt": "object_type",
    "GrantStmt": "objtype",
    "CommentStmt": "objtype",
    "SecLabelStmt": "objtype",
}
_BY_OBJECT = {
    pg_query_pb2.ObjectType.Value("OBJECT_ROLE"): "roles",
    pg_query_pb2.ObjectType.Value("OBJECT_DATABASE"): "databases",
    pg_query_pb2.ObjectType.Value("OBJECT_TABLESPACE"): "tablespaces",
    pg_query_pb2.ObjectType.Value("OBJECT_SUBSCRIPTION"): "subscriptions and replication slots",
}


def changed_of_cluster(statement: Statement) -> str:
    """Say what of the whole cluster a statement changes, as far as its text shows; empty when nothing."""
    if statement.node in _BY_NODE:
        return _BY_NODE[statement.node]
    field = _KIND_OF_OBJECT.get(statement.node)
    if field is None:
        return ""
    return _BY_OBJECT.get(getattr(node_of(statement.text), field), "")


def without_cluster_wide(script: Script) -> tuple[Script, tuple[tuple[Statement, str], ...]]:
    """Return a script in which statements that change the whole cluster are blank, and each with what it changes."""
    found = ((statement, changed_of_cluster(statement)) for statement in script.statements)
    left_out = tuple((statement, changes) for statement, changes in found if changes)
    if not left_out:
        return script, ()
    source = script.source.masked([(statement.start, statement.end) for statement, _ in left_out])
    return script.made_of(source), left_out
