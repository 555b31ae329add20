"""Who is concerned by row-level security: the exposed roles, what they reach, and which policies apply to them."""

from collections.abc import Iterable, Iterator

from pytest_migsafe.catalog.lexical import quoted, schema_of
from pytest_migsafe.catalog.schema import Policy, Table, View
from pytest_migsafe.rehearsal.state import Relation, State

PUBLIC = "PUBLIC"
COMMANDS = ("SELECT", "INSERT", "UPDATE", "DELETE")


def in_sql(role: str) -> str:
    """Return a role as it is written in SQL."""
    return role if role == PUBLIC else quoted(role)


def listed(roles: Iterable[str]) -> str:
    """Return roles as they are written in SQL, or as a sentence lists them."""
    return ", ".join(in_sql(role) for role in roles)


def revoke(privileges: str, of: str, roles: Iterable[str]) -> str:
    """Return the statement that takes privileges from roles; PUBLIC first, for what all have none can lose alone."""
    names = listed(role for role in roles if role != PUBLIC)
    return f"REVOKE {privileges} ON {of} FROM {', '.join(filter(None, [PUBLIC, names]))};"


def in_order(privileges: Iterable[str]) -> list[str]:
    """Return privileges in the order of the manual."""
    return sorted(privileges, key=COMMANDS.index)


def exposed_roles(state: State) -> tuple[str, ...]:
    """Return the roles that strangers have, as far as the server has them."""
    return tuple(role for role in state.scope.exposed_roles if role in state.facts.access.roles)


def is_served(state: State, name: str) -> bool:
    """Say whether an object lies in a schema that is served to strangers; without a list of schemas, each is."""
    return not state.scope.exposed_schemas or state.scope.exposes(schema_of(name))


def privileges_of(state: State, role: str, relation: str) -> frozenset[str]:
    """Return what a role may do with a relation, be it with a single column."""
    return state.facts.access.relations.get(relation, {}).get(role, frozenset())


def reached(state: State, relation: str) -> dict[str, frozenset[str]]:
    """Return the exposed roles that can reach a relation from outside, with what they may do."""
    if not is_served(state, relation):
        return {}
    return {
        role: privileges
        for role in exposed_roles(state)
        if (privileges := privileges_of(state, role, relation))
    }


def readers(state: State, relation: str) -> list[str]:
    """Return the exposed roles that can read a relation from outside."""
    return [role for role, privileges in reached(state, relation).items() if "SELECT" in privileges]


def is_above_policies(state: State, role: str, table: Table) -> bool:
    """Say whether no policy of a table applies to a role: its attributes say so, or it owns the table (unforced)."""
    known = state.facts.access.roles.get(role)
    if known is None:
        return False
    return known.is_above_policies or (table.owner in known.acts_as and not table.force_row_security)


def commands_of(policy: Policy) -> tuple[str, ...]:
    """Return the commands that a policy is for."""
    return COMMANDS if policy.command == "all" else (policy.command.upper(),)


def applies(state: State, policy: Policy, role: str) -> bool:
    """Say whether a policy applies to a role: it names it, everybody, or a role whose privileges this one has."""
    if PUBLIC in policy.roles or role in policy.roles:
        return True
    known = state.facts.access.roles.get(role)
    return known is not None and not known.acts_as.isdisjoint(policy.roles)


def permits(policy: Policy, command: str) -> bool:
    """Say whether a policy can let any row through for a command: it needs the expression that the command asks for.

    PostgreSQL takes a missing expression for none that lets rows through, except that WITH CHECK falls back to USING.
    """
    if command not in commands_of(policy):
        return False
    if command == "INSERT":
        return policy.check is not None or policy.using is not None
    return policy.using is not None


def audience(state: State, relation: Relation, policy: Policy, command: str) -> list[str]:
    """Return for whom a policy counts when strangers are what one is afraid of.

    The exposed roles that it applies to and that may use the command at all; where no role is exposed, everybody, if
    the policy is for everybody.
    """
    if not state.scope.exposed_roles:
        return [PUBLIC] if PUBLIC in policy.roles else []
    return [
        role
        for role in exposed_roles(state)
        if applies(state, policy, role) and command in privileges_of(state, role, relation.name)
    ]


def is_always_true(state: State, policy: Policy, clause: str) -> bool:
    """Say whether the planner finds an expression true for every row; ``clause`` is USING or WITH CHECK."""
    facts = state.facts.policies.get(policy.relation)
    return facts is not None and (policy.name, clause) in facts.always_true


def is_open(state: State, policy: Policy, command: str) -> bool:
    """Say whether a policy lets every row through for a command."""
    if not permits(policy, command):
        return False
    if command == "INSERT" and policy.check is not None:
        return is_always_true(state, policy, "WITH CHECK")
    return is_always_true(state, policy, "USING")


def is_narrowed(state: State, relation: Relation, command: str, role: str) -> bool:
    """Say whether a restrictive policy keeps rows from a role, whatever others permit."""
    return any(
        not policy.permissive
        and command in commands_of(policy)
        and (role == PUBLIC or applies(state, policy, role))
        and not is_open(state, policy, command)
        for policy in relation.policies
    )


def ancestors(state: State, table: Table) -> Iterator[Table]:
    """Yield the tables that a table is a partition or child of, the nearest first."""
    for name in table.parents:
        relation = state.relation(name)
        parent = relation.itself(Table) if relation is not None else None
        if parent is not None:
            yield parent
            yield from ancestors(state, parent)


def tables_read(state: State, view: View, seen: frozenset[str] = frozenset()) -> Iterator[tuple[Table, View]]:
    """Yield the tables that a view reads, through other views too, each with the view that reads it itself."""
    for name in view.reads:
        relation = state.relation(name)
        if relation is None or name in seen:
            continue
        if table := relation.itself(Table):
            yield table, view
        elif inner := relation.itself(View):
            yield from tables_read(state, inner, seen | {view.name, name})
