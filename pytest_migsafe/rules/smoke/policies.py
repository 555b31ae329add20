"""The family *policies*: what the policies of a table let through, and what they keep out by mistake."""

import re
from collections.abc import Iterator

from pytest_migsafe.catalog.lexical import last_part
from pytest_migsafe.catalog.schema import Policy
from pytest_migsafe.findings import Severity
from pytest_migsafe.rehearsal.facts import PlanFailure
from pytest_migsafe.rehearsal.state import Relation, State
from pytest_migsafe.rules.smoke.audience import (
    COMMANDS,
    PUBLIC,
    applies,
    audience,
    commands_of,
    exposed_roles,
    in_order,
    in_sql,
    is_always_true,
    is_narrowed,
    is_open,
    listed,
    permits,
    privileges_of,
)
from pytest_migsafe.rules.smoke.calls import calls_per_row, once
from pytest_migsafe.rules.smoke.check import Defect, smoke_test
from pytest_migsafe.rules.smoke.matrix import NO_ROW, matrix, permissive

_MANUAL = "CREATE POLICY"


def _guarded(state: State) -> Iterator[Relation]:
    """Yield the tables on which policies count."""
    return (relation for table, relation in state.tables if table.row_security and relation.policies)


def _permissive(state: State) -> Iterator[tuple[Relation, Policy]]:
    for relation in _guarded(state):
        yield from ((relation, policy) for policy in relation.policies if policy.permissive)


def _described(policy: Policy) -> tuple[str, ...]:
    """Return a policy as facts, one a line."""
    return (
        f"{'permissive' if policy.permissive else 'restrictive'}, for {policy.command}, to {listed(policy.roles)}",
        f"USING: {' '.join((policy.using or 'none').split())}",
        f"WITH CHECK: {' '.join((policy.check or 'none').split())}",
    )


@smoke_test(
    id="policy-always-true",
    family="policies",
    section="policies",
    severity=Severity.WARNING,
    title="A policy lets strangers write any row.",
    why=(
        "A permissive policy whose expression is true for every row lets everybody whom it is for change, delete or add "
        "any row, whatever the table's other permissive policies ask for: one that permits is enough. A policy without TO "
        "is for everybody, also where its name says otherwise."
    ),
    remedy="Name in the policy whose rows may be written: USING (owner = ...), and for whom it is: TO role.",
    manual=_MANUAL,
    peers={"splinter": "0024_rls_policy_always_true"},
)
def policy_always_true(state: State) -> Iterator[Defect]:
    """Look for permissive policies for writes that the planner finds true, and that no restrictive one narrows."""
    for relation, policy in _permissive(state):
        roles_of = {
            command: [
                role
                for role in audience(state, relation, policy, command)
                if not is_narrowed(state, relation, command, role)
            ]
            for command in commands_of(policy)
            if command != "SELECT" and is_open(state, policy, command)
        }
        if commands := [command for command, roles in roles_of.items() if roles]:
            roles = sorted({role for some in roles_of.values() for role in some})
            yield Defect(
                subject=relation.name,
                detail=policy.name,
                message=(
                    f"the policy {policy.name} on {relation.name} lets {listed(roles)} {', '.join(commands)} any row: "
                    "its expression is always true"
                ),
                evidence=_described(policy),
                remedy=(
                    f"-- if it was meant for a role of yours:\nALTER POLICY {policy.name} ON {relation.name} TO ...;\n"
                    f"-- if strangers may write their own rows:\n"
                    f"ALTER POLICY {policy.name} ON {relation.name} {_conditions(policy)};"
                ),
                named=(policy.name,),
                objects=tuple(roles),
            )


def _conditions(policy: Policy) -> str:
    """Return the clauses that a policy of its command can have, to be filled in."""
    using, check = "USING (...)", "WITH CHECK (...)"
    return {"insert": check, "select": using, "delete": using}.get(policy.command, f"{using} {check}")


@smoke_test(
    id="policy-public-read",
    family="policies",
    section="policies",
    severity=Severity.OFF,
    title="A policy lets strangers read every row.",
    why=(
        "A policy for SELECT that is always true publishes the table. That may be meant; a team that publishes nothing "
        "turns this on."
    ),
    remedy="Name in the policy whose rows may be read.",
    manual=_MANUAL,
)
def policy_public_read(state: State) -> Iterator[Defect]:
    """Look for permissive policies for SELECT that the planner finds true."""
    for relation, policy in _permissive(state):
        if not is_open(state, policy, "SELECT"):
            continue
        roles = [
            role
            for role in audience(state, relation, policy, "SELECT")
            if not is_narrowed(state, relation, "SELECT", role)
        ]
        if roles:
            yield Defect(
                subject=relation.name,
                detail=policy.name,
                message=f"the policy {policy.name} lets {listed(roles)} read every row of {relation.name}",
                evidence=_described(policy),
                remedy=f"ALTER POLICY {policy.name} ON {relation.name} USING (...);",
                named=(policy.name,),
            )


@smoke_test(
    id="policy-lets-rows-escape",
    family="policies",
    section="policies",
    severity=Severity.WARNING,
    title="A policy checks which rows are changed, and not what they become.",
    why=(
        "USING says which rows an UPDATE may touch, WITH CHECK what they may be afterwards. WITH CHECK (true) beside a "
        "narrower USING lets somebody give their rows to others, or to another tenant, and fill in any owner. Without "
        "WITH CHECK, PostgreSQL applies USING to the new row as well, which is what is wanted nearly always."
    ),
    remedy="Leave WITH CHECK out, or let it ask for what USING asks for.",
    manual=_MANUAL,
)
def policy_lets_rows_escape(state: State) -> Iterator[Defect]:
    """Look for WITH CHECK that is always true beside a USING that is not."""
    for relation, policy in _permissive(state):
        if (
            "UPDATE" not in commands_of(policy)
            or policy.using is None
            or not is_always_true(state, policy, "WITH CHECK")
            or is_always_true(state, policy, "USING")
        ):
            continue
        roles = audience(state, relation, policy, "UPDATE") if state.scope.exposed_roles else policy.roles
        if any(not is_narrowed(state, relation, "UPDATE", role) for role in roles):
            yield Defect(
                subject=relation.name,
                detail=policy.name,
                message=(
                    f"the policy {policy.name} on {relation.name} lets {listed(roles)} make anything of the rows that "
                    "they may update, another owner's too: its WITH CHECK is always true"
                ),
                evidence=_described(policy),
                remedy=f"ALTER POLICY {policy.name} ON {relation.name} WITH CHECK {_in_parentheses(policy.using)};",
                named=(policy.name,),
            )


def _in_parentheses(expression: str) -> str:
    return expression if expression.startswith("(") and expression.endswith(")") else f"({expression})"


@smoke_test(
    id="policy-without-expression",
    family="policies",
    section="policies",
    severity=Severity.ERROR,
    title="A policy permits nothing, because it lacks the expression that its command asks for.",
    why=(
        "CREATE POLICY takes a policy without USING or WITH CHECK without a word. A permissive one then lets no row "
        "through: an INSERT that relies on it fails, a SELECT, UPDATE or DELETE finds nothing. WITH CHECK alone is no help "
        "to an UPDATE, which finds its rows by USING."
    ),
    remedy="Give the policy its expression; USING (true) or WITH CHECK (true) if every row is meant.",
    manual=_MANUAL,
)
def policy_without_expression(state: State) -> Iterator[Defect]:
    """Look for permissive policies that permit none of the commands that they are for."""
    for relation, policy in _permissive(state):
        lacking = [command for command in commands_of(policy) if not permits(policy, command)]
        # FOR ALL with WITH CHECK alone is a way to say FOR INSERT.
        if not lacking or (policy.command == "all" and policy.check is not None):
            continue
        clause = "WITH CHECK" if lacking == ["INSERT"] else "USING"
        yield Defect(
            subject=relation.name,
            detail=policy.name,
            message=f"the policy {policy.name} on {relation.name} permits no {', '.join(lacking)}: it has no {clause}",
            evidence=_described(policy),
            remedy=f"ALTER POLICY {policy.name} ON {relation.name} {clause} (...);",
            named=(policy.name,),
        )


@smoke_test(
    id="update-policy-without-select",
    family="policies",
    section="policies",
    severity=Severity.WARNING,
    title="A role may update or delete rows that no policy lets it see.",
    why=(
        "An UPDATE or DELETE with a WHERE or RETURNING reads the rows first, so the policies for SELECT apply as well. "
        "Without one it changes no row, and no error says why."
    ),
    remedy="Create a policy for SELECT, with the same condition, for the same role.",
    manual=_MANUAL,
)
def update_policy_without_select(state: State) -> Iterator[Defect]:
    """Look for permissive policies for UPDATE and DELETE whose roles no policy for SELECT is for."""
    for relation, policy in _permissive(state):
        if policy.command not in ("update", "delete") or policy.using is None:
            continue
        roles = [
            role
            for role in policy.roles
            if not any(
                one.permissive and permits(one, "SELECT") and _covers(state, one, role)
                for one in relation.policies
            )
        ]
        if roles:
            command = policy.command.upper()
            yield Defect(
                subject=relation.name,
                detail=policy.name,
                message=(
                    f"{command} on {relation.name} changes no row for {listed(roles)}: the policy {policy.name} permits "
                    f"it, but no policy lets {'them' if len(roles) > 1 else 'the role'} SELECT the rows that a WHERE looks for"
                ),
                evidence=(
                    *_described(policy),
                    "policies for SELECT: "
                    + (", ".join(one.name for one in relation.policies if permits(one, "SELECT")) or "none"),
                ),
                remedy=(
                    f"CREATE POLICY ... ON {relation.name} FOR SELECT TO {listed(roles)} "
                    f"USING {_in_parentheses(policy.using)};"
                ),
                named=(policy.name,),
            )


def _covers(state: State, policy: Policy, role: str) -> bool:
    """Say whether a policy counts for a role; for everybody, if it is for some: who they are is not known here."""
    return role == PUBLIC or applies(state, policy, role)


@smoke_test(
    id="policy-for-role-without-privilege",
    family="policies",
    section="policies",
    severity=Severity.WARNING,
    title="A policy is for a role that has no privilege to use it.",
    why=(
        "A policy permits rows, not commands: without GRANT every command of the role ends with permission denied, "
        "whatever its policies say."
    ),
    remedy="GRANT the privilege, on the schema also USAGE; or drop the policy.",
    manual=_MANUAL,
)
def policy_for_role_without_privilege(state: State) -> Iterator[Defect]:
    """Look for policies none of whose commands a role that they name may use."""
    for relation, policy in _permissive(state):
        commands = commands_of(policy)
        for role in policy.roles:
            if role not in state.facts.access.roles:
                continue
            if privileges_of(state, role, relation.name).isdisjoint(commands):
                wanted = ", ".join(commands)
                yield Defect(
                    subject=relation.name,
                    detail=f"{policy.name} {role}",
                    message=(
                        f"the policy {policy.name} on {relation.name} is for {in_sql(role)}, "
                        f"which has no privilege to {wanted.replace(', ', ' or ')}: it never applies"
                    ),
                    evidence=(*_described(policy), f"{role} may: nothing of that"),
                    remedy=(
                        f"GRANT USAGE ON SCHEMA {relation.schema} TO {in_sql(role)};\n"
                        f"GRANT {wanted} ON {relation.name} TO {in_sql(role)};"
                    ),
                    named=(policy.name,),
                    objects=(role,),
                )


@smoke_test(
    id="restrictive-policy-alone",
    family="policies",
    section="policies",
    severity=Severity.WARNING,
    title="A restrictive policy narrows what no policy permits.",
    why=(
        "Restrictive policies only take away. Where no permissive policy lets a row through first, "
        "nothing can be seen or written, and no error says why."
    ),
    remedy="Create a permissive policy for the command, or make this one permissive.",
    manual=_MANUAL,
)
def restrictive_policy_alone(state: State) -> Iterator[Defect]:
    """Look for restrictive policies none of whose commands any policy permits."""
    for relation in _guarded(state):
        permitted = {
            command
            for policy in relation.policies
            for command in COMMANDS
            if policy.permissive and permits(policy, command)
        }
        for policy in relation.policies:
            if not policy.permissive and permitted.isdisjoint(commands_of(policy)):
                yield Defect(
                    subject=relation.name,
                    detail=policy.name,
                    message=(
                        f"nobody can {' or '.join(commands_of(policy))} on {relation.name}: "
                        f"the policy {policy.name} is restrictive, and no permissive one lets any row through"
                    ),
                    evidence=_described(policy),
                    remedy=(
                        f"CREATE POLICY ... ON {relation.name} AS PERMISSIVE FOR {policy.command.upper()} "
                        f"TO {listed(policy.roles)} USING (...);"
                    ),
                    named=(policy.name,),
                )


@smoke_test(
    id="policy-coverage-gap",
    family="policies",
    section="policies",
    severity=Severity.OFF,
    title="A role has a privilege on a table and no policy for it.",
    why=(
        "SELECT, UPDATE and DELETE then find no row, and INSERT fails. Where privileges are granted wholesale, as "
        "on Supabase, that is how a table is made read-only; a team that grants what it means turns this on."
    ),
    remedy="Create the policy, or revoke the privilege.",
    manual=_MANUAL,
)
def policy_coverage_gap(state: State) -> Iterator[Defect]:
    """Look through roles and commands for a privilege that no permissive policy applies to."""
    policies_of = {relation.name: relation.policies for relation in _guarded(state)}
    for row in matrix(state):
        if policies := policies_of.get(row.table):
            gaps = [command for command, rows in row.commands.items() if rows == NO_ROW]
            if gaps:
                yield Defect(
                    subject=row.table,
                    detail=f"{row.role} {', '.join(gaps)}",
                    message=f"{in_sql(row.role)} may {', '.join(gaps)} on {row.table}, and no policy permits it any row",
                    evidence=tuple(
                        f"{one.name}: for {one.command}, to {listed(one.roles)}" for one in policies
                    ),
                    remedy=f"REVOKE {', '.join(gaps)} ON {row.table} FROM {in_sql(row.role)};",
                    objects=(row.role,),
                )


@smoke_test(
    id="several-permissive-policies",
    family="policies",
    section="policies",
    severity=Severity.OFF,
    title="Several permissive policies apply to one role and command.",
    why="All of them are evaluated for each row until one permits it: several cost more than one with OR.",
    remedy="Join them into one policy with OR.",
    manual=_MANUAL,
    peers={"splinter": "0006_multiple_permissive_policies"},
)
def several_permissive_policies(state: State) -> Iterator[Defect]:
    """Count the permissive policies for each role and command."""
    for relation in _guarded(state):
        named = {role for policy in relation.policies for role in policy.roles}
        for role in sorted(named.union(exposed_roles(state))):
            several = {
                command: [one.name for one in permissive(state, relation, role, command)]
                for command in COMMANDS
            }
            commands = [command for command, names in several.items() if len(names) > 1]
            if commands:
                yield Defect(
                    subject=relation.name,
                    detail=role,
                    message=(
                        f"several permissive policies on {relation.name} apply to {in_sql(role)}: "
                        f"each row is held against all of them ({', '.join(commands)})"
                    ),
                    evidence=tuple(f"{command}: {', '.join(several[command])}" for command in commands),
                )


@smoke_test(
    id="policy-calls-per-row",
    family="policies",
    section="policies",
    severity=Severity.WARNING,
    title="A policy calls a function for each row that could be called once.",
    why=(
        "current_setting(), and functions about the session such as auth.uid(), are the same for all rows of a statement, but "
        "PostgreSQL calls them for each row that a policy looks at. In a scalar subquery they are called once, before the "
        "first row. On large tables that is the difference between milliseconds and seconds."
    ),
    remedy="Put the call into a subquery: (SELECT auth.uid()).",
    manual="EXPLAIN (InitPlan)",
    peers={"splinter": "0003_auth_rls_initplan"},
)
def policy_calls_per_row(state: State) -> Iterator[Defect]:
    """Look for calls without columns in the expressions of policies, outside of scalar subqueries."""
    for relation in _guarded(state):
        for policy in relation.policies:
            clauses = [("USING", policy.using), ("WITH CHECK", policy.check)]
            # Of an INSERT there is one row mostly.
            found = {
                clause: calls
                for clause, text in clauses
                if text is not None
                and policy.command != "insert"
                and (calls := calls_per_row(text, state.schema))
            }
            if found:
                texts = sorted({call.text for some in found.values() for call in some})
                mended = " ".join(
                    f"{clause} ({once(text, found[clause])})"
                    for clause, text in clauses
                    if text and clause in found
                )
                yield Defect(
                    subject=relation.name,
                    detail=policy.name,
                    message=(
                        f"the policy {policy.name} on {relation.name} calls {', '.join(texts)} for each row: "
                        "in a subquery it would be called once"
                    ),
                    evidence=_described(policy),
                    remedy=f"ALTER POLICY {policy.name} ON {relation.name} {mended};",
                    named=(policy.name,),
                )


#: What the users of Supabase can write themselves (its documentation: "Row Level Security", auth.jwt()).
_USER_METADATA = re.compile(r"'\{?user_metadata\b|\braw_user_meta_data\b")
_TOKEN = re.compile(r"\bauth\.jwt\(|request\.jwt\.claim|\braw_user_meta_data\b")


@smoke_test(
    id="policy-trusts-user-metadata",
    family="policies",
    section="policies",
    severity=Severity.ERROR,
    title="A policy trusts what users write about themselves.",
    why=(
        "user_metadata in a token of Supabase, raw_user_meta_data in auth.users, is what each user may set to anything: "
        "a role or a tenant in it is whatever they like."
    ),
    remedy="Use app_metadata (raw_app_meta_data), which only the server writes, or a table of your own.",
    peers={"splinter": "0015_rls_references_user_metadata"},
)
def policy_trusts_user_metadata(state: State) -> Iterator[Defect]:
    """Look for user_metadata of the token in the expressions of policies."""
    for relation in _guarded(state):
        for policy in relation.policies:
            text = f"{policy.using} {policy.check}"
            if _USER_METADATA.search(text) and _TOKEN.search(text):
                yield Defect(
                    subject=relation.name,
                    detail=policy.name,
                    message=(
                        f"the policy {policy.name} on {relation.name} trusts user_metadata, "
                        "which each user can set to anything"
                    ),
                    evidence=_described(policy),
                    named=(policy.name,),
                )


@smoke_test(
    id="policy-does-not-plan",
    family="policies",
    section="policies",
    severity=Severity.ERROR,
    title="Commands on a table fail because of its policies.",
    why=(
        "A policy's expression becomes part of every command on the table. If it reads a table whose policies read this one "
        "again, a table or function that the role may not use, or one that is gone, each command ends with an error."
    ),
    remedy=(
        "Read the other table in a SECURITY DEFINER function with a fixed search_path, which ends a recursion, or grant "
        "the role what the policy needs."
    ),
    manual=_MANUAL,
)
def policy_does_not_plan(state: State) -> Iterator[Defect]:
    """Look at the commands that could not be planned under the policies; several tables may have one cause."""
    failing: dict[tuple[str, str], dict[str, tuple[PlanFailure, ...]]] = {}
    for relation in _guarded(state):
        facts = state.facts.policies.get(relation.name)
        for failure in facts.failures if facts is not None else ():
            tables = failing.setdefault((failure.sqlstate, failure.message), {})
            tables[relation.name] = (*tables.get(relation.name, ()), failure)
    for (sqlstate, message), tables in failing.items():
        # The server names the table in whose policy it saw the recursion.
        accused = [name for name in tables if message.endswith(f'"{last_part(name)}"')]
        subject = accused[0] if accused else min(tables)
        commands = in_order({one.command for one in tables[subject]})
        roles = sorted({one.role for one in tables[subject] if one.role})
        others = sorted(tables.keys() - {subject})
        table = state.relation(subject)
        policies = table.policies if table is not None else ()
        yield Defect(
            subject=subject,
            detail=f"{sqlstate} {message}",
            message=(
                f"{', '.join(commands)} on {subject} fails{f' for {listed(roles)}' if roles else ''} "
                f"because of its policies: {message}"
            ),
            evidence=(
                f"{sqlstate}: {message}",
                *sorted({" ".join(one.context.split()) for one in tables[subject] if one.context}),
                *(f"{one.name}: {_one_line(one)}" for one in policies),
                *([f"so do commands on: {', '.join(others)}"] if others else []),
            ),
            remedy=_way_out(sqlstate, subject, policies, roles),
            named=tuple(one.name for one in policies),
            objects=(*others, *roles),
        )


_IN_FUNCTION = """\
-- The subquery of the policy, in a function that policies do not apply to:
CREATE FUNCTION ...() RETURNS SETOF ... LANGUAGE sql STABLE SECURITY DEFINER SET search_path = ''
    AS $$ SELECT ... FROM {table} ... $$;
"""


def _way_out(sqlstate: str, table: str, policies: tuple[Policy, ...], roles: list[str]) -> str:
    """Return the SQL that lets commands be planned again, as far as it can be told; empty: the rule's own words."""
    if sqlstate == "42501":
        return f"GRANT ... ON ... TO {listed(roles)};\n-- what the policy uses; EXECUTE on functions, USAGE on schemas"
    if sqlstate != "42P17" or not policies:
        return ""
    altered = "\n".join(
        f"ALTER POLICY {one.name} ON {table} {'USING' if one.using else 'WITH CHECK'} (... IN (SELECT ...()));"
        for one in policies
        if "SELECT" in f"{one.using} {one.check}"
    )
    return _IN_FUNCTION.format(table=table) + altered


def _one_line(policy: Policy) -> str:
    return " ".join((policy.using or policy.check or "none").split())
