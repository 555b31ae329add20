"""The family *ownership*: who owns what, and what a role could do before an object was dropped and made anew."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pytest_migsafe.catalog import Schema
from pytest_migsafe.catalog.lexical import (
    constant,
    last_part,
    own_name,
    parent_of,
    quoted,
    schema_of,
    without_arguments,
)
from pytest_migsafe.catalog.objects import Bound, CatalogObject, Home, Key
from pytest_migsafe.catalog.rarer import SecurityLabel
from pytest_migsafe.catalog.schema import (
    DefaultPrivileges,
    Function,
    Grant,
    Index,
    Namespace,
    Policy,
    Sequence,
    Table,
    Type,
    View,
)
from pytest_migsafe.findings import Finding, Severity
from pytest_migsafe.rehearsal.evidence import Evidence
from pytest_migsafe.rehearsal.state import State
from pytest_migsafe.rules.registry import rule
from pytest_migsafe.rules.smoke.audience import PUBLIC, in_sql, listed
from pytest_migsafe.rules.smoke.check import Defect, cause, smoke_test

_OWNED = (Namespace, Table, View, Sequence, Function, Type)


@smoke_test(
    id="owner-differs",
    family="ownership",
    section="privileges",
    severity=Severity.ERROR,
    title="An object belongs to another role than the setting `owner` names.",
    why=(
        "Only the owner may alter or drop an object, and row-level security does not hold for it. What somebody else owns "
        "cannot be migrated by the role that migrates."
    ),
    remedy="ALTER ... OWNER TO.",
    manual="Privileges; ALTER TABLE, OWNER TO",
    peers={"Bytebase": "system.object-owner"},
)
def owner_differs(state: State) -> Iterator[Defect]:
    """Compare owners with the setting; without it, there is nothing to say."""
    expected = state.scope.owner
    if expected is None:
        return
    for home in sorted(state.schema.homes if state.looked_at is None else state.looked_at):
        one = _itself(home, state.schema.homes.get(home, {}))
        if one is None or one.owner == expected or not state.scope.includes(schema_of(home.name)):
            continue
        if isinstance(one, Sequence) and one.owned_by is not None:
            # It goes with its table.
            continue
        yield Defect(
            subject=home.name,
            detail=one.KIND,
            message=f"the {one.KIND} {home.name} belongs to {one.owner}, not to {expected}",
            remedy=f"ALTER {_command_kind(one)} {home.name} OWNER TO {quoted(expected)};",
        )


def _itself(home: Home, objects: Mapping[Key, CatalogObject]) -> Any:
    """Return the object that a home is named after, of those that have an owner."""
    return next(
        (one for one in objects.values() if isinstance(one, _OWNED) and one.qualified_name == home.name), None
    )


def _command_kind(one: CatalogObject) -> str:
    """Return what an object is called in ALTER, GRANT and COMMENT."""
    match one:
        case Function():
            return "AGGREGATE" if one.kind == "aggregate" else "ROUTINE"
        case Table() if one.kind == "foreign table":
            return "FOREIGN TABLE"
        case View():
            return one.kind.upper()
        case Type() if one.kind == "domain":
            return "DOMAIN"
    return one.KIND.upper()


@dataclass(frozen=True)
class _Remade:
    """An object that is there before and after a file; a function perhaps with other arguments."""

    home: Home
    before: Mapping[Key, CatalogObject]
    after: Mapping[Key, CatalogObject]
    was: Any
    now: Any


def _remade(evidence: Evidence) -> Iterator[_Remade]:
    """Yield what a file can have dropped and made anew."""
    if not evidence.applied:
        return
    before, after = evidence.before.homes, evidence.after.homes
    looked_at = evidence.state_after.looked_at
    former = _former(before, after)
    for home in sorted(after if looked_at is None else looked_at & after.keys()):
        now = after[home]
        old = home if home in before else former.get(home)
        if old is None or (was := before[old]) is now:
            continue
        one, other = _itself(old, was), _itself(home, now)
        if (
            one is not None
            and other is not None
            and evidence.state_after.scope.includes(schema_of(home.name))
        ):
            yield _Remade(home, was, now, one, other)


def _former(before: Mapping[Home, Any], after: Mapping[Home, Any]) -> Mapping[Home, Home]:
    """Return what functions new ones take the place of: each is the only other one of its name, and gone."""
    gone, new = (
        _functions_by_name(before.keys() - after.keys()),
        _functions_by_name(after.keys() - before.keys()),
    )
    return {
        some[0]: gone[name][0]
        for name, some in new.items()
        if len(some) == 1 and len(gone.get(name, ())) == 1
    }


def _functions_by_name(homes: Iterable[Home]) -> Mapping[str, list[Home]]:
    """Return functions by their names without arguments."""
    found: dict[str, list[Home]] = {}
    for one in homes:
        if one.catalog == "function":
            found.setdefault(without_arguments(one.name), []).append(one)
    return found


def _says(evidence: Evidence, words: str, home: Home) -> bool:
    """Say whether a file has such words about an object, about all objects, or in code that may be about any."""
    pattern = re.compile(words, re.IGNORECASE)
    name = last_part(home.name).lower()
    return any(
        pattern.search(one.text)
        and (
            name in one.text.lower()
            or re.search(r"\ball\b|\bowned\b", one.text, re.IGNORECASE)
            or one.node in _CODE
        )
        for one in evidence.statements
    )


_CODE = frozenset({"DoStmt", "SelectStmt", "CallStmt", "CreateFunctionStmt"})


def _changed_roles(evidence: Evidence) -> set[str]:
    return {one.name for one in evidence.cluster_changes if one.kind == "role"}


@rule(
    id="privileges-lost",
    family="ownership",
    severity=Severity.ERROR,
    title="An object was dropped and made anew, and what was granted on it is gone.",
    why=(
        "Grants go with the object, and the new one of the same name has none but the default ones: roles that could read it "
        "get 'permission denied' from the moment of the deployment, and of a function that only some could call, everybody can."
    ),
    remedy="Grant again in the same file; or do not drop: CREATE OR REPLACE keeps grants, and so does ALTER.",
    manual="Privileges; GRANT; CREATE FUNCTION, Notes",
)
def privileges_lost(evidence: Evidence) -> Iterator[Finding]:
    """Compare what is granted on each object before and after, and leave out what the file revokes itself."""
    gone = _changed_roles(evidence)
    for one in _remade(evidence):
        lines = list(_lost(one, gone))
        if lines and not _says(evidence, r"\brevoke\b|\bdrop\s+owned\b", one.home):
            yield _found(
                evidence,
                one,
                rule_=privileges_lost,
                message=f"the {one.now.KIND} {one.home.name} was made anew without {len(lines)} of its privileges",
                before=tuple(f"before: {line}" for line in lines),
                remedy="\n".join(lines),
            )


def _lost(one: _Remade, gone: set[str]) -> Iterator[str]:
    """Yield the statements that put privileges back as they were."""
    before, after = _granted(one.before), _granted(one.after)
    owners = {one.was.owner, one.now.owner}
    columns = {key.name for key in one.after if key.kind == "column"}
    for (kind, name, grantee), grant in sorted(before.items()):
        if grantee in gone or grantee in owners:
            continue
        here = name if kind == "column" else one.home.name
        if kind == "column" and name not in columns:
            continue
        default = _DEFAULTS.get(kind, frozenset()) if grantee == PUBLIC else frozenset()
        now = after.get((kind, name, grantee))
        had = set(grant.privileges)
        has = set(now.privileges) if now is not None else set(default)
        target = _on(one.now, kind, here)
        role = in_sql(grantee)
        for options, suffix in ((False, ""), (True, " WITH GRANT OPTION")):
            lost = [each.rstrip("*") for each in sorted(had - has) if each.endswith("*") == options]
            if lost:
                yield f"GRANT {_privileges(lost, kind, here)} ON {target} TO {role}{suffix};"
        if now is None and has - had:
            yield f"REVOKE {_privileges(sorted(has - had), kind, here)} ON {target} FROM {role};"


#: What everybody may do with a new object (manual: "Privileges").
_DEFAULTS: Mapping[str, frozenset[str]] = {"function": frozenset({"EXECUTE"}), "type": frozenset({"USAGE"})}


def _granted(objects: Mapping[Key, CatalogObject]) -> Mapping[tuple[str, str, str], Grant]:
    """Return grants by what they are on: whether a relation is a table or a view does not matter."""
    found = {}
    for one in objects.values():
        if isinstance(one, Grant):
            kind = "relation" if one.object_kind in {"table", "view", "sequence"} else one.object_kind
            found[kind, one.object if kind == "column" else "", one.grantee] = one
    return found


def _privileges(some: list[str], kind: str, name: str) -> str:
    if kind != "column":
        return ", ".join(some)
    return ", ".join(f"{one} ({own_name(name)})" for one in some)


def _on(one: CatalogObject, kind: str, name: str) -> str:
    if kind == "column":
        return parent_of(name)
    match one:
        case Function():
            return f"ROUTINE {name}"
        case Type() | Namespace() | Sequence():
            return f"{one.KIND.upper()} {name}"
    return name


def _found(
    evidence: Evidence, one: _Remade, *, rule_: Any, message: str, before: tuple[str, ...], remedy: str
) -> Finding:
    statement = cause(evidence.statements, (one.home.name,))
    found: Finding = rule_.finding(
        evidence,
        line=statement.line if statement is not None else 0,
        column=statement.column if statement is not None else 0,
        message=message,
        evidence=before,
        remedy=remedy,
        objects=(one.home.name,),
    )
    return found


@rule(
    id="row-security-lost",
    family="ownership",
    severity=Severity.ERROR,
    title="A table was dropped and made anew, and its row-level security is gone.",
    why=(
        "Row-level security and policies go with the table, and CREATE TABLE ... LIKE ... INCLUDING ALL copies neither: whoever "
        "has a privilege on the new table reads and changes the rows of everybody, and gets no error."
    ),
    remedy="ENABLE ROW LEVEL SECURITY and CREATE POLICY again in the same file; or do not drop: ALTER keeps both.",
    manual="Row Security Policies; CREATE TABLE, LIKE; CREATE POLICY",
)
def row_security_lost(evidence: Evidence) -> Iterator[Finding]:
    """Compare the row-level security of each table, and leave out what the file takes away by name."""
    for one in _remade(evidence):
        was, now = one.was, one.now
        if not isinstance(was, Table) or not isinstance(now, Table) or not was.row_security:
            continue
        had, has = _policies(one.before), {policy.name for policy in _policies(one.after)}
        meant = [policy for policy in had if not _says(evidence, _drops(policy), one.home)]
        if _says(evidence, _DISABLES, one.home) or (had and not meant):
            continue
        # Where it is on, a permissive policy that is missing hides rows, and shows none.
        lost = [
            policy
            for policy in meant
            if policy.name not in has and not (now.row_security and policy.permissive)
        ]
        is_forced = not was.force_row_security or now.force_row_security
        is_forced = is_forced or _says(evidence, _DOES_NOT_FORCE, one.home)
        if now.row_security and is_forced and not lost:
            continue
        lines = [
            *([] if now.row_security else [f"ALTER TABLE {now.name} ENABLE ROW LEVEL SECURITY;"]),
            *([] if is_forced else [f"ALTER TABLE {now.name} FORCE ROW LEVEL SECURITY;"]),
            *(_created(policy) for policy in lost),
        ]
        what = _what_is_lost(is_on=now.row_security, is_forced=is_forced, policies=len(lost))
        yield _found(
            evidence,
            one,
            rule_=row_security_lost,
            message=f"the table {now.name} was made anew without {what}: who could not reach a row before, can now",
            before=tuple(f"before: {line}" for line in lines),
            remedy="\n".join(lines),
        )


_DISABLES = r"\bdisable\s+row\s+level\s+security\b"
_DOES_NOT_FORCE = r"\bno\s+force\s+row\s+level\s+security\b"


def _drops(policy: Policy) -> str:
    """Return what DROP POLICY looks like for a policy; %I is any, in code."""
    return rf'\bdrop\s+policy\s+(?:if\s+exists\s+)?(?:"?{re.escape(last_part(policy.name))}(?!\w)|"?%)'


def _policies(objects: Mapping[Key, CatalogObject]) -> list[Policy]:
    return [policy for _, policy in sorted(objects.items()) if isinstance(policy, Policy)]


def _what_is_lost(*, is_on: bool, is_forced: bool, policies: int) -> str:
    parts = []
    if not is_on:
        parts.append("its row-level security")
    elif not is_forced:
        parts.append("FORCE ROW LEVEL SECURITY, which holds its owner too")
    if policies:
        parts.append(f"{policies} of its {'restrictive ' if is_on else ''}policies")
    return " and ".join(parts)


def _created(policy: Policy) -> str:
    """Return the statement that makes a policy."""
    roles = listed(policy.roles)
    kind = "" if policy.permissive else " AS RESTRICTIVE"
    using = f" USING ({policy.using})" if policy.using is not None else ""
    check = f" WITH CHECK ({policy.check})" if policy.check is not None else ""
    return f"CREATE POLICY {policy.name} ON {policy.relation}{kind} FOR {policy.command.upper()} TO {roles}{using}{check};"


@rule(
    id="owner-lost",
    family="ownership",
    severity=Severity.WARNING,
    title="An object was dropped and made anew, and belongs to another role.",
    why="Who makes an object owns it: the role that owned it before may neither alter nor use it any more.",
    remedy="ALTER ... OWNER TO the former owner, in the same file.",
    manual="Privileges",
)
def owner_lost(evidence: Evidence) -> Iterator[Finding]:
    """Compare owners before and after, and leave out what the file gives away itself."""
    gone = _changed_roles(evidence)
    for one in _remade(evidence):
        was = one.was.owner
        if was == one.now.owner or was in gone or (isinstance(one.now, Sequence) and one.now.owned_by):
            continue
        if not _says(evidence, r"\bowner\s+to\b|\breassign\s+owned\b", one.home):
            yield _found(
                evidence,
                one,
                rule_=owner_lost,
                message=f"the {one.now.KIND} {one.home.name} was made anew, and belongs to {one.now.owner}, no longer to {was}",
                before=(f"owner before: {was}", f"owner after: {one.now.owner}"),
                remedy=f"ALTER {_command_kind(one.now)} {one.home.name} OWNER TO {quoted(was)};",
            )


@rule(
    id="comment-lost",
    family="ownership",
    severity=Severity.WARNING,
    title="An object was dropped and made anew, and its comments are gone.",
    why="Comments and security labels go with the object. Some are read by programs: PostgREST and PostGraphile take their settings from them.",
    remedy="Comment again in the same file; or do not drop: CREATE OR REPLACE keeps comments, and so does ALTER.",
    manual="COMMENT; SECURITY LABEL",
)
def comment_lost(evidence: Evidence) -> Iterator[Finding]:
    """Compare the comments and labels of each object and its parts."""
    for one in _remade(evidence):
        lines = [*_comments_lost(one), *_labels_lost(evidence.before, evidence.after, one.home)]
        if lines and not _says(evidence, r"\bcomment\s+on\b|\bsecurity\s+label\b", one.home):
            yield _found(
                evidence,
                one,
                rule_=comment_lost,
                message=f"the {one.now.KIND} {one.home.name} was made anew without {len(lines)} of its comments",
                before=tuple(f"before: {line}" for line in lines),
                remedy="\n".join(lines),
            )


def _comments_lost(one: _Remade) -> Iterator[str]:
    for key, was in sorted(one.before.items()):
        comment = getattr(was, "comment", None)
        now = one.now if was is one.was else one.after.get(key)
        if comment is not None and now is not None and getattr(now, "comment", None) is None:
            yield f"COMMENT ON {_commented(now)} IS {constant(comment)};"


def _commented(one: CatalogObject) -> str:
    if isinstance(one, Bound) and one.KIND != "column" and not isinstance(one, Index):
        return f"{one.KIND.upper()} {one.name} ON {one.relation}"
    return f"{_command_kind(one)} {one.qualified_name}"


def _labels_lost(before: Schema, after: Schema, home: Home) -> Iterator[str]:
    group = Home(SecurityLabel.GROUP, "")
    remaining = after.homes.get(group, {})
    for key, label in before.homes.get(group, {}).items():
        labelled, _, provider = key.name.rpartition(" for ")
        if isinstance(label, SecurityLabel) and key not in remaining and labelled.endswith(f" {home.name}"):
            yield f"SECURITY LABEL FOR {provider} ON {labelled.upper().partition(' ')[0]} {home.name} IS {constant(label.label)};"


@rule(
    id="default-privileges-changed",
    family="ownership",
    severity=Severity.OFF,
    title="What will be granted on new objects is other than before.",
    why="ALTER DEFAULT PRIVILEGES concerns no object that is there, and every one to come: nobody sees it until a role can do too much, or too little.",
    remedy="Grant on each object where it is made, or have the change reviewed by whoever answers for access.",
    manual="ALTER DEFAULT PRIVILEGES",
)
def default_privileges_changed(evidence: Evidence) -> Iterator[Finding]:
    """Compare the default privileges before and after."""
    before, after = (
        schema.homes.get(Home(DefaultPrivileges.KIND, ""), {}) for schema in (evidence.before, evidence.after)
    )
    for key in sorted(before.keys() | after.keys()) if before is not after else ():
        was, now = before.get(key), after.get(key)
        if was != now:
            statement = cause(evidence.statements, ("PRIVILEGES",))
            yield default_privileges_changed.finding(
                evidence,
                line=statement.line if statement is not None else 0,
                column=statement.column if statement is not None else 0,
                message=f"default privileges {key.name} are other ones",
                evidence=(f"before: {_listed(was)}", f"after: {_listed(now)}"),
                remedy=default_privileges_changed.remedy,
            )


def _listed(one: CatalogObject | None) -> str:
    return ", ".join(one.privileges) if isinstance(one, DefaultPrivileges) else "as PostgreSQL has them"
