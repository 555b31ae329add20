"""What CASCADE took besides what the file names."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pytest_migsafe.catalog.lexical import last_part, parent_of, schema_of, without_arguments
from pytest_migsafe.catalog.objects import Home
from pytest_migsafe.catalog.schema import (
    Column,
    Constraint,
    Function,
    Policy,
    Table,
    Trigger,
    Type,
    View,
)
from pytest_migsafe.catalog.schema import (
    Sequence as Sequence_,
)
from pytest_migsafe.findings import Finding, RemedyFile, Severity
from pytest_migsafe.migrations.definitions import truncates
from pytest_migsafe.rehearsal.evidence import Evidence, StatementEvidence
from pytest_migsafe.rules.loss.check import FAMILY, done, found_of, is_judged
from pytest_migsafe.rules.registry import rule
from pytest_migsafe.rules.remedy import written
from pytest_migsafe.texts.wording import listed

_CASCADES = re.compile(r"(?<!delete)(?<!update)\s+cascade\b", re.IGNORECASE)
#: What may say the name of what it drops.
_NAMES_WHAT_IT_DROPS = re.compile(r"\b(?:drop|truncate)\b", re.IGNORECASE)


@dataclass(frozen=True)
class _Taken:
    """Something that is gone and that no statement names."""

    kind: str
    name: str
    statement: StatementEvidence

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


#: Whose loss is an error: rows, what is read, and what rows are held to.
_GRAVE = frozenset(
    {"table", "view", "materialized view", "foreign table", "column", "constraint", "rows of table"}
)


@rule(
    id="cascade-took-more",
    family=FAMILY,
    severity=Severity.ERROR,
    title="CASCADE took more than the file names.",
    why=(
        "CASCADE drops whatever depends on what is dropped, and goes on from there. In production more may depend on it than "
        "anybody remembers."
    ),
    remedy=(
        "Drop without CASCADE: PostgreSQL then lists what depends on it. Drop, or change, each of them by name in the same file."
    ),
    manual="Dependency Tracking; DROP TABLE; TRUNCATE",
    peers={"squawk": "ban-truncate-cascade", "Atlas": "DS101"},
)
def cascade_took_more(evidence: Evidence) -> Iterator[Finding]:
    """Compare what is gone with what the statements name."""
    cascading = [one for one in done(evidence) if _CASCADES.search(one.text)]
    if not cascading:
        return
    taken: dict[int, list[_Taken]] = {}
    for one in (*_taken(evidence, cascading), *_truncated_too(evidence, cascading)):
        if is_judged(evidence, one.name):
            taken.setdefault(id(one.statement), []).append(one)
    for some in taken.values():
        statement = some[0].statement
        is_grave = any(one.kind in _GRAVE for one in some)
        yield found_of(
            cascade_took_more,
            evidence,
            statement,
            severity=Severity.ERROR if is_grave else Severity.WARNING,
            message=f"CASCADE also took {listed(map(str, some))}, which the file does not name",
            proof=tuple(f"gone: {one}" for one in some),
            remedy=written(cascade_took_more.remedy, files := _by_name(some)),
            files=files,
            objects=tuple(one.name for one in some),
        )


def _by_name(some: Sequence[_Taken]) -> tuple[RemedyFile, ...]:
    """Return the file in which what CASCADE took is dropped by name, as far as that can be said, and then the rest."""
    statement = some[0].statement
    if statement.node not in {"DropStmt", "AlterTableStmt", "TruncateStmt"}:
        return ()
    without = _CASCADES.sub("", statement.text.strip().rstrip(";"))
    if statement.node == "TruncateStmt":
        named = ", ".join(one.name for one in some)
        return (RemedyFile(sql=f"{without}, {named};"),)
    views = [one.name for one in some if one.kind == "view"]
    lines = [f"DROP VIEW {', '.join(views)};"] if views else []
    for one in some:
        match one.kind:
            case "constraint" | "column":
                lines.append(
                    f"ALTER TABLE {parent_of(one.name)} DROP {one.kind.upper()} {_own_part(one.name)};"
                )
            case "trigger" | "policy":
                lines.append(f"DROP {one.kind.upper()} {_own_part(one.name)} ON {parent_of(one.name)};")
            case "view":
                pass
            case _:
                lines.append(f"DROP {one.kind.upper()} {one.name};")
    return (RemedyFile(sql="\n".join([*lines, f"{without};"])),)


def _own_part(name: str) -> str:
    """Return what a part of a relation is called in it, as SQL writes it."""
    return name.removeprefix(f"{parent_of(name)}.")


def _taken(evidence: Evidence, cascading: Sequence[StatementEvidence]) -> Iterator[_Taken]:
    for kind, name, relation in _gone(evidence):
        if not _is_named(evidence, kind, name):
            yield _Taken(kind, name, _taker(evidence, cascading, relation, name))


def _gone(evidence: Evidence) -> Iterator[tuple[str, str, str]]:
    """Yield what is gone and what does not go without saying: its kind, its name, and the relation that it is of."""
    yield from _gone_relations(evidence)
    yield from _gone_parts(evidence)
    found = evidence.identities
    for name in found.gone("function"):
        if isinstance(evidence.before.get(Function.KIND, name), Function) and not found.function(name):
            yield "function", name, ""
    for name in found.gone("type"):
        if isinstance(evidence.before.get(Type.KIND, name), Type) and name not in found.types:
            yield "type", name, ""


def _gone_relations(evidence: Evidence) -> Iterator[tuple[str, str, str]]:
    found = evidence.identities
    for name in found.gone("relation"):
        home = evidence.before.homes[Home("relation", name)].values()
        one = next(
            (one for one in home if isinstance(one, Table | View | Sequence_) and one.name == name), None
        )
        if one is None or found.fate(name).became:
            continue
        if isinstance(one, Sequence_):
            if one.owned_by is None:
                yield "sequence", name, name
        elif isinstance(one, View) or one.partition_bound is None:
            # A partition goes with its table.
            yield one.kind.replace("partitioned ", ""), name, name


def _gone_parts(evidence: Evidence) -> Iterator[tuple[str, str, str]]:
    """Yield what tables and views lack that are still there."""
    found = evidence.identities
    for relation in sorted({*found.kept("relation"), *found.gone_or_renamed}):
        became = found.fate(relation).became
        if not became:
            continue
        before, after = evidence.before.belonging_to(relation), evidence.after.belonging_to(became)
        columns = {
            one.name
            for one in before.values()
            if isinstance(one, Column) and found.column(one) is None and not one.inherited
        }
        kept = {_meaning(one) for one in after.values()}
        is_table = isinstance(evidence.before.get(Table.KIND, relation), Table)
        for one in before.values():
            if isinstance(one, Column) and is_table and one.name in columns:
                yield "column", one.qualified_name, relation
            elif isinstance(one, Constraint | Trigger | Policy) and _meaning(one) not in kept:
                goes_with_column = isinstance(one, Constraint) and not columns.isdisjoint(one.columns)
                if not goes_with_column and not _is_of_parent(one):
                    yield one.KIND, f"{relation}.{one.name}", relation


def _meaning(one: object) -> object:
    """Return what a part of a relation is, whatever it is called."""
    match one:
        case Constraint():
            return ("constraint", one.definition.removesuffix(" NOT VALID"))
        case Trigger():
            return ("trigger", one.name)
        case Policy():
            return ("policy", one.name)
    return None


def _is_of_parent(one: Constraint | Trigger | Policy) -> bool:
    return (isinstance(one, Constraint) and bool(one.inherited)) or (isinstance(one, Trigger) and one.cloned)


def _is_named(evidence: Evidence, kind: str, name: str) -> bool:
    """Whether a statement that drops something says the name, or that of the schema which is dropped with all in it."""
    own = last_part(without_arguments(name) if kind == "function" else name)
    word = re.compile(rf"(?<!\w){re.escape(own)}(?!\w)", re.IGNORECASE)
    schema = re.compile(
        rf"\bdrop\s+schema\b[^;]*(?<!\w){re.escape(last_part(schema_of(name)))}(?!\w)", re.IGNORECASE
    )
    return any(
        (_NAMES_WHAT_IT_DROPS.search(one.text) and word.search(one.text)) or schema.search(one.text)
        for one in evidence.statements
    )


def _taker(
    evidence: Evidence, cascading: Sequence[StatementEvidence], relation: str, name: str
) -> StatementEvidence:
    """Return the statement with CASCADE that most likely took something."""
    fate = evidence.identities.fate(relation).statement if relation == name else None
    if fate is not None:
        return fate
    for one in cascading:
        if any(
            last_part(name) in notice.message or last_part(name) in notice.detail for notice in one.notices
        ):
            return one
    for one in cascading:
        if any(lock.relation == relation and lock.mode == "AccessExclusiveLock" for lock in one.locks):
            return one
    return cascading[0]


def _truncated_too(evidence: Evidence, cascading: Sequence[StatementEvidence]) -> Iterator[_Taken]:
    """Yield the tables that TRUNCATE ... CASCADE empties and does not name."""
    for statement in cascading:
        if statement.node != "TruncateStmt":
            continue
        named = {own for _, own in truncates(statement.text)}
        for lock in statement.locks:
            table = evidence.before.get(Table.KIND, lock.relation)
            if (
                lock.preexisting
                and lock.mode == "AccessExclusiveLock"
                and isinstance(table, Table)
                and table.partition_bound is None
                and last_part(lock.relation) not in named
            ):
                yield _Taken("rows of table", lock.relation, statement)
