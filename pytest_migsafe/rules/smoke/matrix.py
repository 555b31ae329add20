"""The matrix of row-level security: what each role can do with the rows of each table, command by command."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pytest_migsafe.catalog.schema import Policy, Table
from pytest_migsafe.rehearsal.state import Relation, State
from pytest_migsafe.rules.smoke.audience import (
    COMMANDS,
    applies,
    commands_of,
    is_above_policies,
    is_narrowed,
    is_open,
    permits,
    privileges_of,
)

#: What a role can do with a table's rows, besides "policies: ...".
NO_PRIVILEGE = "no privilege"
ALL_ROWS = "all rows"
NO_ROW = "no row"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What one role can do with the rows of one table."""

    table: str
    role: str
    #: By command: no privilege, all rows, no row, or the permissive policies that let rows through.
    commands: Mapping[str, str]

    def to_json(self) -> dict[str, Any]:
        """Return the row as JSON values."""
        return {"table": self.table, "role": self.role, **self.commands}


def matrix(state: State) -> tuple[Row, ...]:
    """Return a row for each table with row-level security that is looked at, and each role known of it.

    These are the exposed roles, and those that its policies name. A privilege on a single column counts as one.
    """
    return tuple(
        Row(
            table=relation.name,
            role=role,
            commands={command: _rows(state, table, relation, role, command) for command in COMMANDS},
        )
        for table, relation in state.tables
        if table.row_security
        for role in _roles(state, relation)
    )


def _roles(state: State, relation: Relation) -> list[str]:
    named = {role for policy in relation.policies for role in policy.roles}
    return sorted(named.union(state.scope.exposed_roles) & state.facts.access.roles.keys())


def _rows(state: State, table: Table, relation: Relation, role: str, command: str) -> str:
    if command not in privileges_of(state, role, relation.name):
        return NO_PRIVILEGE
    if is_above_policies(state, role, table):
        return ALL_ROWS
    permitting = permissive(state, relation, role, command)
    if not permitting:
        return NO_ROW
    is_narrow = is_narrowed(state, relation, command, role)
    if not is_narrow and any(is_open(state, policy, command) for policy in permitting):
        return ALL_ROWS
    narrowing = [
        one.name
        for one in relation.policies
        if not one.permissive and command in commands_of(one) and applies(state, one, role)
    ]
    return f"policies: {', '.join(one.name for one in permitting)}" + (
        f"; restrictive: {', '.join(narrowing)}" if narrowing else ""
    )


def permissive(state: State, relation: Relation, role: str, command: str) -> list[Policy]:
    """Return the permissive policies that let rows through to a role for a command."""
    return [
        policy
        for policy in relation.policies
        if policy.permissive and permits(policy, command) and applies(state, policy, role)
    ]
