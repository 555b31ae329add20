"""The family *privileges*: what everybody may do, and what new objects are open to."""

from collections import Counter
from collections.abc import Iterator

from pytest_migsafe.catalog.lexical import own_name, parent_of
from pytest_migsafe.catalog.schema import DefaultPrivileges, Grant
from pytest_migsafe.findings import Severity
from pytest_migsafe.rehearsal.state import State
from pytest_migsafe.rules.smoke.audience import PUBLIC, in_sql, revoke
from pytest_migsafe.rules.smoke.check import Defect, smoke_test

_MANUAL = "Privileges"


@smoke_test(
    id="public-has-privilege",
    family="privileges",
    section="privileges",
    severity=Severity.WARNING,
    title="Everybody (PUBLIC) has a privilege on a table, view, sequence or schema.",
    why=(
        "PUBLIC is every role that can connect, also those that are created later, and no REVOKE from a single role takes "
        "it away. With CREATE on a schema anybody can put a function there that others call by mistake."
    ),
    remedy="Revoke it, and grant it to the roles that need it.",
    manual=_MANUAL,
)
def public_has_privilege(state: State) -> Iterator[Defect]:
    """Look at the grants to PUBLIC; what functions, types and languages are granted by default is not counted."""
    on_relations = [grant for relation in state.relations for grant in relation.grants]
    for grant in [*on_relations, *state.grants_on_schemas]:
        privileges = _gained(grant)
        if grant.grantee != PUBLIC or not privileges:
            continue
        said = ", ".join(privileges)
        yield Defect(
            subject=grant.object,
            detail=said,
            message=f"everybody (PUBLIC) has {said} on the {grant.object_kind} {grant.object}, roles of the future too",
            evidence=(f"{grant.object_kind} {grant.object}: {said} to PUBLIC",),
            remedy=_revoke(grant, privileges),
            named=("PUBLIC",),
        )
    for default in state.listed(DefaultPrivileges):
        if (
            default.grantee == PUBLIC
            and default.privileges
            and default.objects in ("tables", "sequences", "schemas")
        ):
            said = ", ".join(_plain(default.privileges))
            place = f" IN SCHEMA {default.schema}" if default.schema else ""
            yield Defect(
                subject=default.qualified_name,
                detail=said,
                message=f"everybody (PUBLIC) will have {said} on all {default.objects} that {default.role} creates{place.lower()}",
                evidence=(f"default privileges {default.qualified_name}: {said}",),
                remedy=(
                    f"ALTER DEFAULT PRIVILEGES FOR ROLE {in_sql(default.role)}{place} "
                    f"REVOKE {said} ON {default.objects.upper()} FROM PUBLIC;"
                ),
                named=("DEFAULT PRIVILEGES",),
            )


def _gained(grant: Grant) -> tuple[str, ...]:
    """Return what of a grant counts: whoever may use a schema may not yet do anything in it."""
    held = _plain(grant.privileges)
    return tuple(one for one in held if one == "CREATE") if grant.object_kind == "schema" else held


def _plain(privileges: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(one.removesuffix("*") for one in privileges)


def _revoke(grant: Grant, privileges: tuple[str, ...]) -> str:
    match grant.object_kind:
        case "schema" | "sequence":
            return revoke(", ".join(privileges), f"{grant.object_kind.upper()} {grant.object}", ())
        case "column":
            column = own_name(grant.object)
            return revoke(", ".join(f"{one} ({column})" for one in privileges), parent_of(grant.object), ())
        case _:
            return revoke(", ".join(privileges), grant.object, ())


#: Of so many tables a majority says what is usual.
_FEWEST_SIBLINGS = 4


@smoke_test(
    id="privileges-unlike-siblings",
    family="privileges",
    section="privileges",
    severity=Severity.OFF,
    title="A table is granted to others than the tables beside it.",
    why="Where most tables of a schema are granted to the same roles, one that is not was forgotten, or is open by mistake.",
    remedy="GRANT or REVOKE what the others have.",
    manual=_MANUAL,
)
def privileges_unlike_siblings(state: State) -> Iterator[Defect]:
    """Compare the grants on each table with what more than half of the tables of its schema have."""
    for table, relation in state.tables:
        siblings = [
            _granted(state, one.name)
            for one in state.schema.tables.values()
            if one.name != table.name
            and one.name.startswith(f"{relation.schema}.")
            and one.owner == table.owner
        ]
        if len(siblings) < _FEWEST_SIBLINGS:
            continue
        counted = Counter(one for some in siblings for one in some)
        usual = {one for one, count in counted.items() if 2 * count > len(siblings)}
        own = _granted(state, table.name)
        for role in sorted({role for role, _ in usual ^ own}):
            lacks = sorted(privilege for other, privilege in usual - own if other == role)
            has = sorted(privilege for other, privilege in own - usual if other == role)
            deviation = [f"lacks {', '.join(lacks)}"] * bool(lacks) + [f"has {', '.join(has)}"] * bool(has)
            yield Defect(
                subject=relation.name,
                detail=f"{role} {deviation}",
                message=(
                    f"{in_sql(role)} {' and '.join(deviation)} on {relation.name}, "
                    f"unlike most tables in {relation.schema}"
                ),
                evidence=(f"tables compared: {len(siblings)}",),
                remedy="\n".join(
                    [f"GRANT {', '.join(lacks)} ON {relation.name} TO {in_sql(role)};"] * bool(lacks)
                    + [f"REVOKE {', '.join(has)} ON {relation.name} FROM {in_sql(role)};"] * bool(has)
                ),
                objects=(role,),
            )


def _granted(state: State, relation: str) -> set[tuple[str, str]]:
    """Return who has which privilege on a table itself."""
    objects = state.schema.belonging_to(relation).values()
    grants = [one for one in objects if isinstance(one, Grant) and one.object_kind == "table"]
    return {(grant.grantee, privilege) for grant in grants for privilege in _plain(grant.privileges)}
