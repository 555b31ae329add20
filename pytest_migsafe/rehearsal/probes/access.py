"""Who may do what: the roles that are exposed, and those that policies name."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from psycopg.rows import tuple_row

from pytest_migsafe.catalog.objects import Home
from pytest_migsafe.catalog.schema import Function, Policy, Table, View
from pytest_migsafe.rehearsal.facts import Access, Facts, Role
from pytest_migsafe.rehearsal.probes.asking import Asking
from pytest_migsafe.rehearsal.probes.scripts import script

#: What policies say for everybody; and what the functions that tell of privileges say.
PUBLIC = "PUBLIC"
_EVERYBODY = "public"

#: Such a function is called by its trigger only.
_NOT_CALLABLE = frozenset({"trigger", "event_trigger"})


def probe(asking: Asking, known: Facts) -> Facts:
    """Ask for the privileges of what was changed; for all again when roles may be others."""
    roles = _roles(asking, known.access.roles)
    relations = set(_relations(asking, is_all_new=asking.cluster_changed))
    functions = set(_functions(asking, is_all_new=asking.cluster_changed))
    return replace(
        known,
        access=Access(
            roles=roles,
            relations=_kept(asking, known.access.relations, "relation", relations)
            | _privileges(asking, relations, roles),
            functions=_kept(asking, known.access.functions, "function", functions)
            | _executable(asking, functions, roles),
        ),
    )


def subjects(asking: Asking, roles: Mapping[str, Role], relation: str) -> frozenset[str]:
    """Return the roles whose access to a relation is of interest: those exposed and those that its policies name."""
    named = {role for policy in policies_of(asking, relation) for role in policy.roles}
    return frozenset(role for role in named.union(asking.scope.exposed_roles) if role in roles)


def policies_of(asking: Asking, relation: str) -> list[Policy]:
    """Return the policies of a relation, by name."""
    return [one for _, one in sorted(asking.after.belonging_to(relation).items()) if isinstance(one, Policy)]


def _roles(asking: Asking, known: Mapping[str, Role]) -> Mapping[str, Role]:
    names = known.keys() | set(_named(asking))
    if not asking.cluster_changed and names <= known.keys():
        return known
    rows = _ask(asking, "access_roles", names=sorted(names.union(asking.scope.exposed_roles)))
    return {
        name: Role(superuser=superuser, bypasses_row_security=bypasses, acts_as=frozenset(acts_as))
        for name, superuser, bypasses, acts_as in rows
    }


def _named(asking: Asking) -> Iterator[str]:
    """Yield the roles that the policies of what was changed name, and the owners of what somebody may be kept from."""
    for relation in asking.relations:
        policies = policies_of(asking, relation)
        yield from (role for policy in policies for role in policy.roles if role != PUBLIC)
        if policies or asking.scope.exposed_roles:
            objects = asking.after.belonging_to(relation).values()
            yield from (one.owner for one in objects if isinstance(one, Table | View))


def _relations(asking: Asking, *, is_all_new: bool) -> Iterator[str]:
    """Yield the relations whose privileges may be others than before, or may mean something else."""
    if not is_all_new and not any(home.catalog == "schema" for home in asking.changed):
        yield from asking.relations
    else:
        yield from (home.name for home in asking.after.homes if home.catalog == "relation")


def _functions(asking: Asking, *, is_all_new: bool) -> Iterator[str]:
    """Yield the functions that run with their owner's rights and may be open to others than before."""
    schema_changed = any(home.catalog == "schema" for home in asking.changed)
    for home in asking.after.homes if is_all_new or schema_changed else asking.changed:
        one = asking.after.get(Function.KIND, home.name) if home.catalog == "function" else None
        if isinstance(one, Function) and one.security_definer and one.returns not in _NOT_CALLABLE:
            yield home.name


_Known = TypeVar("_Known")


def _kept(asking: Asking, known: Mapping[str, _Known], catalog: str, asked: set[str]) -> dict[str, _Known]:
    """Return what is known of the objects of a kind that are there still, and are not asked for again."""
    return {
        name: one
        for name, one in known.items()
        if name not in asked
        and (home := Home(catalog, name)) in asking.after.homes
        and home not in asking.changed
    }


def _privileges(
    asking: Asking, relations: Iterable[str], roles: Mapping[str, Role]
) -> dict[str, Mapping[str, frozenset[str]]]:
    pairs = [
        (relation, role)
        for relation in sorted(relations)
        for role in sorted(subjects(asking, roles, relation))
    ]
    found: dict[str, Mapping[str, frozenset[str]]] = {}
    for relation, role, privileges in _ask(
        asking, "access_relations", relations=[one for one, _ in pairs], roles=[one for _, one in pairs]
    ):
        if privileges:
            found[relation] = {**found.get(relation, {}), role: frozenset(privileges)}
    return found


def _executable(
    asking: Asking, functions: Iterable[str], roles: Mapping[str, Role]
) -> dict[str, frozenset[str]]:
    exposed = [role for role in asking.scope.exposed_roles if role in roles]
    rows = _ask(asking, "access_functions", functions=sorted(functions), roles=[_EVERYBODY, *exposed])
    return {
        function: frozenset(PUBLIC if role == _EVERYBODY else role for role in able)
        for function, able in rows
    }


def _ask(asking: Asking, query: str, **values: list[str]) -> list[tuple[Any, ...]]:
    if not all(values.values()):
        return []
    with asking.connection.cursor(row_factory=tuple_row) as cursor:
        return cursor.execute(script(query).encode(), values, prepare=False).fetchall()
