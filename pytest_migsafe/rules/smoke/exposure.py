"""The family *exposure*: ways past row-level security that strangers can reach: views, functions, foreign tables."""

import re
from collections.abc import Iterator

from pytest_migsafe.catalog.lexical import unquoted, without_arguments
from pytest_migsafe.catalog.schema import Table, View
from pytest_migsafe.findings import Severity
from pytest_migsafe.rehearsal.state import Relation, State
from pytest_migsafe.rules.smoke.audience import (
    PUBLIC,
    exposed_roles,
    is_above_policies,
    is_served,
    listed,
    readers,
    revoke,
    tables_read,
)
from pytest_migsafe.rules.smoke.check import Defect, smoke_test

#: The first version whose views can run with the rights of whoever asks (release notes of PostgreSQL 15).
_WITH_INVOKER = 15
#: The table that Supabase keeps accounts in.
_ACCOUNTS = "auth.users"


#: What PostgreSQL takes for true.
_TRUE = frozenset({"true", "on", "yes", "1", "t", "y"})


def _is_invoker(view: View) -> bool:
    options = dict(option.lower().split("=", 1) for option in view.options if "=" in option)
    return options.get("security_invoker") in _TRUE


def _unguarded(state: State, view: View) -> list[str]:
    """Return the tables with row-level security that a view reads past their policies, for its owner is above them."""
    return sorted(
        {
            table.name
            for table, by in tables_read(state, view)
            if table.row_security and not _is_invoker(by) and is_above_policies(state, by.owner, table)
        }
    )


def _mend(state: State, view: View, roles: list[str]) -> str:
    closed = revoke("ALL", view.name, roles)
    if view.kind != "view" or state.major < _WITH_INVOKER:
        return closed
    return f"ALTER VIEW {view.name} SET (security_invoker = true);\n-- or:\n{closed}"


@smoke_test(
    id="view-past-policies",
    family="exposure",
    section="views",
    severity=Severity.ERROR,
    title="Strangers can read a view that goes past the policies of its tables.",
    why=(
        "A view reads its tables with its owner's rights, and policies do not apply to the owner of a table, to "
        "superusers and roles with BYPASSRLS. Whoever can read the view sees every row of the tables under it. Since "
        "PostgreSQL 15 a view can run with the rights of whoever asks (security_invoker)."
    ),
    remedy="ALTER VIEW ... SET (security_invoker = true), or revoke the privileges of the exposed roles.",
    manual="CREATE VIEW (security_invoker); Rules and Privileges",
    peers={"splinter": "0010_security_definer_view"},
)
def view_past_policies(state: State) -> Iterator[Defect]:
    """Look at the views that exposed roles can read, and at who owns what is under them."""
    for view, relation in state.views:
        roles = readers(state, relation.name)
        tables = _unguarded(state, view) if roles and view.kind == "view" else []
        if not tables or _ACCOUNTS in tables:
            continue
        yield Defect(
            subject=view.name,
            message=(
                f"{listed(roles)} can read every row of {', '.join(tables)} through the view {view.name}, "
                f"which runs with the rights of {view.owner}, past the policies"
            ),
            evidence=(
                f"owner: {view.owner}",
                f"options: {', '.join(view.options) or 'none'}",
                f"reads: {', '.join(view.reads)}",
            ),
            remedy=_mend(state, view, roles),
            objects=tuple(tables),
        )


@smoke_test(
    id="accounts-exposed",
    family="exposure",
    section="views",
    severity=Severity.ERROR,
    title="Strangers can read the accounts of Supabase through a view.",
    why=(
        "auth.users holds addresses, phone numbers and password hashes of all users. A view or materialized view of it that "
        "runs with its owner's rights shows them to whoever can read the view."
    ),
    remedy="Copy what may be public into a table of your own, with policies; revoke the view from the exposed roles.",
    peers={"splinter": "0002_auth_users_exposed"},
)
def accounts_exposed(state: State) -> Iterator[Defect]:
    """Look at the views that exposed roles can read for auth.users."""
    for view, relation in state.views:
        if not (roles := readers(state, relation.name)):
            continue
        if any(table.name == _ACCOUNTS and not _is_invoker(by) for table, by in tables_read(state, view)):
            yield Defect(
                subject=view.name,
                message=f"{listed(roles)} can read {_ACCOUNTS} through the {view.kind} {view.name}",
                evidence=(f"owner: {view.owner}", f"options: {', '.join(view.options) or 'none'}"),
                remedy=revoke("ALL", view.name, roles),
                objects=(_ACCOUNTS,),
            )


@smoke_test(
    id="materialized-view-exposed",
    family="exposure",
    section="views",
    severity=Severity.WARNING,
    title="Strangers can read a materialized view.",
    why=(
        "A materialized view holds what its owner saw when it was refreshed, and has no row-level security: whoever may "
        "read it sees all of it."
    ),
    remedy="Revoke the privileges of the exposed roles, and serve it through a function or a view that filters.",
    manual="CREATE MATERIALIZED VIEW",
    peers={"splinter": "0016_materialized_view_in_api"},
)
def materialized_view_exposed(state: State) -> Iterator[Defect]:
    """Look at the materialized views that exposed roles can read; an error where what is under them has policies."""
    for view, relation in state.views:
        roles = readers(state, relation.name)
        if view.kind != "materialized view" or not roles:
            continue
        if any(table.name == _ACCOUNTS for table, _ in tables_read(state, view)):
            continue
        tables = _unguarded(state, view)
        yield Defect(
            subject=view.name,
            message=f"{listed(roles)} can read all of the materialized view {view.name}"
            + (f", with every row of {', '.join(tables)}, past the policies" if tables else ""),
            evidence=(f"owner: {view.owner}", f"reads: {', '.join(view.reads)}"),
            remedy=_mend(state, view, roles),
            severity=Severity.ERROR if tables else None,
            objects=tuple(tables),
        )


@smoke_test(
    id="foreign-table-exposed",
    family="exposure",
    section="tables",
    severity=Severity.WARNING,
    title="Strangers can reach a foreign table.",
    why=(
        "Row-level security does not apply to foreign tables: whoever has a privilege on one reads and writes the other "
        "server with the rights of its user mapping."
    ),
    remedy="Move it to a schema that is not exposed, or revoke the privileges of the exposed roles.",
    manual="CREATE FOREIGN TABLE",
    peers={"splinter": "0017_foreign_table_in_api"},
)
def foreign_table_exposed(state: State) -> Iterator[Defect]:
    """Look at the foreign tables that exposed roles can read."""
    for table, relation in state.tables:
        if table.kind == "foreign table" and (roles := readers(state, relation.name)):
            yield Defect(
                subject=table.name,
                message=f"{listed(roles)} can read the foreign table {table.name}, to which no row-level security applies",
                evidence=(f"server: {table.server}",),
                remedy=revoke("ALL", table.name, roles),
            )


@smoke_test(
    id="security-definer-exposed",
    family="exposure",
    section="functions",
    severity=Severity.WARNING,
    title="Strangers can call a function that runs with its owner's rights.",
    why=(
        "A SECURITY DEFINER function goes past policies and privileges. A new function can be executed by everybody (PUBLIC) "
        "unless that is revoked, and an API serves each function in its schemas: whoever knows the address calls it with "
        "arguments of their own."
    ),
    remedy="Revoke EXECUTE from PUBLIC and the exposed roles, or move the function to a schema that is not exposed.",
    manual="CREATE FUNCTION, Writing SECURITY DEFINER Functions Safely",
    peers={
        "splinter": "0028_anon_security_definer_function_executable, 0029_authenticated_security_definer_function_executable"
    },
)
def security_definer_exposed(state: State) -> Iterator[Defect]:
    """Look at the SECURITY DEFINER functions in exposed schemas that exposed roles may execute by default."""
    for function in state.functions:
        able = state.facts.access.functions.get(function.name, frozenset())
        roles = [role for role in exposed_roles(state) if role in able]
        if not function.security_definer or not roles or not is_served(state, function.name):
            continue
        if PUBLIC not in able and (len(roles) < len(exposed_roles(state)) or len(roles) == 1):
            # Somebody has revoked what is granted by default, and left it to whom they chose.
            continue
        yield Defect(
            subject=function.name,
            message=f"{listed(roles)} can call {function.name}, which runs with the rights of {function.owner}",
            evidence=(
                f"SECURITY DEFINER, owner: {function.owner}",
                f"EXECUTE: {', '.join(sorted(able))}",
            ),
            remedy=(
                f"-- a policy calls it, so the roles need EXECUTE:\n"
                f"ALTER FUNCTION {function.name} SET SCHEMA ...;"
                if _is_in_policy(state, function.name)
                else revoke("EXECUTE", f"{_routine(function.kind)} {function.name}", roles)
            ),
        )


def _is_in_policy(state: State, function: str) -> bool:
    """Say whether a policy calls a function, going by its name: expressions are qualified throughout."""
    call = without_arguments(function) + "("
    return any(
        call in text for one in state.schema.policies.values() for text in (one.using, one.check) if text
    )


@smoke_test(
    id="security-definer-public",
    family="exposure",
    section="functions",
    severity=Severity.OFF,
    title="Everybody can call a function that runs with its owner's rights.",
    why=(
        "Everybody (PUBLIC) may execute a new function unless that is revoked. Of one that is SECURITY DEFINER each role "
        "of the database borrows the owner's rights; a team that grants what it means turns this on."
    ),
    remedy="REVOKE EXECUTE ... FROM PUBLIC in the migration that creates the function, and grant it to those who need it.",
    manual="CREATE FUNCTION, Writing SECURITY DEFINER Functions Safely",
)
def security_definer_public(state: State) -> Iterator[Defect]:
    """Look at the SECURITY DEFINER functions that PUBLIC may execute."""
    for function in state.functions:
        if function.security_definer and PUBLIC in state.facts.access.functions.get(function.name, ()):
            yield Defect(
                subject=function.name,
                message=f"everybody (PUBLIC) can call {function.name}, which runs with the rights of {function.owner}",
                evidence=(f"SECURITY DEFINER, owner: {function.owner}",),
                remedy=revoke("EXECUTE", f"{_routine(function.kind)} {function.name}", ()),
            )


def _routine(kind: str) -> str:
    return "PROCEDURE" if kind == "procedure" else "FUNCTION"


#: Parts of names, between underscores, of columns that nobody publishes.
_SENSITIVE = re.compile(
    r"(?:^|_)(?:password|passwd|pwd|secret|token|api_?key|private_?key|access_?key|ssn|social_security(?:_number)?|"
    r"passport(?:_number)?|credit_?card(?:_number)?|card_number|cvv|cvc|iban|account_number|tax_id|date_of_birth|dob|"
    r"salary|otp|mfa_secret|recovery_code)(?:$|_|s$)",
    re.IGNORECASE,
)
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


@smoke_test(
    id="sensitive-column-exposed",
    family="exposure",
    section="privileges",
    severity=Severity.OFF,
    title="Strangers can read a column whose name speaks of secrets.",
    why=(
        "Passwords, tokens, numbers of cards: in a table that an API serves, one policy too wide publishes them. By "
        "the name alone nothing is certain, so a team turns this on."
    ),
    remedy="Move such columns to a table that is not exposed, or grant the other columns only.",
    peers={"splinter": "0023_sensitive_columns_exposed"},
)
def sensitive_column_exposed(state: State) -> Iterator[Defect]:
    """Look at the names of the columns of the relations that exposed roles can read."""
    for relation in _readable(state):
        for column in relation.columns:
            name = _CAMEL.sub("_", unquoted(column.name))
            if _SENSITIVE.search(name):
                roles = readers(state, relation.name)
                yield Defect(
                    subject=relation.name,
                    detail=column.name,
                    message=f"{listed(roles)} can read {relation.name}, whose column {column.name} sounds like a secret",
                    evidence=(f"{column.name} {column.type}",),
                    remedy=revoke("SELECT", relation.name, roles),
                    named=(column.name,),
                )


def _readable(state: State) -> Iterator[Relation]:
    for relation in state.relations:
        is_open = relation.itself(View) is not None or relation.itself(Table) is not None
        if is_open and readers(state, relation.name):
            yield relation
