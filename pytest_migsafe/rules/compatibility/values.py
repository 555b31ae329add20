"""Values of types, and constraints: what was accepted before and is not now."""

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher

from pytest_migsafe.catalog.lexical import own_name
from pytest_migsafe.catalog.schema import Column, Constraint, Index, Table, Type
from pytest_migsafe.findings import Severity
from pytest_migsafe.rehearsal.evidence import Evidence
from pytest_migsafe.rules.compatibility.check import Breakage, compatibility_rule
from pytest_migsafe.rules.compatibility.types import changed
from pytest_migsafe.texts.wording import listed


def _types(evidence: Evidence) -> Iterator[tuple[Type, Type]]:
    found = evidence.identities
    for name in found.kept("type"):
        was, now = evidence.before.get(Type.KIND, name), evidence.after.get(Type.KIND, name)
        if isinstance(was, Type) and isinstance(now, Type):
            yield was, now


def _labels(evidence: Evidence) -> Iterator[tuple[Type, str, str]]:
    """Yield the labels of enums that are gone, each with what is in its place; empty: nothing is."""
    for was, now in _types(evidence):
        steps = SequenceMatcher(a=was.labels, b=now.labels, autojunk=False).get_opcodes()
        for step, start, end, new_start, new_end in steps:
            if step in {"replace", "delete"}:
                others = iter(now.labels[new_start:new_end])
                for label in was.labels[start:end]:
                    other = next(others, "")
                    if label not in now.labels:
                        yield was, label, "" if other in was.labels else other


@compatibility_rule(
    id="enum-value-renamed",
    severity=Severity.ERROR,
    title="A value of an enum is called otherwise.",
    why=(
        "Old code writes and compares the old label: 'invalid input value for enum'. And it reads a label that it does not know."
    ),
    remedy=(
        "Add the new value beside the old one (ALTER TYPE ... ADD VALUE), let the application read both and write the new one "
        "when no previous version runs any more, and then change the rows."
    ),
    manual="ALTER TYPE, RENAME VALUE",
    peers={"squawk": "renaming-object"},
)
def enum_value_renamed(evidence: Evidence) -> Iterator[Breakage]:
    """Look for labels in whose place there are others."""
    for was, label, other in _labels(evidence):
        if other:
            yield Breakage(
                subject=was.name,
                message=f"old code that uses '{label}' of the enum {was.name} fails: it is called '{other}' now",
                named=(other, label),
            )


@compatibility_rule(
    id="enum-value-removed",
    severity=Severity.WARNING,
    title="An enum lacks a value that it had.",
    why="Old code that writes the label, or compares with it, fails with 'invalid input value for enum'.",
    remedy="Deploy first the version of the application that does not use the value any more.",
    manual="Enumerated Types, Implementation Details",
)
def enum_value_removed(evidence: Evidence) -> Iterator[Breakage]:
    """Look for labels that are gone; to lose one, an enum has to be made anew."""
    lost: dict[str, list[str]] = {}
    for was, label, other in _labels(evidence):
        if not other:
            lost.setdefault(was.name, []).append(f"'{label}'")
    for name, labels in lost.items():
        yield Breakage(
            subject=name,
            message=f"old code that uses {listed(labels)} of the enum {name} fails: there is no such value any more",
        )


@compatibility_rule(
    id="type-changed",
    severity=Severity.WARNING,
    title="A composite type has other attributes, or a domain takes other values.",
    why=(
        "Old code that names an attribute that is gone fails, one that is new is missing in each row that old code writes "
        "('cannot cast type record'), and what the domain does not take any more is refused."
    ),
    remedy="Make a new type beside the old one, and drop the old one when no previous version of the application runs any more.",
    manual="ALTER TYPE; ALTER DOMAIN; Composite Types",
    peers={"squawk": "ban-add-composite-attribute"},
)
def type_changed(evidence: Evidence) -> Iterator[Breakage]:
    """Compare the attributes of composite types, and what domains are made of."""
    for was, now in _types(evidence):
        if was.kind != now.kind:
            yield Breakage(
                subject=was.name,
                message=f"old code that uses the type {was.name} fails: it is a {now.kind} type now, not a {was.kind} type",
            )
        elif lost := _lost_attributes(evidence, was, now):
            yield Breakage(
                subject=was.name,
                message=f"old code that uses the attribute {listed(lost)} of the type {was.name} fails: it is not there as it was",
            )
        elif len(now.attributes) > len(was.attributes):
            yield Breakage(
                subject=was.name,
                message=f"old code that writes a value of the type {was.name} fails: it has {len(now.attributes)} attributes now",
            )
        elif now.not_null and not was.not_null:
            yield Breakage(
                subject=was.name,
                message=f"old code that writes NULL where the type is {was.name} fails: the domain is NOT NULL now",
            )
        elif was.base_type != now.base_type:
            yield Breakage(
                subject=was.name,
                message=f"the domain {was.name} is made of {now.base_type} now, and was made of {was.base_type}",
            )


def _lost_attributes(evidence: Evidence, was: Type, now: Type) -> list[str]:
    """Return the attributes that are gone, or of a type that is no wider one."""
    types = dict(_named(one) for one in now.attributes)
    names = evidence.identities.types
    return [
        name
        for name, type_ in map(_named, was.attributes)
        if name not in types or changed(evidence.before, type_, evidence.after, types[name], names)
    ]


def _named(attribute: str) -> tuple[str, str]:
    name = own_name(attribute) if attribute.startswith('"') else attribute.partition(" ")[0]
    return name, attribute.removeprefix(name).strip()


@compatibility_rule(
    id="constraint-added",
    severity=Severity.OFF,
    title="A constraint is new that old code could violate.",
    why=(
        "What the previous version of the application writes was accepted before the file. Off by default: whether it keeps to "
        "the new constraint, only its authors know."
    ),
    remedy="Deploy first the version of the application that keeps to it, and add the constraint in a later release.",
    manual="Constraints",
)
def constraint_added(evidence: Evidence) -> Iterator[Breakage]:
    """Look for new constraints and unique indexes over columns that were there before."""
    found = evidence.identities
    for name in found.kept("relation"):
        table = evidence.before.get(Table.KIND, name)
        if not isinstance(table, Table) or table.partition_bound is not None:
            continue
        old = _promises(evidence, name, before=True)
        for key, one in _promises(evidence, name, before=False).items():
            columns = [f"{name}.{column}" for column in one.columns]
            is_of_old = any(evidence.before.get(Column.KIND, each) is not None for each in columns)
            if key not in old and (is_of_old or not columns):
                what = f"{one.type} constraint" if isinstance(one, Constraint) else "unique index"
                yield Breakage(
                    subject=name,
                    message=f"old code that writes to {name} may violate the new {what} {one.name}: {one.definition}",
                    named=(one.name,),
                )


def _promises(evidence: Evidence, table: str, *, before: bool) -> dict[tuple[str, str], Constraint | Index]:
    """Return constraints and unique indexes by what they demand."""
    schema = evidence.before if before else evidence.after
    return {
        (one.KIND, one.definition.removesuffix(" NOT VALID")): one
        for one in schema.belonging_to(table).values()
        if (
            isinstance(one, Constraint)
            and one.type not in {"not null", "primary key", "unique"}
            and one.enforced
        )
        or (isinstance(one, Index) and one.unique and not one.primary)
    }


@compatibility_rule(
    id="unique-removed",
    severity=Severity.WARNING,
    title="Columns on which old code could resolve conflicts are not unique any more.",
    why=(
        "INSERT ... ON CONFLICT (columns) needs a unique index or constraint of exactly these columns: without it, it fails with "
        "'there is no unique or exclusion constraint matching the ON CONFLICT specification'. And what was refused before is "
        "stored twice."
    ),
    remedy="Make the index that takes its place first; drop the old one when no previous version of the application runs any more.",
    manual="INSERT, ON CONFLICT Clause",
)
def unique_removed(evidence: Evidence) -> Iterator[Breakage]:
    """Look for tables that lack a unique key that they had, over columns that are still there."""
    found = evidence.identities
    for name in found.kept("relation"):
        was, now = evidence.before.get(Table.KIND, name), evidence.after.get(Table.KIND, name)
        if not isinstance(was, Table) or not isinstance(now, Table) or was.partition_bound is not None:
            continue
        kept = {frozenset(one) for one in _unique(evidence, name, before=False)}
        for columns in _unique(evidence, name, before=True):
            are_there = all(
                evidence.after.get(Column.KIND, f"{name}.{column}") is not None for column in columns
            )
            if are_there and frozenset(columns) not in kept:
                yield Breakage(
                    subject=name,
                    message=f"old code with ON CONFLICT ({', '.join(columns)}) on {name} fails: these columns are not unique any more",
                    named=tuple(_keys_of(evidence, name, columns)),
                )


def _keys_of(evidence: Evidence, table: str, columns: Sequence[str]) -> Iterator[str]:
    """Yield the names of the indexes that made columns unique."""
    for one in evidence.before.belonging_to(table).values():
        if isinstance(one, Index) and one.unique and tuple(one.columns) == tuple(columns):
            yield one.name


def _unique(evidence: Evidence, table: str, *, before: bool) -> list[tuple[str, ...]]:
    """Return the columns of each unique index that holds for all rows."""
    schema = evidence.before if before else evidence.after
    return sorted(
        {
            one.columns
            for one in schema.belonging_to(table).values()
            if isinstance(one, Index)
            and one.unique
            and one.valid
            and " WHERE " not in one.definition
            and " INCLUDE " not in one.definition
        }
    )
