"""What the planner makes of policies: whether commands on their tables can be planned, and what is true for every row.

Nothing is run: each command is explained, as each role that the policies are for (infinite recursion among policies is
found when a command is planned, as is a policy that reads a table which its role may not read).
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

import psycopg

from pytest_migsafe.catalog.lexical import last_part, without_arguments
from pytest_migsafe.catalog.schema import Column, Policy, Table
from pytest_migsafe.impersonation import as_role
from pytest_migsafe.rehearsal.facts import Access, Facts, PlanFailure, PolicyFacts
from pytest_migsafe.rehearsal.probes.access import PUBLIC, policies_of, subjects
from pytest_migsafe.rehearsal.probes.asking import Asking
from pytest_migsafe.rehearsal.probes.questions import Unanswered, answer
from pytest_migsafe.rehearsal.probes.scripts import script
from pytest_migsafe.rehearsal.probes.stranger import stranger

#: Stands for a role that is nobody in particular: policies for everybody do not apply to whoever asks here.
_STRANGER = ""
#: The plainest command of each kind, without defaults: what these call is no matter of policies.
_COMMANDS = MappingProxyType(
    {
        "SELECT": "EXPLAIN SELECT FROM {relation}",
        "INSERT": "EXPLAIN INSERT INTO {relation} ({columns}) OVERRIDING SYSTEM VALUE VALUES ({nulls})",
        "UPDATE": "EXPLAIN UPDATE {relation} SET {column} = NULL",
        "DELETE": "EXPLAIN DELETE FROM {relation}",
    }
)
_EXPRESSION = "EXPLAIN (VERBOSE, COSTS OFF, FORMAT JSON) SELECT ({expression}) FROM {relation}"

#: What says that a policy is broken, not that there is no token, no setting or no row: undefined_function, _column and
#: _table, datatype_mismatch, invalid_object_definition (infinite recursion), statement_too_complex
#: (manual: "PostgreSQL Error Codes").
_BROKEN = frozenset({"42883", "42703", "42P01", "42804", "42P17", "54001"})
#: Insufficient_privilege: of a role of the project's, that is; the stranger never had any but on the table.
_FORBIDDEN = "42501"

#: Planned as the role meets it: a function that is inlined goes by the role's search_path.
_AS_THE_ROLE = b"SET LOCAL row_security = on;"


def probe(asking: Asking, known: Facts) -> Facts:
    """Plan what was changed, and whatever has a policy that names something changed; all when roles are others."""
    asked = set(_in_question(asking, known))
    found = {
        relation: facts
        for relation, facts in known.policies.items()
        if relation not in asked and policies_of(asking, relation)
    }
    always_true = {relation: frozenset(_always_true(asking, relation)) for relation in asked}
    failures: dict[str, list[PlanFailure]] = {relation: [] for relation in asked}
    for relation, failure in _failures(asking, known.access, asked):
        failures[relation].append(failure)
    for relation in sorted(asked):
        found[relation] = PolicyFacts(failures=tuple(failures[relation]), always_true=always_true[relation])
    return replace(known, policies=found)


def _in_question(asking: Asking, known: Facts) -> Iterator[str]:
    changed = [relation for relation in asking.relations if policies_of(asking, relation)]
    yield from changed
    names = {without_arguments(home.name) for home in asking.changed}
    for relation in known.policies.keys() - set(changed):
        policies = policies_of(asking, relation)
        if policies and (asking.cluster_changed or _mention(policies, names)):
            yield relation


def _mention(policies: Iterable[Policy], names: set[str]) -> bool:
    """Say whether policies name what has one of the names: their expressions are qualified throughout."""
    texts = [text for one in policies for text in (one.using, one.check) if text]
    return any(name in text for text in texts for name in names if name)


def _always_true(asking: Asking, relation: str) -> Iterator[tuple[str, str]]:
    for policy in policies_of(asking, relation):
        for clause, expression in (("USING", policy.using), ("WITH CHECK", policy.check)):
            if expression is None:
                continue
            question = _EXPRESSION.format(expression=expression, relation=relation)
            asked = answer(asking, question)
            # The planner has worked out what needs no row.
            if not isinstance(asked, Unanswered) and asked[0][0][0]["Plan"].get("Output") == ["true"]:
                yield policy.name, clause


@dataclass(frozen=True, slots=True)
class _Question:
    role: str
    relation: str
    command: str
    sql: str


def _failures(asking: Asking, access: Access, relations: Iterable[str]) -> Iterator[tuple[str, PlanFailure]]:
    questions = [one for relation in sorted(relations) for one in _questions(asking, access, relation)]
    for role in sorted({one.role for one in questions}):
        theirs = [one for one in questions if one.role == role]
        # Whoever may not become the role, or make one, learns nothing: on a server that is not ours that may be so.
        with suppress(psycopg.errors.InsufficientPrivilege), _being(asking.connection, role, theirs):
            yield from _answers(asking, theirs)


@contextmanager
def _being(connection: psycopg.Connection[Any], role: str, questions: Iterable[_Question]) -> Iterator[None]:
    """Be the role of some questions for a block."""
    if role != _STRANGER:
        with as_role(connection, role):
            yield
        return
    with stranger(connection) as name:
        relations = ", ".join(sorted({one.relation for one in questions}))
        privileges = script("stranger_privileges").format(role=name, relations=relations)
        connection.execute(privileges.encode(), prepare=False)
        with as_role(connection, name):
            yield


def _answers(asking: Asking, questions: Iterable[_Question]) -> Iterator[tuple[str, PlanFailure]]:
    for one in questions:
        asked = answer(asking, one.sql, _AS_THE_ROLE)
        if isinstance(asked, Unanswered) and (
            asked.sqlstate in _BROKEN or (one.role != _STRANGER and _is_forbidden(asked, one.relation))
        ):
            yield (
                one.relation,
                PlanFailure(
                    role=one.role,
                    command=one.command,
                    sqlstate=asked.sqlstate,
                    message=asked.message,
                    context=asked.context,
                ),
            )


def _is_forbidden(asked: Unanswered, relation: str) -> bool:
    """Say whether a role may not use what a policy uses; the table itself it may use by some column, if not by all."""
    own = f"permission denied for table {last_part(relation)}"
    return asked.sqlstate == _FORBIDDEN and asked.message != own


def _questions(asking: Asking, access: Access, relation: str) -> Iterator[_Question]:
    objects = asking.after.belonging_to(relation).values()
    table = next((one for one in objects if isinstance(one, Table)), None)
    written = sorted(one.name for one in objects if isinstance(one, Column) and not one.generated)
    if table is None or not table.row_security or not written:
        return
    policies = policies_of(asking, relation)
    able = access.relations.get(relation, {})
    held = {
        role: able.get(role, frozenset())
        for role in subjects(asking, access.roles, relation)
        if not access.roles[role].is_above_policies
    }
    if not held and any(PUBLIC in policy.roles for policy in policies):
        held = {_STRANGER: frozenset(_COMMANDS)}
    for role, privileges in sorted(held.items()):
        for command, text in _COMMANDS.items():
            if command in privileges and any(one.command in ("all", command.lower()) for one in policies):
                sql = text.format(
                    relation=relation,
                    column=written[0],
                    columns=", ".join(written),
                    nulls=", ".join(["NULL"] * len(written)),
                )
                yield _Question(role, relation, command, sql)
