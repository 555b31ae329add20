"""Privileges, and those that will be: GRANT and REVOKE from one to the other (manual: "Privileges")."""

from collections.abc import Collection, Iterator

from pytest_migsafe.catalog.inverse.steps import Phase, Way, role
from pytest_migsafe.catalog.inverse.words import granted_on
from pytest_migsafe.catalog.lexical import own_name
from pytest_migsafe.catalog.schema import DefaultPrivileges, Grant, Schema

#: What everybody has by default.
_OF_PUBLIC = {
    "function": "EXECUTE",
    "functions": "EXECUTE",
    "type": "USAGE",
    "types": "USAGE",
    "language": "USAGE",
}
#: Stands for all privileges that there are.
_ALL = frozenset({"ALL"})


def change_grant(way: Way, now: Grant | None, then: Grant | None) -> None:
    """Add the steps that make what a role may do with an object what it was."""
    one = now or then
    assert one is not None  # noqa: S101 - there is a difference
    owner = _owner(way.now, one) or _owner(way.then, one)
    usual = _usual(one.object_kind, one.grantee, owner)
    have = frozenset(now.privileges) if now is not None else usual
    want = frozenset(then.privileges) if then is not None else usual
    columns = f" ({own_name(one.object)})" if one.object_kind == "column" else ""
    for verb, privileges, word, option in _steps(have, want):
        listed = ", ".join(f"{each}{columns}" for each in sorted(privileges))
        way.add(
            Phase.GRANT,
            f"{verb} {listed} ON {granted_on(one.object_kind, one.object)} {word} {role(one.grantee)}{option};",
        )


def _owner(schema: Schema, grant: Grant) -> str | None:
    kind = grant.object_kind
    found = schema.get(kind, grant.object) if kind != "column" else None
    return getattr(found, "owner", None)


def _usual(kind: str, grantee: str, owner: str | None) -> frozenset[str]:
    """Return what a role has by default: the owner everything, everybody what everybody has."""
    if grantee == owner:
        return _ALL
    return frozenset({_OF_PUBLIC[kind]}) if grantee == "PUBLIC" and kind in _OF_PUBLIC else frozenset()


def _steps(have: Collection[str], want: Collection[str]) -> Iterator[tuple[str, Collection[str], str, str]]:
    """Yield verb, privileges, preposition and option of each statement that leads from some privileges to others."""
    if _ALL in (have, want):
        # Of which the names are not known.
        if want == _ALL:
            yield "GRANT", ["ALL"], "TO", ""
            return
        yield "REVOKE", ["ALL"], "FROM", ""
        have = ()
    bare = {one.removesuffix("*") for one in want}
    if gone := {one.removesuffix("*") for one in have} - bare:
        yield "REVOKE", gone, "FROM", ""
    if less := {one.removesuffix("*") for one in have if one.endswith("*") and one not in want} & bare:
        yield "REVOKE GRANT OPTION FOR", less, "FROM", ""
    held = {one.removesuffix("*") for one in have}
    if plain := {one for one in want if not one.endswith("*")} - held:
        yield "GRANT", plain, "TO", ""
    if more := {one.removesuffix("*") for one in want if one.endswith("*") and one not in have}:
        yield "GRANT", more, "TO", " WITH GRANT OPTION"


def change_default(way: Way, now: DefaultPrivileges | None, then: DefaultPrivileges | None) -> None:
    """Add the steps that make what will be granted what it was."""
    one = now or then
    assert one is not None  # noqa: S101 - there is a difference
    usual: frozenset[str] = frozenset()
    if one.schema is None:
        usual = _usual(one.objects, one.grantee, one.role)
    have = frozenset(now.privileges) if now is not None else usual
    want = frozenset(then.privileges) if then is not None else usual
    place = f" IN SCHEMA {one.schema}" if one.schema is not None else ""
    for verb, privileges, word, option in _steps(have, want):
        way.add(
            Phase.GRANT,
            f"ALTER DEFAULT PRIVILEGES FOR ROLE {role(one.role)}{place} {verb} {', '.join(sorted(privileges))} "
            f"ON {one.objects.upper()} {word} {role(one.grantee)}{option};",
        )
