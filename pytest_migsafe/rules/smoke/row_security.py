"""The family *row-security*: whether row-level security is in force where it should be, and for whom."""

from collections.abc import Iterator

from pytest_migsafe.findings import Severity
from pytest_migsafe.rehearsal.state import State
from pytest_migsafe.rules.smoke.audience import (
    ancestors,
    exposed_roles,
    in_order,
    in_sql,
    listed,
    reached,
    revoke,
)
from pytest_migsafe.rules.smoke.check import Defect, smoke_test

_MANUAL = "Row Security Policies"


@smoke_test(
    id="policy-without-row-security",
    family="row-security",
    section="RLS",
    severity=Severity.ERROR,
    title="A table has policies, but row-level security is not enabled on it.",
    why=(
        "CREATE POLICY gives no error on such a table, and its policies do nothing: whoever has a privilege on the "
        "table has it for every row."
    ),
    remedy="Enable it: ALTER TABLE ... ENABLE ROW LEVEL SECURITY. Or drop the policies.",
    manual=_MANUAL,
    peers={"splinter": "0007_policy_exists_rls_disabled"},
)
def policy_without_row_security(state: State) -> Iterator[Defect]:
    """Look at the tables that have policies."""
    for table, relation in state.tables:
        if relation.policies and not table.row_security:
            names = ", ".join(one.name for one in relation.policies)
            yield Defect(
                subject=relation.name,
                message=(
                    f"{relation.name} has policies, but row-level security is not enabled on it: they do nothing, "
                    "and whoever has a privilege on the table has it for every row"
                ),
                evidence=(f"policies: {names}", "row-level security: not enabled"),
                remedy=f"ALTER TABLE {relation.name} ENABLE ROW LEVEL SECURITY;",
                named=tuple(one.name for one in relation.policies),
            )


@smoke_test(
    id="row-security-without-policy",
    family="row-security",
    section="RLS",
    severity=Severity.WARNING,
    title="Row-level security is enabled on a table that has no policy.",
    why=(
        "Without a policy no row can be seen or written by anybody but the owner, superusers and roles with BYPASSRLS. "
        "Reads find an empty table and no error says why. As a lock it is sound, but then a REVOKE says it better."
    ),
    remedy="Create the policies that were forgotten, or revoke the privileges on the table from those who are locked out.",
    manual=_MANUAL,
    peers={"splinter": "0008_rls_enabled_no_policy"},
)
def row_security_without_policy(state: State) -> Iterator[Defect]:
    """Look at the tables with row-level security; silent where the roles that are exposed have no privilege anyway."""
    exposed = exposed_roles(state)
    for table, relation in state.tables:
        if not table.row_security or relation.policies:
            continue
        if any(parent.row_security for parent in ancestors(state, table)):
            # It is read through the partitioned table, whose policies count; closed to those who go past it.
            continue
        privileges = {
            role: some
            for role, some in state.facts.access.relations.get(relation.name, {}).items()
            if role in exposed
        }
        if exposed and not privileges:
            continue
        owner = "" if table.force_row_security else " but its owner"
        yield Defect(
            subject=relation.name,
            message=(
                f"row-level security is enabled on {relation.name}, and it has no policy: "
                f"nobody{owner} can see or write a row, and no error says why"
            ),
            evidence=(
                "row-level security: enabled" + (", forced" if table.force_row_security else ""),
                "policies: none",
                *(f"{role} may: {', '.join(in_order(some))}" for role, some in sorted(privileges.items())),
            ),
            remedy=(
                f"CREATE POLICY ... ON {relation.name} ...;\n-- or, if nobody is to reach it:\n"
                + revoke("ALL", relation.name, sorted(privileges))
            ),
        )


@smoke_test(
    id="exposed-without-row-security",
    family="row-security",
    section="RLS",
    severity=Severity.ERROR,
    title="Strangers can reach a table that has no row-level security.",
    why=(
        "An exposed role with a privilege on a table without row-level security has it for every row: whoever knows the "
        "API's address reads or changes the whole table. Partitions do not inherit it: read by its own name, "
        "a partition shows all its rows, whatever the policies of the partitioned table say."
    ),
    remedy="Enable row-level security and create policies, or revoke the privileges of the exposed roles.",
    manual=_MANUAL,
    peers={"splinter": "0013_rls_disabled_in_public"},
)
def exposed_without_row_security(state: State) -> Iterator[Defect]:
    """Look at the tables in exposed schemas and the privileges of the exposed roles."""
    for table, relation in state.tables:
        if table.row_security or relation.policies or table.kind == "foreign table":
            continue
        if not (roles := reached(state, relation.name)):
            continue
        guarded = next((one for one in ancestors(state, table) if one.row_security), None)
        through = (
            f", past the policies of {guarded.name}, whose partition it is" if guarded is not None else ""
        )
        may = in_order({command for some in roles.values() for command in some})
        yield Defect(
            subject=relation.name,
            message=(
                f"{listed(roles)} can {', '.join(may)} any row of {relation.name}{through}: "
                "row-level security is not enabled on it"
            ),
            evidence=(
                "row-level security: not enabled",
                *(f"{role} may: {', '.join(in_order(some))}" for role, some in roles.items()),
            ),
            remedy=(
                f"ALTER TABLE {relation.name} ENABLE ROW LEVEL SECURITY;"
                + ("" if guarded is not None else f"\nCREATE POLICY ... ON {relation.name} ...;")
                + "\n-- or:\n"
                + revoke("ALL", relation.name, roles)
            ),
            objects=(guarded.name,) if guarded is not None else (),
        )


@smoke_test(
    id="row-security-bypassed",
    family="row-security",
    section="RLS",
    severity=Severity.ERROR,
    title="An exposed role is above the policies.",
    why=(
        "Policies do not apply to superusers, to roles with BYPASSRLS, nor, unless the table says FORCE ROW LEVEL "
        "SECURITY, to the table's owner and the roles that have the owner's privileges. If strangers have such a role, "
        "every row is theirs."
    ),
    remedy="Take the attribute or the membership from the exposed role, give the table another owner, or force row-level security.",
    manual=_MANUAL,
)
def row_security_bypassed(state: State) -> Iterator[Defect]:
    """Look at the attributes of the exposed roles, and at the owners of the tables with row-level security."""
    for role in exposed_roles(state):
        known = state.facts.access.roles[role]
        if known.is_above_policies:
            attribute = "SUPERUSER" if known.superuser else "BYPASSRLS"
            yield Defect(
                subject=role,
                message=f"no policy applies to the exposed role {in_sql(role)}: it has the attribute {attribute}",
                evidence=(f"{role}: {attribute}",),
                remedy=f"ALTER ROLE {in_sql(role)} NO{attribute};",
            )
            continue
        for table, relation in state.tables:
            if table.row_security and not table.force_row_security and table.owner in known.acts_as:
                how = (
                    "owns it"
                    if table.owner == role
                    else f"has the privileges of its owner {in_sql(table.owner)}"
                )
                yield Defect(
                    subject=relation.name,
                    detail=role,
                    message=(
                        f"no policy of {relation.name} applies to the exposed role {in_sql(role)}, which {how}: "
                        "every row is open to it"
                    ),
                    evidence=(f"owner: {table.owner}", "FORCE ROW LEVEL SECURITY: no"),
                    remedy=f"ALTER TABLE {relation.name} FORCE ROW LEVEL SECURITY;",
                    objects=(role,),
                )


@smoke_test(
    id="exposed-role-missing",
    family="row-security",
    section="RLS",
    severity=Severity.WARNING,
    title="A role that the settings call exposed does not exist.",
    why=(
        "What strangers reach is judged by the roles in `exposed_roles`. Of one that is not there nothing can be said: "
        "it may be misspelt, or a migration has dropped it."
    ),
    remedy="Mend `exposed_roles` in [tool.migsafe], or create the role in a prelude (`prelude`).",
    manual="CREATE ROLE",
)
def exposed_role_missing(state: State) -> Iterator[Defect]:
    """Look for the exposed roles on the server."""
    for role in state.missing_roles:
        yield Defect(
            subject=role,
            message=f"the exposed role {in_sql(role)} does not exist: what strangers reach by it is not judged",
            evidence=(f"exposed_roles: {', '.join(state.scope.exposed_roles)}",),
        )
